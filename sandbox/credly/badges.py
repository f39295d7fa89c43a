"""Operations on badges: issue, revoke, replace, delete, and the learner's accept and reject.

https://www.credly.com/docs/issued_badges

Every function holds the lock of the world and either changes it and returns, or raises Refused and has changed nothing.
"""

from dataclasses import dataclass

from sandbox.credly.fields import Fields
from sandbox.credly.records import ACCEPTED, ACTIVE, PENDING, REJECTED, REVOKED, Badge, Json, Template
from sandbox.credly.refusals import ALREADY_REVOKED, DUPLICATE, UNKNOWN_BADGE, Refused, invalid
from sandbox.credly.world import World


@dataclass(frozen=True)
class Issued:
    badge: Badge
    #: The earner already held a live badge of this template, and the template allows that.
    is_duplicate: bool


def issue(world: World, organization_id: str, body: Json) -> Issued:
    with world.lock:
        badge = _read_badge(world, organization_id, body)
        template = _issuable_template(world, organization_id, badge.badge_template_id)
        held = world.live_badges(template.id, badge.recipient_email, badge.issuer_earner_id)
        # Assumption: revoked, replaced and deleted badges are no duplicates; rejected and expired ones are.
        # https://credlyissuer.zendesk.com/hc/en-us/articles/4418439056411 ("replace" is not simulated here)
        may_be_second = template.allow_duplicate_badges or body.get("duplicate_behavior") == "allow"
        if held and not may_be_second:
            raise Refused(422, "The user already has this badge", kind=DUPLICATE)
        _publish(world, badge, "badge.created")
        return Issued(badge, bool(held))


def revoke(world: World, organization_id: str, badge_id: str, body: Json) -> Badge:
    with world.lock:
        badge = find(world, organization_id, badge_id)
        if badge.state == REVOKED:
            raise Refused(422, "This badge has already been revoked", kind=ALREADY_REVOKED)
        if badge.replacement_badge_id is not None:
            raise Refused(422, "A badge that was replaced cannot be revoked")
        fields = Fields(body)
        reason = fields.optional_text("reason")
        fields.optional_flag("suppress_revoke_notification_email")
        fields.check()
        badge.revocation_reason = reason
        _move(world, badge, REVOKED)
        return badge


def replace(world: World, organization_id: str, badge_id: str, body: Json) -> Badge:
    """Replace this badge by a new one."""
    # Assumption: missing attributes are copied from the old badge.
    with world.lock:
        old = find(world, organization_id, badge_id)
        if not old.is_live:
            raise Refused(422, "This badge cannot be replaced")
        inherited = {name: value for name, value in vars(old).items() if name in _REPLACEABLE}
        new = _read_badge(world, organization_id, {**inherited, **body})
        _issuable_template(world, organization_id, new.badge_template_id)
        new.replaces_badge_id = old.id
        old.replacement_badge_id = new.id
        world.put_badge(old)
        _publish(world, new, "badge.created")
        return new


def delete(world: World, organization_id: str, badge_id: str) -> Badge:
    with world.lock:
        badge = find(world, organization_id, badge_id)
        badge.deleted = True
        _publish(world, badge, "badge.deleted")
        return badge


def accept(world: World, badge: Badge) -> Badge:
    return _answer(world, badge, ACCEPTED)


def reject(world: World, badge: Badge) -> Badge:
    return _answer(world, badge, REJECTED)


def find(world: World, organization_id: str, badge_id: str) -> Badge:
    badge = world.badges.get(badge_id)
    if badge is None or badge.deleted or badge.organization_id != organization_id:
        raise Refused(404, "Badge not found", kind=UNKNOWN_BADGE)
    return badge


_REPLACEABLE = (
    "recipient_email",
    "issued_to_first_name",
    "issued_to_middle_name",
    "issued_to_last_name",
    "issuer_earner_id",
    "badge_template_id",
    "issued_at",
    "expires_at",
    "locale",
)


def _answer(world: World, badge: Badge, state: str) -> Badge:
    """Record the learner's answer to a pending badge. The same answer again changes nothing."""
    with world.lock:
        if badge.state == state and not badge.deleted:
            return badge
        if badge.state != PENDING or not badge.is_live:
            raise Refused(409, "This badge is no longer waiting for an answer")
        badge.public = state == ACCEPTED
        _move(world, badge, state)
        return badge


def _issuable_template(world: World, organization_id: str, template_id: str) -> Template:
    # Assumption: a template that is named in a body and does not exist is 422, not 404.
    template = world.templates.get(template_id)
    if template is None or template.deleted or template.organization_id != organization_id:
        raise invalid({"badge_template_id": "does not exist"})
    if template.state != ACTIVE:
        raise Refused(422, f"The badge template is {template.state} and cannot be used to issue badges")
    return template


def _read_badge(world: World, organization_id: str, body: Json) -> Badge:
    fields = Fields(body)
    badge = Badge(
        id=world.new_id(),
        organization_id=organization_id,
        recipient_email=fields.email("recipient_email"),
        issued_to_first_name=fields.text("issued_to_first_name"),
        issued_to_last_name=fields.text("issued_to_last_name"),
        badge_template_id=fields.text("badge_template_id"),
        issued_at=fields.time("issued_at"),
        issued_to_middle_name=fields.optional_text("issued_to_middle_name"),
        issuer_earner_id=fields.optional_text("issuer_earner_id"),
        locale=fields.locale("locale"),
        suppress_badge_notification_email=fields.optional_flag("suppress_badge_notification_email"),
        expires_at=fields.expiry("expires_at"),
        country_name=fields.optional_text("country_name"),
        state_or_province=fields.optional_text("state_or_province"),
        evidence=fields.evidence("evidence"),
        accept_token=world.new_id(),
    )
    if badge.expires_at and badge.issued_at and badge.expires_at <= badge.issued_at:
        fields.errors["expires_at"] = "must be after issued_at"
    fields.check()
    return badge


def _publish(world: World, badge: Badge, event_type: str) -> None:
    if event_type == "badge.created":
        badge.created_at = badge.state_updated_at = world.now()
    world.put_badge(badge)
    world.add_event(event_type, badge.organization_id, "badge", world.badge_reply(badge))


def _move(world: World, badge: Badge, state: str) -> None:
    badge.state = state
    badge.state_updated_at = world.now()
    _publish(world, badge, "badge.state.changed")
