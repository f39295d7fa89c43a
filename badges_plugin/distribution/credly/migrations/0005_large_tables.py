
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('credly_badges', '0004_words'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='credlybadge',
            index=models.Index(fields=['state'], name='credly_badge_state'),
        ),
    ]
