"""Ready-made groups of permissions: who sets badges up, who answers for them, and who helps learners."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model

from badges_plugin.distribution.accounts.models import Account, MirroredTemplate, ProviderBadge
from badges_plugin.models import BadgeTemplate

DESIGNERS, MANAGERS, SUPPORT = "Badge designers", "Badge managers", "Badge support"
"""The names, which are not translated: the command finds the groups by them."""

ALL = ("view", "add", "change", "delete")

# What a badge is made of.
_SETUP = (
    "badges_plugin.BadgeTemplate",
    "badges_plugin.RequirementGroup",
    "badges_plugin.BadgeRequirement",
    "badges_plugin.DataRule",
    "badges_plugin.BadgePenalty",
    "badges_plugin.PenaltyDataRule",
    "open_badges.AchievementDetails",
    "open_badges.BadgeAlignment",
)
# What became of learners, and why.
_LEARNERS = (
    "badges_plugin.BadgeProgress",
    "badges_plugin.Fulfillment",
    "badges_plugin.BadgeAward",
    "badges_plugin.FailedEvent",
    "badges_distribution.Channel",
    "badges_distribution.Delivery",
    "badges_distribution.DeliveryAttempt",
    "badges_distribution.DeliveryDecision",
    "badges_web.MailNote",
    "open_badges.SignedBadge",
)
# Whether it works at all.
_RUNNING = ("badges_plugin.RunningProcess",)
# What an action corrects.
_CORRECTED = (
    "badges_plugin.BadgeProgress",
    "badges_plugin.BadgeAward",
    "badges_plugin.FailedEvent",
    "badges_distribution.Channel",
    "badges_distribution.Delivery",
)

Wanted = set[tuple[str, str]]
"""Permissions: the label of the app, and the codename."""


@dataclass(frozen=True)
class Difference:
    """What a group lacked, and what it has beyond what is ready-made; texts such as "badges_plugin.view_badgeaward"."""

    name: str
    is_new: bool
    added: tuple[str, ...]
    beyond: tuple[str, ...]


def ready_made() -> dict[str, Wanted]:
    """Return what each group may do, with the models of all backends that are installed."""
    setup = set(_may(_models(_SETUP), ALL)) | set(_may(_kinds(MirroredTemplate), ("view", "change")))
    own = [model for model in _kinds(BadgeTemplate) if not issubclass(model, MirroredTemplate)]
    setup |= set(_may(own, ALL)) | set(_may(_models(("badges_web.MailText",)), ALL))
    look = set(_may([*_models(_LEARNERS), *_models(_RUNNING), *_kinds(ProviderBadge)], ("view",)))
    badges = [*_models(_SETUP), *_kinds(BadgeTemplate)]
    accounts = [*_kinds(Account), *_models(("open_badges.IssuerProfile",))]
    manage = set(_may(accounts, ("view", "add", "change"))) | set(_may(_models(("open_badges.SigningKey",)), ("view",)))
    manage |= set(_may(_models(_CORRECTED), ("change",))) | {("badges_plugin", "award_by_hand")}
    helped = set(_may(_models(("badges_distribution.Delivery",)), ("change",)))
    return {
        DESIGNERS: setup,
        MANAGERS: setup | look | manage,
        SUPPORT: look | helped | set(_may(badges, ("view",))),
    }


def differences() -> list[Difference]:
    """Return what would change. Nothing is written."""
    return [_difference(name, wanted) for name, wanted in ready_made().items()]


def make() -> list[Difference]:
    """Make the groups, and give those that are there what they lack. Nothing that somebody has given them is taken.

    Returns what was changed.
    """
    found = []
    with transaction.atomic():
        for name, wanted in ready_made().items():
            found.append(_difference(name, wanted))
            group, _is_new = Group.objects.get_or_create(name=name)
            group.permissions.add(*_stored(wanted))
    return found


def _difference(name: str, wanted: Wanted) -> Difference:
    group = Group.objects.filter(name=name).first()
    has: Wanted = set()
    if group is not None:
        rows = group.permissions.order_by("pk").values_list("content_type__app_label", "codename")
        has = {(label, codename) for label, codename in rows}
    known = {(each.content_type.app_label, each.codename) for each in _stored(wanted)}
    return Difference(name, group is None, _texts(known - has), _texts(has - wanted))


def _stored(wanted: Wanted) -> list[Permission]:
    """Return the rows, which ``migrate`` makes."""
    kinds = ContentType.objects.filter(app_label__in={label for label, _codename in wanted})
    rows = Permission.objects.filter(content_type__in=kinds).select_related("content_type").order_by("pk")
    return [each for each in rows if (each.content_type.app_label, each.codename) in wanted]


def _models(labels: Iterable[str]) -> list[type[Model]]:
    """Return those of the models that are installed."""
    wanted = {label.lower() for label in labels}
    return [model for model in apps.get_models() if model._meta.label_lower in wanted]


def _kinds(kind: type[Model]) -> list[type[Model]]:
    """Return the models of all backends that are of a kind."""
    return [model for model in apps.get_models() if issubclass(model, kind) and model is not kind]


def _may(models: Iterable[type[Model]], actions: Iterable[str]) -> Iterator[tuple[str, str]]:
    wanted = tuple(actions)
    for model in models:
        opts = model._meta
        for action in wanted:
            yield opts.app_label, f"{action}_{opts.model_name}"


def _texts(permissions: Wanted) -> tuple[str, ...]:
    return tuple(sorted(f"{label}.{codename}" for label, codename in permissions))
