import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("badges_plugin", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="MedalEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(unique=True)),
                ("medal_id", models.CharField(max_length=64)),
                ("state", models.CharField(max_length=16)),
            ],
        ),
        migrations.CreateModel(
            name="MedalTemplate",
            fields=[
                (
                    "badgetemplate_ptr",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        related_name="medals_template",
                        serialize=False,
                        to="badges_plugin.badgetemplate",
                    ),
                ),
                ("medal_name", models.CharField(max_length=100)),
            ],
            bases=("badges_plugin.badgetemplate",),
        ),
    ]
