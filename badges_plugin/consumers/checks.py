"""What can be wrong with the settings of the consumers, as a Django system check."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentError, ArgumentParser
from collections.abc import Sequence

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from badges_plugin.consumers.config import consumer_config


def connect() -> None:
    """Register the check with Django."""
    register(check_settings)
    register(check_extra)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """E005: BADGES_CONFIG["consumer"] cannot be used, and no consumer can start."""
    try:
        consumer_config()
    except ImproperlyConfigured as error:
        hint = "Correct the setting, or leave the key out to have its default."
        return [Error(str(error), hint=hint, id="badges_plugin.E005")]
    return []


def check_extra(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """E028: ``consume_events``, about to run, was given an --extra that is no JSON object for a consumer.

    The command takes what it cannot read for an error like any other: it logs a traceback and ends with exit code 0.
    The checks come before.
    """
    problem = _problem_of_extra(sys.argv)
    hint = 'Write a JSON object in single quotes, --extra \'{"consumer_name": "c1"}\', or leave it out.'
    return [Error(f"consume_events: {problem}", hint=hint, id="badges_plugin.E028")] if problem else []


def _problem_of_extra(argv: Sequence[str]) -> str:
    """Return what is wrong with --extra on this command line, empty when nothing is or it is another command's."""
    if argv[1:2] != ["consume_events"]:
        return ""
    parser = ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--extra", nargs="?")
    try:
        extra = parser.parse_known_args(argv[2:])[0].extra
        options = json.loads(extra or "{}")
    except (ArgumentError, RecursionError, ValueError):
        return "--extra is no JSON."
    if not isinstance(options, dict):
        return "--extra is no JSON object."
    if given := options.keys() & {"topic", "group_id"}:
        return f"--extra has {', '.join(sorted(given))}, which is given by -t or -g."
    return ""
