"""Sign documents of badges with the keys of their issuer, and sign them again with another key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from badges_plugin.distribution.open_badges import addresses, proofs, texts, tokens
from badges_plugin.distribution.open_badges.data import Document
from badges_plugin.distribution.open_badges.keys import KeyPair


def sign_document(document: Document, pair: KeyPair, kid: str, now: datetime) -> Mapping[str, str]:
    """Return a badge with its embedded proof, the same badge as a token, and the key that signed both.

    A proof that was there is left out. Takes about 9 ms of CPU. Raises UnsignableBadge.
    """
    method = addresses.method_id(document["issuer"]["id"], pair.row.number)
    signed = proofs.sign(document, pair.ed25519, method, now)
    return {
        "document": json.dumps(signed, ensure_ascii=False, separators=(",", ":")),
        "jwt": tokens.sign(document, pair.p256, kid),
        "key": str(pair.row.pk),
        "signed_at": now.isoformat(),
    }


def sign_again(text: str, pair: KeyPair, kid: str, now: datetime) -> Mapping[str, str]:
    """Return a signed badge, signed with another key. It says the same, and is newer: wallets keep the newer one."""
    document: Document = json.loads(text)
    return sign_document({**document, "validFrom": texts.utc(now)}, pair, kid, now)
