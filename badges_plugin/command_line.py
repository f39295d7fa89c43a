"""What our management commands have in common: how they read what an operator types, and how they refuse it."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from badges_plugin.database import unapplied_migrations
from badges_plugin.redaction import iter_causes, one_line


class BadgesCommand(BaseCommand):
    """Base of our commands.

    A value may begin with a dash, as user names do: ``--username -ada``. Settings that cannot be used, and tables that
    are not there or not those of this version, end the command with one line, and not with a traceback.
    """

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        # Also call_command writes required options as a command line, so both ways lead through here.
        parser.parse_args = partial(_parse, parser, parser.parse_args)  # type: ignore[method-assign]
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except ImproperlyConfigured as error:
            raise CommandError(one_line(error)) from error
        except Exception as error:
            # Asked only now: while all goes well it costs nothing, and the doctor may look at what there is.
            is_of_the_database = any(isinstance(each, DatabaseError) for each in iter_causes(error))
            if is_of_the_database and (missing := self._missing_migrations()):
                raise CommandError(
                    f"{missing} migrations of badges are not applied to this database. Run manage.py migrate first."
                ) from error
            raise

    def _missing_migrations(self) -> int:
        """Return how many migrations are missing, ours and of the command's own app; 0 where it cannot be told."""
        ours = {each.label for each in apps.get_app_configs() if f"{each.name}.".startswith(f"{__package__}.")}
        own = apps.get_containing_app_config(type(self).__module__)
        try:
            return len(unapplied_migrations(ours | ({own.label} if own else set())))
        except DatabaseError:
            return 0


def text(value: str) -> str:
    """Read a name or a part of a text. Raises ArgumentTypeError for what no database takes, and for nothing at all."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ArgumentTypeError("it is no text in UTF-8") from None
    if not value.strip() or "\0" in value:
        # An empty variable of a script, say: everything would match it.
        raise ArgumentTypeError("it is empty")
    return value


def _parse(parser: CommandParser, parse_args: Any, args: Sequence[str] | None = None, namespace: Any = None) -> Any:
    return parse_args(None if args is None else list(_joined(parser, args)), namespace)


def _joined(parser: CommandParser, args: Sequence[str]) -> Iterator[str]:
    """Yield the arguments, an option and its value as one where the value looks like an option.

    argparse takes whatever begins with a dash for an option. It is one only if the command has it.
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
