"""Remove the data of the plugin, or of one backend, including the host's credentials of our badges.

If these credentials outlived our tables, they would belong to other badge templates once the tables are created again,
because keys begin at 1 again; and without our code the host cannot display them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.apps import AppConfig, apps
from django.contrib.contenttypes.models import ContentType
from django.core.management.base import CommandError
from django.db import IntegrityError, models, transaction
from django.db.migrations import Migration
from django.db.models.signals import post_migrate, pre_migrate

from badges_plugin.host import REVOKED, UserCredential
from badges_plugin.models import (
    BadgeAward,
    BadgePenalty,
    BadgeProgress,
    BadgeRequirement,
    BadgeTemplate,
    BadgeTotal,
    BadgeWeek,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
)
from badges_plugin.models.records import all_records

BATCH = 200
_UID = "badges_plugin.removal"

Plan = Sequence[tuple[Migration, bool]]


@dataclass
class Removed:
    """Numbers of removed rows. ``detached``: credentials that are kept because a row of the host refers to them."""

    templates: int = 0
    awards: int = 0
    credentials: int = 0
    detached: int = 0


def connect() -> None:
    """Connect the receivers that guard ``migrate``, whether badges are switched on or not."""
    pre_migrate.connect(refuse_to_orphan, dispatch_uid=_UID)
    post_migrate.connect(remove_content_types, dispatch_uid=_UID)


def count(origin: str | None = None) -> Removed:
    """Return the numbers of rows that ``remove`` would remove, including those that can only be detached."""
    templates = _templates(origin)
    return Removed(
        templates=templates.count(),
        awards=BadgeAward.objects.filter(progress__template__in=templates.values("pk")).count(),
        credentials=_credentials(origin).count(),
    )


def remove(
    origin: str | None = None,
    *,
    on_progress: Callable[[Removed], None] = lambda removed: None,
    batch: int = BATCH,
) -> Removed:
    """Delete templates, progress, awards and credentials: all of them, or those of one origin.

    Works in batches, each a transaction, so it can be interrupted and run again. Sends nothing to a provider.
    """
    removed = Removed()
    # First, so that consumers that are still running award nothing in the meantime.
    _templates(origin).filter(is_active=True).update(is_active=False)
    for keys in _batches(lambda: BadgeProgress.objects.filter(template__in=_keys(_templates(origin))), batch):
        with transaction.atomic():
            removed.awards += BadgeAward.objects.filter(progress__in=keys).count()
            BadgeProgress.objects.filter(pk__in=keys).delete()
    for keys in _batches(lambda: _credentials(origin), batch):
        for credential in UserCredential.objects.filter(pk__in=keys):
            if _delete(credential):
                removed.credentials += 1
            else:
                detach(credential)
                removed.detached += 1
        on_progress(removed)
    for template in _templates(origin):
        key = template.pk
        for numbers in (BadgeWeek, BadgeTotal):  # they have no foreign key
            numbers.objects.filter(template_id=key).delete()
        template.delete()
        if origin is not None:
            _forget_history(key)
        removed.templates += 1
    if origin is None:  # also of badges that were deleted before
        for each in all_records():
            each.records.delete()
    return removed


def _forget_history(template_id: int) -> None:
    """Delete what was recorded of a template that is gone, and of all that belonged to it."""
    for rules, name, conditions in (
        (DataRule.history, "requirement", BadgeRequirement.history),
        (PenaltyDataRule.history, "penalty", BadgePenalty.history),
    ):
        own = conditions.filter(template_id=template_id)
        rules.filter(**{f"{name}_id__in": set(own.order_by().values_list("id", flat=True))}).delete()
        own.delete()
    RequirementGroup.history.filter(template_id=template_id).delete()
    BadgeTemplate.history.filter(id=template_id).delete()


def detach(credential: UserCredential) -> None:
    """Revoke a credential and make it refer to itself, so that it is no longer a badge.

    For a credential that cannot be deleted because a row of the host refers to it: a verifiable credential issued from
    it must be shown as revoked. The host can display it without our code.
    """
    credential.credential_content_type = ContentType.objects.get_for_model(UserCredential)
    credential.credential_id = credential.pk
    credential.status = REVOKED
    # Saved, not updated: the host has receivers of post_save.
    credential.save()


def refuse_to_orphan(plan: Plan = (), **kwargs: object) -> None:
    """Receive ``pre_migrate``. Raises CommandError if migrating would drop tables to which credentials refer.

    This runs before any change, because MySQL cannot roll back changes of tables.
    """
    for label in _going(plan):
        if left := _depends_on(apps.get_app_config(label)):
            raise CommandError(
                f"The migrations of {label} cannot be reversed, because there are {left}. They would belong to other "
                f"badges if the tables were created again. Run manage.py badges_remove first; --dry-run only counts."
            )


def remove_content_types(sender: AppConfig, using: str, plan: Plan = (), **kwargs: object) -> None:
    """Receive ``post_migrate``: delete the content types and permissions of tables that were dropped."""
    if sender.label in _going(plan):
        ContentType.objects.using(using).filter(app_label=sender.label).delete()
        ContentType.objects.clear_cache()


def _going(plan: Plan) -> list[str]:
    """Return the labels of our apps, and of backends' apps, of which no table will be left."""
    labels = [migration.app_label for migration, backwards in plan if backwards and _is_first(migration)]
    return [label for label in labels if _is_one_of_ours(apps.get_app_config(label))]


