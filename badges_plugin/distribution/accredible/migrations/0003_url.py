from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("accredible_badges", "0002_encrypted_key")]

    operations = [migrations.RenameField("accrediblebadge", "credential_url", "url")]
