import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('badges_plugin', '0015_outbox_names'),
    ]

    operations = [
        migrations.AddField(
            model_name='badgeaward',
            name='ended_by',
            field=models.CharField(blank=True, choices=[('penalty', 'penalty'), ('by_hand', 'revoked by staff'), ('provider', 'revoked at the provider'), ('expired', 'expired'), ('erased', 'learner erased')], default='', editable=False, max_length=16, verbose_name='ended by'),
        ),
        migrations.AddField(
            model_name='badgeaward',
            name='expires_at',
            field=models.DateTimeField(blank=True, db_index=True, help_text='Empty: the badge does not expire.', null=True, verbose_name='expires at'),
        ),
        migrations.AddField(
            model_name='badgeprogress',
            name='counts_from',
            field=models.DateTimeField(blank=True, help_text='Only newer events count: an earlier award has expired. Empty: all of them count.', null=True, verbose_name='counts from'),
        ),
        migrations.AddField(
            model_name='badgerequirement',
            name='count',
            field=models.PositiveSmallIntegerField(default=1, help_text='How many matching events it takes; or how many different values, see below.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)], verbose_name='count'),
        ),
        migrations.AddField(
            model_name='badgerequirement',
            name='counted_by',
            field=models.CharField(blank=True, help_text='Key path whose different values are counted, for example course.course_key. Empty: each event counts.', max_length=255, verbose_name='counted by'),
        ),
        migrations.AddField(
            model_name='badgerequirement',
            name='needs_badge',
            field=models.ForeignKey(blank=True, help_text='Another badge that fulfills the requirement while the learner holds it.', null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='needed_by', to='badges_plugin.badgetemplate', verbose_name='needs the badge'),
        ),
        migrations.AddField(
            model_name='badgerequirement',
            name='position',
            field=models.PositiveSmallIntegerField(default=0, help_text='Of a requirement without a group; matters only where the template asks for its groups in order.', verbose_name='position'),
        ),
        migrations.AddField(
            model_name='badgetemplate',
            name='in_order',
            field=models.BooleanField(default=False, help_text='Whether the groups must be fulfilled one after another, in the order of their position.', verbose_name='in order'),
        ),
        migrations.AddField(
            model_name='badgetemplate',
            name='renewal_days',
            field=models.PositiveIntegerField(default=0, help_text='What learners do from then on counts toward the next award. Reminders go out on that day.', validators=[django.core.validators.MaxValueValidator(100000)], verbose_name='renewal opens (days before the end)'),
        ),
        migrations.AddField(
            model_name='badgetemplate',
            name='valid_days',
            field=models.PositiveIntegerField(blank=True, help_text='How long the badge is valid after it was earned. Empty: it does not expire.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100000)], verbose_name='valid for (days)'),
        ),
        migrations.AddField(
            model_name='fulfillment',
            name='reset_id',
            field=models.UUIDField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='fulfillment',
            name='reset_time',
            field=models.DateTimeField(blank=True, help_text='Time of the newest penalty that reset it.', null=True, verbose_name='reset at'),
        ),
        migrations.AddField(
            model_name='fulfillment',
            name='times',
            field=models.JSONField(blank=True, default=list, editable=False, help_text='The times of the events since the last reset, where groups are asked for in order.'),
        ),
        migrations.AddField(
            model_name='fulfillment',
            name='value',
            field=models.CharField(blank=True, default='', help_text='The counted value, for people.', max_length=255, verbose_name='counted value'),
        ),
        migrations.AddField(
            model_name='fulfillment',
            name='value_key',
            field=models.CharField(blank=True, default='', editable=False, help_text='What tells the counted values of a requirement apart. Empty where nothing is counted.', max_length=64),
        ),
        migrations.AddField(
            model_name='requirementgroup',
            name='needed',
            field=models.PositiveSmallIntegerField(default=1, help_text='How many different requirements of the group a learner must fulfill.', validators=[django.core.validators.MinValueValidator(1)], verbose_name='how many are needed'),
        ),
        migrations.AddField(
            model_name='requirementgroup',
            name='position',
            field=models.PositiveSmallIntegerField(default=0, help_text='Matters only where the badge template asks for its groups in order.', verbose_name='position'),
        ),
        migrations.AlterField(
            model_name='badgeaward',
            name='publish_due_at',
            field=models.DateTimeField(blank=True, db_index=True, editable=False, help_text='When another process may publish this. Empty: everything is published.', null=True, verbose_name='publishing due'),
        ),
        migrations.AlterField(
            model_name='badgeaward',
            name='published_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='award published at'),
        ),
        migrations.AlterField(
            model_name='badgeaward',
            name='revocation_published_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='revocation published at'),
        ),
        migrations.AddConstraint(
            model_name='fulfillment',
            constraint=models.UniqueConstraint(fields=('progress', 'requirement', 'value_key'), name='badges_fulfillment_value'),
        ),
        # After the new one: InnoDB needs an index for the foreign key at any time.
        migrations.RemoveConstraint(
            model_name='fulfillment',
            name='badges_fulfillment_requirement',
        ),
    ]
