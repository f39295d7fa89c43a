"""The reason of a penalty was stored as a sentence that named the event; now the event is kept and the sentence made."""

import re

from django.db import migrations

AT_ONCE = 500

EVENT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def keep_events(apps, schema_editor):
    awards = apps.get_model("badges_plugin", "BadgeAward").objects.using(schema_editor.connection.alias)
    rows = awards.filter(ended_by="penalty").exclude(revocation_reason="").order_by("pk")
    chunk = list(rows[:AT_ONCE])
    while chunk:
        told = []
        for award in chunk:
            if found := EVENT_ID.search(award.revocation_reason):
                award.ending_facts, award.revocation_reason = {"event": {"id": found[0]}}, ""
                told.append(award)
        awards.bulk_update(told, ["ending_facts", "revocation_reason"])
        chunk = list(rows.filter(pk__gt=chunk[-1].pk)[:AT_ONCE])


class Migration(migrations.Migration):
    # Each step for itself, so that no award is locked for long. Stopped half-way, it is run again.
    atomic = False

    dependencies = [("badges_plugin", "0019_award_endings")]

    operations = [migrations.RunPython(keep_events, migrations.RunPython.noop)]
