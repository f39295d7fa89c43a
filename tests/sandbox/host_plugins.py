"""Throw-away plugins for the Credentials service, found by their entry points as any installed one is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]

_APPS = """
from django.apps import AppConfig

class Config(AppConfig):
    name = {name!r}
    label = {label!r}
    default_auto_field = "django.db.models.AutoField"
    plugin_app = {plugin_app!r}
"""


def write_plugin(
    folder: Path,
    name: str,
    *,
    label: str | None = None,
    plugin_app: Mapping[str, Any] | None = None,
    modules: Mapping[str, str] | None = None,
) -> None:
    """Write a package and its metadata into ``folder``, which then has to be on the path.

    ``modules`` maps a module's name to its source. ``plugin_app`` is the attribute of its AppConfig.
    """
    package = folder / name
    package.mkdir(parents=True)
    sources = {
        "__init__": "",
        "apps": _APPS.format(name=name, label=label or name, plugin_app=dict(plugin_app or {})),
        **(modules or {}),
    }
    for module, source in sources.items():
        (package / f"{module}.py").write_text(dedent(source), encoding="utf-8")
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(
        f"[credentials.djangoapp]\n{name} = {name}.apps:Config\n", encoding="utf-8"
    )


def run_beside(
    folder: Path, *arguments: str, settings: str, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python with the stand-in, the plugins in ``folder`` and nothing of this process's settings."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BADGES_", "CREDENTIALS_", "CREDLY_", "DATABASE_", "DJANGO_", "EVENT_BUS_"))
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={
            **clean,
            "PYTHONPATH": os.pathsep.join([str(folder), str(REPOSITORY / "sandbox"), str(REPOSITORY)]),
            "DJANGO_SETTINGS_MODULE": settings,
            "BADGES_SANDBOX_DIR": str(folder / "var"),
            **(environ or {}),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def settings_seen(
    folder: Path, names: list[str], *, settings: str, environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the values that Django has for ``names``, in a process of its own; what is not set is left out."""
    script = (
        "import json; from django.conf import settings; "
        f"print(json.dumps({{name: getattr(settings, name) for name in {names!r} if hasattr(settings, name)}}))"
    )
    done = run_beside(folder, "-c", script, settings=settings, environ=environ)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen
