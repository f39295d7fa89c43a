"""Deliveries that staff gave up were cancelled ones with a reason of their own; now they have a state of their own."""

from typing import Any

from django.db import migrations

GIVEN_UP = "Given up by staff."
"""The reason by which those were told apart until now."""


def mark_given_up(apps: Any, schema_editor: Any) -> None:
    deliveries = apps.get_model("badges_distribution", "Delivery").objects.using(schema_editor.connection.alias)
    given_up = deliveries.filter(state="cancelled", last_error=GIVEN_UP)
    # The doubt was lost. An issue that was tried may have arrived, and would be revoked with its award.
    given_up.filter(action="issue", attempts__gt=0).update(in_doubt=True)
    given_up.update(state="given_up")


def mark_cancelled(apps: Any, schema_editor: Any) -> None:
    deliveries = apps.get_model("badges_distribution", "Delivery").objects.using(schema_editor.connection.alias)
    deliveries.filter(state="given_up").update(state="cancelled", in_doubt=False, last_error=GIVEN_UP)


class Migration(migrations.Migration):
    dependencies = [("badges_distribution", "0008_decisions")]

    operations = [migrations.RunPython(mark_given_up, mark_cancelled)]
