import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """First of three, so that each is over at once where changes of tables cannot be undone (MySQL)."""

    dependencies = [
        ('badges_plugin', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='RequirementGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('name_key', models.CharField(editable=False, max_length=64)),
                ('template', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='groups', to='badges_plugin.badgetemplate', verbose_name='badge template')),
            ],
            options={
                'verbose_name': 'group of requirements',
                'verbose_name_plural': 'groups of requirements',
                'constraints': [models.UniqueConstraint(fields=('template', 'name_key'), name='badges_group_name')],
            },
        ),
        migrations.AddField(
            model_name='badgerequirement',
            name='group_row',
            field=models.ForeignKey(blank=True, help_text='Requirements of the same group are alternatives: one of them is enough. Without a group the requirement stands alone. Every group must be fulfilled.', null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='requirements', to='badges_plugin.requirementgroup', verbose_name='group'),
        ),
    ]
