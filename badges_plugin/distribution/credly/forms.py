"""The form of an organization: Credly is asked whether the key is good, and what the organization is called."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext as _

from badges_plugin.distribution.accounts.forms import AccountForm
from badges_plugin.distribution.credly.models import CredlyOrganization
from badges_plugin.distribution.credly.organizations import make_client
from badges_plugin.distribution.exceptions import PermanentFailure

_MAX_NAME_LENGTH = 255


class CredlyOrganizationForm(AccountForm[CredlyOrganization]):
    """Saves only what Credly has confirmed."""

    provider: ClassVar[str] = "Credly"
    identity: ClassVar[str] = "uuid"

    class Meta:
        model = CredlyOrganization
        fields = ("uuid",)

    def confirm(self, account: CredlyOrganization, key: str) -> None:
        self.instance.name = make_client(account.uuid, key).organization().name[:_MAX_NAME_LENGTH]

    def refused(self, failure: PermanentFailure) -> tuple[str | None, str]:
        if failure.status == 404:
            return "uuid", _("There is no such organization at Credly.")
        if failure.status == 403:
            return "uuid", _("The key is good, but not for this organization.")
        return super().refused(failure)
