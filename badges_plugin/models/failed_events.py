"""What could not be applied: poison messages and events that met a bug, kept whole until somebody looks."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from badges_plugin.data import Deferral


class FailedEvent(models.Model):
    """A message of the event bus that was received, could not be applied, and is acknowledged because it is here.

    Written by the consumers, and by the receiver where nobody else would keep the event. Texts have no length that a
    hostile message could exceed: what would not fit is cut, and ``raw`` is the whole value as it was on the bus.

    .. pii: Holds the content of an event, which names a learner, and an error that may quote it.
    .. pii_types: username, email_address, name
    .. pii_retirement: local_api
    """

    class State(models.TextChoices):
        FAILED = "failed", _("failed")
        PROCESSED = "processed", _("processed")
        DISMISSED = "dismissed", _("dismissed")

    CAUSES = [
        (Deferral.FUTURE.value, _("dated in the future")),
        (Deferral.NAME_TAKEN.value, _("user name of somebody else")),
        (Deferral.UNKNOWN_LEARNER.value, _("unknown learner without a user name")),
        (Deferral.ENDLESS_CHAIN.value, _("badges that depend on one another")),
    ]

    id = models.BigAutoField(primary_key=True)
    fingerprint = models.CharField(
        max_length=64, unique=True, editable=False, help_text=_("The same for every delivery of a message.")
    )
    bus = models.CharField(
        _("bus"), max_length=16, help_text=_("“process” means that this service sent the event itself.")
    )
    topic = models.CharField(_("topic"), max_length=255)
    group = models.CharField(_("consumer group"), max_length=255)
    position = models.CharField(
        _("position"), max_length=64, help_text=_("Kafka: partition and offset. Redis: id of the stream entry.")
    )
    event_id = models.CharField(_("event id"), max_length=64, blank=True, db_index=True)
    event_type = models.CharField(_("event type"), max_length=255, blank=True, db_index=True)
    event_time = models.DateTimeField(_("event time"), null=True, blank=True)
    broker_time = models.DateTimeField(
        _("time of the broker"), null=True, blank=True, help_text=_("When the bus received it, if the bus says so.")
    )
    metadata = models.JSONField(
        _("metadata"),
        default=dict,
        help_text=_("As openedx-events defines it, or the headers of an unreadable message."),
    )
    payload = models.JSONField(
        _("payload"), null=True, blank=True, help_text=_("The content of the event. Empty if it could not be decoded.")
    )
    raw = models.BinaryField(_("raw value"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=255, help_text=_("What went wrong, without personal data."))
    cause = models.CharField(
        _("cause"),
        max_length=32,
        choices=CAUSES,
        blank=True,
        help_text=_("Why the event can only be applied later. Empty: something went wrong."),
    )
    retry_at = models.DateTimeField(
        _("next attempt"),
        null=True,
        blank=True,
        db_index=True,
        help_text=_("When it is retried automatically. Empty: only when somebody asks for it."),
    )
    error = models.TextField(_("error"), help_text=_("The complete error. It may quote the event."))
    attempts = models.PositiveIntegerField(_("attempts"), default=1)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.FAILED, db_index=True)
    failed_at = models.DateTimeField(_("first failed at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("last change"), auto_now=True)

    class Meta:
        verbose_name = _("failed event")
        verbose_name_plural = _("failed events")
        # The first is for retention, the others serve lists and searches of staff.
        indexes = [
            models.Index(fields=("state", "updated_at"), name="badges_failed_retention"),
            models.Index(fields=("cause",), name="badges_failed_cause"),
            models.Index(fields=("bus",), name="badges_failed_bus"),
            models.Index(fields=("topic",), name="badges_failed_topic"),
            models.Index(fields=("position",), name="badges_failed_position"),
            models.Index(fields=("reason",), name="badges_failed_reason"),
            models.Index(fields=("failed_at",), name="badges_failed_at"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type or '?'} {self.event_id or self.position}"
