from django.db import models

from badges_plugin.distribution.api import BadgeTemplate


class MedalTemplate(BadgeTemplate):
    badgetemplate_ptr = models.OneToOneField(
        BadgeTemplate,
        on_delete=models.CASCADE,
        parent_link=True,
        primary_key=True,
        related_name="medals_template",
    )
    medal_name = models.CharField(max_length=100)

    def save(self, *args, **kwargs):
        self.origin = "medals"
        super().save(*args, **kwargs)


class MedalEvent(models.Model):
    uuid = models.UUIDField(unique=True)
    medal_id = models.CharField(max_length=64)
    state = models.CharField(max_length=16)
