
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('badges_plugin', '0023_ruleset_changes'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='badgeaward',
            index=models.Index(fields=['ended_by'], name='badges_award_ended_by'),
        ),
        migrations.AddIndex(
            model_name='badgeaward',
            index=models.Index(fields=['awarded_at'], name='badges_award_awarded'),
        ),
        migrations.AddIndex(
            model_name='failedevent',
            index=models.Index(fields=['state', 'updated_at'], name='badges_failed_retention'),
        ),
        migrations.AddIndex(
            model_name='failedevent',
            index=models.Index(fields=['cause'], name='badges_failed_cause'),
        ),
        migrations.AddIndex(
            model_name='failedevent',
            index=models.Index(fields=['bus'], name='badges_failed_bus'),
        ),
        migrations.AddIndex(
            model_name='failedevent',
            index=models.Index(fields=['topic'], name='badges_failed_topic'),
        ),
        migrations.AddIndex(
            model_name='failedevent',
            index=models.Index(fields=['position'], name='badges_failed_position'),
        ),
        migrations.AddIndex(
            model_name='failedevent',
            index=models.Index(fields=['reason'], name='badges_failed_reason'),
        ),
        migrations.AddIndex(
            model_name='failedevent',
            index=models.Index(fields=['failed_at'], name='badges_failed_at'),
        ),
        migrations.AddIndex(
            model_name='fulfillment',
            index=models.Index(fields=['requirement', 'is_fulfilled', 'made_under'], name='badges_fulfillment_rules'),
        ),
    ]
