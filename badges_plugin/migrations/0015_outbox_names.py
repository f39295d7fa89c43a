from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("badges_plugin", "0014_retired_by_event_undone")]

    operations = [
        migrations.RenameField("badgeaward", "announce_due_at", "publish_due_at"),
        migrations.RenameField("badgeaward", "announced_at", "published_at"),
        migrations.RenameField("badgeaward", "revocation_announced_at", "revocation_published_at"),
    ]
