"""Queue deliveries in the transaction of the awards or revocations that cause them, and settle or retry them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, Exists, F, OuterRef, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext_noop

from badges_plugin import bulk
from badges_plugin.distribution import channel_keys, registry
from badges_plugin.distribution.backends import ENDED_BEFORE, Backend
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.retry import NOT_DELIVERED, OPEN, SETTLED, State, later
from badges_plugin.host import User
from badges_plugin.models import BadgeAward

_GIVEN_BACK = gettext_noop("The badge was given back before it was revoked there.")

_UNTOLD = (*OPEN, State.GIVEN_UP)
"""Nobody is sending it, and the provider has not been told."""


def queue_issues(awards: Sequence[BadgeAward], backend: Backend[Any]) -> None:
    """Queue the issues of new awards at the provider. Called in the transaction that writes the awards, once."""
    _queue(awards, backend, Action.ISSUE)


def is_queued(slug: str) -> Exists:
    """Return the condition for awards whose issue at a backend was queued, whatever became of it."""
    return Exists(Delivery.objects.filter(award=OuterRef("pk"), backend=slug, action=Action.ISSUE))


def queue_earlier(awards: Sequence[BadgeAward], slug: str) -> int:
    """Queue the issues of awards that were made before their provider was set up; return how many were not queued yet.

    Called twice, or by two processes at once, it is still one delivery. An award that ends meanwhile is not issued.
    """
    backend = registry.get(slug)
    with transaction.atomic():
        # Locked in the order of their keys, so that two processes queue one after the other.
        keys = sorted(award.pk for award in awards)
        list(BadgeAward.objects.select_for_update().filter(pk__in=keys).order_by("pk").values_list("pk"))
        known = Delivery.objects.filter(award__in=keys, backend=slug, action=Action.ISSUE)
        queued = set(known.values_list("award", flat=True))
        left = [award for award in awards if award.pk not in queued]
        backend.prepare_issues(left)
        queue_issues(left, backend)
    return len(left)


def queue_revokes(awards: Sequence[BadgeAward], backend: Backend[Any]) -> None:
    """Queue the revocations of awards at the provider, save of those that the provider never heard of.

    Nor when an award has expired and the provider ends the badge by itself. An issue that was certainly not sent is
    cancelled. One that may have been sent is settled first: claims keep the order, and the issue of an award that has
    ended is looked up and not sent again. Called twice, it is still one delivery.
    """
    of_key = {award.pk: award for award in awards}
    known = Delivery.objects.filter(award__in=sorted(of_key), backend=backend.slug).order_by("pk")
    # Locked in any state: a worker that records its failure either has done so, or will see the revocation.
    rows = list(known.select_for_update())
    asked = {row.award_id for row in rows if row.action == Action.REVOKE}
    issues = [row for row in rows if row.action == Action.ISSUE and row.state != State.CANCELLED]
    never_sent = [row for row in issues if row.state in _UNTOLD and not row.in_doubt]
    if never_sent:
        settle(_same(never_sent), State.CANCELLED, reason=ENDED_BEFORE)
    sent = [row for row in issues if row not in never_sent and not row.ends_by_itself(of_key[row.award_id])]
    # These issues need not succeed any more; it only has to be known whether there is something to revoke.
    if failed := [row for row in sent if row.state in (State.FAILED, State.GIVEN_UP)]:
        make_due(_same(failed))
    # What may have been corrected may be another badge.
    _call_off([row for row in rows if row.action == Action.CORRECT], reason=ENDED_BEFORE)
    _queue([of_key[row.award_id] for row in sent if row.award_id not in asked], backend, Action.REVOKE)


def _call_off(rows: Sequence[Delivery], *, reason: str) -> bool:
    """Cancel what was not sent; what may have been sent is looked up. Return whether anything was cancelled."""
    if unsent := [row for row in rows if row.state in _UNTOLD and not row.in_doubt]:
        settle(_same(unsent), State.CANCELLED, reason=reason)
    # Also if staff gave it up, or have to act.
    if in_doubt := [row for row in rows if row.state in (State.FAILED, State.GIVEN_UP) and row.in_doubt]:
        make_due(_same(in_doubt))
    return bool(unsent)


def correctable(awards: QuerySet[BadgeAward]) -> QuerySet[BadgeAward]:
    """Return those of some awards that are held, and whose badge a provider has and can give another name."""
    slugs = [slug for slug in registry.slugs() if registry.get(slug).name_correction]
    issued = Delivery.objects.filter(
        award=OuterRef("pk"), backend__in=slugs, action=Action.ISSUE, state=State.DONE
    ).exclude(external_id="")
    return awards.filter(Exists(issued), revoked_at=None)


def queue_correction(award: BadgeAward) -> list[int]:
    """Queue the correction of the learner's name at each provider that has the badge and can do it; return their keys.

    What is being sent already may bear the old name, and is left alone; asked for again, it is one delivery.
    """
    queued = []
    with transaction.atomic():
        # The learner first, as whatever ends the award does. Two at once could both see that there is no correction.
        learner = User.objects.select_for_update(no_key=connection.features.has_select_for_no_key_update)
        list(learner.filter(pk=award.progress.user_id).values_list("pk"))
        rows = list(Delivery.objects.filter(award=award).select_for_update().order_by("pk"))
        if not BadgeAward.objects.filter(pk=award.pk, revoked_at=None).exists():
            return []
        corrections = {row.backend: row for row in rows if row.action == Action.CORRECT}
        for issue in rows:
            is_there = issue.action == Action.ISSUE and issue.state == State.DONE and issue.external_id
            if not is_there or issue.backend not in registry.slugs() or not registry.get(issue.backend).name_correction:
                continue
            row = corrections.get(issue.backend)
            if row is None:
                row = Delivery.objects.create(
                    award=award, backend=issue.backend, channel=issue.channel, action=Action.CORRECT
                )
            elif row.state == State.SENDING:
                continue
            else:
                make_due(_same([row]))
            queued.append(row.pk)
    return queued


def spare_given_back(award: BadgeAward, earlier: BadgeAward, backend: Backend[Any]) -> None:
    """Leave the badge of an award that is given back as it is at the provider, if it was not revoked there yet.

    The issue of the new award then looks it up and adopts it. A revocation that may have been sent goes first.
    """
    revocations = Delivery.objects.filter(award=earlier, backend=backend.slug, action=Action.REVOKE)
    rows = list(revocations.select_for_update())
    # One that is in doubt goes first: the new badge could not be told from the one that may be revoked.
    if _call_off(rows, reason=_GIVEN_BACK) or any(row.state == State.CANCELLED for row in rows):
        Delivery.objects.filter(award=award, backend=backend.slug, action=Action.ISSUE).update(in_doubt=True)


def revoke_found(issue: Delivery, *, external_id: str) -> None:
    """Revoke a badge that the provider has after all, although its issue was cancelled and its award is revoked."""
    settle(Delivery.objects.filter(pk=issue.pk, state__in=NOT_DELIVERED), State.DONE, external_id=external_id)
    revocation = Delivery(award=issue.award, backend=issue.backend, action=Action.REVOKE, channel=issue.channel)
    Delivery.objects.bulk_create([revocation], ignore_conflicts=True)
    # A revocation that was cancelled together with the issue becomes due again.
    Delivery.objects.filter(
        award=issue.award, backend=issue.backend, action=Action.REVOKE, state=State.CANCELLED
    ).update(state=State.PENDING, next_attempt_at=timezone.now(), settled_at=None, last_error="")


def settle(deliveries: QuerySet[Delivery], state: State, *, reason: str = "", **changes: Any) -> int:
    """Move deliveries to a final state and erase what was needed only until then. Return how many there were."""
    if state not in SETTLED:
        raise ValueError(f"{state} is not final.")
    return deliveries.update(**settled(state, reason), **changes)


def settled(state: State, reason: str = "") -> dict[str, Any]:
    """Return the values of the fields of a delivery that has reached a final state."""
    return {
        "state": state,
        "in_doubt": False,
        "claimed_by": "",
        "claimed_until": None,
        "recipient_email": "",
        "last_error": reason,
        "awaits_name": False,
        "in_the_way": None,
        "settled_at": timezone.now(),
    }


def retry_now(deliveries: QuerySet[Delivery]) -> int:
    """Make failed and waiting deliveries due. Those that are being sent, or settled, stay as they are."""
    return make_due(deliveries.filter(state__in=OPEN))


def make_due(deliveries: QuerySet[Delivery]) -> int:
    """Make deliveries due that nobody is sending. Return how many there were.

    A delivery in doubt is due a little later, unless it is due already: its request may still be in progress.
    """
    now = timezone.now()
    looked_up = later(now, config().retry.settle)
    return deliveries.update(
        # In this order: MySQL sets one column after the other, and this one depends on the old state.
        next_attempt_at=Case(
            When(in_doubt=False, then=Value(now)),
            When(state=State.PENDING, next_attempt_at__lt=looked_up, then=F("next_attempt_at")),
            default=Value(looked_up),
        ),
        state=State.PENDING,
        awaits_name=False,
        settled_at=None,
    )


def give_up(deliveries: QuerySet[Delivery]) -> int:
    """Settle deliveries that failed or wait as they are, so that later ones of the same badge do not wait for them.

    The last reason stays, and so does the doubt whether the provider has done it.
    """
    final = settled(State.GIVEN_UP)
    for name in ("last_error", "in_doubt", "in_the_way"):
        del final[name]
    return deliveries.filter(state__in=OPEN).update(**final)


def _same(rows: Sequence[Delivery]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk__in=[row.pk for row in rows])


def _queue(awards: Sequence[BadgeAward], backend: Backend[Any], action: Action) -> None:
    """Insert deliveries that are not there yet. Never by ignoring conflicts: MySQL would ignore other errors, too."""
    if not awards:
        return
    accounts = backend.accounts([award.template for award in awards])
    channels = channel_keys.of(backend.slug, set(accounts.values()))
    with channel_keys.forgotten_on_error():
        bulk.insert_columns(
            Delivery,
            {
                "award_id": [award.pk for award in awards],
                "backend": [backend.slug] * len(awards),
                "action": [action.value] * len(awards),
                "channel_id": [channels[accounts[award.progress.template_id]] for award in awards],
            },
        )
