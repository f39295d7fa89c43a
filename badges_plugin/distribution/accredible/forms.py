"""The form of an API configuration: Accredible is asked whether the key is good."""

from __future__ import annotations

from typing import Any, ClassVar

from badges_plugin.distribution.accounts.forms import AccountForm
from badges_plugin.distribution.accredible.configurations import make_client
from badges_plugin.distribution.accredible.models import AccredibleApiConfig


class AccredibleApiConfigForm(AccountForm[AccredibleApiConfig]):
    """Saves only a key that Accredible has accepted."""

    provider: ClassVar[str] = "Accredible"
    identity: ClassVar[str] = "name"

    class Meta:
        model = AccredibleApiConfig
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.fields["api_key"].disabled:
            # The name is how the settings know it.
            self.fields["name"].disabled = True

    def confirm(self, account: AccredibleApiConfig, key: str) -> None:
        make_client(key).check()
