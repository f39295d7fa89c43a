"""
Changes nothing here. It carries the name of a migration that every supported release of the service has.

A plugin's migrations depend on the last one of this app. Those that are generated in the sandbox would otherwise
name one that no release has, or one so early that the service's tables are not what the plugin expects.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("credentials", "0001_initial")]

    operations = []
