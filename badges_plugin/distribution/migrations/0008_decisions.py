"""A table of what staff decide about deliveries, and a state of its own for those that they give up."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("badges_distribution", "0007_large_tables"),
    ]

    operations = [
        migrations.AlterField(
            model_name="delivery",
            name="action",
            field=models.CharField(
                choices=[("issue", "issue"), ("revoke", "revoke"), ("correct", "correct the name")],
                max_length=8,
                verbose_name="action",
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "waiting"),
                    ("sending", "being sent"),
                    ("done", "delivered"),
                    ("cancelled", "cancelled"),
                    ("given_up", "given up"),
                    ("failed", "needs attention"),
                ],
                default="pending",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.CreateModel(
            name="DeliveryDecision",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("retried", "tried again"),
                            ("given_up", "given up"),
                            ("taken_up", "taken up again"),
                            ("name", "corrected name sent"),
                        ],
                        max_length=16,
                        verbose_name="decision",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="when")),
                ("because", models.CharField(blank=True, max_length=255, verbose_name="why")),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="decisions",
                        to="badges_distribution.delivery",
                        verbose_name="delivery",
                    ),
                ),
            ],
            options={
                "verbose_name": "decision about a delivery",
                "verbose_name_plural": "decisions about deliveries",
            },
        ),
    ]
