"""Admin pages that are alike at every provider: accounts, mirrored badge templates, and badges at the provider."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, ClassVar, TypeVar, cast

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Field, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters

from badges_plugin.admin import cells
from badges_plugin.admin.base import ModelAdmin
from badges_plugin.admin.large import LargeTableAdmin, with_address
from badges_plugin.admin.templates import BadgeTemplateAdmin
from badges_plugin.distribution import channels
from badges_plugin.distribution.accounts.forms import AccountForm
from badges_plugin.distribution.accounts.models import Account, MirroredTemplate, ProviderBadge
from badges_plugin.distribution.exceptions import DeliveryFailure
from badges_plugin.distribution.reasons import localized
from badges_plugin.host import User
from badges_plugin.models import BadgeTemplate

AccountT = TypeVar("AccountT", bound=Account)
BadgeT = TypeVar("BadgeT", bound=ProviderBadge)


class AccountAdmin(ModelAdmin[AccountT]):
    """Accounts at a provider. The provider is asked each time one is saved (see ``AccountForm``)."""

    backend: ClassVar[str]
    """The slug of the backend whose channels belong to the accounts."""

    form: type[AccountForm[AccountT]]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountT]:
        """Accounts that only the settings know appear as well."""
        self.model.add_configured()
        return super().get_queryset(request)

    def get_fields(self, request: HttpRequest, obj: AccountT | None = None) -> Any:
        """Leave out fields that are of no use.

        A new account has nothing to show yet. A person who may only view gets no field for the key: Django would fill
        it from the model, with the key itself.
        """
        if obj is None:
            return (self.form.identity, "api_key")
        may_enter = self.has_change_permission(request, obj)
        return [name for name in self.fields or () if name != "api_key" or may_enter]

    @method_decorator(sensitive_post_parameters("api_key"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Keep the key out of the e-mail that Django sends when the page fails."""
        return super().changeform_view(request, *args, **kwargs)

    @admin.display(description=gettext_lazy("API key"))
    def key(self, account: AccountT) -> str:
        """Say where the key is, never what it is."""
        if account.key_is_in_settings:
            return _("in the settings")
        if not account.encrypted_key:
            return _("missing")
        return _("stored, encrypted") if account.key_is_readable else _("unreadable: enter it again")

    @admin.display(description=gettext_lazy("deliveries"))
    def deliveries(self, account: AccountT) -> str:
        """Say whether badges are delivered, and if not, why."""
        return channels.status_text(self.backend, account.channel_account)

    def save_model(self, request: HttpRequest, obj: AccountT, form: Any, change: bool) -> None:
        """Save, and resume the channel: the provider has just confirmed the key, perhaps the same one again."""
        super().save_model(request, obj, form, change)
        channels.key_accepted(self.backend, obj.channel_account)

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[Any], Any, set[str], list[str]]:
        """Refuse accounts with badge templates, and say what to do instead: it is no question of permissions."""
        accounts = list(objs)
        reasons = [_undeletable(account, number) for account in accounts if (number := _templates_of(account))]
        if reasons:
            return [], {}, set(), reasons
        return cast("tuple[list[Any], Any, set[str], list[str]]", super().get_deleted_objects(accounts, request))

    def report_each(
        self, request: HttpRequest, accounts: QuerySet[AccountT], work: Callable[[AccountT], object]
    ) -> None:
        """Do the work of an action, with one message for each account; one that fails does not stop the others.

        The message is a warning if the result of the work has a true ``needs_attention``.
        """
        for account in accounts:
            try:
                result = work(account)
            except DeliveryFailure as failure:
                self.message_user(request, f"{account}: {localized(failure.reason)}", messages.ERROR)
            else:
                level = messages.WARNING if getattr(result, "needs_attention", False) else messages.SUCCESS
                self.message_user(request, f"{account}: {result}", level)


