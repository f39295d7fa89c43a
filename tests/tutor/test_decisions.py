"""What the Tutor plugin decides without Tutor: configuration checks, images, addresses, how a CSV file is split."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import click
import pytest

from tutor_badges import bus, checks, commands, csv_chunks, exporting, images, lms_grades, package
from tutor_badges.config import SETTINGS, defaults

ENABLED = {"mfe", "discovery", "credentials", "badges"}
ORGANIZATION = "0b1a5f9e-4c1f-4d0f-9d5e-1f1d7c3f3a11"


def configuration(**changes: Any) -> dict[str, Any]:
    return {**dict(defaults("1.2.3")), "RUN_REDIS": True, **changes}


EXTERNAL = {
    "BADGES_RUN_KAFKA": False,
    "BADGES_KAFKA_BOOTSTRAP_SERVERS": "broker.example.com:9092",
    "BADGES_SCHEMA_REGISTRY_URL": "https://registry.example.com",
}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        # Nothing to say
        ({}, []),
        ({"BADGES_EVENT_BUS": "redis"}, []),
        (EXTERNAL, []),
        # Without the broker of our own there must be another
        ({"BADGES_RUN_KAFKA": False}, ["BADGES_KAFKA_BOOTSTRAP_SERVERS", "BADGES_SCHEMA_REGISTRY_URL"]),
        ({**EXTERNAL, "BADGES_SCHEMA_REGISTRY_URL": configuration()["BADGES_SCHEMA_REGISTRY_URL"]}, ["REGISTRY_URL"]),
        # ... but not when Kafka is not used
        ({"BADGES_RUN_KAFKA": False, "BADGES_EVENT_BUS": "redis"}, []),
        ({"BADGES_EVENT_BUS": "rabbitmq"}, ["BADGES_EVENT_BUS"]),
        # A string that says "false" is true in every template
        ({"BADGES_RUN_KAFKA": "false"}, ["BADGES_RUN_KAFKA"]),
        ({"BADGES_CREDLY_SANDBOX": 1}, ["BADGES_CREDLY_SANDBOX"]),
        ({"BADGES_METRICS_TOKEN": "too short"}, ["BADGES_METRICS_TOKEN"]),
        ({"BADGES_METRICS_TOKEN": "0123456789abcdef"}, []),
        ({"BADGES_KAFKA_PARTITIONS": True}, ["BADGES_KAFKA_PARTITIONS"]),
        ({"BADGES_KAFKA_PARTITIONS": "4"}, ["BADGES_KAFKA_PARTITIONS"]),
        ({"BADGES_CREDLY_ORGANIZATIONS": ["key"]}, ["BADGES_CREDLY_ORGANIZATIONS"]),
        ({"BADGES_WORKER_REPLICAS": 0}, ["BADGES_WORKER_REPLICAS"]),
        ({"BADGES_CONSUMER_REPLICAS": 5}, ["BADGES_CONSUMER_REPLICAS"]),
        ({"BADGES_STOP_GRACE_SECONDS": 0}, ["BADGES_STOP_GRACE_SECONDS"]),
        ({"BADGES_KAFKA_API_SECRET": None}, ["BADGES_KAFKA_API_SECRET"]),
        ({"BADGES_EVENT_KEY": "learner"}, []),
        ({"BADGES_EVENT_KEY": "user"}, ["BADGES_EVENT_KEY"]),
        ({"BADGES_REDIS_URL": "rediss://:p%40ss@redis.example.com:6380/0?ssl_ca_certs=/ca.pem"}, []),
        ({"BADGES_REDIS_URL": "redis.example.com:6380"}, ["BADGES_REDIS_URL"]),
        ({"BADGES_REDIS_URL": "sentinel://redis.example.com"}, ["BADGES_REDIS_URL"]),
        ({"BADGES_REDIS_URL": "rediss://:secret@/0"}, ["BADGES_REDIS_URL"]),
        # They are words of the containers' command lines
        ({"BADGES_EVENT_BUS_TOPIC": ""}, ["BADGES_EVENT_BUS_TOPIC"]),
        ({"BADGES_EVENT_BUS_TOPIC": "-t"}, ["BADGES_EVENT_BUS_TOPIC"]),
        ({"BADGES_EVENT_BUS_TOPIC_PREFIX": ""}, []),
        ({"BADGES_EVENT_BUS_TOPIC_PREFIX": "my site"}, ["BADGES_EVENT_BUS_TOPIC_PREFIX"]),
        ({"BADGES_CONSUMER_GROUP": "it's; true"}, ["BADGES_CONSUMER_GROUP"]),
        ({"BADGES_WORKER_OPTIONS": "--concurrency 16 --interval=0.5"}, []),
        ({"BADGES_WORKER_OPTIONS": "--concurrency $N"}, ["BADGES_WORKER_OPTIONS"]),
        # LMS refuses to start with a key field that is no string
        ({"BADGES_EXTRA_EVENTS": {"org.openedx.learning.x.v1": 5}}, ["BADGES_EXTRA_EVENTS"]),
        ({"BADGES_EXTRA_EVENTS": {"org.openedx.learning.x.v1": "x.y"}}, []),
        ({"BADGES_CREDLY_ORGANIZATIONS": {"acme": "key"}}, ["BADGES_CREDLY_ORGANIZATIONS"]),
        ({"BADGES_CREDLY_ORGANIZATIONS": {ORGANIZATION: 5}}, ["BADGES_CREDLY_ORGANIZATIONS"]),
        ({"BADGES_CREDLY_ORGANIZATIONS": {ORGANIZATION: "key"}}, []),
        ({"BADGES_KAFKA_ALLOWED_NAMESPACES": ["keda"]}, []),
        ({"BADGES_KAFKA_ALLOWED_NAMESPACES": ["KEDA", 5]}, ["BADGES_KAFKA_ALLOWED_NAMESPACES"]),
        ({"BADGES_RESOURCES": {"badges-kafka": {"limits": {"memory": "1.5Gi", "cpu": 2}}}}, []),
        ({"BADGES_RESOURCES": {"kafka": {"limits": {"memory": "1Gi"}}}}, ["no container kafka"]),
        ({"BADGES_RESOURCES": {"badges-kafka": {"limits": {"memory": "1 GB"}}}}, ["BADGES_RESOURCES"]),
        ({"BADGES_RESOURCES": {"badges-kafka": {"memory": "1Gi"}}}, ["BADGES_RESOURCES"]),
        ({"BADGES_DOCKER_REGISTRY": "registry.example.com:5000/campus/"}, []),
        ({"BADGES_DOCKER_REGISTRY": "registry.example.com"}, ["BADGES_DOCKER_REGISTRY"]),
        # Our own broker speaks no SASL
        ({"BADGES_KAFKA_API_KEY": "user", "BADGES_KAFKA_API_SECRET": "x"}, ["BADGES_RUN_KAFKA=false"]),
        ({**EXTERNAL, "BADGES_KAFKA_API_KEY": "user", "BADGES_KAFKA_API_SECRET": "x"}, []),
        ({**EXTERNAL, "BADGES_KAFKA_API_KEY": "user"}, ["BADGES_KAFKA_API_SECRET"]),
        ({"BADGES_SCHEMA_REGISTRY_API_SECRET": "x"}, ["BADGES_SCHEMA_REGISTRY_API_KEY"]),
    ],
)
def test_each_mistake_is_named(changes: dict[str, Any], named: list[str]) -> None:
    errors = list(checks.errors(configuration(**changes), ENABLED, 22))
    assert len(errors) == len(named)
    for error, name in zip(errors, named, strict=True):
        assert name in error


def test_the_credentials_plugin_is_required_before_anything_else_is_looked_at() -> None:
    (error,) = checks.errors({}, {"badges"}, 22)
    assert "tutor plugins enable mfe discovery credentials" in error
    assert "tutor plugins disable badges" in error


@pytest.mark.parametrize(("release", "refused"), [(19, True), (20, False), (22, False), (23, True)])
def test_other_releases_of_tutor_are_refused(release: int, *, refused: bool) -> None:
    """Pip keeps them apart only for those who install with the extra ``tutor``."""
    errors = list(checks.errors(configuration(), ENABLED, release))
    assert bool(errors) == refused
    assert all(f"this is Tutor {release}" in error for error in errors)


def test_a_refusal_does_not_print_what_may_be_a_secret() -> None:
    errors = checks.errors(
        configuration(BADGES_KAFKA_API_SECRET=31415926, BADGES_CREDLY_ORGANIZATIONS=["key"]), ENABLED, 22
    )
    printed = " ".join(errors)
    assert "a string, not a whole number" in printed
    assert "31415926" not in printed
    assert "key" not in printed


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({}, []),
        ({"BADGES_EVENT_BUS": "redis"}, ["evict"]),
        ({"BADGES_EVENT_BUS": "redis", "BADGES_REDIS_EVICTION_POLICY": "volatile-lru"}, []),
        ({"BADGES_EVENT_BUS": "redis", "BADGES_REDIS_URL": "rediss://redis.example.com"}, []),
        # Somebody else's Redis is somebody else's to configure
        ({"BADGES_EVENT_BUS": "redis", "RUN_REDIS": False}, []),
        ({"BADGES_EVENT_BUS": "redis", "RUN_REDIS": False, "BADGES_CONSUMER_REPLICAS": 2}, ["one consumer"]),
    ],
)
def test_what_works_but_should_be_known(changes: dict[str, Any], warned: list[str]) -> None:
    warnings = list(checks.warnings(configuration(**changes), "22.0.3"))
    assert len(warnings) == len(warned)
    for warning, words in zip(warnings, warned, strict=True):
        assert words in warning


@pytest.mark.parametrize(
    ("changes", "pinned"),
    [
        # As Tutor and the plugin name them
        ({"CREDENTIALS_DOCKER_IMAGE": "registry.example.com/c:22.0.0-badges1.2.3-kafka"}, []),
        ({"DOCKER_IMAGE_OPENEDX": "registry.example.com:5000/o:22.0.3-badges1.2.3-kafka"}, []),
        # By hand: what runs after an upgrade is what was pushed before it
        ({"CREDENTIALS_DOCKER_IMAGE": "registry.example.com/openedx-credentials:badges-1"}, ["CREDENTIALS_DOCKER"]),
        ({"CREDENTIALS_DOCKER_IMAGE": "registry.example.com/c:22.0.0"}, ["CREDENTIALS_DOCKER_IMAGE"]),
        ({"CREDENTIALS_DOCKER_IMAGE": "registry.example.com/c:21.0.0-badges1.2.3"}, ["CREDENTIALS_DOCKER_IMAGE"]),
        ({"DOCKER_IMAGE_OPENEDX": "registry.example.com/openedx:badges-1"}, ["DOCKER_IMAGE_OPENEDX"]),
        # Without Kafka, LMS has nothing of ours
        ({"DOCKER_IMAGE_OPENEDX": "registry.example.com/o:1", "BADGES_EVENT_BUS": "redis", "RUN_REDIS": False}, []),
    ],
)
def test_t7_a_tag_without_the_versions_is_named(changes: dict[str, Any], pinned: list[str]) -> None:
    warnings = list(checks.warnings(configuration(CREDENTIALS_VERSION="22.0.0", **changes), "22.0.3"))
    assert len(warnings) == len(pinned)
    assert all(name in warning for warning, name in zip(warnings, pinned, strict=True))


COST, CHANGE, DISCOVERY = "Compare the costs", "have not read yet", "Discovery stays on Redis"


@pytest.mark.parametrize(
    ("before", "bus", "release", "said"),
    [
        # When the plugin is enabled
        (None, "kafka", 22, [COST, DISCOVERY]),
        (None, "redis", 22, [COST]),
        # Nobody's settings put Discovery on a bus yet
        (None, "kafka", 20, [COST]),
        # When the bus is changed
        ("redis", "kafka", 21, [COST, CHANGE, DISCOVERY]),
        ("kafka", "redis", 22, [COST, CHANGE]),
        # And never again
        ("kafka", "kafka", 22, []),
        ("redis", "redis", 22, []),
    ],
)
def test_t9_what_a_bus_costs_is_said_when_it_is_chosen(
    before: str | None, bus: str, release: int, said: list[str]
) -> None:
    plugins = ENABLED | {"discovery"}
    notices = list(checks.notices(configuration(BADGES_EVENT_BUS=bus), before, plugins, release))
    assert len(notices) == len(said)
    assert all(words in notice for notice, words in zip(notices, said, strict=True))


def test_t3_without_discovery_nothing_is_said_of_it() -> None:
    notices = checks.notices(configuration(), None, ENABLED - {"discovery"}, 22)
    assert not any(DISCOVERY in notice for notice in notices)


def test_t6_the_bus_of_a_saved_environment_is_read_from_it(tmp_path: Path) -> None:
    path = tmp_path / bus.SETTINGS_FILE
    path.parent.mkdir(parents=True)
    assert bus.rendered(tmp_path / "nothing") is None
    # Tutor's own settings name a bus too
    path.write_text("EVENT_BUS_PRODUCER = 'edx_event_bus_redis.create_producer'\n")
    assert bus.rendered(tmp_path) is None
    partial = (Path(bus.__file__).parent / "templates/badges/partials/event-bus-settings").read_text()
    kafka, redis = partial.split("{%- else %}")
    patch = (Path(bus.__file__).parent / "patches/openedx-common-settings").read_text()
    for name, settings in (("kafka", kafka), ("redis", redis)):
        path.write_text("EVENT_BUS_PRODUCER = 'edx_event_bus_redis.create_producer'\n" + patch + settings)
        assert bus.rendered(tmp_path) == name


@pytest.mark.parametrize(
    ("tag", "options"),
    [
        ("overhangio/openedx:22-badges1-kafka", ("--cache-from=type=registry,ref=overhangio/openedx:22-cache",)),
        # Not one of ours, or not changed
        ("overhangio/openedx-mfe:22", ()),
        ("overhangio/openedx:22", ()),
    ],
)
def test_t9_our_images_are_built_from_the_cache_of_the_published_ones(tag: str, options: tuple[str, ...]) -> None:
    published = {"overhangio/openedx:22-badges1-kafka": "overhangio/openedx:22"}
    assert images.cache_options(tag, {**published, "overhangio/openedx:22": "overhangio/openedx:22"}) == options


def test_every_setting_is_ours_by_its_prefix_and_none_twice() -> None:
    keys = [setting.key for setting in SETTINGS]
    assert len(keys) == len(set(keys))
    assert all(key.startswith("BADGES_") for key in keys)


def test_no_default_is_a_template_that_renders_to_a_boolean() -> None:
    assert [setting.key for setting in SETTINGS if isinstance(setting.default, str) and "{{" in setting.default] == []


@pytest.mark.parametrize(
    ("context", "event_bus", "built"),
    [
        ("local", "kafka", ["permissions", "credentials", "openedx"]),
        ("local", "redis", ["permissions", "credentials"]),
        # In dev, Tutor builds openedx-dev by itself
        ("dev", "kafka", ["permissions", "credentials"]),
    ],
)
def test_images_to_build_before_a_launch(context: str, event_bus: str, built: list[str]) -> None:
    assert images.required(["permissions"], context, {"BADGES_EVENT_BUS": event_bus}) == built


def test_an_image_that_was_asked_for_already_is_built_once() -> None:
    assert images.required(["openedx", "credentials"], "local", {"BADGES_EVENT_BUS": "kafka"}) == [
        "openedx",
        "credentials",
    ]


def test_our_images_extend_the_tags_of_whoever_declared_them() -> None:
    tags = dict(images.own_tags([("DOCKER_IMAGE_OPENEDX", "registry/openedx:22"), ("OTHER", "x")]))
    assert tags["DOCKER_IMAGE_OPENEDX"].startswith("registry/openedx:22{%")
    assert images.PUBLISHED == {"DOCKER_IMAGE_OPENEDX": "registry/openedx:22"}
    assert tags["OTHER"] == "x"
    assert "CREDENTIALS_DOCKER_IMAGE" not in tags


@pytest.mark.parametrize(
    ("username", "password"), [("", ""), ("", "p@ss/w:rd"), ("us/er", ""), ("us/er", "p@ss/w:rd"), ("ü", "#?")]
)
def test_redis_url_keeps_what_it_was_given(username: str, password: str) -> None:
    url = urlsplit(bus.redis_url("redis.example.com", 6380, username, password, 3))
    assert (url.hostname, url.port, url.path) == ("redis.example.com", 6380, "/3")
    assert unquote(url.username or "") == username
    assert unquote(url.password or "") == password


ROWS = [["username", "course"], *[[f"learner{number}", "course-v1:Acmé+C+R"] for number in range(1000)]]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("limit", [1, 1000, 10_000_000])
def test_csv_pieces_together_are_the_whole_file(limit: int, newline: str) -> None:
    text = newline.join(",".join(row) for row in ROWS)
    found = list(csv_chunks.split(text, limit))
    header = ",".join(ROWS[0]) + "\n"
    one_row = len(f"{header}learner999,course-v1:Acmé+C+R\n".encode())
    assert all(piece.startswith(header) and piece.endswith("\n") for piece in found)
    assert all(len(piece.encode()) <= max(limit, one_row) for piece in found)
    rows = [row for piece in found for row in list(csv.reader(StringIO(piece)))[1:]]
    assert rows == ROWS[1:]


MIXED = """\
lms_user_id, time ,username
1,a,
2,b,bob
,c,ann
1,d,ann
,e,"bob"
3,f,
""broken,g,h,i
,j,
ann,k,
1,l,
"""


@pytest.mark.parametrize(
    ("limit", "together"),
    [
        (10_000, ["abcdefgjkl"]),  # as it is
        # Ann is 1 here and there, and a row that names nobody is nobody else's
        (70, ["acdlbe", "fgjk"]),
        (60, ["acdl", "bef", "gjk"]),
        # One learner's rows are more than fit
        (45, ["ac", "dl", "be", "f", "g", "jk"]),
    ],
)
def test_rows_of_a_learner_stay_together(limit: int, together: list[str]) -> None:
    found = list(csv_chunks.split(MIXED, limit))
    assert ["".join(row[1] for row in list(csv.reader(StringIO(piece)))[1:]) for piece in found] == together


@pytest.mark.parametrize("text", ["", "\n\n", "username,course\n"])
def test_csv_without_rows_has_no_pieces(text: str) -> None:
    assert list(csv_chunks.split(text, 1000)) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        # What a spreadsheet saves where nobody asks it for UTF-8
        ("username,course_key\nJosé,x\n".encode("latin-1"), "not encoded in UTF-8"),
        (b"username,course_key\n", "no rows"),
        (b"", "no rows"),
    ],
)
def test_a_csv_file_that_cannot_be_sent_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "passed.csv"
    path.write_bytes(content)
    assert commands.backfill.callback is not None
    with pytest.raises(click.ClickException, match=said) as raised:
        list(commands.backfill.callback(path, ()))
    assert str(path) in raised.value.message


@pytest.mark.parametrize("content", [b"username,course_key\nann,course-v1:A", b""])
def test_t8_rows_from_a_pipe_that_broke_are_refused(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert commands.backfill.callback is not None
    with pytest.raises(click.ClickException, match="ends within a line"):
        list(commands.backfill.callback(Path("-"), ()))


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("passed", "modified", "letter", "since", "rows"),
    [
        # Saved twice when it was passed
        (NOON, NOON + 5 * INSTANT, "Pass", None, [(NOON, True)]),
        # Graded again: it may have been failed in between
        (NOON, NOON + HOUR, "B", None, [(NOON, True), (NOON + HOUR, True)]),
        (NOON, NOON + HOUR, "", None, [(NOON, True), (NOON + HOUR, False)]),
        # The database keeps no fractions of a second
        (NOON, NOON, "", None, [(NOON, True), (NOON + INSTANT, False)]),
        # Only what happened since
        (NOON, NOON + HOUR, "B", NOON, [(NOON, True), (NOON + HOUR, True)]),
        (NOON, NOON + HOUR, "B", NOON + INSTANT, [(NOON + HOUR, True)]),
        (NOON, NOON + HOUR, "", NOON + HOUR, [(NOON + HOUR, False)]),
        # Without a zone, and in another one
        (NOON.replace(tzinfo=None), NOON.replace(tzinfo=None), "A", NOON, [(NOON, True)]),
        (NOON.astimezone(ZoneInfo("Asia/Tokyo")), NOON, "A", None, [(NOON, True)]),
    ],
)
def test_t8_a_grade_tells_when_a_course_was_passed_and_failed(
    passed: datetime, modified: datetime, letter: str, since: datetime | None, rows: list[tuple[datetime, bool]]
) -> None:
    assert list(lms_grades.changes(passed, modified, letter, since)) == rows


def test_t8_backfill_knows_the_header_of_the_export() -> None:
    assert commands.EXPORT_HEADER.decode() == ",".join(lms_grades.HEADER) + "\n"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-31", NOON - 12 * HOUR),
        ("2026-01-31T12:00", NOON),
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31T14:00:00+02:00", NOON),
        ("yesterday", None),
        ("31.01.2026", None),
    ],
)
def test_t8_a_time_is_in_utc_unless_it_has_a_zone(text: str, time: datetime | None) -> None:
    arguments = ["--since", text]
    if time is None:
        with pytest.raises(click.BadParameter, match="is not a time"):
            exporting.export_passed.make_context("badges-export-passed", arguments)
    else:
        assert exporting.export_passed.make_context("badges-export-passed", arguments).params["since"] == time


def test_the_wheel_holds_the_code_as_it_is_installed_and_nothing_else(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "badges_plugin"
    path = package.write_wheel(tmp_path, package.installed(), source)
    expected = {
        f"badges_plugin/{file.relative_to(source).as_posix()}": file.read_bytes()
        for file in source.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    with zipfile.ZipFile(path) as wheel:
        contents = {name: wheel.read(name) for name in wheel.namelist()}
    information = {name.rsplit("/", 1)[1]: contents.pop(name) for name in list(contents) if ".dist-info/" in name}
    assert contents == expected
    assert b"badges_plugin = badges_plugin.apps:BadgesPluginConfig" in information["entry_points.txt"]
    assert b"tutor" not in information["entry_points.txt"]
    assert b"tutor" not in information["METADATA"]


def test_the_same_code_makes_the_same_wheel(tmp_path: Path) -> None:
    """Docker takes a layer from its cache when the file is the same."""
    source = Path(__file__).parents[2] / "badges_plugin"
    first, second = (package.write_wheel(tmp_path / name, package.installed(), source) for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
