"""Look at what was signed, as a verifier would."""

from __future__ import annotations

import json
from typing import Any

from badges_plugin.distribution.open_badges import api, status_bits, status_lists
from badges_plugin.distribution.open_badges.api import Outcome, SignedDocument
from badges_plugin.distribution.open_badges.models import SignedBadge
from badges_plugin.models import BadgeAward


def signed() -> list[SignedDocument]:
    """Return the signed badges, the oldest award first."""
    found = api.documents_of(list(BadgeAward.objects.values_list("pk", flat=True)))
    return [found[pk] for pk in sorted(found)]


def said(document: SignedDocument) -> Any:
    return json.loads(document.json_text)


def is_listed(document: SignedDocument) -> bool:
    """Return what the published status list says of a badge."""
    row = SignedBadge.objects.select_related("status_list").get(uuid=document.uuid)
    entry, listed = said(document)["credentialStatus"], json.loads(row.status_list.signed)
    assert (entry["statusListCredential"], entry["statusListIndex"]) == (listed["id"], str(row.status_index))
    return status_bits.is_set(status_lists.bits_of(row.status_list), row.status_index)


def outcomes(document: SignedDocument) -> set[Outcome]:
    """Return what is said of a badge in each of its two forms."""
    return {api.verify(document.json_text).outcome, api.verify(document.jwt).outcome}
