
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('badges_distribution', '0006_shared_rate_limit'),
        ('badges_plugin', '0022_words'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['state', 'settled_at'], name='badges_delivery_settled'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['in_doubt'], name='badges_delivery_in_doubt'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['action'], name='badges_delivery_action'),
        ),
    ]
