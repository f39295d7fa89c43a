"""``tutor local|dev|k8s do badges-...``: the plugin's management commands, run in the Credentials service."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from tutor_badges.csv_chunks import split

SERVICE = "credentials"
PASS_ON = {"ignore_unknown_options": True, "help_option_names": ["--tutor-help"]}
# A task is one argument of a process; Linux allows 128 KiB for that.
PIECE_BYTES = 64 * 1024
# The deployment's, which the service has no settings for. They are words: the plugin refuses any other.
TOPIC = "--topic {{ BADGES_EVENT_BUS_TOPIC }}"
GROUP = "--group {{ BADGES_CONSUMER_GROUP }}"
END_OF_FILE = "END-OF-BADGES-CSV"

options = click.argument("options", nargs=-1, type=click.UNPROCESSED)


@click.command(
    "badges-doctor",
    help="Check settings, event bus, providers and workers, and say what to do.",
    context_settings=PASS_ON,
)
@options
def doctor(options: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield _manage("badges_doctor", options, before=f"{GROUP} {TOPIC}")


@click.command(
    "badges-sync-templates", help="Fetch the badge templates of all Credly organizations.", context_settings=PASS_ON
)
@options
def sync_templates(options: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield _manage("sync_credly_badge_templates", options)


@click.command("badges-replay", help="Process again the events that the bus still holds.", context_settings=PASS_ON)
@options
def replay(options: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield _manage("badges_replay", options, before=TOPIC)


@click.command(
    "badges-backfill",
    help="Process passed courses from CSV, a file on this machine, for what the bus no longer holds.",
    context_settings=PASS_ON,
)
@click.argument("csv", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options
def backfill(csv: Path, options: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Carry the file into the container with the command, in pieces: there is no volume that both can see in k8s."""
    try:
        pieces = list(split(csv.read_text(encoding="utf-8-sig"), PIECE_BYTES))
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{csv} is not in UTF-8: save it as such. ({error})") from error
    if not pieces:
        raise click.ClickException(f"{csv} has no rows below its header.")
    for number, piece in enumerate(pieces, start=1):
        path = f"/tmp/badges-backfill-{number}.csv"  # noqa: S108  (in a container of its own)
        service, command = _manage("badges_backfill", (path, *options))
        yield service, f"cat > {path} <<'{END_OF_FILE}'\n{_literal(piece)}{END_OF_FILE}\n{command}"


def _manage(name: str, options: tuple[str, ...], *, before: str = "") -> tuple[str, str]:
    """Return a task; ``before`` is a template of options to which the operator's may say otherwise."""
    words = ("./manage.py", name, before, _literal(shlex.join(options)))
    return SERVICE, " ".join(word for word in words if word)


def _literal(text: str) -> str:
    # Tutor renders every task as a template; what the operator gave is not one.
    return "{% raw %}" + text + "{% endraw %}" if "{" in text else text


COMMANDS = (doctor, sync_templates, replay, backfill)