def _is_first(migration: Migration) -> bool:
    return all(label != migration.app_label for label, _ in migration.dependencies)


def _is_one_of_ours(config: AppConfig) -> bool:
    """Return whether an app is part of this plugin, or has tables that depend on its tables, as any backend has."""
    return f"{config.name}.".startswith(f"{__package__}.") or bool(_own_templates(config) or _has_awards(config))


def _own_templates(config: AppConfig) -> list[type[models.Model]]:
    return [model for model in config.get_models() if issubclass(model, BadgeTemplate)]


def _has_awards(config: AppConfig) -> bool:
    """Return whether a model of the app is the award, or refers to it."""
    return any(
        model is BadgeAward or any(field.related_model is BadgeAward for field in model._meta.fields)
        for model in config.get_models()
    )


def _depends_on(config: AppConfig) -> str:
    """Return the numbers of rows that depend on the app's tables, in words; empty if there are none."""
    rows = {model._meta.verbose_name_plural: model._base_manager.count() for model in _own_templates(config)}  # noqa: SLF001
    if _has_awards(config):
        rows[BadgeAward._meta.verbose_name_plural] = BadgeAward.objects.count()
    if config.label == BadgeTemplate._meta.app_label:
        # Credentials may have no award, if learners were deleted. Templates alone may be dropped.
        rows = {BadgeAward._meta.verbose_name_plural: BadgeAward.objects.count()}
        rows["user credentials of badges"] = _credentials(None).count()
    return ", ".join(f"{number} {name}" for name, number in rows.items() if number)


def _templates(origin: str | None) -> models.QuerySet[BadgeTemplate]:
    rows = BadgeTemplate.objects.order_by("pk")
    return rows if origin is None else rows.filter(origin=origin)


def _credentials(origin: str | None) -> models.QuerySet[UserCredential]:
    """Return the host's credentials of our badges; without an origin, also those that an earlier installation left."""
    # Not get_for_model: it would create a content type in a database without our tables.
    types = ContentType.objects.filter(app_label=BadgeTemplate._meta.app_label, model=BadgeTemplate._meta.model_name)
    rows = UserCredential.objects.filter(credential_content_type__in=_keys(types)).order_by("pk")
    return rows if origin is None else rows.filter(credential_id__in=_keys(_templates(origin)))


def _keys(rows: models.QuerySet[models.Model]) -> list[int]:
    return list(rows.values_list("pk", flat=True))


def _batches(rows: Callable[[], models.QuerySet[models.Model]], size: int) -> Iterable[list[int]]:
    while keys := list(rows().order_by("pk").values_list("pk", flat=True)[:size]):
        yield keys


def _delete(credential: UserCredential) -> bool:
    """Delete a credential and a backend's rows of it. Returns False if a row of the host refers to it."""
    try:
        with transaction.atomic():
            credential.delete()
    except IntegrityError:  # the base of ProtectedError and RestrictedError
        return False
    return True
