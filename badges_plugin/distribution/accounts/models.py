"""The models that are alike at every provider: accounts, mirrored badge templates, and badges at the provider."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from badges_plugin import bulk, updating
from badges_plugin.distribution import keys
from badges_plugin.distribution.data import MAX_URL_LENGTH, AtProvider, Place
from badges_plugin.distribution.exceptions import RejectedKey
from badges_plugin.host import UserCredential
from badges_plugin.models import BadgeAward, BadgeTemplate

_NO_KEY = gettext_noop("No API key is stored for this account. Enter it in the admin.")
_UNREADABLE_KEY = gettext_noop(
    "The stored API key cannot be read since SECRET_KEY changed. "
    "Add the old one to SECRET_KEY_FALLBACKS or enter the API key again in the admin."
)


class Account(models.Model):
    """The credentials for a provider: an API key.

    The key is in the settings or, encrypted, in ``encrypted_key``; the settings win. It is never shown.
    """

    identity: ClassVar[str] = "pk"
    """The field whose value is the name of the account's channel."""

    encrypted_key = models.TextField(blank=True, editable=False)
    synced_at = models.DateTimeField(_("templates synchronized"), null=True, blank=True, editable=False)
    polled_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @classmethod
    def for_channel(cls, account: str) -> Self | None:
        """Return the account of a channel; None where it has no row."""
        return cls._default_manager.filter(**{cls.identity: account}).first()

    @classmethod
    def add_configured(cls) -> None:
        """Add a row for each account that only the settings know."""
        raise NotImplementedError

    @property
    def channel_account(self) -> str:
        """The name of the account's channel."""
        return str(getattr(self, self.identity))

    @property
    def configured_key(self) -> str:
        """The key of this account in the settings; empty where there is none."""
        raise NotImplementedError

    @property
    def key_is_in_settings(self) -> bool:
        """Whether the key comes from the settings, so that it cannot be changed here."""
        return bool(self.configured_key)

    @property
    def api_key(self) -> str:
        """The key. Raises RejectedKey, with advice, when there is none that can be used."""
        configured = self.configured_key
        if configured:
            return configured
        if not self.encrypted_key:
            raise RejectedKey(_NO_KEY)
        try:
            return keys.decrypt(self.encrypted_key)
        except keys.UnreadableKey as error:
            raise RejectedKey(_UNREADABLE_KEY) from error

    @property
    def key_is_readable(self) -> bool:
        """Whether there is a key that can be used: false also when SECRET_KEY has changed and the old one is gone."""
        try:
            return bool(self.api_key)
        except RejectedKey:
            return False

    def set_api_key(self, key: str) -> None:
        """Encrypt and keep a key. The caller saves."""
        self.encrypted_key = keys.encrypt(key)

    def key_fingerprint(self) -> str:
        """Return a text that changes with the key and does not reveal it; empty while there is no usable key."""
        try:
            return salted_hmac(f"badges_plugin.{self._meta.label_lower}.key", self.api_key, "sha256").hexdigest()
        except RejectedKey:
            return ""


class MirroredTemplate(BadgeTemplate):
    """A badge template that is mirrored from the provider: the provider decides on its texts, staff on the rest."""

    provider: ClassVar[str]
    """The slug of the backend."""
    account_field: ClassVar[str]
    """The foreign key to the account that owns the template."""

    # Named, because the host's built-in app has models of the same names.
    badgetemplate_ptr = models.OneToOneField(
        BadgeTemplate,
        on_delete=models.CASCADE,
        parent_link=True,
        primary_key=True,
        related_name="%(app_label)s_template",
    )

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the template. Its origin is the provider, whoever creates it."""
        self.origin = self.provider
        super().save(*args, **kwargs)

    @classmethod
    def link_from_base(cls) -> str:
        """Return the attribute of the core's row of a template that leads to this one."""
        return f"{cls._meta.app_label}_template"

    @property
    def account(self) -> Account:
        """The account that owns the template."""
        owner: Account = getattr(self, self.account_field)
        return owner

    @property
    def refusal(self) -> str:
        """The reason why the provider issues no badges of this template, for staff; empty when it does."""
        raise NotImplementedError


