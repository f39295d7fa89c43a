"""The counts that a drill checks at its end."""

from collections import Counter, defaultdict

from sandbox.credly.journal import Journal
from sandbox.credly.records import Badge, Json
from sandbox.credly.world import World


def badge_row(badge: Badge) -> Json:
    return {
        "id": badge.id,
        "organization_id": badge.organization_id,
        "badge_template_id": badge.badge_template_id,
        "recipient_email": badge.recipient_email,
        "issuer_earner_id": badge.issuer_earner_id,
        "state": "deleted" if badge.deleted else badge.state,
        "live": badge.is_live,
        "issued_at": badge.issued_at,
        "created_at": badge.created_at,
        "state_updated_at": badge.state_updated_at,
        "revocation_reason": badge.revocation_reason,
        "replacement_badge_id": badge.replacement_badge_id,
        "accept_token": badge.accept_token,
    }


def summary(world: World, journal: Journal) -> Json:
    """Counters of the journal, then the badges.

    ``earners``: {earner: {template id: [state, ...]}} in the order of issue; an earner is the issuer_earner_id, or the
    e-mail address where there is none. ``held_twice``: the (earner, template) with more than one live badge now.
    """
    with world.lock:
        badges = list(world.badges.values())
        earners: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        live: Counter[tuple[str, str]] = Counter()
        for badge in badges:
            earner = badge.issuer_earner_id or badge.recipient_email
            earners[earner][badge.badge_template_id].append("deleted" if badge.deleted else badge.state)
            live[earner, badge.badge_template_id] += badge.is_live
        return {
            **journal.counters(),
            "badges": len(badges),
            "live_badges": sum(live.values()),
            "states": dict(Counter("deleted" if badge.deleted else badge.state for badge in badges)),
            "held_twice": [list(key) for key, count in live.items() if count > 1],
            "events": len(world.events),
            "earners": earners,
        }
