"""Django system checks of the consumers' settings and command line."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentError, ArgumentParser
from collections.abc import Sequence

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

from badges_plugin.conf import CHECK_TAG
from badges_plugin.consumers.config import consumer_config
from badges_plugin.sections import errors_in


def connect() -> None:
    """Register the checks with Django."""
    register(check_settings, CHECK_TAG)
    register(check_extra, CHECK_TAG)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Return E005: BADGES_CONFIG["consumer"] is invalid, so no consumer can start."""
    return errors_in(consumer_config, check_id="badges_plugin.E005")


def check_extra(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Return E028: ``consume_events`` is about to run with an --extra that is not a usable JSON object.

    Without this check, the command would log a traceback and end with exit code 0.
    """
    problem = _problem_of_extra(sys.argv)
    hint = 'Write a JSON object in single quotes, --extra \'{"consumer_name": "c1"}\', or omit the option.'
    return [Error(f"consume_events: {problem}", hint=hint, id="badges_plugin.E028")] if problem else []


def _problem_of_extra(argv: Sequence[str]) -> str:
    """Return the error in --extra on this command line; empty if it is valid or the command is another one."""
    if argv[1:2] != ["consume_events"]:
        return ""
    parser = ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--extra", nargs="?")
    try:
        extra = parser.parse_known_args(argv[2:])[0].extra
        options = json.loads(extra or "{}")
    except (ArgumentError, RecursionError, ValueError):
        return "--extra is not valid JSON."
    if not isinstance(options, dict):
        return "--extra is not a JSON object."
    if given := options.keys() & {"topic", "group_id"}:
        return f"--extra contains {', '.join(sorted(given))}, which -t or -g gives."
    return ""
