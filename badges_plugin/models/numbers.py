"""How many badges were awarded and lost, week by week, as the worker has counted them. Nothing here is a source."""

from __future__ import annotations

from django.db import models


class BadgeWeek(models.Model):
    """What became of one badge in one week, which begins on a Monday where the site is.

    Of the awards of that week: how many there were, and how many of them are accepted by now. Of awards of whenever:
    how many ended in that week.

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    # No foreign key: a row that refers to a template would lock it, and events lock templates, too.
    template_id = models.IntegerField()
    week = models.DateField()
    awarded = models.PositiveIntegerField(default=0)
    first_awards = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    revoked = models.PositiveIntegerField(default=0)
    expired = models.PositiveIntegerField(default=0)
    erased = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("week", "template_id"), name="badges_week_template")]
        indexes = [models.Index(fields=("template_id", "week"), name="badges_week_of_template")]

    def __str__(self) -> str:
        return f"{self.template_id}: {self.week}"


class BadgeTotal(models.Model):
    """How one badge stands: learners who began, those who ever got it, and those who hold it.

    .. no_pii: This model has no PII.
    """

    template_id = models.IntegerField(primary_key=True)
    learners = models.PositiveIntegerField()
    ever = models.PositiveIntegerField()
    held = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.template_id}: {self.held}"


class NumbersRound(models.Model):
    """How far the workers are with counting: one row, with primary key 1. A round goes through all weeks, in order.

    .. no_pii: This model has no PII.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    began_at = models.DateTimeField(null=True)
    next_week = models.DateField(null=True, help_text="Empty between rounds.")
    due_at = models.DateTimeField(help_text="When the next step may be done; while one is, when it is taken for lost.")
    step = models.UUIDField(null=True, help_text="Who does the step that is being done.")
    counted_at = models.DateTimeField(null=True, help_text="When the last complete round began.")

    def __str__(self) -> str:
        return str(self.counted_at)
