"""Base class and argument types of our management commands."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from badges_plugin.conf import is_enabled
from badges_plugin.database import unapplied_migrations
from badges_plugin.redaction import iter_causes, one_line
from badges_plugin.setting_values import MAX_DAYS


class BadgesCommand(BaseCommand):
    """Base of our commands.

    A value may begin with a dash, as user names do: ``--username -ada``. Unusable settings and missing or outdated
    tables end the command with one line instead of a traceback.
    """

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        # call_command passes required options as a command line, too, so both ways lead through here.
        parser.parse_args = partial(_parse, parser, parser.parse_args)  # type: ignore[method-assign]
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except ImproperlyConfigured as error:
            raise CommandError(one_line(error)) from error
        except Exception as error:
            # Checked only now, so that it costs nothing otherwise, and the doctor can examine any database.
            is_database_error = any(isinstance(each, DatabaseError) for each in iter_causes(error))
            if is_database_error and (missing := self._missing_migrations()):
                raise CommandError(
                    f"{missing} migrations of badges are not applied to this database. Run manage.py migrate first."
                ) from error
            raise

    def require_enabled(self) -> None:
        """Raise CommandError while badges are switched off."""
        if not is_enabled():
            raise CommandError("Badges are switched off. Set BADGES_ENABLED = True first.")

    def _missing_migrations(self) -> int:
        """Return the number of unapplied migrations, ours and those of the command's own app; 0 if unknown."""
        ours = {each.label for each in apps.get_app_configs() if f"{each.name}.".startswith(f"{__package__}.")}
        own = apps.get_containing_app_config(type(self).__module__)
        try:
            return len(unapplied_migrations(ours | ({own.label} if own else set())))
        except DatabaseError:
            return 0


def text(value: str) -> str:
    """Read a name or a part of a text. Raises ArgumentTypeError if it is empty or if no database can store it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ArgumentTypeError("it is not valid UTF-8") from None
    if not value.strip() or "\0" in value:
        # For example an empty variable in a script: everything would match it.
        raise ArgumentTypeError("it is empty")
    return value


def days(value: str) -> int:
    """Read an age in whole days. Raises ArgumentTypeError."""
    # A negative age, by mistake, would delete rows that were just written.
    if not value.isdecimal() or int(value) > MAX_DAYS:
        raise ArgumentTypeError(f"a number of days, from 0 to {MAX_DAYS}")
    return int(value)


def _parse(parser: CommandParser, parse_args: Any, args: Sequence[str] | None = None, namespace: Any = None) -> Any:
    return parse_args(None if args is None else list(_joined(parser, args)), namespace)


def _joined(parser: CommandParser, args: Sequence[str]) -> Iterator[str]:
    """Yield the arguments, joining an option and its value with "=" if the value looks like an option.

    argparse takes every argument that begins with a dash for an option, even if the command has no such option.
    """
    takes_value = {
        name: action.nargs is None
        for action in parser._actions  # noqa: SLF001 - argparse has no other way to ask
        for name in action.option_strings
    }
    rest = iter(args)
    for arg in rest:
        if arg == "--":
            yield arg
            yield from rest
        elif _takes_value(arg, takes_value):
            value = next(rest, None)
            if value is None:
                yield arg
            elif value.startswith("-") and value.partition("=")[0] not in takes_value and value != "--":
                yield f"{arg}={value}"
            else:
                yield from (arg, value)
        else:
            yield arg


def _takes_value(arg: str, options: Mapping[str, bool]) -> bool:
    """Whether this is an option, perhaps abbreviated, whose value comes next."""
    if arg in options or not arg.startswith("--"):
        return options.get(arg, False)
    meant = [takes for name, takes in options.items() if name.startswith(arg)]
    return meant == [True]