class MirroredTemplateAdmin(BadgeTemplateAdmin):
    """Templates come from the provider, never by hand. Fields that the provider decides on are read-only."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: BadgeTemplate | None = None) -> bool:
        return False


def _templates_of(account: Account) -> int:
    """Return how many badge templates belong to an account."""
    mirrored = (model for model in apps.get_models() if issubclass(model, MirroredTemplate))
    return sum(
        model._base_manager.filter(**{model.account_field: account.pk}).count()  # noqa: SLF001  documented name
        for model in mirrored
        if model._meta.get_field(model.account_field).related_model is type(account)
    )


def _undeletable(account: Account, templates: int) -> str:
    text = ngettext(
        "%(account)s has %(count)d badge template, and learners may hold its badges. Keep the account. "
        "To switch it off, deactivate the badge template.",
        "%(account)s has %(count)d badge templates, and learners may hold their badges. Keep the account. "
        "To switch it off, deactivate the badge templates.",
        templates,
    )
    return text % {"account": account, "count": templates}


def _shape(badge: ProviderBadge) -> str:
    if badge.state in badge.PUBLIC_STATES:
        return cells.GOOD
    return cells.CARE if badge.state in badge.PENDING_STATES else cells.OVER


def _display(badge: ProviderBadge) -> str:
    """Return the state in words, where the provider's model has some."""
    told = getattr(badge, "get_state_display", None)
    return str(told() if told else badge.state)


def _usernames(users: Sequence[int]) -> QuerySet[User, Any]:
    return User.objects.filter(pk__in=users).order_by("pk").values_list("username", flat=True)


class ProviderBadgeAdmin(LargeTableAdmin[BadgeT]):
    """Learners' badges: the host's status, and the state at the provider.

    Read-only: badges change by awards, revocations and what the provider reports.
    """

    list_display = ("username", "template", "standing", "status", "issued_at", "external_id")
    list_display_links = ("standing",)
    # Not by the host's status: it has no index.
    list_filter = ("state",)
    fields = readonly_fields = (
        "username", "template", "state", "status", "issued_at", "uuid", "external_id", "url", "badge_link"
    )  # fmt: skip
    search_fields = ("username", "uuid", "external_id")
    search_help_text = gettext_lazy(
        "A learner’s user name or complete e-mail address, or one of the two IDs of a badge."
    )
    # The host's page of a credential supports program certificates only, and is a 404 for ours.
    view_on_site = False
    ordering = ("-pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[BadgeT], search_term: str
    ) -> tuple[QuerySet[BadgeT], bool]:
        """A credential of the host names its learner, and knows no address."""
        users = with_address(search_term.strip()) if "@" in search_term else []
        if not users:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(username__in=list(_usernames(users))), False

    def found_by(self, request: HttpRequest, term: str) -> Iterator[Q]:
        yield Q(username__istartswith=term)
        for name in ("uuid", "external_id"):
            field = self.opts.get_field(name)
            with suppress(ValidationError):  # a UUID is wanted, and the term is none
                if isinstance(field, Field):
                    yield Q(**{name: field.to_python(term)})

    def get_queryset(self, request: HttpRequest) -> QuerySet[BadgeT]:
        """With the names of the templates: the host's generic relation would cost a query for each row."""
        names = BadgeTemplate.objects.filter(pk=OuterRef("credential_id")).values("name")
        badges: QuerySet[BadgeT] = super().get_queryset(request)
        return badges.annotate(template_name=Subquery(names))  # type: ignore[return-value]

    @admin.display(description=gettext_lazy("badge template"), ordering="template_name")
    def template(self, badge: Any) -> str:
        return getattr(badge, "template_name", None) or ""

    @admin.display(description=gettext_lazy("state at the provider"), ordering="state")
    def standing(self, badge: BadgeT) -> str:
        return cells.state(_shape(badge), _display(badge))

    @admin.display(description=gettext_lazy("public page"))
    def badge_link(self, badge: BadgeT) -> str:
        url = badge.public_url
        return format_html('<a href="{0}">{0}</a>', url) if url else "-"
