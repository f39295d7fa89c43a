"""The signing keys of issuers: made at first use, encrypted at rest, rotated and retired by command."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from badges_plugin.distribution.api import RejectedKey, UnreadableKey, decrypt, encrypt
from badges_plugin.distribution.open_badges import multikey
from badges_plugin.distribution.open_badges.models import IssuerProfile, SigningKey
from badges_plugin.logs import get_logger

logger = get_logger(__name__)

UNREADABLE = gettext_noop(
    "The signing key cannot be read since SECRET_KEY changed. Add the old one to SECRET_KEY_FALLBACKS, or run "
    "manage.py badges_rotate_keys."
)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A stored key and its private parts, in memory."""

    row: SigningKey
    ed25519: Ed25519PrivateKey = field(repr=False)
    p256: EllipticCurvePrivateKey = field(repr=False)


def current(issuers: Collection[IssuerProfile]) -> dict[int, KeyPair | RejectedKey]:
    """Return the keys that sign for issuers now, by issuer; they are made where there are none.

    One query, unless keys are made. A key that cannot be decrypted is the failure that its deliveries get.
    """
    latest = {row.issuer_id: row for row in _live(issuer.pk for issuer in issuers)}
    found: dict[int, KeyPair | RejectedKey] = {}
    for issuer in issuers:
        row = latest.get(issuer.pk) or make(issuer)
        try:
            found[issuer.pk] = _opened(row)
        except UnreadableKey:
            found[issuer.pk] = RejectedKey(UNREADABLE)
    return found


def newest(issuer_id: int) -> SigningKey | None:
    """Return the key that signs for an issuer, if it was made already. One query."""
    return _live([issuer_id]).last()


def make(issuer: IssuerProfile, *, after: int = 0) -> SigningKey:
    """Return the key that follows number ``after``. Of two processes that make it, both get the one that is stored."""
    ed25519, p256 = Ed25519PrivateKey.generate(), generate_private_key(SECP256R1())
    row = SigningKey(
        issuer=issuer,
        number=after + 1,
        encrypted_private=_closed(ed25519, p256),
        public_ed25519=multikey.encode(ed25519.public_key()),
        public_p256=p256.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return SigningKey.objects.get(issuer=issuer, number=after + 1)
    logger.info("Key %d of issuer %s was made.", row.number, issuer.pk)
    return row


def is_readable(row: SigningKey) -> bool:
    """Return whether the private parts can be decrypted under today's SECRET_KEY, or an earlier one that is kept."""
    try:
        decrypt(row.encrypted_private)
    except UnreadableKey:
        return False
    return True


def rotate(issuer: IssuerProfile) -> SigningKey:
    """Make a new key, which signs from now on. The earlier ones still verify what they signed."""
    last = SigningKey.objects.filter(issuer=issuer).aggregate(last=Max("number"))["last"] or 0
    return make(issuer, after=last)


def retire(row: SigningKey) -> None:
    """Publish a key no longer, since somebody else may have it, and forget its private parts.

    A newer key must be there. Whatever the retired one signed must be signed again.
    """
    if not SigningKey.objects.filter(issuer=row.issuer_id, number__gt=row.number, retired_at=None).exists():
        raise ValueError("The key that signs cannot be retired: make a new one first.")
    row.retired_at, row.encrypted_private = timezone.now(), ""
    row.save(update_fields=["retired_at", "encrypted_private"])
    logger.warning("Key %d of issuer %s was retired.", row.number, row.issuer_id)


def published(issuer: IssuerProfile) -> list[SigningKey]:
    """Return the keys that verify what an issuer signed, oldest first. One query."""
    return list(_live([issuer.pk]))


def public_ed25519(row: SigningKey) -> Ed25519PublicKey:
    return multikey.decode(row.public_ed25519)


def public_p256(row: SigningKey) -> EllipticCurvePublicKey:
    key = serialization.load_pem_public_key(row.public_p256.encode())
    if not isinstance(key, EllipticCurvePublicKey):
        raise TypeError("The stored key is not one of an elliptic curve.")
    return key


def _live(issuer_ids: Iterable[int]) -> QuerySet[SigningKey]:
    return SigningKey.objects.filter(issuer__in=list(issuer_ids), retired_at=None).order_by("issuer", "number")


def _closed(ed25519: Ed25519PrivateKey, p256: EllipticCurvePrivateKey) -> str:
    plain = {
        "ed25519": ed25519.private_bytes_raw().hex(),
        "p256": f"{p256.private_numbers().private_value:064x}",
    }
    return encrypt(json.dumps(plain))


def _opened(row: SigningKey) -> KeyPair:
    plain: Mapping[str, str] = json.loads(decrypt(row.encrypted_private))
    return KeyPair(
        row,
        Ed25519PrivateKey.from_private_bytes(bytes.fromhex(plain["ed25519"])),
        derive_private_key(int(plain["p256"], 16), SECP256R1()),
    )
