"""Accredible as a distribution backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, TypeVar

from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from badges_plugin.distribution.accounts.backend import AccountBackend
from badges_plugin.distribution.accredible.client import AccredibleClient, client_for
from badges_plugin.distribution.accredible.conf import config
from badges_plugin.distribution.accredible.data import CredentialPayload, CredentialState
from badges_plugin.distribution.accredible.models import ORIGIN, AccredibleApiConfig, AccredibleBadge, AccredibleGroup
from badges_plugin.distribution.api import (
    MISSING_NAME,
    Action,
    AlreadyIssued,
    BadgeAward,
    DeliveryFailure,
    PermanentFailure,
    ProviderRequest,
    Receipt,
    Recipient,
    spellings,
)
from badges_plugin.times import site_day, site_midnight

AnswerT = TypeVar("AnswerT", bound=Receipt | DeliveryFailure)

_NO_EMAIL = gettext_noop("The learner has no e-mail address, and Accredible issues only to e-mail addresses.")
_PERHAPS_EXPIRED = gettext_noop(
    "If that is the expired one of an earlier award: allow duplicates in the settings of the group at Accredible, or "
    "delete it there, and retry."
)

_STILL_EXPIRED = gettext_noop(
    "Accredible did not make the expired credential valid again. Change its date of expiry there, and retry."
)

_NOT_THERE = gettext_noop("Accredible does not have the credential any more, so its name cannot be corrected.")

# Distinguishes references of this plugin, at any site, from ids that an issuer gave otherwise.
_PREFIX = "openedx-"


@dataclass(frozen=True, slots=True)
class Context:
    """The data of a request to Accredible besides the common ones.

    ``credential_name`` is empty where the group itself names its credentials.
    """

    client: AccredibleClient
    group_id: int
    credential_name: str


class AccredibleBackend(AccountBackend[Context, AccredibleGroup]):
    """Issues at Accredible, and revokes by expiry. One account per API configuration."""

    slug: ClassVar[str] = ORIGIN
    name: ClassVar[str] = gettext_lazy("Accredible")  # type: ignore[assignment]
    expires_badges = True
    loads_by_template = True
    account_model = AccredibleApiConfig
    template_model = AccredibleGroup
    badge_model = AccredibleBadge
    restores_badges = True
    name_correction = gettext_lazy(  # type: ignore[assignment]
        "Accredible gives the credential the name of today. Everything else about it stays."
    )

    def load(self, award: BadgeAward) -> Context:
        group = self.mirrored(award.template)
        return Context(client_for(group.api_config), group.group_id, "" if group.course_name else group.name)

    def find(self, request: ProviderRequest[Context]) -> Receipt | None:
        client, today = request.context.client, _today()
        if request.action is Action.REVOKE:
            found = client.credential(request.external_id)
            if found is None:
                return _gone(request)
            return _receipt(found, adopted=True) if found.state(today) is CredentialState.EXPIRED else None
        if request.action is Action.CORRECT:
            return None  # sent twice, it does no harm
        if request.restores:
            restored = client.credential(request.restores)
            if restored is not None and restored.state(today) is not CredentialState.EXPIRED:
                return _receipt(restored, adopted=True)
        # By our own reference first: that reads the credential itself, not an index that may lag.
        exact = client.credential(_reference(request))
        if exact is not None and _may_be_adopted(exact, request, today):
            return _receipt(exact, adopted=True)
        if not request.recipient.email:
            return None  # a retired learner
        for condition in _searches(request):
            query = {"group.id": request.context.group_id, **condition}
            ours = [found for found in client.credentials(query) if _is_ours(found, request, today)]
            if ours:
                # Prefer one that names this earner to one that was issued by hand.
                return _receipt(min(ours, key=lambda found: not found.reference), adopted=True)
        return None

    def find_others(self, request: ProviderRequest[Context]) -> list[str]:
        return [_earner(found.reference) for found in _at_email_address(request)]

    def issue(self, request: ProviderRequest[Context]) -> Receipt:
        if request.restores and (restored := _restore(request)) is not None:
            return restored
        try:
            return _receipt(request.context.client.issue(_credential_to_issue(request)))
        except AlreadyIssued as refusal:
            raise _explained(refusal, request) from refusal

    def correct_name(self, request: ProviderRequest[Context]) -> Receipt:
        client = request.context.client
        known = client.credential(request.external_id)
        email = known.recipient_email if known is not None else ""
        renamed = client.rename(request.external_id, name=_full_name(request.recipient), email=email) if email else None
        if renamed is None:
            raise PermanentFailure(_NOT_THERE)
        return _receipt(renamed)

    def bulk_size(self) -> int:
        return config().bulk_size

    def issue_many(self, requests: Sequence[ProviderRequest[Context]]) -> Sequence[Receipt | DeliveryFailure]:
        fields: dict[int, dict[str, Any]] = {}
        answers: dict[int, Receipt | DeliveryFailure] = {}
        for request in requests:
            try:
                fields[request.award_id] = _credential_to_issue(request)
            except PermanentFailure as failure:
                answers[request.award_id] = failure
        if fields:
            replies = requests[0].context.client.issue_many(list(fields.values()))
            answers |= dict(zip(fields, map(_receipt_or_failure, replies), strict=True))
        return [_explained(answers[request.award_id], request) for request in requests]

    def revoke(self, request: ProviderRequest[Context]) -> Receipt:
        expired = request.context.client.expire(request.external_id, on=_today())
        if expired is None:
            return _gone(request)
        return Receipt(request.external_id, CredentialState.EXPIRED)


def _restore(request: ProviderRequest[Context]) -> Receipt | None:
    """Make valid again what was revoked by letting it expire; None if it was deleted since."""
    found = request.context.client.expire(request.restores, on=request.expires_on)
    if found is not None and found.state(_today()) is CredentialState.EXPIRED:
        raise PermanentFailure(_STILL_EXPIRED)
    return None if found is None else _receipt(found)


def _receipt_or_failure(reply: CredentialPayload | DeliveryFailure) -> Receipt | DeliveryFailure:
    return _receipt(reply) if isinstance(reply, CredentialPayload) else reply


def _explained(answer: AnswerT, request: ProviderRequest[Context]) -> AnswerT | AlreadyIssued:
    """Return the answer; a refusal of a badge that is earned again says what may be in its way."""
    if not isinstance(answer, AlreadyIssued) or not request.foreign_ids:
        return answer
    return AlreadyIssued(f"{answer.reason} {_PERHAPS_EXPIRED}", status=answer.status, body=answer.body)


def _at_email_address(request: ProviderRequest[Context]) -> Iterator[CredentialPayload]:
    query: dict[str, str | int] = {
        "group.id": request.context.group_id,
        "recipient_email": request.recipient.email,
    }
    return request.context.client.credentials(query)


def _earner(reference: str) -> str:
    """Return the earner id in a reference of this plugin; empty for other references."""
    if not reference.startswith(_PREFIX):
        return ""
    return reference.removeprefix(_PREFIX).rpartition("-")[0]


def _today() -> date:
    """Return today in the site's time zone, like the day on which a badge was earned."""
    return site_day(timezone.now())


