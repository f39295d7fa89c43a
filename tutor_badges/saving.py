"""What happens between loading a configuration and rendering an environment from it."""

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
    """The configuration of this process, as it was loaded last.

    A mistake in it is an alert while it is only read: somebody who stops a platform, or looks at it, is not held up by
    a setting. Saving the environment is refused before its first file is written.
    """

    def __init__(self) -> None:
        self.loaded: dict[str, Any] = {}
        self.errors: list[str] = []
        self._told: set[str] = set()

    def __repr__(self) -> str:
        # Tutor prints the callback of whatever fails, before the reason.
        return "the settings of the badges plugin"

    def load(self, config: dict[str, Any]) -> None:
        """Take over ``config``, and say what is wrong with it or should be known."""
        self.loaded = dict(config)
        self.errors = list(checks.errors(config, enabled_plugins(), tutor_release()))
        for problem in self.errors or checks.warnings(config, tutor_version):
            # Tutor loads it several times in a launch.
            if problem not in self._told:
                self._told.add(problem)
                fmt.echo_alert(problem)

    def __call__(self, targets: Targets) -> Targets:
        """Refuse to render, or say what changes when it is; called when Tutor asks where files go, before it writes."""
        if self.errors:
            raise TutorError("\n".join(self.errors))
        context = click.get_current_context(silent=True)
        root = getattr(context.obj, "root", None) if context else None
        if root and self.loaded:
            self._tell_what_changes(Path(root, "env"))
        return targets

    def _tell_what_changes(self, env: Path) -> None:
        for notice in checks.notices(self.loaded, bus.rendered(env), enabled_plugins(), tutor_release()):
            fmt.echo_alert(notice)


def enabled_plugins() -> Collection[str]:
    """Return the names of the plugins that are loaded."""
    return set(plugins.iter_loaded())


def tutor_release() -> int:
    """Return Tutor's major version."""
    return int(tutor_version.split(".", 1)[0])


def is_within(command: str) -> Mapping[str, Any] | None:
    """Return the parameters of the command by this name that is running, if one is."""
    context = click.get_current_context(silent=True)
    while context is not None:
        if context.command.name == command:
            return context.params
        context = context.parent
    return None
