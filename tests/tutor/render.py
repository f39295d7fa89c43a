"""Render Tutor environments; run by the Python of a Tutor release, which the tests' own does not have.

Standard input: {"plugins": [...], "renderings": {folder: configuration}}. Many in one process, because starting Tutor
takes longer than rendering. Each folder becomes a Tutor root, its files in ``env``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jinja2
from tutor import config as tutor_config
from tutor import env as tutor_env
from tutor import hooks, plugins
from tutor.commands import cli as _cli  # noqa: F401  (declares what the commands add to the templates)

COMPILED: dict[tuple[Any, ...], Any] = {}
compile_template = jinja2.Environment.compile


def compile_once(self: jinja2.Environment, *source: Any, **options: Any) -> Any:
    """Compile a template once for all renderings: it takes longer than all the rest."""
    key = (*source, *options.items())
    if key not in COMPILED:
        COMPILED[key] = compile_template(self, *source, **options)
    return COMPILED[key]


def main() -> None:
    jinja2.Environment.compile = compile_once  # type: ignore[method-assign]
    wanted: dict[str, Any] = json.load(sys.stdin)
    hooks.Actions.CORE_READY.do()
    plugins.load_all(wanted["plugins"])
    generated: dict[str, Any] = {}
    for folder, given in wanted["renderings"].items():
        root = Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        tutor_config.save_config_file(str(root), {**generated, **given, "PLUGINS": wanted["plugins"]})
        minimal = tutor_config.load_minimal(str(root))
        tutor_config.save_config_file(str(root), minimal)
        tutor_env.save(str(root), tutor_config.load_full(str(root)))
        # Passwords and, slow to make, a key: the same in all renderings.
        generated = generated or {name: value for name, value in minimal.items() if name not in given}


if __name__ == "__main__":
    main()