class ProviderBadge(UserCredential):
    """A learner's badge as it is at the provider: the latest one, if it was awarded more than once.

    A row for the core's user credential, which says whether the badge is awarded or revoked.
    """

    PUBLIC_STATES: ClassVar[frozenset[str]]
    """The states in which the provider shows the badge to everybody."""

    PENDING_STATES: ClassVar[frozenset[str]] = frozenset()
    """The states in which the learner has to accept the badge at the provider, at ``url``."""
    DECLINED_STATES: ClassVar[frozenset[str]] = frozenset()
    """The states in which the learner has declined it there."""

    # Named, because the host's built-in app has models of the same names.
    usercredential_ptr = models.OneToOneField(
        UserCredential,
        on_delete=models.CASCADE,
        parent_link=True,
        primary_key=True,
        related_name="%(app_label)s_%(class)s",
    )
    state = models.CharField(_("state at the provider"), max_length=16)
    issued_at = models.DateTimeField(_("issued at"), null=True, blank=True)
    url = models.URLField(_("URL at the provider"), max_length=MAX_URL_LENGTH, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.uuid)

    @property
    def public_url(self) -> str:
        """The public page of the badge at the provider; empty where there is none, and once the learner is retired."""
        return self.url if self.url and self.state in self.PUBLIC_STATES else ""

    @property
    def standing(self) -> AtProvider:
        """How the badge stands at the provider, for its learner. Their own link is in it: show it nobody else."""
        if self.state in self.PUBLIC_STATES:
            return AtProvider(Place.THERE, self.public_url, self.standing_since)
        if self.state in self.PENDING_STATES:
            return AtProvider(Place.WAITING, self.url, self.standing_since)
        if self.state in self.DECLINED_STATES:
            return AtProvider(Place.DECLINED, "", self.standing_since)
        return AtProvider(Place.ON_ITS_WAY)

    @property
    def standing_since(self) -> datetime | None:
        """Since when the badge is in its state, where the provider says so."""
        return None

    @classmethod
    def start(cls, awards: Sequence[BadgeAward]) -> None:
        """Make the credentials of new awards badges of this model as well; a badge earned again starts anew.

        One statement where the badges are new, a fixed number otherwise.
        """
        again = sorted(award.credential_id for award in awards if award.number > 1)
        known = set(cls._default_manager.filter(pk__in=again).values_list("pk", flat=True)) if again else set()
        # Only this model's own table is written. Otherwise Django would save the host's rows again, with defaults for
        # all other columns.
        if begun := [award for award in awards if award.credential_id not in known]:
            keys_of_credentials = [award.credential_id for award in begun]
            times = [award.awarded_at for award in begun]
            bulk.insert_columns(cls, {"usercredential_ptr_id": keys_of_credentials, "issued_at": times})
        if known:
            cls._start_again([award for award in awards if award.credential_id in known])

    @classmethod
    def note(cls, known: Mapping[int, Mapping[str, Any]]) -> None:
        """Write what the provider told of some badges: values of fields by primary key. One statement, rarely two."""
        alike: dict[tuple[str, ...], dict[int, Mapping[str, Any]]] = defaultdict(dict)
        for pk, values in known.items():
            alike[tuple(values)][pk] = values
        for names, rows in alike.items():
            # Not by an INSERT that updates, as ``bulk`` does: it would lock the host's rows as well.
            keys = sorted(rows)
            columns: dict[str, list[object]] = {name: [rows[pk][name] for pk in keys] for name in names}
            updating.update_those_there(cls, {"usercredential_ptr_id": keys, **columns}, names)

    @classmethod
    def _start_again(cls, awards: Sequence[BadgeAward]) -> None:
        unused = cls()
        own = [field.attname for field in cls._meta.local_concrete_fields if not field.primary_key]
        awards = sorted(awards, key=lambda award: award.credential_id)
        columns: dict[str, list[object]] = {name: [getattr(unused, name)] * len(awards) for name in own}
        columns["issued_at"] = [award.awarded_at for award in awards]
        keys = [award.credential_id for award in awards]
        updating.update_those_there(cls, {"usercredential_ptr_id": keys, **columns}, own)
