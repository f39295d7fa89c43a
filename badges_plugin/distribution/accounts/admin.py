"""Admin pages that are the same at every provider: accounts, and badges as they stand there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from badges_plugin.admin.base import ModelAdmin, ReadOnlyAdmin
from badges_plugin.distribution import channels
from badges_plugin.distribution.accounts.forms import AccountForm
from badges_plugin.distribution.accounts.models import Account
from badges_plugin.distribution.exceptions import DeliveryFailure
from badges_plugin.host import UserCredential
from badges_plugin.models import BadgeTemplate

AccountT = TypeVar("AccountT", bound=Account)
BadgeT = TypeVar("BadgeT", bound=UserCredential)


class AccountAdmin(ModelAdmin[AccountT]):
    """The provider is asked each time an account is saved (see ``AccountForm``)."""

    backend: ClassVar[str]
    """The slug of the backend whose channels the accounts are."""

    form: type[AccountForm[AccountT]]

    def account_of(self, account: AccountT) -> str:
        """What the backend calls the account of this row."""
        raise NotImplementedError

    def get_fields(self, request: HttpRequest, obj: AccountT | None = None) -> Any:
        """Leave out what there is nothing to do with.

        A new account has nothing to show yet. And who may only look gets no field for the key: Django would fill it
        from the model, with the key itself.
        """
        if obj is None:
            return (self.form.identity, "api_key")
        may_enter = self.has_change_permission(request, obj)
        return [name for name in self.fields or () if name != "api_key" or may_enter]

    @method_decorator(sensitive_post_parameters("api_key"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Keep the key out of the mail that Django sends when the page fails."""
        return super().changeform_view(request, *args, **kwargs)

    @admin.display(description=gettext_lazy("stored key"))
    def key(self, account: AccountT) -> str:
        """Say where the key is, never what it is."""
        if account.key_is_in_settings:
            return _("in the settings")
        if not account.encrypted_key:
            return _("missing")
        return _("stored, encrypted") if account.key_is_readable else _("cannot be read: enter it again")

    @admin.display(description=gettext_lazy("deliveries"))
    def deliveries(self, account: AccountT) -> str:
        """Say whether badges can be delivered, and if not, why."""
        return channels.status_text(self.backend, self.account_of(account))

    def save_model(self, request: HttpRequest, obj: AccountT, form: Any, change: bool) -> None:
        """The form saves only what the provider has just confirmed, perhaps the same key once more."""
        super().save_model(request, obj, form, change)
        channels.key_accepted(self.backend, self.account_of(obj))

    def report_each(
        self, request: HttpRequest, accounts: QuerySet[AccountT], work: Callable[[AccountT], object]
    ) -> None:
        """Do the work of an action: one message for each account; one that fails does not stop the others.

        The message is a warning where what the work returns has a true ``needs_attention``.
        """
        for account in accounts:
            try:
                result = work(account)
            except DeliveryFailure as failure:
                self.message_user(request, f"{account}: {failure.reason}", messages.ERROR)
            else:
                level = messages.WARNING if getattr(result, "needs_attention", False) else messages.SUCCESS
                self.message_user(request, f"{account}: {result}", level)


class ProviderBadgeAdmin(ReadOnlyAdmin[BadgeT]):
    """What the learner has: the host's status, and the state at the provider.

    Read only: badges change by awards, revocations and what the provider reports.
    """

    external_id: ClassVar[str]
    """The field with the badge's id at the provider."""

    address: ClassVar[str]
    """The field with the address of the badge at the provider."""

    list_filter = ("status", "state")
    # The host's page of a credential knows program certificates only, and has a 404 for ours.
    view_on_site = False
    show_full_result_count = False
    ordering = ("-pk",)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return ("uuid", "username", "template", "status", "state", self.external_id, "issued_at")

    def get_fields(self, request: HttpRequest, obj: BadgeT | None = None) -> tuple[str, ...]:
        return (*self.get_list_display(request), self.address)

    def get_readonly_fields(self, request: HttpRequest, obj: BadgeT | None = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("username", "uuid", self.external_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BadgeT]:
        """With the names of the templates: the host's generic relation would cost a query for each row."""
        names = BadgeTemplate.objects.filter(pk=OuterRef("credential_id")).values("name")
        badges: QuerySet[BadgeT] = super().get_queryset(request)
        return badges.annotate(template_name=Subquery(names))  # type: ignore[return-value]

    @admin.display(description=gettext_lazy("badge template"), ordering="template_name")
    def template(self, badge: Any) -> str:
        return getattr(badge, "template_name", None) or ""
