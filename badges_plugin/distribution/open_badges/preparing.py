"""Read from the database what a thread needs to sign badges, and reserve their identifiers and their bits.

A badge keeps its identifier however often its delivery is tried: a process that dies in between leaves nothing that
would be signed twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction

from badges_plugin import bulk
from badges_plugin.distribution.api import BadgeAward, RejectedKey
from badges_plugin.distribution.open_badges import addresses, issuers, keys, status_lists
from badges_plugin.distribution.open_badges.data import BadgeFacts, IssuerFacts, StatusEntry
from badges_plugin.distribution.open_badges.earning import Achievement, achievements
from badges_plugin.distribution.open_badges.evidence import Proof, proofs_of
from badges_plugin.distribution.open_badges.keys import KeyPair
from badges_plugin.distribution.open_badges.models import BadgeStatus, IssuerProfile, SignedBadge

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is known of a badge before it is signed. Without facts there is nothing to sign: the award has ended."""

    uuid: UUID | None = None
    is_signed: bool = False
    is_revoked: bool = False
    facts: BadgeFacts | None = None
    pair: KeyPair | None = None
    kid: str = ""


def prepare(awards: Sequence[BadgeAward]) -> dict[int, Prepared | RejectedKey]:
    """Return what signing the badges of awards needs, by the keys of the awards, or why their issuer may not sign.

    Awards have their progress and template loaded. Those of which nothing is left to sign are only looked up. The
    number of queries does not depend on that of the awards.
    """
    known = {row.award_id: row for row in _rows(awards)}
    found: dict[int, Prepared | RejectedKey] = {
        award.pk: _looked_up(known.get(award.pk)) for award in awards if not _is_to_sign(award, known)
    }
    wanted = [award for award in awards if award.pk not in found]
    if not wanted:
        return found
    profiles = issuers.profiles({award.template.site_id for award in wanted})
    pairs = _pairs(profiles)
    for award in wanted:
        if isinstance(refused := pairs[award.template.site_id], RejectedKey):
            found[award.pk] = refused
    wanted = [award for award in wanted if award.pk not in found]
    return found | _with_facts(wanted, known, profiles, pairs)


def _with_facts(
    awards: Sequence[BadgeAward],
    known: Mapping[int, SignedBadge],
    profiles: Mapping[int, IssuerProfile],
    pairs: Mapping[int, KeyPair | RejectedKey],
) -> dict[int, Prepared]:
    templates = {award.progress.template_id: award.template for award in awards}
    described = achievements(list(templates.values()), profiles)
    proven = proofs_of(awards, described)
    reserved = {**known, **_reserve([award for award in awards if award.pk not in known], profiles)}
    status_lists.sign_new({row.status_list_id: row.status_list for row in reserved.values()}.values())
    found = {}
    for award in awards:
        profile, pair, row = profiles[award.template.site_id], pairs[award.template.site_id], reserved[award.pk]
        achievement = described.get(award.progress.template_id)
        if achievement is None or not isinstance(pair, KeyPair):
            continue
        base_url = row.status_list.base_url
        found[award.pk] = Prepared(
            uuid=row.uuid,
            facts=_facts(award, row, issuers.facts_of(profile, base_url), achievement, proven[award.pk]),
            pair=pair,
            kid=addresses.key_url(base_url, profile.uuid, pair.row.number),
        )
    return found


def _facts(
    award: BadgeAward, row: SignedBadge, issuer: IssuerFacts, achievement: Achievement, proof: Proof
) -> BadgeFacts:
    """Return the facts of a badge, without the e-mail address and the times, which its request has."""
    return BadgeFacts(
        id=row.url,
        issuer=issuer,
        achievement=achievement.facts,
        subject_id=uuid5(row.uuid, "subject").urn,
        email="",
        salt=row.salt,
        awarded_at=award.awarded_at,
        valid_from=award.awarded_at,
        evidence=proof.evidence,
        grade=proof.grade,
        status=StatusEntry(status_lists.url_of(row.status_list), row.status_index),
        name=award.template.name,
    )


def _rows(awards: Sequence[BadgeAward]) -> Sequence[SignedBadge]:
    rows = SignedBadge.objects.filter(award__in=[award.pk for award in awards])
    # Not what may be long: a document is read where it is shown.
    return list(rows.select_related("status_list").defer("document", "jwt", "status_list__signed").order_by("pk"))


def _is_to_sign(award: BadgeAward, known: Mapping[int, SignedBadge]) -> bool:
    row = known.get(award.pk)
    return award.revoked_at is None and (row is None or (row.signed_at is None and row.erased_at is None))


def _looked_up(row: SignedBadge | None) -> Prepared:
    if row is None:
        return Prepared()
    return Prepared(row.uuid, is_signed=row.signed_at is not None, is_revoked=row.status == BadgeStatus.REVOKED)


def _pairs(profiles: Mapping[int, IssuerProfile]) -> dict[int, KeyPair | RejectedKey]:
    refused = {pk: refusal for pk, profile in profiles.items() if (refusal := issuers.refusal(profile))}
    usable = [profile for pk, profile in profiles.items() if pk not in refused]
    return {**refused, **keys.current(usable)}


def _reserve(awards: Sequence[BadgeAward], profiles: Mapping[int, IssuerProfile]) -> dict[int, SignedBadge]:
    """Return stored rows for awards that have none. Another process may have reserved some meanwhile."""
    for attempt in range(1, _ATTEMPTS + 1):
        known = {row.award_id: row for row in _rows(awards)} if attempt > 1 else {}
        missing = [award for award in awards if award.pk not in known]
        try:
            with transaction.atomic():
                new = _reserved(missing, profiles)
                bulk.insert(sorted(new.values(), key=lambda row: row.award_id), by=["award_id"])
        except IntegrityError:
            if attempt == _ATTEMPTS:
                raise
        else:
            return {**known, **new}
    raise AssertionError("unreachable")


def _reserved(awards: Sequence[BadgeAward], profiles: Mapping[int, IssuerProfile]) -> dict[int, SignedBadge]:
    by_site: dict[int, list[BadgeAward]] = defaultdict(list)
    for award in awards:
        by_site[award.template.site_id].append(award)
    rows = {}
    for site_id, own in sorted(by_site.items()):
        places = status_lists.reserve(profiles[site_id], len(own))
        for award, (status_list, index) in zip(own, places, strict=True):
            row = SignedBadge(award=award, status_list=status_list, status_index=index, expires_at=award.expires_at)
            row.url = addresses.badge_url(status_list.base_url, row.uuid)
            rows[award.pk] = row
    return rows
