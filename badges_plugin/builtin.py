"""Switch the host's built-in badges app off while ours is on, unless the settings keep it. Sumac and later have one.

It reads the same switch and the same dictionary of settings. If both process events, the built-in app creates a user
row and runs several queries for each event, a badge that is configured in both is awarded twice, and a webhook URL at
Credly reaches only one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from django.apps import AppConfig
from django.contrib import admin
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import DatabaseError, transaction
from django.db.models import Q

from badges_plugin import conf, host
from badges_plugin.conf import CHECK_TAG

MAX_NAMES = 10
"""Templates named in a message at most."""

_twins: dict[str, Callable[[], Q]] = {}


def register_twins(model_name: str, finder: Callable[[], Q]) -> None:
    """Register how to find the built-in app's templates that are also a backend's active templates.

    ``model_name`` is a model of the built-in app; ``finder`` returns the condition that selects these rows of it.
    """
    _twins[model_name] = finder


def connect() -> None:
    """Switch the built-in app off unless the settings keep it, and register the checks. Called in every process."""
    if not _is_kept():
        host.switch_builtin_off()
        for model in host.builtin_models().values():
            if admin.site.is_registered(model):
                admin.site.unregister(model)
    register(check_switch, CHECK_TAG)
    register(check_rows, CHECK_TAG, Tags.database)


def is_builtin(app_label: str) -> bool:
    """Whether this is the label of the built-in badges app."""
    return app_label == host.BUILTIN_LABEL and bool(host.builtin_models())


def check_switch(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Return E021: the built-in badges app should be off but still receives events."""
    types = [] if _is_kept() else host.builtin_receivers()
    if not types:
        return []
    return [
        Error(
            f"The built-in badges app could not be switched off: it still receives {', '.join(types)}.",
            hint="Put the apps of this plugin after credentials.apps.badges in INSTALLED_APPS. If they already are, "
            "this release of Credentials is not supported yet.",
            id="badges_plugin.E021",
        )
    ]


def check_rows(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: object
) -> list[CheckMessage]:
    """Return W022: built-in templates that are ignored; W023: templates active in both; W024: its remaining accounts.

    Reads the database, so it runs with ``migrate`` and with ``check --database default``.
    """
    if not databases or not host.builtin_models():
        return []
    try:
        with transaction.atomic():
            return list(_leftovers())
    except DatabaseError:
        return []  # the tables do not exist yet: ``migrate`` runs the checks before it migrates


def _leftovers() -> Iterator[CheckMessage]:
    models, is_kept = host.builtin_models(), _is_kept()
    twins = {
        row
        for name, finder in _twins.items()
        if name in models
        for row in models[name].objects.filter(finder(), is_active=True).values_list("pk", "name")
    }
    active = set(models["BadgeTemplate"].objects.filter(is_active=True).values_list("pk", "name"))
    if is_kept and twins:
        yield Warning(
            f"Badge templates are active here and in the built-in badges app: {_names(twins)}. Each badge is awarded "
            "twice.",
            hint='Deactivate them in one of the two, or set BADGES_CONFIG["builtin_app"] to "off".',
            id="badges_plugin.W023",
        )
    if is_kept:
        return
    if twins:
        yield Warning(
            f"Badge templates are active here and in the built-in badges app, which is off: {_names(twins)}.",
            hint="Nothing is awarded twice while it is off. Deactivate them there before you switch it on.",
            id="badges_plugin.W023",
        )
    if alone := active - twins:
        yield Warning(
            f"The built-in badges app is off, and its active badge templates are not processed: {_names(alone)}.",
            hint="Adopt them with manage.py badges_adopt_builtin, which only reports unless --apply is given. Or keep "
            'that app on with BADGES_CONFIG["builtin_app"] = "on".',
            id="badges_plugin.W022",
        )
    if accounts := list(_accounts()):
        yield Warning(
            f"The built-in badges app is off but still has accounts: {', '.join(accounts)}.",
            hint="Its API keys are not encrypted. Once manage.py badges_adopt_builtin has adopted the accounts, delete "
            'the keys there: its pages are shown while BADGES_CONFIG["builtin_app"] is "on".',
            id="badges_plugin.W024",
        )


def _accounts() -> Iterator[str]:
    """Yield, for each model with an API key, the number of rows and the number of rows that have a key."""
    for model in host.builtin_models().values():
        try:
            model._meta.get_field("api_key")
        except FieldDoesNotExist:
            continue
        rows = model.objects.all()
        if number := rows.count():
            with_key = rows.exclude(api_key="").count()
            yield f"{number} of {model._meta.verbose_name_plural} ({with_key} with an API key)"


def _names(rows: set[tuple[int, str]]) -> str:
    names = [f"“{name}”" for _, name in sorted(rows)]
    more = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


def _is_kept() -> bool:
    try:
        return conf.keeps_builtin_app()
    except ImproperlyConfigured:
        return False  # reported as E001
