from django.db import migrations


def say_how_awards_ended(apps, schema_editor):
    """Who revoked by hand was not kept apart from providers; most often it was staff."""
    awards = apps.get_model("badges_plugin", "BadgeAward").objects.using(schema_editor.connection.alias)
    awards.filter(revoked_at__isnull=False, revoked_by_hand=True).update(ended_by="by_hand")
    awards.filter(revoked_at__isnull=False, revoked_by_hand=False).update(ended_by="penalty")


def say_who_revoked(apps, schema_editor):
    awards = apps.get_model("badges_plugin", "BadgeAward").objects.using(schema_editor.connection.alias)
    awards.filter(ended_by__in=["by_hand", "provider"]).update(revoked_by_hand=True)


class Migration(migrations.Migration):

    dependencies = [("badges_plugin", "0016_criteria")]

    operations = [migrations.RunPython(say_how_awards_ended, say_who_revoked)]
