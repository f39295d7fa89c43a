from django.db import migrations


def detach(apps, schema_editor):
    """
    Have credentials of badge templates that are not there refer to nothing but themselves.

    An installation before this one left them behind, and they would belong to the new templates with the same keys.
    They may not be deleted here: rows of the host may refer to them.
    """
    alias = schema_editor.connection.alias
    ContentType = apps.get_model("contenttypes", "ContentType")
    UserCredential = apps.get_model("credentials", "UserCredential")
    ours = ContentType.objects.using(alias).filter(app_label="badges_plugin", model="badgetemplate").first()
    if ours is None:
        return
    templates = set(apps.get_model("badges_plugin", "BadgeTemplate").objects.using(alias).values_list("pk", flat=True))
    credentials = UserCredential.objects.using(alias).filter(credential_content_type=ours)
    left = [pk for pk, template in credentials.values_list("pk", "credential_id") if template not in templates]
    if not left:
        return
    own, _ = ContentType.objects.using(alias).get_or_create(app_label="credentials", model="usercredential")
    for pk in left:
        UserCredential.objects.using(alias).filter(pk=pk).update(
            credential_content_type=own, credential_id=pk, status="revoked"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("badges_plugin", "0010_retired_learners"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(detach, migrations.RunPython.noop)]
