"""Deliveries and channels in the admin: their states, the reasons, and what staff decide about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from badges_plugin import conf
from badges_plugin.admin import cells, links
from badges_plugin.admin.asking import AskingAdmin, Button, offer
from badges_plugin.admin.award_rows import AwardRowAdmin
from badges_plugin.admin.badge_filter import TemplateFilter
from badges_plugin.admin.base import ReadOnlyAdmin, ReadOnlyInline, titled
from badges_plugin.admin.links import learner, link_to, template_model
from badges_plugin.distribution import channels, registry
from badges_plugin.distribution.asking import GiveUp, TakeUp, TryAgain, person, standing_in_words
from badges_plugin.distribution.deciding import obstacle
from badges_plugin.distribution.exporting import DELIVERIES
from badges_plugin.distribution.models import Channel, Delivery, DeliveryAttempt, DeliveryDecision
from badges_plugin.distribution.reasons import localized
from badges_plugin.distribution.renaming import SendName
from badges_plugin.distribution.retry import OPEN, State
from badges_plugin.distribution.row_buttons import RowButtons
from badges_plugin.models import BadgeAward, BadgeTemplate

SHAPES = {
    State.PENDING: cells.CARE,
    State.SENDING: cells.CARE,
    State.DONE: cells.GOOD,
    State.CANCELLED: cells.OVER,
    State.GIVEN_UP: cells.OVER,
    State.FAILED: cells.BAD,
}

MOST_NOTES = 5
"""Accounts on hold that the list names at most."""

LATEST_ATTEMPTS = 100
"""Attempts shown at most. After weeks of downtime there are thousands, and the page would take megabytes."""


class AttemptInline(ReadOnlyInline[DeliveryAttempt, Delivery]):
    model = DeliveryAttempt
    verbose_name_plural = _("latest delivery attempts")
    fields = ("number", "started_at", "milliseconds", "outcome", "asked_first", "reason_text")
    readonly_fields = fields
    ordering = ("-number",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeliveryAttempt]:
        return super().get_queryset(request).filter(delivery__attempts__lt=F("number") + LATEST_ATTEMPTS)

    @admin.display(description=_("asked first whether it had arrived"))
    def asked_first(self, attempt: DeliveryAttempt) -> str:
        return gettext("yes") if attempt.looked_up else gettext("no")

    @admin.display(description=_("reason"))
    def reason_text(self, attempt: DeliveryAttempt) -> str:
        return localized(attempt.reason)


class DecisionInline(ReadOnlyInline[DeliveryDecision, Delivery]):
    model = DeliveryDecision
    verbose_name_plural = _("what staff decided")
    fields = ("at", "decision", "person", "because")
    readonly_fields = fields
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeliveryDecision]:
        return super().get_queryset(request).select_related("by")

    @admin.display(description=_("by"))
    def person(self, decision: DeliveryDecision) -> str:
        return person(decision)


class DeliveryAdmin(RowButtons, AskingAdmin, AwardRowAdmin[Delivery]):
    """Read-only: deliveries change by attempts and by what staff decide, which their page shows beside the reason."""

    change_form_template = "badges_plugin/admin/asking_form.html"
    questions = (TryAgain, GiveUp, TakeUp)
    export = DELIVERIES
    empty_text = _("Nothing to do: nothing was sent, and nothing waits.")
    list_display = ("user", "template", "standing", "reason", "act", "next_attempt", "action", "provider", "attempts")
    list_display_links = ("standing",)
    list_filter = (
        "state",
        "action",
        ("backend", titled(_("provider"))),
        "in_doubt",
        ("channel", titled(_("account"))),
        ("award__progress__template", TemplateFilter),
    )
    search_fields = (
        "external_id",
        "award__progress__user__username",
        "=award__progress__user__email",
        "award__progress__user__full_name",
        "award__progress__template__name",
    )
    search_help_text = _(
        "A learner’s user name, full name or complete e-mail address, the name of a badge, or its ID at the provider."
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "learner_link",
                    "template_link",
                    "award_link",
                    "action",
                    "channel_name",
                    "standing",
                    "reason",
                    "doubt",
                    "next_attempt",
                    "attempts",
                    "conflicting_badge",
                    "badge_link",
                    "expires_at",
                    "created",
                    "settled_at",
                )
            },
        ),
        (_("For support"), {"fields": ("backend", "external_id", "claimed_by", "claimed_until")}),
    )
    readonly_fields = flatten_fieldsets(fieldsets)
    actions = ("try_again", "give_up")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        # Not by a join: MySQL would begin with the channels, which are few, and read the deliveries of each.
        return super().get_queryset(request).prefetch_related("channel")

    def found_by(self, request: HttpRequest, term: str) -> Iterator[Q]:
        yield from super().found_by(request, term)
        if templates := list(BadgeTemplate.objects.filter(name__icontains=term).values_list("pk", flat=True)):
            yield Q(award__progress__template__in=templates)
        backends = list(Channel.objects.order_by("backend").values_list("backend", flat=True).distinct())
        yield Q(backend__in=backends, external_id__istartswith=term)

    def heading(self, obj: Delivery) -> str:
        return f"{obj.award.user.get_username()}: {obj.award.template}, {obj.get_action_display()}"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say first which accounts hold their deliveries up."""
        paused = Channel.objects.exclude(paused_reason="").order_by("pk")[:MOST_NOTES]
        link = {}
        if links.may(request, "view", Channel):
            link = {"url": links.page_url(self.admin_site, Channel, "changelist"), "link": gettext("Accounts")}
        notes = [{"text": channels.on_hold_text(channel), **link} for channel in paused]
        return super().changelist_view(request, {"notes": notes, **(extra_context or {})})

    @admin.display(description=_("state"), ordering="state")
    def standing(self, delivery: Delivery) -> str:
        if delivery.state == State.PENDING and delivery.channel.paused_reason:
            return cells.state(cells.CARE, gettext("on hold"))
        return cells.state(SHAPES[State(delivery.state)], delivery.get_state_display())

    @admin.display(description=_("provider"), ordering="backend")
    def provider(self, delivery: Delivery) -> str:
        return registry.name_of(delivery.backend)

    @admin.display(description=_("learner"))
    def learner_link(self, delivery: Delivery) -> str:
        return learner(self.admin_site, delivery, delivery.award.user)

    @admin.display(description=_("badge template"))
    def template_link(self, delivery: Delivery) -> str:
        template = delivery.award.template
        return link_to(self.admin_site, template_model(self.admin_site, template), template.pk, template)

    @admin.display(description=_("in doubt"))
    def doubt(self, delivery: Delivery) -> str:
        if not delivery.in_doubt:
            return gettext("no")
        return gettext("yes: the provider may have done it, so it is asked first")

    @admin.display(description=_("reason"))
    def reason(self, delivery: Delivery) -> str:
        return localized(delivery.last_error)

    @admin.display(description=_("public page"))
    def badge_link(self, delivery: Delivery) -> str:
        if delivery.backend not in registry.slugs():
            return "-"
        url = registry.get(delivery.backend).badge_url(delivery.award)
        return format_html('<a href="{0}">{0}</a>', url) if url else "-"

    @admin.display(description=_("conflicting badge"))
    def conflicting_badge(self, delivery: Delivery) -> str:
        """Name the other learner's badge: this page may show it, while the reason and the logs do not."""
        award = delivery.in_the_way
        if award is None:
            return "-"
        return link_to(self.admin_site, BadgeAward, award.pk, f"{award.user.get_username()}: {award.template}")

    @admin.display(description=_("channel"))
    def channel_name(self, delivery: Delivery) -> str:
        return channels.name(delivery.channel)

    @admin.display(description=_("next attempt"), ordering="next_attempt_at")
    def next_attempt(self, delivery: Delivery) -> str:
        """Return when it is tried next, or what it waits for; nothing where no attempt will follow."""
        if delivery.state == State.FAILED:
            return gettext("not by itself")
        if delivery.state == State.PENDING and delivery.channel.paused_reason:
            return gettext("as soon as the key works")
        if delivery.state not in (State.PENDING, State.SENDING):
            return ""
        return date_format(timezone.localtime(delivery.next_attempt_at), "DATETIME_FORMAT")

    @admin.action(description=_("Try again"), permissions=["change"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        # By key: the list may be filtered by the state that is about to change. With the conditions of the list, MySQL
        # and MariaDB may also lock by an index, and what a search reads, which an event may have locked.
        chosen = TryAgain.choose(Delivery.objects.filter(pk__in=list(queryset.values_list("pk", flat=True))))
        rows = list(chosen.order_by("pk"))
        if not rows:
            self.message_user(request, TryAgain.nothing(), messages.WARNING)
            return
        TryAgain(self, request, rows).act({})

    @admin.action(description=_("Give up…"), permissions=["change"])
    def give_up(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> HttpResponse | None:
        return self.ask_about(request, queryset, GiveUp)

    def get_inlines(self, request: HttpRequest, obj: Delivery | None) -> list[type[InlineModelAdmin[Any, Any]]]:
        """Show what staff decided where they decided something."""
        is_decided = obj is not None and obj.decisions.exists()
        return [DecisionInline, AttemptInline] if is_decided else [AttemptInline]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        delivery = kwargs.get("obj")
        if delivery is not None:
            context["said"] = standing_in_words(delivery)
            if self.has_change_permission(request):
                context["buttons"] = self._buttons(delivery)
        return super().render_change_form(request, context, *args, **kwargs)

    def _buttons(self, delivery: Delivery) -> list[Button]:
        if delivery.state in OPEN:
            give_up = self.button(GiveUp, gettext("Give up…"), delivery)
            return [self.button(TryAgain, gettext("Try again now"), delivery, "default"), give_up]
        if delivery.state == State.GIVEN_UP and not obstacle(delivery):
            return [self.button(TakeUp, gettext("Take it up again"), delivery, "default")]
        return []


class ChannelAdmin(ReadOnlyAdmin[Channel]):
    """Accounts at providers: paused or resting, and why."""

    list_display = ("name", "paused", "failures", "rest_until")
    list_filter = ("backend",)
    fields = readonly_fields = ("name", "backend", "account", "paused", "failures", "rest_until")
    actions = ("resume",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Name the list as the front page does."""
        return super().changelist_view(request, {**(extra_context or {}), "title": gettext("Sending, by account")})

    def heading(self, obj: Channel) -> str:
        return channels.name(obj)

    @admin.display(description=_("channel"), ordering="backend")
    def name(self, channel: Channel) -> str:
        return channels.name(channel)

    @admin.display(description=_("paused because"))
    def paused(self, channel: Channel) -> str:
        return localized(channel.paused_reason)

    @admin.action(description=_("Resume now"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        count = channels.resume(queryset)
        text = ngettext("%d channel was resumed.", "%d channels were resumed.", count) % count
        self.message_user(request, text, messages.SUCCESS if count else messages.WARNING)


if conf.is_enabled():
    offer(BadgeAward, SendName)
    admin.site.register(Delivery, DeliveryAdmin)
    admin.site.register(Channel, ChannelAdmin)
