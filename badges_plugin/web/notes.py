"""Mails to learners: what was or will be sent, what learners want, and what sites say in their own words."""

from __future__ import annotations

from django.conf import settings
from django.contrib.sites.models import Site
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from badges_plugin.models import BadgeAward


class MailKind(models.TextChoices):
    """The kinds of mails to learners. The values are stored, and are the names of templates; never change one."""

    AWARDED = "awarded", _("badge earned")
    REVOKED = "revoked", _("badge revoked")
    EXPIRING = "expiring", _("badge about to expire")
    PENDING = "pending", _("badge waiting to be accepted")


class MailState(models.TextChoices):
    """What became of a mail. The values are stored; never change one."""

    WAITING = "waiting", _("waiting")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    SKIPPED = "skipped", _("not needed")
    FAILED = "failed", _("failed")
    UNKNOWN = "unknown", _("perhaps sent")


class MailReason(models.TextChoices):
    """Why a mail was not sent, or not yet. The values are stored; never change one."""

    SWITCHED_OFF = "switched_off", _("Mails of this kind are switched off.")
    NO_RECIPIENT = "no_recipient", _("The learner’s account is closed or not active.")
    NO_ADDRESS = "no_address", _("The learner has no usable e-mail address.")
    NOT_WANTED = "not_wanted", _("The learner does not want mails of this kind.")
    ENDED = "ended", _("The badge ended before the mail was sent.")
    NEVER_TOLD = "never_told", _("The learner was not told of the badge, so not of its end either.")
    EARNED_AGAIN = "earned_again", _("The learner has the badge again.")
    NOT_SIGNED = "not_signed", _("The badge was not signed.")
    TOO_SHORT = "too_short", _("The badge is not valid for longer than the reminder comes before its end.")
    NOT_WAITING = "not_waiting", _("The badge does not wait to be accepted.")
    TOO_LATE = "too_late", _("It could not be sent for a week.")
    REFUSED = "refused", _("The mail server refused the mail.")
    BROKEN_ADDRESS = "broken_address", _("The mail server refused the learner’s address.")
    NOT_TAKEN = "not_taken", _("The mail server did not take the mail.")
    LOST = "lost", _("The connection was lost while the mail was being sent. It may have arrived.")
    NO_WAY = "no_way", _("No channel of edx-ace took the mail.")
    WORKER_LOST = "worker_lost", _("The worker ended while it was sending the mail. It may have arrived.")


class MailNote(models.Model):
    """One mail about one award: there is at most one of each kind, so none is sent twice.

    It is claimed before it is sent. Where nobody knows whether it was sent, because the worker or the connection was
    lost then, it counts as perhaps sent and is not sent again.

    .. pii: Says that a learner was written to about a badge, and when; holds no address.
    .. pii_types: other
    .. pii_retirement: local_api
    """

    id = models.BigAutoField(primary_key=True)
    award = models.ForeignKey(
        BadgeAward, on_delete=models.CASCADE, related_name="badges_mail_notes", verbose_name=_("badge award")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=MailKind.choices)
    state = models.CharField(_("state"), max_length=16, choices=MailState.choices, default=MailState.WAITING)
    due_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    reason = models.CharField(_("reason"), max_length=16, choices=MailReason.choices, blank=True)
    created = models.DateTimeField(_("created"), default=timezone.now)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        verbose_name = _("mail to a learner")
        verbose_name_plural = _("mails to learners")
        constraints = [models.UniqueConstraint(fields=("award", "kind"), name="badges_web_mail_once")]
        indexes = [models.Index(fields=("state", "due_at"), name="badges_web_mail_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.award_id}"


class MailPreference(models.Model):
    """What a learner wants to be written to about, and in which language. Without a row: everything.

    .. pii: Which mails a user wants, and the language in which they read the page where they said so.
    .. pii_types: other
    .. pii_retirement: local_api
    """

    id = models.BigAutoField(primary_key=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="badges_mail_preference",
        verbose_name=_("user"),
    )
    awarded = models.BooleanField(_("badge earned"), default=True)
    revoked = models.BooleanField(_("badge revoked"), default=True)
    expiring = models.BooleanField(_("badge about to expire"), default=True)
    pending = models.BooleanField(_("badge waiting to be accepted"), default=True)
    language = models.CharField(_("language"), max_length=16, blank=True)

    class Meta:
        verbose_name = _("mail preference")
        verbose_name_plural = _("mail preferences")

    def __str__(self) -> str:
        return str(self.user_id)

    def wants(self, kind: str) -> bool:
        """Whether mails of this kind are wanted."""
        return bool(getattr(self, kind))


class MailText(models.Model):
    """What a site adds to the mails of one kind in its own words.

    .. no_pii: Written by staff, for all learners.
    """

    id = models.BigAutoField(primary_key=True)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="+", verbose_name=_("site"))
    kind = models.CharField(_("kind"), max_length=16, choices=MailKind.choices)
    language = models.CharField(
        _("language"),
        max_length=16,
        blank=True,
        help_text=_("Code of a language, such as “fr” or “pt-br”. Empty: for learners whose language has no text."),
    )
    subject = models.CharField(
        _("subject"), max_length=150, blank=True, help_text=_("Empty: the usual one. {badge} is the badge’s name.")
    )
    text = models.TextField(
        _("text"),
        blank=True,
        max_length=10_000,
        help_text=_(
            "HTML that is added below the first sentences. {badge} and {name} are the names of the badge and the "
            "learner. Allowed: a, b, blockquote, div, em, h1 to h6, i, li, ol, p, span, strong, ul; others are removed."
        ),
    )

    class Meta:
        verbose_name = _("text of mails")
        verbose_name_plural = _("texts of mails")
        constraints = [models.UniqueConstraint(fields=("site", "kind", "language"), name="badges_web_mail_text")]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.get_kind_display(), self.language]))
