"""What runs, and how far it is. Processes report it, staff and the monitoring read it; nothing is decided by it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ConsumerGroup(models.Model):
    """A consumer group of a topic (Kafka) or stream (Redis) that a consumer of this plugin has worked for.

    .. no_pii: This model has no PII.
    """

    MAX_LENGTH = 249
    """The longest name of a topic of Kafka."""

    id = models.BigAutoField(primary_key=True)
    bus = models.CharField(max_length=16)
    topic = models.CharField(max_length=MAX_LENGTH, help_text="With its prefix.")
    group = models.CharField(max_length=MAX_LENGTH)
    seen_at = models.DateTimeField(help_text="When one of its consumers last reported.")
    due_at = models.DateTimeField(default=timezone.now, help_text="When its lag is to be measured again.")
    measured_at = models.DateTimeField(null=True, help_text="When its lag was last measured.")
    problem = models.CharField(max_length=255, blank=True, help_text="Why the last measurement failed.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=("bus", "topic", "group"), name="badges_consumer_group")]

    def __str__(self) -> str:
        return f"{self.bus}: {self.topic}, {self.group}"


class PartitionLag(models.Model):
    """How far a group was behind in one partition at ``measured_at``. A stream of Redis has one, with the number 0.

    ``messages`` and ``seconds`` are empty where the bus does not tell. ``seconds`` is how long the oldest event that
    waits had been there.

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    consumer_group = models.ForeignKey(ConsumerGroup, on_delete=models.CASCADE, related_name="lags")
    partition = models.PositiveIntegerField()
    messages = models.PositiveBigIntegerField(null=True)
    seconds = models.PositiveBigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("consumer_group", "partition"), name="badges_partition_lag")]

    def __str__(self) -> str:
        return f"{self.consumer_group_id}, {self.partition}: {self.messages}"


class EventCount(models.Model):
    """How many events a group has had, by what became of them. It only grows.

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    consumer_group = models.ForeignKey(ConsumerGroup, on_delete=models.CASCADE, related_name="counts")
    outcome = models.CharField(max_length=32)
    total = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("consumer_group", "outcome"), name="badges_event_count")]

    def __str__(self) -> str:
        return f"{self.consumer_group_id}, {self.outcome}: {self.total}"


class RunningProcess(models.Model):
    """A process that runs, or did until ``beat_at``. One that ended as it should says so.

    .. no_pii: This model has no PII.
    """

    class Kind(models.TextChoices):
        CONSUMER = "consumer", _("consumer")
        WORKER = "worker", _("worker")

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(max_length=128, help_text="Host and number of the process.")
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField(db_index=True, help_text="When it last reported.")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("kind", "name"), name="badges_running_process")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
