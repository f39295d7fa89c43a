from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("badges_plugin", "0017_how_awards_ended")]

    operations = [migrations.RemoveField("badgeaward", "revoked_by_hand")]
