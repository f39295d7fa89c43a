"""The part of an account that is the same at every provider."""

from __future__ import annotations

from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution import vault
from badges_plugin.distribution.exceptions import RejectedKey


class Account(models.Model):
    """Who we are to a provider, by an API key.

    The key is in the settings or, encrypted, in ``encrypted_key``; the settings win. It is never shown.
    """

    encrypted_key = models.TextField(blank=True, editable=False)
    synced_at = models.DateTimeField(_("templates synchronized"), null=True, blank=True, editable=False)
    polled_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def configured_key(self) -> str:
        """The key that the settings have for this account; empty when they have none."""
        raise NotImplementedError

    @property
    def key_is_in_settings(self) -> bool:
        """Whether the key comes from the settings, so that it cannot be changed here."""
        return bool(self.configured_key)

    @property
    def api_key(self) -> str:
        """The key. Raises RejectedKey, with what to do, when there is none that could be used."""
        configured = self.configured_key
        if configured:
            return configured
        if not self.encrypted_key:
            reason = _("No API key is stored for this %(account)s. Enter it in the admin.")
            raise RejectedKey(str(reason % {"account": self._meta.verbose_name}))
        try:
            return vault.decrypt(self.encrypted_key)
        except vault.UnreadableKey as error:
            reason = _(
                "The stored API key cannot be read since SECRET_KEY changed. "
                "Add the old one to SECRET_KEY_FALLBACKS or enter the API key again in the admin."
            )
            raise RejectedKey(str(reason)) from error

    @property
    def key_is_readable(self) -> bool:
        """Whether the key can be used: false also when SECRET_KEY has changed and the old one is gone."""
        try:
            return bool(self.api_key)
        except RejectedKey:
            return False

    def set_api_key(self, key: str) -> None:
        """Keep a key, encrypted. The caller saves."""
        self.encrypted_key = vault.encrypt(key)

    def key_fingerprint(self) -> str:
        """Changes with the key and does not tell it; empty while there is no usable key."""
        try:
            return salted_hmac(f"badges_plugin.{self._meta.label_lower}.key", self.api_key, "sha256").hexdigest()
        except RejectedKey:
            return ""
