"""Parse command lines as Tutor does, without running them; started by the Python of a Tutor release.

Standard input: a list of lines, each a list of words after ``tutor``. Standard output: what is wrong with each of them,
an empty text if nothing is. Files that a line names are expected in the working folder, which becomes a Tutor root.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import click
from tutor import config as tutor_config
from tutor import hooks, plugins
from tutor.commands.cli import cli

from tutor_badges import checks, saving

PLUGINS = ["mfe", "discovery", "credentials", "badges"]
# Plugins that a page has its readers write.
TO_BE_WRITTEN = ("campus",)


def last_context(
    command: click.Command, name: str, words: Sequence[str], parent: click.Context | None
) -> click.Context:
    """Return the context of the last command of a line. Raises ClickException where a command refuses its arguments."""
    context = command.make_context(name, list(words), parent=parent)
    # What is left after a group's own options; click keeps the first word apart from the others.
    rest = [*getattr(context, "_protected_args", ()), *context.args]
    if not isinstance(command, click.Group) or not rest:
        return context
    found, child, after = command.resolve_command(context, rest)
    assert child is not None
    return last_context(child, found or "", after, context)


def mistakes(parameters: dict[str, Any], config: dict[str, Any], images: Collection[str]) -> Iterator[str]:
    """Yield what Tutor, or the plugin, would only notice while the command runs."""
    given = dict(parameters.get("set_vars") or ())
    for name in [*given, *(parameters.get("unset_vars") or ())]:
        if name.startswith("BADGES_") and name not in config:
            yield f"there is no setting {name}"
    yield from checks.errors({**config, **given}, PLUGINS, saving.tutor_release())
    for name in parameters.get("plugin_names") or ():
        if name not in {*plugins.iter_installed(), *TO_BE_WRITTEN}:
            yield f"there is no plugin {name}"
    for name in parameters.get("image_names") or ():
        if name not in images:
            yield f"there is no image {name}"


def main() -> None:
    hooks.Actions.CORE_READY.do()
    tutor_config.save_config_file(".", {"PLUGINS": PLUGINS})
    hooks.Actions.PROJECT_ROOT_READY.do(".")
    config = tutor_config.load_full(".")
    images = {name for name, *_ in hooks.Filters.IMAGES_BUILD.iterate(config)}
    results = []
    for words in json.load(sys.stdin):
        try:
            parameters = last_context(cli, "tutor", ["--root", ".", *words], None).params
            results.append("; ".join(mistakes(parameters, config, images)))
        except click.ClickException as error:
            results.append(error.format_message() or type(error).__name__)
        except (click.exceptions.Exit, click.Abort):  # --help, or a question: all options were read by then
            results.append("")
    sys.stdout.write("\n" + json.dumps(results))


if __name__ == "__main__":
    main()
