from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("credly_badges", "0001_initial")]

    operations = [migrations.RenameField("credlyorganization", "sealed_key", "encrypted_key")]
