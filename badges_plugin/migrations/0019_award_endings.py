import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('badges_plugin', '0018_remove_revoked_by_hand'),
    ]

    operations = [
        migrations.AddField(
            model_name='badgeaward',
            name='ending_facts',
            field=models.JSONField(blank=True, default=dict, editable=False, help_text='The event and the penalty that ended it, from which the reason is made when it is shown.'),
        ),
        migrations.AlterField(
            model_name='badgeaward',
            name='expires_at',
            field=models.DateTimeField(blank=True, help_text='Empty: the badge does not expire.', null=True, verbose_name='expires at'),
        ),
        migrations.AlterField(
            model_name='badgeaward',
            name='revocation_reason',
            field=models.CharField(blank=True, help_text='As staff or a provider wrote it. Why a badge ended by itself is told by the facts beside it.', max_length=255, verbose_name='reason in own words'),
        ),
        migrations.AlterField(
            model_name='badgetemplate',
            name='can_be_reawarded',
            field=models.BooleanField(default=True, help_text='Whether a learner whose badge was revoked can earn it again. One that expired can always be renewed.', verbose_name='can be earned again'),
        ),
        migrations.AlterField(
            model_name='badgetemplate',
            name='renewal_days',
            field=models.PositiveIntegerField(blank=True, default=0, help_text='What learners do from that day on counts toward the next award. Zero: only what they do after the end counts.', validators=[django.core.validators.MaxValueValidator(100000)], verbose_name='renewal opens (days before the end)'),
        ),
        migrations.AlterField(
            model_name='badgetemplate',
            name='valid_days',
            field=models.PositiveIntegerField(blank=True, help_text='How long the badge is valid after it was earned. Empty: it does not expire. A change applies to badges that are awarded from now on.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100000)], verbose_name='valid for (days)'),
        ),
        migrations.AddIndex(
            model_name='badgeaward',
            index=models.Index(fields=['revoked_at', 'expires_at'], name='badges_award_expiry'),
        ),
    ]
