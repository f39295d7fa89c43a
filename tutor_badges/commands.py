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
CHUNK_BYTES = 64 * 1024
# Values of the deployment that the service has no settings for. They need no quotes: checks.py sees to that.
TOPIC = "--topic {{ BADGES_EVENT_BUS_TOPIC }}"
GROUP = "--group {{ BADGES_CONSUMER_GROUP }}"
EXPORT_HEADER = b"username,lms_user_id,course_key,passed,time\n"
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


@click.command("badges-replay", help="Process the events that are still on the bus again.", context_settings=PASS_ON)
@options
def replay(options: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield _manage("badges_replay", options, before=TOPIC)


@click.command(
    "badges-adopt-builtin",
    help="Adopt what the badges app of the Credentials service holds; without --apply, only report.",
    context_settings=PASS_ON,
)
@options
def adopt_builtin(options: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield _manage("badges_adopt_builtin", options)


@click.command(
    "badges-backfill",
    help="Process passed courses from the file CSV on this machine, or from standard input if it is -, for events that "
    "are no longer on the bus.",
    context_settings=PASS_ON,
)
@click.argument("csv", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@options
def backfill(csv: Path, options: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Send the file into the container inside the command, in chunks: in Kubernetes no volume is visible to both."""
    piped = str(csv) == "-"
    with click.open_file(str(csv), "rb") as file:
        content = file.read()
    if piped and not content.endswith(b"\n"):
        raise click.ClickException(
            "The input ends within a line, or is empty. Nothing was done; what was to be read may have failed."
        )
    # In Kubernetes, Tutor prints before the export that it waits for the deployments.
    content = content[max((b"\n" + content).find(b"\n" + EXPORT_HEADER), 0) :]
    try:
        chunks = list(split(content.decode("utf-8-sig"), CHUNK_BYTES))
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{csv} is not encoded in UTF-8. Save it as UTF-8. ({error})") from error
    if not chunks and piped:
        click.echo("No rows.")
    elif not chunks:
        raise click.ClickException(f"{csv} has no rows below its header.")
    for number, chunk in enumerate(chunks, start=1):
        path = f"/tmp/badges-backfill-{number}.csv"  # noqa: S108  (in a container of its own)
        service, command = _manage("badges_backfill", (path, *options))
        yield service, f"cat > {path} <<'{END_OF_FILE}'\n{_literal(chunk)}{END_OF_FILE}\n{command}"


def _manage(name: str, options: tuple[str, ...], *, before: str = "") -> tuple[str, str]:
    """Return a task. ``before`` is a template of options that the operator's options may override."""
    words = ("./manage.py", name, before, _literal(shlex.join(options)))
    return SERVICE, " ".join(word for word in words if word)


def _literal(text: str) -> str:
    # Tutor renders every task as a template, but the operator's input is none.
    return "{% raw %}" + text + "{% endraw %}" if "{" in text else text


COMMANDS = (doctor, sync_templates, replay, adopt_builtin, backfill)
