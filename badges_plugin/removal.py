"""Removing the plugin, or the badges of one backend, so that nothing of it is taken for something else later.

The credentials of our badges are rows of the host. Left behind when our tables go, they would belong to other badge
templates once there are new tables, whose keys begin at 1 again; and without our code the host cannot show them.
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
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate

AT_ONCE = 200
_UID = "badges_plugin.removal"

Plan = Sequence[tuple[Migration, bool]]


@dataclass
class Removed:
    """How many rows were removed. ``detached``: credentials that something of the host refers to, and that stay."""

    templates: int = 0
    awards: int = 0
    credentials: int = 0
    detached: int = 0


def connect() -> None:
    """Watch over ``migrate``, whether badges are switched on or not."""
    pre_migrate.connect(refuse_to_orphan, dispatch_uid=_UID)
    post_migrate.connect(remove_content_types, dispatch_uid=_UID)


def count(origin: str | None = None) -> Removed:
    """Return what ``remove`` would remove; it does not know yet what can only be detached."""
    templates = _templates(origin)
    return Removed(
        templates=templates.count(),
        awards=BadgeAward.objects.filter(progress__template__in=templates.values("pk")).count(),
        credentials=_credentials(origin).count(),
    )


def remove(origin: str | None = None, *, on_progress: Callable[[Removed], None] = lambda removed: None) -> Removed:
    """Delete templates, progress, awards and credentials: all, or those of one origin.

    In batches, each a transaction: stopped half-way, it is run again. Nothing is asked of a provider.
    """
    removed = Removed()
    # First of all, so that consumers which still run award nothing meanwhile.
    _templates(origin).filter(is_active=True).update(is_active=False)
    for keys in _batches(lambda: BadgeProgress.objects.filter(template__in=_keys(_templates(origin)))):
        with transaction.atomic():
            removed.awards += BadgeAward.objects.filter(progress__in=keys).count()
            BadgeProgress.objects.filter(pk__in=keys).delete()
    for keys in _batches(lambda: _credentials(origin)):
        for credential in UserCredential.objects.filter(pk__in=keys):
            if _delete(credential):
                removed.credentials += 1
            else:
                detach(credential)
                removed.detached += 1
        on_progress(removed)
    for template in _templates(origin):
        template.delete()
        removed.templates += 1
    return removed


def detach(credential: UserCredential) -> None:
    """Revoke a credential and have it refer to nothing but itself, so that it is no badge any more.

    For one that cannot be deleted, because a row of the host refers to it: a verifiable credential that was made of it
    has to be shown as revoked. The host can show it without our code, too.
    """
    credential.credential_content_type = ContentType.objects.get_for_model(UserCredential)
    credential.credential_id = credential.pk
    credential.status = REVOKED
    # Saved, not updated: the host listens to post_save.
    credential.save()


def refuse_to_orphan(plan: Plan = (), **kwargs: object) -> None:
    """Receive ``pre_migrate``. Raises CommandError when tables are about to go without which credentials mean nothing.

    Before anything is done: MySQL cannot take back what it did to tables.
    """
    for label in _going(plan):
        if left := _depends_on(apps.get_app_config(label)):
            raise CommandError(
                f"{label} cannot be taken back: {left}. They would belong to other badges if the tables were made "
                f"again. First remove them: manage.py badges_remove (with --dry-run it only counts)."
            )


def remove_content_types(sender: AppConfig, using: str, plan: Plan = (), **kwargs: object) -> None:
    """Receive ``post_migrate``: content types and permissions of tables that are gone go, too."""
    if sender.label in _going(plan):
        ContentType.objects.using(using).filter(app_label=sender.label).delete()
        ContentType.objects.clear_cache()


def _going(plan: Plan) -> list[str]:
    """Return the labels of apps like ours of which no table will be left."""
    labels = [migration.app_label for migration, backwards in plan if backwards and _is_first(migration)]
    return [label for label in labels if _is_one_of_ours(apps.get_app_config(label))]


def _is_first(migration: Migration) -> bool:
    return all(label != migration.app_label for label, _ in migration.dependencies)


def _is_one_of_ours(config: AppConfig) -> bool:
    """Whether an app is part of this plugin, or has tables that hang on its own: a backend's, from wherever it is."""
    return f"{config.name}.".startswith(f"{__package__}.") or bool(_own_templates(config) or _has_awards(config))


def _own_templates(config: AppConfig) -> list[type[models.Model]]:
    return [model for model in config.get_models() if issubclass(model, BadgeTemplate)]


def _has_awards(config: AppConfig) -> bool:
    """Whether something in the app belongs to an award, or is one."""
    return any(
        model is BadgeAward or any(field.related_model is BadgeAward for field in model._meta.fields)
        for model in config.get_models()
    )


def _depends_on(config: AppConfig) -> str:
    """Say how many rows there are that nothing must outlive; empty when there are none."""
    rows = {model._meta.verbose_name_plural: model._base_manager.count() for model in _own_templates(config)}  # noqa: SLF001
    if _has_awards(config):
        rows[BadgeAward._meta.verbose_name_plural] = BadgeAward.objects.count()
    if config.label == BadgeTemplate._meta.app_label:
        # Without an award or not: learners may have been deleted. Templates alone are nobody's.
        rows = {BadgeAward._meta.verbose_name_plural: BadgeAward.objects.count()}
        rows["user credentials of badges"] = _credentials(None).count()
    return ", ".join(f"{number} {name}" for name, number in rows.items() if number)


def _templates(origin: str | None) -> models.QuerySet[BadgeTemplate]:
    rows = BadgeTemplate.objects.order_by("pk")
    return rows if origin is None else rows.filter(origin=origin)


def _credentials(origin: str | None) -> models.QuerySet[UserCredential]:
    """Return the host's rows of our badges. All of them includes what an earlier installation left behind."""
    # Not get_for_model: on a database without our tables it would make one.
    types = ContentType.objects.filter(app_label=BadgeTemplate._meta.app_label, model=BadgeTemplate._meta.model_name)
    rows = UserCredential.objects.filter(credential_content_type__in=_keys(types)).order_by("pk")
    return rows if origin is None else rows.filter(credential_id__in=_keys(_templates(origin)))


def _keys(rows: models.QuerySet[models.Model]) -> list[int]:
    return list(rows.values_list("pk", flat=True))


def _batches(rows: Callable[[], models.QuerySet[models.Model]]) -> Iterable[list[int]]:
    while keys := list(rows().order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        yield keys


def _delete(credential: UserCredential) -> bool:
    """Delete a credential with what a backend keeps of it. False when something of the host refers to it."""
    try:
        with transaction.atomic():
            credential.delete()
    except IntegrityError:  # ProtectedError and RestrictedError are such
        return False
    return True
