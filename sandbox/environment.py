"""The operator's configuration of a sandbox: environment variables, where a deployment has a YAML file.

Pure functions of the environment, for settings modules to use: the sandbox's own, and the one that runs the
tests inside a real checkout.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dj_database_url
import django

Settings = dict[str, Any]

# Without a bus, events are sent to the receivers in this process and to nobody else.
NO_BUS_PRODUCER = "openedx_events.event_bus.NoEventBusProducer"

_PROVIDERS = ("credly", "accredible")


def databases(environ: Mapping[str, str], folder: Path) -> dict[str, Settings]:
    """Return Django's ``DATABASES``: the database of ``DATABASE_URL``, or else an SQLite file in ``folder``.

    ``folder`` is created when it is used.
    """
    url = environ.get("DATABASE_URL")
    if not url:
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{folder / 'credentials.sqlite3'}"
    default: Settings = {**dj_database_url.parse(url, conn_max_age=60)}
    options = default.setdefault("OPTIONS", {})
    match default["ENGINE"]:
        case "django.db.backends.sqlite3":
            default["CONN_MAX_AGE"] = 0
            options.update(_sqlite_options())
        case "django.db.backends.mysql":
            options.update(charset="utf8mb4", init_command="SET sql_mode='STRICT_TRANS_TABLES'")
            default["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"}
    return {"default": default}


def _sqlite_options() -> Settings:
    """Several processes share the file: readers must not block writers, and a writer waits for its turn."""
    options: Settings = {"timeout": 20}
    if django.VERSION >= (5, 1):
        options |= {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL"}
    return options


def overrides(environ: Mapping[str, str], badges_config: Mapping[str, Any]) -> Settings:
    """Return the settings from the environment, which override the service's defaults and plugin hooks.

    - ``BADGES_ENABLED``: "true" (the sandbox's default) or "false".
    - ``BADGES_CONFIG_JSON``: a JSON object, merged section by section and key by key over ``badges_config``.
    - ``BADGES_SANDBOX_SIGNS``: "false" keeps the site from signing its own badges, whatever else is configured.
    - ``CREDLY_API_BASE_URL`` and every other key of a provider's section, by its own name.
    - every variable named ``EVENT_BUS_...``: JSON where it parses as JSON, a string otherwise.

    Raises ValueError or TypeError, naming the variable, for a value that cannot be meant.
    """
    return {
        "BADGES_ENABLED": _boolean(environ, "BADGES_ENABLED", default=True),
        "BADGES_CONFIG": _badges_config(environ, badges_config),
        "EVENT_BUS_PRODUCER": NO_BUS_PRODUCER,
        **{name: _json_or_text(value) for name, value in environ.items() if name.startswith("EVENT_BUS_")},
    }


def _boolean(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environ.get(name, str(default)).lower()
    if text not in {"true", "false"}:
        raise ValueError(f'{name} must be "true" or "false", not "{text}".')
    return text == "true"


def _badges_config(environ: Mapping[str, str], badges_config: Mapping[str, Any]) -> Settings:
    merged = dict(badges_config)
    for provider in _PROVIDERS:
        section = merged.get(provider, {})
        by_name = {key: environ[key] for key in environ if key.startswith(f"{provider.upper()}_")}
        if by_name:
            merged[provider] = {**section, **by_name}
    given = _json_or_text(environ.get("BADGES_CONFIG_JSON", "{}"))
    if not isinstance(given, dict):
        raise TypeError("BADGES_CONFIG_JSON must be a JSON object.")
    for key, value in given.items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    if not _boolean(environ, "BADGES_SANDBOX_SIGNS", default=True):
        merged["open_badges"] = {**merged.get("open_badges", {}), "enabled": False}
    return merged


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
