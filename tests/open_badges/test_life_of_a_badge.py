"""A badge of the site's own is signed, revoked and earned again; all of it is done by the worker."""

from __future__ import annotations

import json
from typing import Any

from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.open_badges import api, status_bits, status_lists
from badges_plugin.distribution.open_badges.api import Outcome
from badges_plugin.distribution.open_badges.models import IssuerProfile, SignedBadge
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.distribution.worlds import deliver
from tests.factories import send_passing


def signed() -> list[api.SignedDocument]:
    """Return the signed badges, the oldest award first."""
    found = api.documents_of(list(BadgeAward.objects.values_list("pk", flat=True)))
    return [found[pk] for pk in sorted(found)]


def is_listed(document: api.SignedDocument) -> bool:
    """Return what the published status list says of a badge."""
    row = SignedBadge.objects.select_related("status_list").get(uuid=document.uuid)
    listed = json.loads(row.status_list.signed)
    entry = json.loads(document.json_text)["credentialStatus"]
    assert (entry["statusListCredential"], entry["statusListIndex"]) == (listed["id"], str(row.status_index))
    return status_bits.is_set(status_lists.bits_of(row.status_list), row.status_index)


def outcomes(document: api.SignedDocument) -> set[Outcome]:
    return {api.verify(document.json_text).outcome, api.verify(document.jwt).outcome}


def test_is_signed_revoked_and_earned_again_as_another_badge(template: BadgeTemplate, ada: Any) -> None:
    send_passing(ada, minute=1)
    assert deliver() == {"done": 1}
    [first] = signed()
    assert (outcomes(first), is_listed(first), first.is_revoked) == ({Outcome.VALID}, False, False)

    send_passing(ada, minute=2, is_passing=False)
    deliver()
    [revoked] = signed()
    assert (outcomes(revoked), is_listed(revoked), revoked.is_revoked) == ({Outcome.REVOKED}, True, True)
    assert (revoked.uuid, revoked.json_text) == (first.uuid, first.json_text)

    send_passing(ada, minute=3)
    deliver()
    [_, second] = signed()
    assert second.uuid != first.uuid
    assert (outcomes(second), outcomes(first)) == ({Outcome.VALID}, {Outcome.REVOKED})
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}


def test_what_it_says(template: BadgeTemplate, ada: Any) -> None:
    send_passing(ada, minute=1)
    deliver()
    [document] = signed()
    said = json.loads(document.json_text)
    issuer = IssuerProfile.objects.get()

    assert said["id"] == document.url == f"https://badges.example.org/badges/b/{document.uuid}/"
    assert said["issuer"]["id"] == f"did:web:badges.example.org:badges:open:issuers:{issuer.uuid}"
    assert said["awardedDate"] == "2026-01-01T00:01:00Z"
    achievement = said["credentialSubject"]["achievement"]
    assert (achievement["name"], achievement["description"]) == ("Pässler ✓", "For passing.")
    assert "- Pass course-v1:Demo+Badges+1\n" in achievement["criteria"]["narrative"]
    assert said["evidence"][0]["narrative"] == "- passed on Jan. 1, 2026"
    assert "ada" not in document.json_text.lower()
