"""
What was fulfilled before fulfillments knew their rules was fulfilled under the rules as they are now, as far as
anybody can tell.

The fingerprint is made by the code that compares it later, so it is that code that is used here.
"""

from django.db import migrations

from badges_plugin.models.validity import digest, fingerprint


def stamp(apps, schema_editor):
    alias = schema_editor.connection.alias
    requirements = apps.get_model('badges_plugin', 'BadgeRequirement').objects.using(alias)
    fulfillments = apps.get_model('badges_plugin', 'Fulfillment').objects.using(alias)
    for requirement in requirements.prefetch_related('rules').order_by('pk'):
        made_under = fingerprint(digest(requirement.event_type, requirement.rules.all()), {})
        fulfillments.filter(requirement=requirement, is_fulfilled=True).update(made_under=made_under)


class Migration(migrations.Migration):

    dependencies = [
        ('badges_plugin', '0005_made_under'),
    ]

    operations = [
        migrations.RunPython(stamp, migrations.RunPython.noop),
    ]
