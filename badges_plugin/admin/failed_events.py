"""Events that could not be applied: what they were, why, and what to do about them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from badges_plugin.admin import cells, links
from badges_plugin.admin.large import LargeTableAdmin
from badges_plugin.consumers.exceptions import ReceiversFailed
from badges_plugin.consumers.reprocessing import NotReprocessable, process_again
from badges_plugin.counting import count_up_to
from badges_plugin.models import FailedEvent
from badges_plugin.reading import event_label

MAX_AT_ONCE = 200
"""Events processed again by one click: the browser waits for all of them."""
MAX_MESSAGES = 10
"""Messages shown at most."""
RAW_SHOWN = 2000
"""Bytes of an unreadable value that are shown."""

FACTS = (
    "event_id", "event_type", "event_time", "state", "reason", "cause", "retry_at", "attempts", "failed_at",
    "updated_at", "bus", "topic", "group", "position", "broker_time",
)  # fmt: skip
CONTENT = ("payload_text", "metadata_text", "raw_text", "error_text")


class FailedEventAdmin(LargeTableAdmin[FailedEvent]):
    """Written by the consumers; what a person decides about a row is an action.

    The content of an event names a learner. It is shown to users with the change permission.
    """

    empty_text = gettext_lazy("Nothing to do: every message could be used.")
    list_display = ("kind", "standing", "reason", "event_time", "failed_at", "attempts", "what")
    list_display_links = ("standing",)
    list_filter = ("state", "cause", "event_type", "bus", "topic", "failed_at")
    search_fields = ("event_id", "event_type", "reason", "position")
    search_help_text = gettext_lazy("Event id, event type, reason or position on the bus.")
    actions = ("process_again", "dismiss")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FailedEvent]:
        """Leave out the large columns, which a list does not show."""
        return super().get_queryset(request).defer("payload", "metadata", "raw", "error")

    def found_by(self, request: HttpRequest, term: str) -> Iterator[Q]:
        for field in self.search_fields:
            yield Q(**{f"{field}__istartswith": term})

    def get_fields(self, request: HttpRequest, obj: FailedEvent | None = None) -> tuple[str, ...]:
        return (*FACTS, *CONTENT) if links.may(request, "change", FailedEvent) else FACTS

    def get_readonly_fields(self, request: HttpRequest, obj: FailedEvent | None = None) -> tuple[str, ...]:
        return (*FACTS, *CONTENT)

    def heading(self, obj: FailedEvent) -> str:
        return self.what(obj)

    @admin.display(description=gettext_lazy("event"), ordering="event_id")
    def what(self, failed: FailedEvent) -> str:
        return failed.event_id or f"{failed.topic} {failed.position}"

    @admin.display(description=gettext_lazy("type"), ordering="event_type")
    def kind(self, failed: FailedEvent) -> str:
        return event_label(failed.event_type) if failed.event_type else ""

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def standing(self, failed: FailedEvent) -> str:
        """Tell events that are retried automatically from those that need somebody."""
        if failed.state == FailedEvent.State.FAILED and failed.retry_at:
            when = date_format(timezone.localtime(failed.retry_at), "SHORT_DATETIME_FORMAT")
            return cells.state(cells.CARE, _("to be retried on %s") % when)
        shape = cells.BAD if failed.state == FailedEvent.State.FAILED else cells.OVER
        return cells.state(shape, failed.get_state_display())

    @admin.display(description=gettext_lazy("content"))
    def payload_text(self, failed: FailedEvent) -> str:
        if failed.payload is None:
            return _("The content could not be read.")
        return _as_code(json.dumps(failed.payload, indent=2, ensure_ascii=False))

    @admin.display(description=gettext_lazy("metadata"))
    def metadata_text(self, failed: FailedEvent) -> str:
        return _as_code(json.dumps(failed.metadata, indent=2, ensure_ascii=False))

    @admin.display(description=gettext_lazy("raw value"))
    def raw_text(self, failed: FailedEvent) -> str:
        raw = bytes(failed.raw or b"")
        more = f" … ({len(raw)})" if len(raw) > RAW_SHOWN else ""
        return _as_code(raw[:RAW_SHOWN].decode("utf-8", "backslashreplace") + more)

    @admin.display(description=gettext_lazy("error"))
    def error_text(self, failed: FailedEvent) -> str:
        return _as_code(failed.error)

    @admin.action(description=gettext_lazy("Process again"), permissions=["change"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[FailedEvent]) -> None:
        """Process the oldest first, one by one. One that fails again does not stop the others."""
        if count_up_to(queryset, MAX_AT_ONCE) > MAX_AT_ONCE:
            self.message_user(request, _("Select at most %d events at once.") % MAX_AT_ONCE, messages.ERROR)
            return
        processed, refusals, failures = 0, [], 0
        for failed in queryset.defer(None).order_by("pk"):
            try:
                process_again(failed)
            except NotReprocessable as refusal:
                refusals.append(
                    _("Event %(event)s cannot be processed again: %(reason)s.")
                    % {"event": self.what(failed), "reason": refusal}
                )
            except ReceiversFailed:
                failures += 1
            else:
                processed += 1
                self.log_change(request, failed, _("Processed again."))
        for text in refusals[:MAX_MESSAGES]:
            self.message_user(request, text, messages.WARNING)
        if failures:
            text = ngettext("%d event failed again.", "%d events failed again.", failures) % failures
            self.message_user(request, text, messages.ERROR)
        if processed:
            text = ngettext("%d event was processed.", "%d events were processed.", processed) % processed
            self.message_user(request, text, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Dismiss"), permissions=["change"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[FailedEvent]) -> None:
        """Dismiss events that are failed now. A message that is delivered and fails once more is failed again."""
        dismissed = 0
        for failed in queryset.filter(state=FailedEvent.State.FAILED):
            rows = FailedEvent.objects.filter(pk=failed.pk, state=FailedEvent.State.FAILED)
            if rows.update(state=FailedEvent.State.DISMISSED, updated_at=timezone.now()):
                dismissed += 1
                self.log_change(request, failed, _("Dismissed."))
        text = ngettext("%d event was dismissed.", "%d events were dismissed.", dismissed) % dismissed
        self.message_user(request, text, messages.SUCCESS if dismissed else messages.WARNING)


def _as_code(text: str) -> str:
    return format_html('<pre style="white-space: pre-wrap">{}</pre>', text)
