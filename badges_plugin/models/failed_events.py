"""What could not be applied: poison messages and events that met a bug, kept whole until somebody looks."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class FailedEvent(models.Model):
    """
    A message of the event bus that was received, could not be applied, and is acknowledged because it is here.

    Written by the consumers. Texts have no length that a hostile message could exceed: what would not fit is cut,
    and ``raw`` is the whole value as it was on the bus.

    .. pii: Holds the content of an event, which names a learner, and an error that may quote it.
    .. pii_types: username, email_address, name
    .. pii_retirement: local_api
    """

    class State(models.TextChoices):
        FAILED = "failed", _("failed")
        PROCESSED = "processed", _("processed")
        DISMISSED = "dismissed", _("dismissed")

    id = models.BigAutoField(primary_key=True)
    fingerprint = models.CharField(
        max_length=64, unique=True, editable=False, help_text=_("The same message, delivered again, has the same one.")
    )
    bus = models.CharField(_("bus"), max_length=16)
    topic = models.CharField(_("topic"), max_length=255)
    group = models.CharField(_("consumer group"), max_length=255)
    position = models.CharField(
        _("position"), max_length=64, help_text=_("Kafka: partition and offset. Redis: id of the stream entry.")
    )
    event_id = models.CharField(_("event id"), max_length=64, blank=True, db_index=True)
    event_type = models.CharField(_("event type"), max_length=255, blank=True, db_index=True)
    event_time = models.DateTimeField(_("event time"), null=True, blank=True)
    metadata = models.JSONField(
        _("metadata"), default=dict, help_text=_("As openedx-events has it, or the message's headers if unreadable.")
    )
    payload = models.JSONField(
        _("payload"), null=True, blank=True, help_text=_("The event's content; empty when it could not be decoded.")
    )
    raw = models.BinaryField(_("raw value"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=255, help_text=_("What went wrong, without personal data."))
    error = models.TextField(_("error"), help_text=_("The whole error; may quote the event."))
    attempts = models.PositiveIntegerField(_("attempts"), default=1)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.FAILED, db_index=True)
    failed_at = models.DateTimeField(_("first failed at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("last change"), auto_now=True)

    class Meta:
        verbose_name = _("failed event")
        verbose_name_plural = _("failed events")

    def __str__(self) -> str:
        return f"{self.event_type or '?'} {self.event_id or self.position}"
