from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("credly_badges", "0002_encrypted_key")]

    operations = [
        migrations.RenameField("credlybadge", "issued_badge_id", "external_id"),
        migrations.RenameField("credlybadge", "accept_badge_url", "url"),
    ]
