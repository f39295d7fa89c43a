"""Take over API configurations, groups and badges at Accredible from the host's built-in badges app."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import count
from typing import ClassVar

from badges_plugin import host
from badges_plugin.adoption.adopters import BuiltinRow, Fate
from badges_plugin.adoption.report import ADOPTED, KNOWN
from badges_plugin.distribution.accounts.adoption import AccountAdopter, give_key
from badges_plugin.distribution.accredible.backend import AccredibleBackend
from badges_plugin.distribution.accredible.conf import spelled
from badges_plugin.distribution.accredible.data import CredentialState
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleGroup
from badges_plugin.distribution.api import RejectedKey
from badges_plugin.models import BadgeTemplate

_STATES = {"accepted": CredentialState.PUBLISHED, "expired": CredentialState.EXPIRED}
_NAME = "Accredible"


class AccredibleAdopter(AccountAdopter):
    """The built-in app's part for Accredible, where a group has Accredible's id as its primary key."""

    template_model: ClassVar[str] = "AccredibleGroup"
    badge_model: ClassVar[str] = "AccredibleBadge"
    issued_states: ClassVar[frozenset[str]] = frozenset({"accepted"})
    revoked_states: ClassVar[frozenset[str]] = frozenset({"expired"})
    backend: ClassVar[AccredibleBackend] = AccredibleBackend()

    def adopt_accounts(self, *, dry_run: bool) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        known = list(AccredibleApiConfig.objects.order_by("pk"))
        for row in host.builtin_models()["AccredibleAPIConfig"].objects.order_by("pk"):
            own = _account_of(row, known)
            if own is None:
                own = AccredibleApiConfig(name=_free_name(row.name or _NAME, known))
                known.append(own)
            elif own.key_is_readable:
                outcomes[KNOWN] += 1
                continue
            outcomes[ADOPTED] += 1
            give_key(own, row.api_key.strip())
            if not dry_run:
                own.save()
        return outcomes

    def own_template(self, row: BuiltinRow) -> BadgeTemplate | None:
        groups = AccredibleGroup.objects.filter(group_id=row.pk)
        account = _account_of(row.api_config, AccredibleApiConfig.objects.order_by("pk"))
        if account is not None and (found := groups.filter(api_config=account).first()) is not None:
            return found
        return groups.filter(uuid=row.badgetemplate_ptr.uuid).first()

    def make_template(self, row: BuiltinRow, values: Mapping[str, object]) -> BadgeTemplate:
        account = _account_of(row.api_config, AccredibleApiConfig.objects.order_by("pk"))
        if account is None:
            raise AccredibleApiConfig.DoesNotExist(f"API configuration {row.api_config_id} is not adopted.")
        return AccredibleGroup.objects.create(**values, api_config=account, group_id=row.pk)

    def refusal(self, own: BadgeTemplate | None, row: BuiltinRow) -> str:
        return own.refusal if isinstance(own, AccredibleGroup) else ""

    def external_id(self, badge: BuiltinRow) -> str:
        return "" if badge.external_id is None else str(badge.external_id)

    def no_external_value(self) -> str:
        return ""

    def badge_state(self, badge: BuiltinRow, fate: Fate) -> str:
        return CredentialState.CREATED if fate is Fate.LOST else _STATES.get(badge.state, CredentialState.UNKNOWN)


def _account_of(row: BuiltinRow, known: Iterable[AccredibleApiConfig]) -> AccredibleApiConfig | None:
    """Return our API configuration for one of the built-in app: that of the same key, or of the same name without one.

    Names may be missing there, or the same twice.
    """
    accounts, key = list(known), row.api_key.strip()
    same_key = (own for own in accounts if key and _key_of(own) == key)
    same_name = (own for own in accounts if not _key_of(own) and spelled(own.name) == spelled(row.name or _NAME))
    return next(same_key, None) or next(same_name, None)


def _key_of(account: AccredibleApiConfig) -> str:
    try:
        return account.api_key
    except RejectedKey:
        return ""


def _free_name(wanted: str, known: Iterable[AccredibleApiConfig]) -> str:
    taken = {spelled(own.name) for own in known}
    names = (f"{wanted[:240]} ({number})" if number > 1 else wanted for number in count(1))
    return next(name for name in names if spelled(name) not in taken)
