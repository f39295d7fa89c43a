from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("accredible_badges", "0001_initial")]

    operations = [migrations.RenameField("accredibleapiconfig", "sealed_key", "encrypted_key")]
