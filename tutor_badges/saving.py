"""Check a configuration between loading it and rendering an environment from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import click
from tutor import fmt, plugins
from tutor.__about__ import __version__ as tutor_version
from tutor.exceptions import TutorError

from tutor_badges import bus, checks

Targets = list[tuple[str, str]]


class Configuration:
    """The configuration of this process, as it was last loaded.

    A mistake in it is only an alert while it is read, so that it does not stop an operator from looking at a platform
    or stopping it. Saving the environment is refused before its first file is written.
    """

    def __init__(self) -> None:
        self.loaded: dict[str, Any] = {}
        self.errors: list[str] = []
        self._shown: set[str] = set()

    def __repr__(self) -> str:
        # Tutor prints the callback that failed before the reason.
        return "the settings of the badges plugin"

    def load(self, config: dict[str, Any]) -> None:
        """Store ``config``, and show its errors, or its warnings if there are none."""
        self.loaded = dict(config)
        self.errors = list(checks.errors(config, enabled_plugins(), tutor_release()))
        for message in self.errors or checks.warnings(config, tutor_version):
            # Tutor loads the configuration several times in a launch.
            if message not in self._shown:
                self._shown.add(message)
                fmt.echo_alert(message)

    def __call__(self, targets: Targets) -> Targets:
        """Refuse a configuration with errors, or show what changes. Tutor calls this before it writes any file."""
        if self.errors:
            raise TutorError("\n".join(self.errors))
        context = click.get_current_context(silent=True)
        root = getattr(context.obj, "root", None) if context else None
        if root and self.loaded:
            self._show_notices(Path(root, "env"))
        return targets

    def _show_notices(self, env: Path) -> None:
        for notice in checks.notices(self.loaded, bus.rendered(env), enabled_plugins(), tutor_release()):
            fmt.echo_alert(notice)


def enabled_plugins() -> Collection[str]:
    """Return the names of the plugins that are loaded."""
    return set(plugins.iter_loaded())


def tutor_release() -> int:
    """Return Tutor's major version."""
    return int(tutor_version.split(".", 1)[0])


def is_within(command: str) -> Mapping[str, Any] | None:
    """Return the parameters of the running command of this name, or None if none is running."""
    context = click.get_current_context(silent=True)
    while context is not None:
        if context.command.name == command:
            return context.params
        context = context.parent
    return None