def _references(request: ProviderRequest[Context]) -> str:
    """Return the common prefix of the references of all awards of this badge to this learner."""
    return f"{_PREFIX}{request.recipient.earner_id}-"


def _reference(request: ProviderRequest[Context]) -> str:
    """Return our id of the credential: constant for each award, and different at every site."""
    return f"{_references(request)}{request.number}"


def _searches(request: ProviderRequest[Context]) -> Iterator[dict[str, str | int]]:
    """Yield search conditions for a credential of the request, the likeliest first."""
    for email in spellings(request.recipient.email):
        yield {"recipient_email": email}
    # A credential that we issued is known by our reference, even if the e-mail address has changed.
    yield {"license_id": _reference(request)}


def _credential_to_issue(request: ProviderRequest[Context]) -> dict[str, Any]:
    """Fields as in https://docs.api.accredible.com/ , "Create a Credential"."""
    if "@" not in request.recipient.email:
        raise PermanentFailure(_NO_EMAIL)
    credential: dict[str, Any] = {
        "id": _reference(request),
        # Without the recipient's id: Accredible means a person by it, and ``earner_id`` is one badge of a person.
        "recipient": {"name": _full_name(request.recipient), "email": request.recipient.email},
        "group_id": request.context.group_id,
        "issued_on": request.awarded_on.isoformat(),
        "complete": True,
        "approve": True,
    }
    if request.expires_on is not None:
        credential["expired_on"] = request.expires_on.isoformat()
    if request.context.credential_name:
        credential["name"] = request.context.credential_name
    return credential


def _full_name(recipient: Recipient) -> str:
    if recipient.last_name == MISSING_NAME:
        return recipient.first_name
    return f"{recipient.first_name} {recipient.last_name}"


def _is_ours(found: CredentialPayload, request: ProviderRequest[Context], today: date) -> bool:
    """Whether we issued the credential for this earner, or somebody else did to the same e-mail address.

    Not one that names another earner: somebody else's badge, or another site's, would be revoked with ours.
    """
    named = found.reference.startswith(_references(request))
    by_hand = not found.reference.startswith(_PREFIX)
    same_email = found.recipient_email.casefold() == request.recipient.email.casefold() != ""
    return (named or (by_hand and same_email)) and _may_be_adopted(found, request, today)


def _may_be_adopted(found: CredentialPayload, request: ProviderRequest[Context], today: date) -> bool:
    return (
        found.group_id in {None, request.context.group_id}
        and found.id not in request.foreign_ids
        and found.state(today) is not CredentialState.EXPIRED
    )


def _gone(request: ProviderRequest[Context]) -> Receipt:
    return Receipt(request.external_id, CredentialState.DELETED, adopted=True)


def _receipt(found: CredentialPayload, *, adopted: bool = False) -> Receipt:
    details = {"url": found.url}
    expires_at = None if found.expired_on is None else site_midnight(found.expired_on)
    return Receipt(found.id, found.state(_today()), adopted=adopted, expires_at=expires_at, details=details)
