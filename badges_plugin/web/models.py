"""What learners let others see: published badges, and one collection of them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from badges_plugin.models import BadgeAward
from badges_plugin.web.notes import MailKind, MailNote, MailPreference, MailState, MailText

__all__ = [
    "Collection",
    "MailKind",
    "MailNote",
    "MailPreference",
    "MailState",
    "MailText",
    "NameShown",
    "Publication",
]


class NameShown(models.TextChoices):
    """How much of a learner's name a public page shows. The values are stored; never change one."""

    FULL = "full", _("full name")
    INITIALS = "initials", _("initials")
    NONE = "none", _("no name")


class Publication(models.Model):
    """The choice of a learner about one badge: who sees it, with which name, with or without what they did.

    Without a row the badge was never published. A row whose ``taken_back_at`` is set remembers that its page was once
    there, so that the page can say so.

    .. pii: Says which badge of a learner is public, and how; holds no name itself.
    .. pii_types: other
    .. pii_retirement: local_api
    """

    id = models.BigAutoField(primary_key=True)
    award = models.OneToOneField(
        BadgeAward, on_delete=models.CASCADE, related_name="badges_publication", verbose_name=_("badge award")
    )
    published_at = models.DateTimeField(_("published at"))
    taken_back_at = models.DateTimeField(
        _("taken back at"), null=True, blank=True, help_text=_("Empty: anyone with the link can see the badge.")
    )
    name_shown = models.CharField(_("name shown"), max_length=16, choices=NameShown.choices, default=NameShown.NONE)
    evidence_shown = models.BooleanField(_("what the learner did is shown"), default=False)
    in_collection = models.BooleanField(_("in the learner’s collection"), default=False)

    class Meta:
        verbose_name = _("published badge")
        verbose_name_plural = _("published badges")

    def __str__(self) -> str:
        return str(self.award_id)

    @property
    def is_public(self) -> bool:
        return self.taken_back_at is None


class Collection(models.Model):
    """The page on which a learner shows badges that they published. A learner has one.

    ``user`` is empty once the learner is erased: the row stays without anything personal, so that the link says that
    the page is gone.

    .. pii: Belongs to a user; title and introduction are the learner's own words, the reason is about them.
    .. pii_types: other
    .. pii_retirement: local_api
    """

    id = models.BigAutoField(primary_key=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="badges_collection",
        verbose_name=_("user"),
    )
    uuid = models.UUIDField(_("UUID"), unique=True, default=uuid.uuid4, help_text=_("Identity in the public link."))
    title = models.CharField(_("title"), max_length=100, blank=True)
    introduction = models.TextField(_("introduction"), max_length=500, blank=True)
    name_shown = models.CharField(_("name shown"), max_length=16, choices=NameShown.choices, default=NameShown.NONE)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    taken_back_at = models.DateTimeField(_("taken back at"), null=True, blank=True)
    is_hidden = models.BooleanField(
        _("hidden by staff"),
        default=False,
        help_text=_("Only the learner can see the collection, whatever they chose."),
    )
    hidden_reason = models.CharField(
        _("reason"), max_length=200, blank=True, help_text=_("Why it is hidden. The learner reads this.")
    )

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")

    def __str__(self) -> str:
        return str(self.uuid)

    @property
    def is_public(self) -> bool:
        return self.is_published and not self.is_hidden

    @property
    def is_published(self) -> bool:
        """Whether the learner wants it to be public."""
        return self.user_id is not None and self.published_at is not None and self.taken_back_at is None

    @property
    def was_public(self) -> bool:
        return self.published_at is not None and not self.is_public
