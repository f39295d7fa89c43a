"""Take over organizations, badge templates and badges at Credly from the host's built-in badges app."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from badges_plugin import host
from badges_plugin.adoption.adopters import BuiltinRow, Fate
from badges_plugin.adoption.report import ADOPTED, KNOWN
from badges_plugin.distribution.accounts.adoption import AccountAdopter, give_key
from badges_plugin.distribution.credly.backend import CredlyBackend
from badges_plugin.distribution.credly.data import BadgeState, TemplateState
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.models import BadgeTemplate


class CredlyAdopter(AccountAdopter):
    """The built-in app's part for Credly, where a template has Credly's id as its UUID."""

    template_model: ClassVar[str] = "CredlyBadgeTemplate"
    badge_model: ClassVar[str] = "CredlyBadge"
    issued_states: ClassVar[frozenset[str]] = frozenset({"pending", "accepted", "rejected"})
    revoked_states: ClassVar[frozenset[str]] = frozenset({"revoked"})
    backend: ClassVar[CredlyBackend] = CredlyBackend()

    def adopt_accounts(self, *, dry_run: bool) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        for row in host.builtin_models()["CredlyOrganization"].objects.order_by("pk"):
            own = CredlyOrganization.objects.filter(uuid=row.uuid).first() or CredlyOrganization(uuid=row.uuid)
            is_new, is_named = own.pk is None, bool(own.name)
            own.name = own.name or row.name or ""
            if give_key(own, row.api_key.strip()) or is_new or (own.name and not is_named):
                outcomes[ADOPTED] += 1
                if not dry_run:
                    own.save()
            else:
                outcomes[KNOWN] += 1
        return outcomes

    def own_template(self, row: BuiltinRow) -> BadgeTemplate | None:
        return CredlyBadgeTemplate.objects.filter(uuid=row.uuid).first()

    def make_template(self, row: BuiltinRow, values: Mapping[str, object]) -> BadgeTemplate:
        organization = CredlyOrganization.objects.get(uuid=row.organization.uuid)
        return CredlyBadgeTemplate.objects.create(**values, organization=organization, state=_state_of(row))

    def refusal(self, own: BadgeTemplate | None, row: BuiltinRow) -> str:
        mirrored = own if isinstance(own, CredlyBadgeTemplate) else CredlyBadgeTemplate(state=_state_of(row))
        return mirrored.refusal

    def external_id(self, badge: BuiltinRow) -> str:
        return "" if badge.external_uuid is None else str(badge.external_uuid)

    def external_value(self, badge: BuiltinRow) -> UUID | None:
        found: UUID | None = badge.external_uuid
        return found

    def no_external_value(self) -> None:
        return None

    def badge_state(self, badge: BuiltinRow, fate: Fate) -> str:
        if fate is Fate.LOST:
            return BadgeState.CREATED
        return badge.state if badge.state in BadgeState.values else BadgeState.UNKNOWN


def _state_of(row: BuiltinRow) -> str:
    return row.state if row.state in TemplateState.values else TemplateState.UNKNOWN
