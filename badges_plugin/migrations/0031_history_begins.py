from django.db import migrations
from django.utils import timezone

BATCH = 500
RECORDED = ("BadgeTemplate", "RequirementGroup", "BadgeRequirement", "BadgePenalty", "DataRule", "PenaltyDataRule")
OF_RECORDS = {
    "history_id", "history_date", "history_type", "history_user", "history_change_reason", "linked_ids",
}


def begin(apps, schema_editor):
    """Record what there is, so that the first change of each row can be compared with something."""
    now = timezone.now()
    for name in RECORDED:
        model = apps.get_model("badges_plugin", name)
        historical = apps.get_model("badges_plugin", f"Historical{name}")
        columns = [f.attname for f in historical._meta.concrete_fields if f.name not in OF_RECORDS]
        # Repeated after an interruption: those that have a record are left alone.
        recorded = historical.objects.order_by().values_list("id", flat=True)
        keys = sorted({*model.objects.order_by().values_list("pk", flat=True)} - {*recorded})
        for start in range(0, len(keys), BATCH):
            rows = model.objects.filter(pk__in=keys[start : start + BATCH]).order_by("pk")
            links = linked(rows) if name == "BadgePenalty" else {}
            historical.objects.bulk_create([
                historical(
                    history_date=now, history_type="+", history_change_reason="began", **row,
                    **({"linked_ids": links.get(row["id"], [])} if name == "BadgePenalty" else {}),
                )
                for row in rows.values(*columns)
            ])


def linked(penalties):
    found = {}
    pairs = penalties.exclude(requirements=None).order_by("pk", "requirements").values_list("pk", "requirements")
    for pk, requirement in pairs:
        found.setdefault(pk, []).append(requirement)
    return found


class Migration(migrations.Migration):
    dependencies = [
        ("badges_plugin", "0030_history"),
    ]
    operations = [migrations.RunPython(begin, migrations.RunPython.noop, elidable=True)]
