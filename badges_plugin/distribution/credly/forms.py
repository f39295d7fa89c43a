"""The form of an organization: the key goes in and never comes out, and Credly is asked whether it is good."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from badges_plugin.admin.base import ModelForm
from badges_plugin.distribution.credly.conf import config
from badges_plugin.distribution.credly.models import CredlyOrganization
from badges_plugin.distribution.credly.organizations import make_client
from badges_plugin.distribution.failures import DeliveryFailure, PermanentFailure, RejectedKey

_LONGEST_NAME = 255


class CredlyOrganizationForm(ModelForm[CredlyOrganization]):
    """Saves only what Credly has confirmed. An organization whose key is in the settings has no key field."""

    api_key = forms.CharField(
        label=_("API key"),
        required=False,
        strip=True,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text=_("Kept encrypted and never shown again. Leave empty to keep the stored key."),
    )

    class Meta:
        model = CredlyOrganization
        fields = ("uuid",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.key_is_in_settings:
            self.fields["api_key"].disabled = True
            self.fields["api_key"].help_text = _("The key is in the settings (BADGES_CONFIG) and is changed there.")

    def clean(self) -> dict[str, Any]:
        """Ask Credly for the organization, with the key that would be stored."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        # The field is missing where the id can no longer be changed; the key is checked all the same.
        uuid = cleaned.get("uuid") if "uuid" in self.fields else self.instance.uuid
        if uuid is None:
            return cleaned
        entered = cleaned.get("api_key", "")
        try:
            key = config().organizations.get(uuid) or entered or self.instance.api_key
            name = make_client(uuid, key).organization().name
        except RejectedKey as failure:
            if entered:
                self.add_error("api_key", _("Credly does not accept this key: %s") % failure.reason)
            else:
                self.add_error("api_key", failure.reason)
        except PermanentFailure as failure:
            if failure.status == 404:
                self.add_error("uuid", _("There is no such organization at Credly."))
            elif failure.status == 403:
                self.add_error("uuid", _("The key is good, but not for this organization."))
            else:
                self.add_error(None, _("Credly refuses: %s") % failure.reason)
        except DeliveryFailure as failure:
            self.add_error(None, _("Credly cannot be asked now; nothing was saved. %s") % failure.reason)
        else:
            self.instance.name = name[:_LONGEST_NAME]
        return cleaned

    def save(self, commit: bool = True) -> CredlyOrganization:
        """Encrypt a key that was entered, and save."""
        if self.cleaned_data.get("api_key"):
            self.instance.set_api_key(self.cleaned_data["api_key"])
        return super().save(commit)
