"""Run rendered LMS settings without the platform: imports from it are made up, what badges change is real.

Run by file: reads the path of the settings and, as JSON, what the platform is to have; prints what it has afterwards.
"""

from __future__ import annotations

import builtins
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock


class Namespace(dict[str, Any]):
    """Settings in the making: a name that nobody has set, as those of the platform, is whatever is needed."""

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name):
            raise KeyError(name)
        self[name] = MagicMock(name=name)
        return self[name]


class FeaturesProxy(dict[str, Any]):
    """As in newer releases: a mapping, but no dictionary of its own."""


class Platform:
    """Imports of the settings: the platform and its libraries are not here."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = dict(settings)

    def __call__(
        self, name: str, globals_: Any = None, locals_: Any = None, fromlist: Sequence[str] = (), level: int = 0
    ) -> Any:
        if name.split(".")[0] in sys.stdlib_module_names:
            return builtins.__import__(name, globals_, locals_, fromlist, level)
        module: Any = ModuleType(name)
        if "*" in (fromlist or ()):
            module.__dict__.update(self._settings)
            return module
        for attribute in (*name.split(".")[1:2], *(fromlist or ())):
            setattr(module, attribute, made_up(attribute))
        return module


def made_up(name: str) -> Any:
    """Return something by that name; a category of warnings has to be a class."""
    return type(name, (Warning,), {}) if name.endswith("Warning") else MagicMock(name=name)


def run(path: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names that the settings at ``path`` define on top of the platform's ``settings``."""
    available = {**vars(builtins), "__import__": Platform(settings)}
    module = f"{Path(path).parent.name}.envs.tutor.{Path(path).stem}"
    namespace = Namespace(__builtins__=available, __file__=path, __name__=module)
    exec(compile(Path(path).read_text(), path, "exec"), {"__builtins__": available}, namespace)  # noqa: S102
    return dict(namespace)


def main() -> None:
    wanted: dict[str, Any] = json.load(sys.stdin)
    platform = wanted["platform"]
    if wanted["proxy"]:
        platform["FEATURES"] = FeaturesProxy(platform["FEATURES"])
    found = run(wanted["path"], platform)
    kept = {name: value for name, value in found.items() if name.startswith(("EVENT_BUS_", "BADGES_"))}
    print(json.dumps({**kept, "FEATURES": dict(found["FEATURES"])}))


if __name__ == "__main__":
    main()
