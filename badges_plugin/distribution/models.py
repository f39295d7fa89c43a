"""Deliveries to providers, their attempts and their channels. ``queueing``, ``claims`` and ``delivery`` change them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.data import Action
from badges_plugin.distribution.retry import State
from badges_plugin.models import BadgeAward, Ending

_ROUNDED = timedelta(days=1)
"""How far the date at a provider may be from ours: some know days only, in a time zone of their own."""


class Channel(models.Model):
    """The circuit breaker of an account at a provider: open, resting until an instant, or paused.

    A rejected key pauses it until the key changes, which ``paused_fingerprint`` tells. It rests after several failures
    in a row, or because the provider asked for it.

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    backend = models.CharField(_("backend"), max_length=32)
    account = models.CharField(_("account"), max_length=64)
    paused_reason = models.CharField(_("paused because"), max_length=1000, blank=True)
    paused_fingerprint = models.CharField(max_length=128, blank=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    rest_until = models.DateTimeField(_("rests until"), null=True, blank=True)

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        constraints = [
            models.UniqueConstraint(fields=("backend", "account"), name="badges_channel_account"),
        ]

    def __str__(self) -> str:
        return f"{self.backend}: {self.account}"

    def is_resting(self, now: datetime) -> bool:
        return self.rest_until is not None and self.rest_until > now

    @staticmethod
    def rested(now: datetime, prefix: str = "") -> models.Q:
        """Return the condition for channels that do not rest. The time of a rest stays when it is over.

        ``prefix``: how a query gets to the channel, such as "channel__".
        """
        return models.Q(**{f"{prefix}rest_until": None}) | models.Q(**{f"{prefix}rest_until__lte": now})


class Delivery(models.Model):
    """One request that a provider must get, written in the transaction of the award or revocation.

    ``in_doubt``: the provider may have done it already; the badge is looked up before anything is sent.
    ``recipient_email`` is the e-mail address an issue was sent to, kept only until it is settled: the learner's e-mail
    address may change while the outcome is in doubt. ``last_error`` is a stored reason (see ``reasons``).

    .. pii: The e-mail address a badge was sent to, erased when the delivery is settled.
    .. pii_types: email_address
    .. pii_retirement: local_api
    """

    id = models.BigAutoField(primary_key=True)
    award = models.ForeignKey(BadgeAward, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("award"))
    backend = models.CharField(_("backend"), max_length=32)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="deliveries", verbose_name=_("channel"))
    action = models.CharField(_("action"), max_length=8, choices=Action.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    in_doubt = models.BooleanField(
        _("in doubt"),
        default=False,
        help_text=_(
            "Whether the provider may have done this already. If so, the badge is looked up there before anything is "
            "sent."
        ),
    )
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    claimed_by = models.CharField(_("claimed by"), max_length=128, blank=True)
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    external_id = models.CharField(_("ID at the provider"), max_length=255, blank=True)
    expires_at = models.DateTimeField(
        _("expires at the provider"),
        null=True,
        blank=True,
        help_text=_("On this date the provider ends the badge itself, as it said when it issued the badge."),
    )
    recipient_email = models.CharField(max_length=254, blank=True, editable=False)
    last_error = models.CharField(_("reason"), max_length=1000, blank=True)
    awaits_name = models.BooleanField(
        _("waits for a name"),
        default=False,
        help_text=_("The learner has no name. The badge is delivered once there is one."),
    )
    # Only shown to staff: it decides nothing.
    in_the_way = models.ForeignKey(
        BadgeAward,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("conflicting badge"),
        help_text=_("The provider has this badge of another learner at the same e-mail address."),
    )
    created = models.DateTimeField(_("created"), auto_now_add=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=("award", "backend", "action"), name="badges_delivery_once"),
        ]
        indexes = [
            models.Index(fields=("state", "next_attempt_at"), name="badges_delivery_due"),
            # More of one channel, however many of others are due before them.
            models.Index(fields=("channel", "state", "next_attempt_at"), name="badges_delivery_ch_due"),
            models.Index(fields=("state", "claimed_until"), name="badges_delivery_claim"),
            models.Index(fields=("claimed_by",), name="badges_delivery_claimant"),
            models.Index(fields=("backend", "external_id"), name="badges_delivery_external"),
            models.Index(fields=("state", "settled_at"), name="badges_delivery_settled"),
            models.Index(fields=("in_doubt",), name="badges_delivery_in_doubt"),
            models.Index(fields=("action",), name="badges_delivery_action"),
        ]

    def __str__(self) -> str:
        return f"{self.backend} {self.action} {self.award_id}"

    def ends_by_itself(self, award: BadgeAward) -> bool:
        """Whether the award of this issue has expired, and the provider ends the badge on the same date.

        Not where the provider knows a later date or none: of somebody else's badge that was adopted, say.
        """
        if award.ended_by != Ending.EXPIRED or award.expires_at is None or self.expires_at is None:
            return False
        return self.expires_at <= award.expires_at + _ROUNDED


