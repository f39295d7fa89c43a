
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accredible_badges', '0004_words'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='accrediblebadge',
            index=models.Index(fields=['state'], name='accredible_badge_state'),
        ),
    ]
