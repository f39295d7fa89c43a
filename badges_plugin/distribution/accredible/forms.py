"""The form of an API configuration: the key goes in and never comes out, and Accredible is asked whether it is good."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from badges_plugin.admin.base import ModelForm
from badges_plugin.distribution.accredible.conf import config
from badges_plugin.distribution.accredible.configurations import make_client
from badges_plugin.distribution.accredible.models import AccredibleApiConfig
from badges_plugin.distribution.failures import DeliveryFailure, PermanentFailure, RejectedKey


class AccredibleApiConfigForm(ModelForm[AccredibleApiConfig]):
    """Saves only a key that Accredible has accepted. A configuration whose key is in the settings has no key field."""

    api_key = forms.CharField(
        label=_("API key"),
        required=False,
        strip=True,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text=_("Kept encrypted and never shown again. Leave empty to keep the stored key."),
    )

    class Meta:
        model = AccredibleApiConfig
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.key_is_in_settings:
            # The name is how the settings know it.
            self.fields["name"].disabled = True
            self.fields["api_key"].disabled = True
            self.fields["api_key"].help_text = _("The key is in the settings (BADGES_CONFIG) and is changed there.")

    def clean(self) -> dict[str, Any]:
        """Ask Accredible whether it takes the key that would be stored."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not cleaned.get("name"):
            return cleaned
        entered = cleaned.get("api_key", "")
        try:
            make_client(config().api_keys.get(cleaned["name"]) or entered or self.instance.api_key).check()
        except RejectedKey as failure:
            text = _("Accredible does not accept this key: %s") % failure.reason if entered else failure.reason
            self.add_error("api_key", text)
        except PermanentFailure as failure:
            self.add_error(None, _("Accredible refuses: %s") % failure.reason)
        except DeliveryFailure as failure:
            self.add_error(None, _("Accredible cannot be asked now; nothing was saved. %s") % failure.reason)
        return cleaned

    def save(self, commit: bool = True) -> AccredibleApiConfig:
        """Encrypt a key that was entered, and save."""
        if self.cleaned_data.get("api_key"):
            self.instance.set_api_key(self.cleaned_data["api_key"])
        return super().save(commit)
