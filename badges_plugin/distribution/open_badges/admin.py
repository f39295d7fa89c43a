"""Open Badges in the admin: who signs, with which keys, what was signed, and what badges say beyond their templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin import conf
from badges_plugin.admin import cells
from badges_plugin.admin.award_rows import AwardRowAdmin
from badges_plugin.admin.base import ModelAdmin, ReadOnlyAdmin, StackedInline
from badges_plugin.admin.templates import register_inline
from badges_plugin.distribution.api import BadgeTemplate
from badges_plugin.distribution.open_badges import addresses, issuers
from badges_plugin.distribution.open_badges.backend import OpenBadgesBackend
from badges_plugin.distribution.open_badges.models import (
    AchievementDetails,
    BadgeAlignment,
    BadgeStatus,
    IssuerProfile,
    SignedBadge,
    SigningKey,
)


class IssuerProfileAdmin(ModelAdmin[IssuerProfile]):
    """Who signs the badges of each site. A profile is made at the first signature, or here before it."""

    list_display = ("name", "site", "base_url", "email")
    fields = ("site", "name", "url", "base_url", "email", "description", "image_url", "identifier")
    readonly_fields = ("identifier",)
    list_select_related = ("site",)
    ordering = ("site",)

    @admin.display(description=gettext_lazy("identifier"))
    def identifier(self, profile: IssuerProfile) -> str:
        """Return the DID, which stands in every badge, with a link to its document."""
        url = f"{addresses.issuer_url(profile.base_url, profile.uuid)}did.json"
        return format_html('<a href="{}">{}</a>', url, profile.did)

    def get_readonly_fields(self, request: HttpRequest, obj: IssuerProfile | None = None) -> tuple[str, ...]:
        return ("site", "identifier") if obj else ()

    def get_fields(self, request: HttpRequest, obj: IssuerProfile | None = None) -> Any:
        return [name for name in self.fields if obj is not None or name != "identifier"]

    def save_model(self, request: HttpRequest, obj: IssuerProfile, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for problem in issuers.problems(obj):
            self.message_user(request, problem, messages.WARNING)
        moved = change and "base_url" in form.changed_data
        if moved and SignedBadge.objects.filter(status_list__issuer=obj).exists():
            text = _("Badges that were signed before name the earlier base URL. It must go on leading to this service.")
            self.message_user(request, text, messages.WARNING)

    def has_delete_permission(self, request: HttpRequest, obj: IssuerProfile | None = None) -> bool:
        return False


class SigningKeyAdmin(ReadOnlyAdmin[SigningKey]):
    """The keys, without their private parts. ``badges_rotate_keys`` makes and retires them."""

    list_display = ("issuer", "number", "created", "retired_at")
    list_filter = ("issuer",)
    list_select_related = ("issuer",)
    fields = readonly_fields = ("issuer", "number", "public_ed25519", "public_p256", "created", "retired_at")
    ordering = ("issuer", "-number")

    def heading(self, obj: SigningKey) -> str:
        return _("%(issuer)s, key %(number)d") % {"issuer": obj.issuer, "number": obj.number}


class SignedBadgeAdmin(AwardRowAdmin[SignedBadge]):
    """Signed badges and their states. Read-only: they change by awards and revocations."""

    list_display = ("user", "template", "standing", "signed_at", "expires_at", "erased_at", "uuid")
    list_display_links = ("standing",)
    list_filter = ("status",)
    search_fields = (
        "uuid",
        "award__progress__user__username",
        "=award__progress__user__email",
        "award__progress__user__full_name",
    )
    search_help_text = gettext_lazy(
        "A learner’s user name, full name or complete e-mail address, or the identifier of a badge."
    )
    fields = readonly_fields = (
        "award_link",
        "user",
        "template",
        "status",
        "in_list",
        "signed_at",
        "expires_at",
        "erased_at",
        "url",
        "key",
        "shown_document",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SignedBadge]:
        """The page of one badge reads its document; a list does not."""
        return super().get_queryset(request).defer("document", "jwt")

    def found_by(self, request: HttpRequest, term: str) -> Iterator[Q]:
        yield from super().found_by(request, term)
        try:
            yield Q(uuid=UUID(term))
        except ValueError:
            return

    def heading(self, obj: SignedBadge) -> str:
        return f"{obj.award.user.get_username()}: {obj.award.template}"

    @admin.display(description=gettext_lazy("state"), ordering="status")
    def standing(self, badge: SignedBadge) -> str:
        return cells.state(cells.GOOD if badge.status == BadgeStatus.VALID else cells.OVER, badge.get_status_display())

    @admin.display(description=gettext_lazy("in the status list"))
    def in_list(self, badge: SignedBadge) -> str:
        return _("yes") if badge.is_listed else _("no")

    @admin.display(description=gettext_lazy("document"))
    def shown_document(self, badge: SignedBadge) -> str:
        return format_html('<pre style="white-space: pre-wrap">{}</pre>', badge.document) if badge.document else "-"


class AchievementDetailsInline(StackedInline[AchievementDetails, BadgeTemplate]):
    model = AchievementDetails
    can_delete = False


class BadgeAlignmentInline(StackedInline[BadgeAlignment, BadgeTemplate]):
    model = BadgeAlignment
    extra = 0


if conf.is_enabled():
    admin.site.register(IssuerProfile, IssuerProfileAdmin)
    admin.site.register(SigningKey, SigningKeyAdmin)
    admin.site.register(SignedBadge, SignedBadgeAdmin)
    for inline in (AchievementDetailsInline, BadgeAlignmentInline):
        register_inline(inline, when=OpenBadgesBackend().handles)
