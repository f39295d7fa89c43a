"""The documents of the site's own badges, before they are signed.

https://www.imsglobal.org/spec/ob/v3p0/ . What the specification leaves open and validators insist on is listed in
docs/reference/open-badges-conformance.rst. Nothing is null, no array is empty: optional properties are left out.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from badges_plugin.distribution.open_badges import canonical, status_bits, texts
from badges_plugin.distribution.open_badges.achievements import achievement_node, result_nodes
from badges_plugin.distribution.open_badges.data import (
    AchievementFacts,
    BadgeFacts,
    Document,
    Evidence,
    IssuerFacts,
    StatusEntry,
    UnsignableBadge,
)

#: The variant for JSON-LD, which takes single values for arrays.
SCHEMA: Final = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json-ld/ob_v3p0_achievementcredential_schema.json"
#: Characters of a document as ASCII, which is how it stands in a token. ``strict_json`` reads a few more.
MAX_CHARACTERS = 200_000
_STATUS = "BitstringStatusListEntry"
_REVOCATION = "revocation"


def unsigned_document(facts: BadgeFacts) -> Document:
    """Return the OpenBadgeCredential of ``facts``; raise UnsignableBadge if wallets would refuse it."""
    if facts.valid_until is not None and facts.valid_until <= facts.valid_from:
        raise UnsignableBadge(_("The badge would expire before it is valid."))
    document = {
        "@context": [canonical.CREDENTIALS, canonical.OPEN_BADGES, canonical.EXTENSIONS],
        "id": texts.web_url(facts.id, _("The address of the badge")),
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": texts.clean(facts.name) or texts.required(facts.achievement.name, _("The name of the badge")),
        "issuer": _issuer_node(facts.issuer),
        "validFrom": texts.utc(facts.valid_from),
        "awardedDate": texts.utc(facts.awarded_at),
        "credentialSubject": _subject(facts),
        "credentialSchema": [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
    }
    if facts.valid_until is not None:
        document["validUntil"] = texts.utc(facts.valid_until)
    if evidence := _evidence(facts.evidence):
        document["evidence"] = evidence
    if facts.status is not None:
        document["credentialStatus"] = _status(facts.status)
    if len(json.dumps(document)) > MAX_CHARACTERS:
        raise UnsignableBadge(_("The texts of the badge are too long to be signed."))
    return document


def profile(issuer: IssuerFacts) -> Document:
    """Return the issuer's Profile as a document of its own, with contexts."""
    return {"@context": [canonical.CREDENTIALS, canonical.OPEN_BADGES], **_issuer_node(issuer)}


def achievement(facts: AchievementFacts, issuer: IssuerFacts) -> Document:
    """Return the Achievement as a document of its own, with contexts and its creator."""
    return {
        "@context": [canonical.CREDENTIALS, canonical.OPEN_BADGES],
        **achievement_node(facts),
        "creator": _issuer_node(issuer),
    }


def status_list(url: str, issuer_id: str, bits: bytes, valid_from: datetime) -> Document:
    """Return the BitstringStatusListCredential at ``url``, to be signed with ``proofs.sign``."""
    return {
        "@context": [canonical.CREDENTIALS],
        "id": texts.web_url(url, _("The address of the status list")),
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": texts.identifier(issuer_id, _("The id of the issuer")),
        "validFrom": texts.utc(valid_from),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": _REVOCATION,
            "encodedList": status_bits.encode(bits),
        },
    }


def _issuer_node(issuer: IssuerFacts) -> Document:
    node: dict[str, Any] = {
        "id": texts.identifier(issuer.id, _("The id of the issuer")),
        "type": ["Profile"],
        "name": texts.required(issuer.name, _("The name of the issuer")),
        "url": texts.web_url(issuer.url, _("The address of the issuer")),
    }
    if email := texts.clean(issuer.email):
        node["email"] = email
    if description := texts.clean(issuer.description):
        node["description"] = description
    if issuer.image_url:
        node["image"] = texts.image(issuer.image_url, _("The image of the issuer"))
    return node


def _subject(facts: BadgeFacts) -> Document:
    achieved = achievement_node(facts.achievement)
    subject: dict[str, Any] = {
        "id": texts.identifier(facts.subject_id, _("The id of the learner in the badge")),
        "type": ["AchievementSubject"],
    }
    if facts.email and facts.salt:
        subject["identifier"] = [hashed_email(facts.email, facts.salt)]
    if facts.grade is not None:
        described, result = result_nodes(facts.achievement, facts.grade)
        achieved["resultDescription"] = [described]
        subject["result"] = [result]
    return {**subject, "achievement": achieved}


def _evidence(found: tuple[Evidence, ...]) -> list[Document]:
    nodes: list[Document] = []
    for evidence in found:
        node: dict[str, Any] = {"type": ["Evidence"], "name": texts.clean(evidence.name)}
        if evidence.id:
            node["id"] = texts.identifier(evidence.id, _("The id of a piece of evidence"))
        node["narrative"] = texts.clean(evidence.narrative)
        node["description"] = texts.clean(evidence.description)
        node = {name: value for name, value in node.items() if value}
        # Nodes that are alike are one to JSON-LD, or costly.
        if len(node) > 1 and node not in nodes:
            nodes.append(node)
    return nodes


def _status(entry: StatusEntry) -> Document:
    if not 0 <= entry.index < status_bits.LENGTH:
        raise UnsignableBadge(_("The status list has no place %(index)d.") % {"index": entry.index})
    url = texts.web_url(entry.list_url, _("The address of the status list"))
    return {
        "id": f"{url}#{entry.index}",
        "type": _STATUS,
        "statusPurpose": _REVOCATION,
        "statusListIndex": str(entry.index),
        "statusListCredential": url,
    }


def hashed_email(email: str, salt: str) -> Document:
    """Return the IdentityObject of an address: whoever knows the address can check it, nobody can read it.

    https://www.imsglobal.org/spec/ob/v3p0/#identityobject
    """
    digest = hashlib.sha256((email + salt).encode()).hexdigest()
    return {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": f"sha256${digest}",
        "identityType": "emailAddress",
        "salt": salt,
    }
