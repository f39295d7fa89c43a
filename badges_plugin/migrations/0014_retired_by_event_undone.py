from django.db import migrations


def forget_what_events_said(apps, schema_editor):
    """Before these migrations there was a row only for learners of whom something was erased."""
    apps.get_model("badges_plugin", "RetiredLearner").objects.filter(erased_at=None).delete()


class Migration(migrations.Migration):
    # Apart from the change of the table, which MySQL could not take back.
    dependencies = [("badges_plugin", "0013_retired_by_event")]

    operations = [migrations.RunPython(migrations.RunPython.noop, forget_what_events_said)]