class AttemptOutcome(models.TextChoices):
    """The kind of outcome of an attempt."""

    DELIVERED = "delivered", _("delivered")
    ADOPTED = "adopted", _("found at the provider")
    CANCELLED = "cancelled", _("cancelled")
    TRANSIENT = "transient", _("failed, will be retried")
    PERMANENT = "permanent", _("failed, needs attention")
    REJECTED_KEY = "rejected_key", _("API key rejected")
    BUG = "bug", _("unexpected error")


class DeliveryAttempt(models.Model):
    """The outcome of one attempt, for audit. Written once.

    .. no_pii: E-mail addresses are removed from the providers' messages before they are stored.
    """

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="attempt_log", verbose_name=_("delivery")
    )
    number = models.PositiveIntegerField(_("number"))
    outcome = models.CharField(_("outcome"), max_length=16, choices=AttemptOutcome.choices)
    looked_up = models.BooleanField(_("looked up first"))
    reason = models.CharField(_("reason"), max_length=1000, blank=True)
    started_at = models.DateTimeField(_("started"))
    milliseconds = models.PositiveIntegerField(_("milliseconds"))
    worker = models.CharField(_("worker"), max_length=128)

    class Meta:
        verbose_name = _("delivery attempt")
        verbose_name_plural = _("delivery attempts")
        indexes = [models.Index(fields=("started_at",), name="badges_attempt_started")]

    def __str__(self) -> str:
        return f"{self.delivery} #{self.number}"


class Decision(models.TextChoices):
    """What staff decided about a delivery. The values are stored; never change one."""

    RETRIED = "retried", _("tried again")
    GIVEN_UP = "given_up", _("given up")
    TAKEN_UP = "taken_up", _("taken up again")
    NAME = "name", _("corrected name sent")


class DeliveryDecision(models.Model):
    """What a member of staff decided about a delivery: the history that its page shows. Written once.

    .. pii: ``because`` is text that staff wrote, which may name a learner; erased when the learner is retired.
    .. pii_types: other
    .. pii_retirement: local_api
    """

    MAX_LENGTH = 255

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="decisions", verbose_name=_("delivery")
    )
    decision = models.CharField(_("decision"), max_length=16, choices=Decision.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    at = models.DateTimeField(_("when"), default=timezone.now)
    because = models.CharField(_("why"), max_length=MAX_LENGTH, blank=True)

    class Meta:
        verbose_name = _("decision about a delivery")
        verbose_name_plural = _("decisions about deliveries")

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.decision}"


class RateLimit(models.Model):
    """A pace that the processes of a site share. Up to ``free_from``, on the database's clock, time is reserved.

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=128, unique=True)
    free_from = models.DateTimeField()

    class Meta:
        verbose_name = _("rate limit")
        verbose_name_plural = _("rate limits")

    def __str__(self) -> str:
        return self.name
