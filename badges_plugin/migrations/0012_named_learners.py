"""
Learners who were known before it was noted whether they had a name had one if they have one now.

What a name is must be decided as the code does that reads the note, so it is that code that is used here.
"""

from django.db import migrations

from badges_plugin.names import as_name

AT_ONCE = 500


def note_names(apps, schema_editor):
    alias = schema_editor.connection.alias
    learners = apps.get_model("badges_plugin", "Learner").objects.using(alias)
    rows = learners.order_by("pk").values_list("pk", "user__full_name", "user__first_name", "user__last_name")
    chunk = list(rows[:AT_ONCE])
    while chunk:
        named = [pk for pk, *names in chunk if any(as_name(name or "") for name in names)]
        learners.filter(pk__in=named, was_named=False).update(was_named=True)
        chunk = list(rows.filter(pk__gt=chunk[-1][0])[:AT_ONCE])


class Migration(migrations.Migration):
    # Each step for itself, so that no learner is locked for long. Stopped half-way, it is run again.
    atomic = False

    dependencies = [("badges_plugin", "0011_detach_leftovers")]

    operations = [migrations.RunPython(note_names, migrations.RunPython.noop)]
