"""What has to be brought to a provider, and what came of it. The flow is in ``queue``, ``claims`` and ``delivery``."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.data import Action
from badges_plugin.distribution.retry import State
from badges_plugin.models import BadgeAward, Ending

_ROUNDED = timedelta(days=1)
"""How far the date at a provider may be from ours: some know days only, in a time zone of their own."""


class Channel(models.Model):
    """An account at a provider as far as traffic is concerned: it flows, rests until an instant, or is paused.

    Paused by a rejected key, until that changes: ``paused_fingerprint`` tells whether it has. Rests after several
    failures in a row (circuit breaker) or because the provider asked for it.

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


class Delivery(models.Model):
    """One thing that a provider has to be asked for, written in the transaction of the award or revocation.

    ``in_doubt``: the provider may have done it already; it is looked up before anything is sent. ``recipient_email`` is
    where an issue was sent to, kept only until it is settled: the learner's address may change while the outcome is
    in doubt.

    .. pii: The address a badge was sent to, erased when the delivery is settled.
    .. pii_types: email_address
    .. pii_retirement: local_api
    """

    ACTIONS = [(Action.ISSUE.value, _("issue")), (Action.REVOKE.value, _("revoke"))]
    STATES = [
        (State.PENDING.value, _("waiting")),
        (State.SENDING.value, _("being sent")),
        (State.DONE.value, _("delivered")),
        (State.CANCELLED.value, _("cancelled")),
        (State.FAILED.value, _("needs attention")),
    ]

    id = models.BigAutoField(primary_key=True)
    award = models.ForeignKey(BadgeAward, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("award"))
    backend = models.CharField(_("backend"), max_length=32)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="deliveries", verbose_name=_("channel"))
    action = models.CharField(_("action"), max_length=8, choices=ACTIONS)
    state = models.CharField(_("state"), max_length=10, choices=STATES, default=State.PENDING.value)
    in_doubt = models.BooleanField(
        _("in doubt"),
        default=False,
        help_text=_(
            "Whether the provider may have done this already. If so, it is looked up there before anything is sent."
        ),
    )
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    claimed_by = models.CharField(_("claimed by"), max_length=128, blank=True)
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    external_id = models.CharField(_("id at the provider"), max_length=255, blank=True)
    expires_at = models.DateTimeField(
        _("expires at the provider"),
        null=True,
        blank=True,
        help_text=_("Then the provider ends the badge by itself, as it said when it was issued."),
    )
    recipient_email = models.CharField(max_length=254, blank=True, editable=False)
    last_error = models.CharField(_("reason"), max_length=1000, blank=True)
    awaits_name = models.BooleanField(
        _("waits for a name"),
        default=False,
        help_text=_("Needs attention because the learner has no name. It goes on by itself once there is one."),
    )
    # Only for people to look at: it decides nothing.
    in_the_way = models.ForeignKey(
        BadgeAward,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("the badge in the way"),
        help_text=_("The provider has this badge, of another learner, at the same address."),
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
            models.Index(fields=("state", "claimed_until"), name="badges_delivery_claim"),
            models.Index(fields=("claimed_by",), name="badges_delivery_claimant"),
            models.Index(fields=("backend", "external_id"), name="badges_delivery_external"),
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


class DeliveryAttempt(models.Model):
    """What happened when a worker tried. For audit; written once.

    .. no_pii: Addresses are cut out of the providers' messages before they are stored.
    """

    OUTCOMES = [
        ("delivered", _("delivered")),
        ("adopted", _("found at the provider")),
        ("cancelled", _("cancelled")),
        ("transient", _("failed, will be tried again")),
        ("permanent", _("failed, needs attention")),
        ("rejected_key", _("key rejected")),
        ("bug", _("error in the program")),
    ]

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="attempt_log", verbose_name=_("delivery")
    )
    number = models.PositiveIntegerField(_("number"))
    outcome = models.CharField(_("outcome"), max_length=16, choices=OUTCOMES)
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
