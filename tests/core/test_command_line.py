"""What operators type: a name may begin with a dash, and every mistake is one line that says what to write."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, load_command_class

from badges_plugin.command_line import BadgesCommand
from badges_plugin.consumers import checks
from badges_plugin.models import FailedEvent

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = sorted(
    path.relative_to(ROOT).parts
    for path in (ROOT / "badges_plugin").rglob("management/commands/*.py")
    if path.stem != "__init__"
)


def load(name: str) -> Any:
    package = next(".".join(parts[:-3]) for parts in COMMANDS if parts[-1] == f"{name}.py")
    return load_command_class(package, name)


def parsed(command: str, *arguments: str) -> dict[str, Any]:
    options: dict[str, Any] = vars(load(command).create_parser("manage.py", command).parse_args(list(arguments)))
    return options


@pytest.mark.parametrize("parts", COMMANDS, ids=lambda parts: parts[-1])
def test_f12_every_command_of_ours_reads_its_arguments_in_the_same_way(parts: tuple[str, ...]) -> None:
    command = load_command_class(".".join(parts[:-3]), parts[-1].removesuffix(".py"))
    assert isinstance(command, BadgesCommand)


@pytest.mark.parametrize("name", ["-ada", "--ada", "-1", "-", "---", "-ada=b", "ada"])
@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.parametrize("option", ["--username", "--user"])
def test_f12_a_user_name_may_begin_with_a_dash(name: str, joined: bool, option: str) -> None:
    arguments = [f"{option}={name}"] if joined else [option, name]
    options = parsed("purge_failed_events", "--dry-run", *arguments, "--verbosity", "2")
    assert (options["username"], options["dry_run"], options["verbosity"]) == (name, True, 2)


@pytest.mark.parametrize(
    ("command", "option", "destination"),
    [
        ("process_failed_events", "--reason", "reason"),
        ("process_failed_events", "--event-type", "event_type"),
        ("sync_accredible_badge_templates", "--configuration", "configuration"),
        ("badges_replay", "--topic", "topic"),
        ("badges_doctor", "--topic", "topic"),
    ],
)
def test_f12_so_may_whatever_else_is_a_text(command: str, option: str, destination: str) -> None:
    assert parsed(command, option, "-text")[destination] == "-text"


def test_f12_an_option_that_the_command_has_is_no_value_and_what_follows_two_dashes_is_left_alone() -> None:
    with pytest.raises(CommandError, match="expected one argument"):
        parsed("purge_failed_events", "--username", "--dry-run")
    assert parsed("badges_backfill", "--dry-run", "--", "--template")["file"] == Path("--template")


@pytest.mark.django_db
def test_f12_by_call_command_too() -> None:
    FailedEvent.objects.create(fingerprint="1", payload={"username": "-ada"})
    FailedEvent.objects.create(fingerprint="2", payload={"username": "ada"})
    call_command("purge_failed_events", username="-ada", verbosity=0)
    assert [row.fingerprint for row in FailedEvent.objects.all()] == ["2"]


BAD = [
    # An empty variable of a script would match every event that has an empty text.
    ("purge_failed_events", ["--username", ""], "--username"),
    ("purge_failed_events", ["--username", " "], "--username"),
    ("purge_failed_events", ["--username", "ad\udcffa"], "--username"),  # bytes of the shell that are no UTF-8
    ("purge_failed_events", ["--username", "a\0b"], "--username"),
    ("purge_failed_events", ["--username", "ada", "--also-failed"], "--also-failed"),
    ("purge_failed_events", ["--username", "ada", "--older-than", "3"], "not allowed with"),
    ("purge_failed_events", ["--older-than", "-1"], "--older-than"),
    ("purge_failed_events", ["--older-than", "1e3"], "--older-than"),
    ("purge_failed_events", ["--older-than", "9" * 5000], "--older-than"),
    ("purge_failed_events", [], "required"),
    ("process_failed_events", ["--reason", ""], "--reason"),
    ("process_failed_events", ["--event-type", "\udcff"], "--event-type"),
    ("deliver_badges", ["--once", "--concurrency", "0"], "--concurrency must be"),
    ("deliver_badges", ["--once", "--concurrency", "-3"], "--concurrency must be"),
    ("deliver_badges", ["--once", "--concurrency", "9" * 30], "--concurrency must be"),
    ("deliver_badges", ["--once", "--concurrency", "two"], "--concurrency"),
    ("deliver_badges", ["--once", "--interval", "0"], "--interval must be"),
    ("deliver_badges", ["--once", "--interval", "nan"], "--interval must be"),
    ("deliver_badges", ["--once", "--interval", "inf"], "--interval must be"),
    ("deliver_badges", ["--once", "--interval", "1e308"], "--interval must be"),
    ("purge_deliveries", ["--attempts-days", "-5"], "--attempts-days"),
    ("purge_deliveries", ["--deliveries-days", "99999999"], "--deliveries-days"),
    ("badges_replay", ["--since", "yesterday"], "--since"),
    ("badges_replay", ["--topic", ""], "--topic"),
    ("badges_replay", ["--bus", "pulsar"], "--bus"),
    ("badges_replay", ["--template", "x"], "--template"),
    ("badges_replay", ["--template", "00000000-0000-0000-0000-000000000000"], "No active badge template"),
    ("badges_backfill", ["/no/such/file.csv"], "No such file"),
    ("badges_backfill", ["/"], "Is a directory"),
    ("badges_backfill", [], "required"),
    ("badges_doctor", ["--reach", "far"], "--reach"),
    ("badges_doctor", ["--topic", ""], "--topic"),
    ("sync_credly_badge_templates", ["--organization", "-x"], "is not an organization ID"),
    ("sync_credly_badge_templates", ["--organization", "00000000-0000-0000-0000-000000000000"], "no Credly org"),
    ("sync_accredible_badge_templates", ["--configuration", "a\nb"], r"'a\nb'"),
    ("poll_credly_events", ["--since", "1"], "unrecognized"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("command", "arguments", "said"), BAD, ids=lambda value: str(value)[:40])
def test_f9_bad_arguments_are_refused_in_one_line(command: str, arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command(load(command), *arguments)
    assert said in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.django_db
def test_f9_so_are_settings_that_no_check_has_seen(settings: Any) -> None:
    settings.BADGES_CONFIG = {"distribution": {"keep_attempts_days": "long"}}
    with pytest.raises(CommandError, match="keep_attempts_days"):
        call_command("purge_deliveries")


def extra(value: object) -> list[str]:
    return ["manage.py", "consume_events", "-t", "t", "-g", "g", "--extra", str(value)]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (extra("{bad"), "not valid JSON"),
        (extra("{'consumer_name': 'c1'}"), "not valid JSON"),
        (extra("[" * 10**5), "not valid JSON"),
        (extra("9" * 5000), "not valid JSON"),
        (extra("[]"), "not a JSON object"),
        (extra("-5"), "not a JSON object"),
        (extra("null"), "not a JSON object"),
        (extra('{"topic": "t"}'), "topic"),
        (extra(json.dumps({"consumer_name": "c1"})), ""),
        (extra(""), ""),
        (extra("{}")[:-1], ""),
        (extra("{}")[:-2], ""),
        (["manage.py", "migrate", "--extra", "{bad"], ""),
        (["manage.py"], ""),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_f9_extra_is_looked_at_before_consume_events_swallows_what_is_wrong_with_it(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], said: str
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    messages = checks.check_extra(None)
    assert [said in message.msg and message.hint is not None for message in messages] == ([True] if said else [])
