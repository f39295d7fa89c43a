"""The doctor examines a healthy installation and many broken ones: it names what is wrong and says what to do."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import Producer
from django.core.checks import CheckMessage
from django.core.checks import Error as CheckError
from django.core.checks.registry import registry
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from badges_plugin import doctor, handlers
from badges_plugin.conf import BADGE_EVENT_TYPES, TOPIC
from badges_plugin.distribution.credly.models import CredlyOrganization
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.distribution.retry import State
from badges_plugin.doctor import Finding, Level, Reach, database_probes, kafka_probe
from badges_plugin.models import BadgeAward, BadgeRequirement, BadgeTemplate, FailedEvent
from sandbox.credly import DEMO_KEY, DEMO_ORGANIZATION_ID, CredlySimulator
from tests.core.buses import apply_settings, close_registry_client, closed_port, embedded_kafka
from tests.factories import PASSING, make_template, make_user, requires_course, send_passing

AWARDED, REVOKED = BADGE_EVENT_TYPES
PUBLISHED = {TOPIC: {"event_key_field": "badge.uuid", "enabled": True}}

pytestmark = [
    pytest.mark.bus,
    # openedx-events warns of a producer or consumer that it cannot make, which is what some of these are about.
    pytest.mark.filterwarnings("ignore:.*component will be inactive", "ignore:Cannot configure event-bus"),
]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    with embedded_kafka(tmp_path_factory.mktemp("doctor"), ["doctor", "unread"]) as next_settings:
        yield next_settings()


REDIS_PRODUCER = "edx_event_bus_redis.internal.producer"


@dataclass
class World:
    """A healthy installation, to be broken."""

    settings: Any
    credly: CredlySimulator
    template: BadgeTemplate
    monkeypatch: pytest.MonkeyPatch


@pytest.fixture
def world(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, kafka: Mapping[str, str]) -> Iterator[World]:
    with CredlySimulator() as credly:
        apply_settings(settings, kafka)
        settings.EMAIL_TIMEOUT = 10
        settings.JWT_AUTH = {**getattr(settings, "JWT_AUTH", {}), "JWT_PUBLIC_SIGNING_JWK_SET": '{"keys": []}'}
        settings.EVENT_BUS_PRODUCER_CONFIG = {AWARDED: PUBLISHED, REVOKED: PUBLISHED}
        settings.BADGES_CONFIG = {
            "credly": {"CREDLY_API_BASE_URL": credly.url, "WEBHOOK_SECRET": "s3cret"},
            "distribution": {"request_timeout": 2.0},
        }
        organization = CredlyOrganization(uuid=UUID(DEMO_ORGANIZATION_ID))
        organization.set_api_key(DEMO_KEY)
        organization.save()
        template = make_template()
        requires_course(template)
        yield World(settings, credly, template, monkeypatch)
        close_registry_client()
    handlers.connect()
    logging.getLogger(REDIS_PRODUCER).disabled = False


def examine(**options: Any) -> tuple[int, list[dict[str, str]]]:
    """Return exit code and findings."""
    output = StringIO()
    try:
        call_command("badges_doctor", json=True, stdout=output, **options)
    except SystemExit as end:
        code = int(str(end.code))
    else:
        code = 0
    return code, [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_healthy_installation_has_nothing_to_complain_about(world: World) -> None:
    code, findings = examine(strict=True)
    assert [finding for finding in findings if finding["level"] != "ok"] == []
    assert code == 0
    assert {"switch", "settings", "receivers", "consumer", "producer", "event bus", "credly", "deliveries"} <= {
        finding["probe"] for finding in findings
    }


def switched_off(world: World) -> None:
    world.settings.BADGES_ENABLED = False


def unknown_event_type(world: World) -> None:
    world.settings.BADGES_CONFIG = {**world.settings.BADGES_CONFIG, "events": [PASSING, "org.openedx.no.such.v1"]}


def receivers_not_connected(world: World) -> None:
    handlers.disconnect()


def consumer_not_set(world: World) -> None:
    world.settings.EVENT_BUS_CONSUMER = None


def consumer_of_the_library(world: World) -> None:
    world.settings.EVENT_BUS_CONSUMER = "edx_event_bus_kafka.KafkaEventConsumer"


def consumer_misspelled(world: World) -> None:
    world.settings.EVENT_BUS_CONSUMER = "badges_plugin.consumers.kafka.KafkaConsumr"


def consumer_setting_misspelled(world: World) -> None:
    world.settings.BADGES_CONFIG = {**world.settings.BADGES_CONFIG, "consumer": {"patiense": 5}}


def redis_misspelled(world: World) -> None:
    world.settings.EVENT_BUS_CONSUMER = "badges_plugin.consumers.redis.RedisConsumer"
    world.settings.EVENT_BUS_REDIS_CONNECTION_URL = "redis://:pass/word@redis:6379/0"


def awards_not_published(world: World) -> None:
    off = {TOPIC: {"event_key_field": "badge.uuid", "enabled": False}}
    world.settings.EVENT_BUS_PRODUCER_CONFIG = {AWARDED: off, REVOKED: PUBLISHED}


def no_bootstrap_servers(world: World) -> None:
    world.settings.EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS = None


def producer_silenced(world: World) -> None:
    logging.getLogger(REDIS_PRODUCER).disabled = True


def broker_down(world: World) -> None:
    world.monkeypatch.setattr(kafka_probe, "ANSWER_SECONDS", 0.2)
    world.settings.EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS = f"127.0.0.1:{closed_port()}"


def wrong_topic_prefix(world: World) -> None:
    world.settings.EVENT_BUS_TOPIC_PREFIX = "prod"


def registry_down(world: World) -> None:
    world.settings.EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL = f"http://127.0.0.1:{closed_port()}"


def registry_misspelled(world: World) -> None:
    world.settings.EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL = "registry:8081"


def redis_down(world: World) -> None:
    world.settings.EVENT_BUS_CONSUMER = "badges_plugin.consumers.redis.RedisConsumer"
    world.settings.EVENT_BUS_REDIS_CONNECTION_URL = f"redis://127.0.0.1:{closed_port()}/0"


def key_rejected(world: World) -> None:
    world.credly.world.rotate_key(DEMO_ORGANIZATION_ID)


def credly_down(world: World) -> None:
    world.credly.stop()


def keys_in_the_clear(world: World) -> None:
    world.settings.BADGES_CONFIG = {"credly": {"CREDLY_API_BASE_URL": "http://credly.invalid/v1/"}}


def no_worker(world: World) -> None:
    send_passing(make_user())
    channel = Channel.objects.create(backend="credly", account=DEMO_ORGANIZATION_ID)
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Delivery.objects.create(
        award=BadgeAward.objects.get(),
        backend="credly",
        channel=channel,
        action="issue",
        next_attempt_at=an_hour_ago,
    )


def paused_channel(world: World) -> None:
    Channel.objects.create(backend="credly", account=DEMO_ORGANIZATION_ID, paused_reason="401 Unauthorized")


def failed_delivery(world: World) -> None:
    no_worker(world)
    Delivery.objects.update(state=State.FAILED)


def delivery_in_vain(world: World) -> None:
    no_worker(world)
    now = timezone.now()
    Delivery.objects.update(attempts=200, created=now - timedelta(days=2), next_attempt_at=now + timedelta(minutes=9))


def failed_event(world: World) -> None:
    FailedEvent.objects.create(fingerprint=uuid.uuid4().hex, bus="kafka", topic="t", group="g", position="0:1")


def unpublished_award(world: World) -> None:
    send_passing(make_user())
    BadgeAward.objects.update(publish_due_at=timezone.now() - timedelta(hours=1))


def nothing_active(world: World) -> None:
    world.template.is_active = False
    world.template.save()


def template_that_nobody_can_earn(world: World) -> None:
    BadgeRequirement.objects.all().delete()
    BadgeTemplate.objects.update(is_active=True)


@pytest.mark.parametrize(
    ("break_it", "probe", "level", "says", "advises"),
    [
        (switched_off, "switch", "error", "switched off", "BADGES_ENABLED"),
        (unknown_event_type, "settings", "error", "org.openedx.no.such.v1", 'BADGES_CONFIG["events"]'),
        (receivers_not_connected, "receivers", "error", PASSING, "restart"),
        (consumer_not_set, "consumer", "error", "not set", "badges_plugin.consumers.kafka.KafkaConsumer"),
        (consumer_of_the_library, "consumer", "error", "they are lost", "badges_plugin.consumers.kafka.KafkaConsumer"),
        (consumer_misspelled, "consumer", "error", "cannot be imported", "badges_plugin.consumers.kafka.KafkaConsumer"),
        (consumer_setting_misspelled, "settings", "error", "patiense", "remove the key"),
        (awards_not_published, "settings", "warning", AWARDED, '"enabled": True'),
        (no_bootstrap_servers, "event bus", "error", "BOOTSTRAP_SERVERS is not set", "host:port"),
        (no_bootstrap_servers, "producer", "error", "cannot be created", "EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS"),
        (producer_silenced, "producer", "error", f"{REDIS_PRODUCER} is off", "LOGGING"),
        (broker_down, "event bus", "error", "No Kafka broker answers", "Start Kafka"),
        (wrong_topic_prefix, "event bus", "error", "no topic prod-", "EVENT_BUS_TOPIC_PREFIX"),
        (registry_down, "event bus", "error", "schema registry does not answer", "SCHEMA_REGISTRY_URL"),
        (registry_misspelled, "event bus", "error", "SCHEMA_REGISTRY_URL is not a URL", "Set it"),
        (redis_down, "event bus", "error", "Redis does not answer", "EVENT_BUS_REDIS_CONNECTION_URL"),
        (redis_misspelled, "event bus", "error", "not a Redis URL", "redis://"),
        (key_rejected, "credly", "error", "does not accept the key", "API key"),
        (credly_down, "credly", "error", "cannot be reached", "CREDLY_API_BASE_URL"),
        (keys_in_the_clear, "settings", "warning", "without encryption", "https://"),
        (no_worker, "deliveries", "error", "are due and not delivered", "deliver_badges"),
        (failed_delivery, "deliveries", "warning", "need attention", "admin"),
        (delivery_in_vain, "deliveries", "warning", "have failed for more than a day", "provider is down"),
        (paused_channel, "channels", "error", "401 Unauthorized", "API key"),
        (failed_event, "failed events", "warning", "1 events could not be applied", "admin"),
        (unpublished_award, "announcements", "error", "not published", "deliver_badges"),
        (nothing_active, "templates", "warning", "No badge template is active", "activate"),
        (template_that_nobody_can_earn, "templates", "error", "no requirements", "admin"),
    ],
)
def test_names_what_is_wrong_and_what_to_do(
    world: World, break_it: Callable[[World], None], probe: str, level: str, says: str, advises: str
) -> None:
    break_it(world)
    # Bus and provider are asked only where they are what is wrong: a question to Kafka takes a second.
    code, findings = examine(reach="network" if probe in ("event bus", "credly") else "database")
    found = [each for each in findings if each["probe"] == probe and each["level"] == level and says in each["what"]]
    assert len(found) == 1, findings
    assert advises in found[0]["advice"]
    assert code == (1 if any(each["level"] == "error" for each in findings) else 0)
    if level == "error":
        assert code == 1


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("level", "complains"), [("READ COMMITTED", False), ("REPEATABLE READ", True), ("SERIALIZABLE", True)]
)
def test_the_isolation_of_transactions(level: str, complains: bool) -> None:
    session = "SESSION" if connection.vendor == "mysql" else "SESSION CHARACTERISTICS AS"
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET {session} TRANSACTION ISOLATION LEVEL {level}")
        [finding] = database_probes.isolation()
    finally:
        connection.close()
    assert level.lower() in finding.what
    assert finding.level is (Level.WARNING if complains else Level.OK)


def test_the_database_can_be_examined_without_the_network(world: World) -> None:
    broker_down(world)
    world.credly.stop()
    code, findings = examine(reach="database")
    assert code == 0
    assert {"event bus", "credly"}.isdisjoint(each["probe"] for each in findings)


def test_the_topic_is_the_one_that_the_consumers_read(world: World) -> None:
    code, findings = examine(topic="campus")
    (found,) = [each["what"] for each in findings if each["level"] == "error"]
    assert code == 1
    assert found.startswith("Kafka has no topic ")
    assert found.endswith("-campus.")


def test_a_group_that_has_read_nothing(world: World) -> None:
    world.settings.EVENT_BUS_TOPIC_PREFIX = "unread"
    producer = Producer({"bootstrap.servers": world.settings.EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS})
    producer.produce(f"unread-{TOPIC}", value=b"an event")
    assert producer.flush(20) == 0

    [found] = [each for each in examine(group="somebodys")[1] if each["level"] != "ok"]
    assert (found["probe"], found["level"]) == ("event bus", "warning")
    assert found["what"] == "Group somebodys has not read any event of the topic."
    assert f"consume_events -t {TOPIC} -g somebodys" in found["advice"]


@contextmanager
def registered(*tags: str) -> Iterator[None]:
    def check_medals(app_configs: object, **kwargs: object) -> list[CheckMessage]:
        return [CheckError("There is no API key of Medals.", hint="Set it.", id="medals.E001")]

    registry.register(check_medals, *tags)
    try:
        yield
    finally:
        registry.registered_checks.discard(check_medals)


@pytest.mark.parametrize(("tags", "found"), [(("badges",), True), (("badges", "database"), True), ((), False)])
def test_checks_of_any_app_with_the_tag_are_run(world: World, tags: tuple[str, ...], found: bool) -> None:
    with registered(*tags):
        _, findings = examine(reach="settings")
    texts = [each["what"] for each in findings if each["probe"] == "settings"]
    assert ("There is no API key of Medals. (medals.E001)" in texts) is found


def test_warnings_count_only_where_asked_for(world: World) -> None:
    nothing_active(world)
    assert [examine(reach="database", strict=strict)[0] for strict in (False, True)] == [0, 1]


def test_a_probe_that_fails_is_a_finding_without_what_it_quotes(world: World) -> None:
    def probe() -> Iterator[Finding]:
        yield Finding.ok("so far")
        raise ValueError("ann@example.org")

    doctor.register("broken", probe, reach=Reach.SETTINGS)
    try:
        found = [finding for name, finding in doctor.examine(reach=Reach.SETTINGS) if name == "broken"]
    finally:
        doctor.registry._probes.pop("broken")
    assert [finding.level for finding in found] == [Level.OK, Level.ERROR]
    assert "ValueError" in found[1].what
    assert "ann@" not in found[1].what


def test_text_for_people(world: World) -> None:
    failed_event(world)
    output = StringIO()
    call_command("badges_doctor", reach="database", stdout=output, no_color=True)
    assert "WARNING  failed events: 1 events could not be applied.\n         -> Look at" in output.getvalue()
