"""
Groups that were texts become rows.

Texts were compared letter by letter, without the blanks at their ends: "Group A" and "group a" were two groups, and
both had to be fulfilled. They stay two. The later one gets a number, because people could not tell them apart.
"""

from django.db import migrations

from badges_plugin.models.groups import key_of, tidy

LONGEST_NAME = 255


def make_rows(apps, schema_editor):
    requirements = apps.get_model('badges_plugin', 'BadgeRequirement').objects.using(schema_editor.connection.alias)
    groups = apps.get_model('badges_plugin', 'RequirementGroup').objects.using(schema_editor.connection.alias)
    rows = {}
    for requirement in requirements.order_by('pk'):
        text = requirement.group.strip()
        if not text:
            continue
        key = requirement.template_id, text
        if key not in rows:
            rows[key] = _make_row(groups, requirement.template_id, text)
        requirements.filter(pk=requirement.pk).update(group_row=rows[key])


def _make_row(groups, template_id, text):
    base = tidy(text) or '?'
    name, number = base, 1
    while groups.filter(template_id=template_id, name_key=key_of(name)).exists():
        number += 1
        suffix = f' ({number})'
        name = base[: LONGEST_NAME - len(suffix)] + suffix
    return groups.create(template_id=template_id, name=name, name_key=key_of(name))


def make_texts(apps, schema_editor):
    requirements = apps.get_model('badges_plugin', 'BadgeRequirement').objects.using(schema_editor.connection.alias)
    for requirement in requirements.filter(group_row__isnull=False).select_related('group_row'):
        requirements.filter(pk=requirement.pk).update(group=requirement.group_row.name, group_row=None)
    apps.get_model('badges_plugin', 'RequirementGroup').objects.using(schema_editor.connection.alias).all().delete()


class Migration(migrations.Migration):

    dependencies = [
        ('badges_plugin', '0002_requirementgroup'),
    ]

    operations = [
        migrations.RunPython(make_rows, make_texts),
    ]
