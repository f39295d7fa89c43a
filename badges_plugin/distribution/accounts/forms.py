"""The form of an account: the API key goes in and never comes out, and the provider is asked whether it is valid."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin.admin.base import ModelForm
from badges_plugin.distribution.accounts.models import Account
from badges_plugin.distribution.exceptions import DeliveryFailure, PermanentFailure, RejectedKey
from badges_plugin.distribution.reasons import localized

AccountT = TypeVar("AccountT", bound=Account)


class AccountForm(ModelForm[AccountT]):
    """Save only what the provider has confirmed. A key in the settings cannot be changed here."""

    provider: ClassVar[str]
    """The provider's name."""

    identity: ClassVar[str]
    """The field by which the account is known."""

    api_key = forms.CharField(
        label=gettext_lazy("API key"),
        required=False,
        strip=True,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Stored encrypted and never shown again."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.key_is_in_settings:
            self.fields["api_key"].disabled = True
            self.fields["api_key"].help_text = _("The key is in the settings (BADGES_CONFIG). Change it there.")
        elif self.instance.pk:
            self.fields["api_key"].help_text = _("Leave empty to keep the stored key, which is never shown.")

    def confirm(self, account: AccountT, key: str) -> None:
        """Ask the provider about the account, with the key that would be stored. Raises DeliveryFailure."""
        raise NotImplementedError

    def refused(self, failure: PermanentFailure) -> tuple[str | None, str]:
        """Return the field that a refusal of the provider is about, None for the whole form, and the message."""
        return None, _("%(provider)s refuses: %(reason)s") % self._values(failure)

    def clean(self) -> dict[str, Any]:
        """Ask the provider, with the key that would be stored."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        # There is no such field where the identity can no longer be changed; the key is checked all the same.
        identity = cleaned.get(self.identity) if self.identity in self.fields else getattr(self.instance, self.identity)
        if not identity:
            return cleaned
        account = type(self.instance)(**{self.identity: identity}, encrypted_key=self.instance.encrypted_key)
        entered = cleaned.get("api_key", "")
        if not (entered or account.encrypted_key or account.key_is_in_settings):
            self.add_error("api_key", _("Enter the API key."))
            return cleaned
        try:
            self.confirm(account, account.configured_key or entered or account.api_key)
        except RejectedKey as failure:
            text = _("%(provider)s does not accept this key: %(reason)s") % self._values(failure)
            self.add_error("api_key", text if entered else localized(failure.reason))
        except PermanentFailure as failure:
            self.add_error(*self.refused(failure))
        except DeliveryFailure as failure:
            text = _("%(provider)s cannot be reached, so nothing was saved. %(reason)s")
            self.add_error(None, text % self._values(failure))
        return cleaned

    def save(self, commit: bool = True) -> AccountT:
        """Encrypt a key that was entered, and save."""
        if self.cleaned_data.get("api_key"):
            self.instance.set_api_key(self.cleaned_data["api_key"])
        return super().save(commit)

    def _values(self, failure: DeliveryFailure) -> dict[str, str]:
        return {"provider": self.provider, "reason": localized(failure.reason)}
