"""What failed, with a way to it: deliveries, accounts on hold, and events that could not be applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin.counting import count_up_to, in_words
from badges_plugin.distribution.numbers import Undelivered, undelivered
from badges_plugin.models import FailedEvent
from badges_plugin.web.desk.reached import page_url

_DELIVERIES = "badges_distribution.view_delivery"
_ACCOUNTS = "badges_distribution.view_channel"
TEMPLATE_FILTER = "award__progress__template__id__exact"
"""By which the list of deliveries is narrowed to a badge."""
_EVENTS = "badges_plugin.view_failedevent"


@dataclass(frozen=True)
class Row:
    """One reason: how often, and where to see it. ``url`` is empty where this person may not."""

    reason: str
    number: str
    url: str
    act: str


@dataclass(frozen=True)
class FailuresText:
    """What failed. ``need_you`` is about deliveries that only staff can put right; empty where there are none."""

    rows: tuple[Row, ...]
    number: str
    need_you: str
    url: str
    is_any: bool
    is_cut: bool


def failures_for(request: HttpRequest, template_id: int | None = None) -> FailuresText | None:
    """Return what failed of one badge or of all; None for a person who may not see deliveries."""
    if not request.user.has_perm(_DELIVERIES):
        return None
    found = undelivered(template_id)
    every = _failed_list(template_id)
    rows = [*_deliveries(found, every), *_accounts(request, found)]
    if template_id is None:
        rows += _events(request)
    need_you = ngettext("delivery needs you", "deliveries need you", found.failed)
    return FailuresText(tuple(rows), in_words(found.failed), need_you, every, found.failed > 0, found.is_cut)


def _deliveries(found: Undelivered, every: str) -> Iterator[Row]:
    for failure in found.failures:
        url = every
        if failure.number == 1:
            url = page_url("admin:badges_distribution_delivery_change", failure.delivery_id)
        act = ngettext("Show it", "Show them", failure.number)
        yield Row(failure.reason or _("No reason was noted."), in_words(failure.number), url, act)


def _accounts(request: HttpRequest, found: Undelivered) -> Iterator[Row]:
    may_see = request.user.has_perm(_ACCOUNTS)
    for account in found.on_hold:
        reason = _("%(account)s is on hold: %(reason)s") % {"account": account.account, "reason": account.reason}
        url = page_url("admin:badges_distribution_channel_change", account.channel_id) if may_see else ""
        yield Row(reason, in_words(account.number), url, _("Show the account"))


def _events(request: HttpRequest) -> Iterator[Row]:
    if not request.user.has_perm(_EVENTS):
        return
    failed = count_up_to(FailedEvent.objects.filter(state=FailedEvent.State.FAILED))
    if failed:
        query = urlencode({"state__exact": FailedEvent.State.FAILED.value})
        url = f"{page_url('admin:badges_plugin_failedevent_changelist')}?{query}"
        yield Row(
            _("Events that could not be applied"), in_words(failed), url, ngettext("Show it", "Show them", failed)
        )


def _failed_list(template_id: int | None) -> str:
    """Return where the deliveries that need somebody are listed, of one badge or all."""
    url = page_url("admin:badges_distribution_delivery_changelist")
    query = {"state__exact": "failed"} | ({} if template_id is None else {TEMPLATE_FILTER: str(template_id)})
    return f"{url}?{urlencode(query)}" if url else ""
