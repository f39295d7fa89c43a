from django.db import migrations, models


def take_over_times(apps, schema_editor):
    """Until then an award and its revocation knew only when they were recorded."""
    award = apps.get_model("badges_plugin", "BadgeAward")
    award.objects.update(recorded_at=models.F("awarded_at"), revocation_recorded_at=models.F("revoked_at"))


class Migration(migrations.Migration):
    dependencies = [("badges_plugin", "0008_times")]

    operations = [migrations.RunPython(take_over_times, migrations.RunPython.noop)]
