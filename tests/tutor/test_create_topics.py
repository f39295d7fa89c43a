"""Execute the init task that creates the topic, as it is rendered, against a real Kafka."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from tests.services.kafka import create_topics
from tests.tutor import environments
from tests.tutor.conftest import Rendered

TOPIC = "learning-badges-lifecycle"
# Two tests use one server, so each has a topic of its own.
FRESH, GUARDED = "fresh", "guarded"
MANAGE = f"""#!{sys.executable}
import sys
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
# Prints the scripts of the plugin's init tasks, as Tutor renders them.
TASKS = """
import sys
from tutor import config, env, hooks
from tutor.commands.context import Context
root = sys.argv[1]
hooks.Actions.CORE_READY.do()
hooks.Actions.PROJECT_ROOT_READY.do(root)
loaded = config.load(root)
for service, script in hooks.Filters.CLI_DO_INIT_TASKS.iterate():
    if "create_topics" in script:
        print(env.render_str(loaded, script))
"""


@pytest.mark.services
@pytest.mark.long
def test_the_topic_is_created_with_what_was_configured_and_again_changes_nothing(
    rendered: Rendered, service: Callable[[str], Mapping[str, str]], tmp_path: Path
) -> None:
    kafka = service("kafka-with-access-control")
    script = _script(rendered(environments.NEWEST, "kafka-own-mysql-own-redis").root)
    first, second = (_run(script, kafka, tmp_path, prefix=FRESH) for _ in range(2))
    topic = f"{FRESH}-{TOPIC}"
    assert f"Created {topic} with 4 partitions" in first
    assert f"{topic} has the configured retention" in second
    admin = AdminClient({"bootstrap.servers": kafka["EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS"]})
    assert len(admin.list_topics(timeout=10).topics[topic].partitions) == 4
    (described,) = admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)]).values()
    assert int(described.result(10)["retention.ms"].value) % (24 * 3600 * 1000) == 0


@pytest.mark.long
def test_kafka_that_does_not_answer_is_named_with_what_to_do(rendered: Rendered, tmp_path: Path) -> None:
    script = _script(rendered(environments.NEWEST, "kafka-own-mysql-own-redis").root)
    impatient = script.replace("WAIT_SECONDS = 120", "WAIT_SECONDS = 0").replace("timeout=10", "timeout=0.1")
    printed = _run(impatient, {"EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}, tmp_path, code=1)
    assert "Kafka at 127.0.0.1:1 did not answer" in printed
    assert "run init again" in printed


@pytest.mark.services
@pytest.mark.long
def test_a_topic_that_we_may_use_but_not_change_is_left_as_it_is(
    rendered: Rendered, service: Callable[[str], Mapping[str, str]], tmp_path: Path
) -> None:
    kafka = service("kafka-with-access-control")
    servers = kafka["EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS"]
    topic = f"{GUARDED}-{TOPIC}"
    create_topics(servers, topic, partitions=2)
    admin = AdminClient({"bootstrap.servers": servers})
    (granted,) = admin.create_acls([_may_describe(topic)]).values()
    granted.result(10)
    script = _script(rendered(environments.NEWEST, "kafka-own-mysql-own-redis").root)
    printed = _run(script, kafka, tmp_path, prefix=GUARDED)
    assert f"{topic} has 2 partitions. The Kafka user may not add partitions." in printed
    assert f"The Kafka user may not set the retention of {topic}" in printed


def _may_describe(topic: str) -> AclBinding:
    # Where a topic has a rule at all, what no rule allows is forbidden.
    return AclBinding(
        ResourceType.TOPIC,
        topic,
        ResourcePatternType.LITERAL,
        "User:ANONYMOUS",
        "*",
        AclOperation.DESCRIBE,
        AclPermissionType.ALLOW,
    )


def _script(root: Path) -> str:
    python = environments.tutor(environments.NEWEST) / "bin" / "python"
    environment = {**os.environ, "TUTOR_ROOT": str(root), "TUTOR_PLUGINS_ROOT": str(root / "plugins")}
    finished = subprocess.run(
        [python, "-c", TASKS, str(root)], env=environment, check=True, capture_output=True, text=True
    )
    return finished.stdout


def _run(script: str, kafka: Mapping[str, str], folder: Path, *, prefix: str = "dev", code: int = 0) -> str:
    manage = folder / "manage.py"
    manage.write_text(MANAGE)
    manage.chmod(0o755)
    environment = {
        **os.environ,
        **kafka,
        "EVENT_BUS_TOPIC_PREFIX": prefix,
        "DJANGO_SETTINGS_MODULE": "sandbox.settings",
        "BADGES_SANDBOX_DIR": str(folder),
        "PYTHONPATH": os.pathsep.join([str(environments.REPOSITORY / "sandbox"), str(environments.REPOSITORY)]),
    }
    finished = subprocess.run(
        ["sh", "-e", "-c", script], cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    assert finished.returncode == code, finished.stdout + finished.stderr
    assert "Traceback" not in finished.stderr
    return finished.stdout + finished.stderr
