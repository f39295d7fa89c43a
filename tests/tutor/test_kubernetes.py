"""The resources in the cluster, and how they are removed again."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tutor import environments
from tests.tutor.combinations import ALL
from tests.tutor.conftest import Rendered
from tests.tutor.machines import Machines
from tests.tutor.rendering import LOCAL
from tutor_badges import kubernetes
from tutor_badges.config import OWN_KAFKA, defaults

NEWEST = environments.NEWEST
LABEL, VALUE = kubernetes.LABEL.split("=")
CONSUMER_AND_WORKER = "credentials-badges-consumer,credentials-badges-worker"
ALWAYS = f"{CONSUMER_AND_WORKER},credentials-badges-hourly,credentials-badges-daily"
KAFKA = "badges-kafka,badges-schema-registry"
HEARTBEAT = "/tmp/badges-heartbeat"  # noqa: S108  (in the containers)


def plural(kind: str) -> str:
    return kind.lower().removesuffix("y") + "ies" if kind.endswith("y") else kind.lower() + "s"


def ours(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in manifests if "badges" in each["metadata"]["name"]]


@pytest.mark.parametrize(
    "name", ["kafka-own-mysql-own-redis", "external-kafka-own-mysql-own-redis", "options-kafka", "options-redis"]
)
def test_t1_all_that_is_ours_in_the_cluster_can_be_found_by_its_labels(rendered: Rendered, name: str) -> None:
    """A resource without them, or of a kind that is not deleted, would run forever."""
    manifests = ours(rendered(NEWEST, name).manifests())
    for each in manifests:
        assert each["metadata"]["labels"][LABEL] == VALUE
        assert plural(each["kind"]) in {*kubernetes.KINDS, kubernetes.VOLUMES}
    found = {each["metadata"]["labels"][kubernetes.NAME_LABEL] for each in manifests}
    assert found == set(kubernetes.names({**dict(defaults("1.2.3")), **ALL[name]}))


@pytest.mark.parametrize(
    ("name", "options", "kinds", "spared"),
    [
        ("kafka-own-mysql-own-redis", [], kubernetes.KINDS, ""),
        ("kafka-own-mysql-own-redis", ["--volumes"], (*kubernetes.KINDS, kubernetes.VOLUMES), ""),
        # After a change of the bus, or from a broker of our own to one elsewhere
        ("redis-own-mysql-own-redis", ["--unused"], kubernetes.KINDS, ALWAYS),
        ("external-kafka-own-mysql-own-redis", ["--unused"], kubernetes.KINDS, ALWAYS),
        # Nothing is unused that is configured
        ("options-kafka", ["--unused"], kubernetes.KINDS, f"{ALWAYS},lms-badges-consumer,{KAFKA}"),
    ],
)
def test_t1_removal_deletes_by_label_and_spares_what_is_configured(
    machine: Machines, name: str, options: list[str], kinds: tuple[str, ...], spared: str
) -> None:
    tutor = machine(NEWEST, name)
    tutor.tutor("k8s", "do", "badges-cleanup", *options)
    (delete,) = [call for call in tutor.kubectl() if call[0] == "delete"]
    assert delete[1] == ",".join(kinds)
    assert delete[2:4] == ["--namespace", "openedx"]
    (selector,) = [word.removeprefix("--selector=") for word in delete if word.startswith("--selector=")]
    expected = [LABEL + "=" + VALUE, *([f"{kubernetes.NAME_LABEL} notin ({spared})"] if spared else [])]
    assert selector.split(",", 1)[0].startswith("app.kubernetes.io/instance=openedx-")
    assert selector.split(",", 1)[1] == ",".join(expected)


@pytest.mark.parametrize("mode", ["local", "dev"])
def test_t1_elsewhere_there_is_nothing_to_remove_by_hand(machine: Machines, mode: str) -> None:
    tutor = machine(NEWEST, "redis-own-mysql-own-redis")
    assert "no longer configured" in tutor.tutor(mode, "do", "badges-cleanup")
    assert tutor.kubectl() == []


def test_t1_disabling_says_what_goes_on_running(machine: Machines) -> None:
    """The command that removes is gone by then."""
    tutor = machine(NEWEST, "kafka-own-mysql-own-redis")
    tutor.tutor("config", "save", "--set", "K8S_NAMESPACE=campus")
    printed = tutor.tutor("plugins", "disable", "badges")
    assert f"kubectl delete {','.join(kubernetes.KINDS)} --namespace campus --selector {kubernetes.LABEL}" in printed


def test_t1_the_guide_names_the_same_label_and_kinds() -> None:
    guide = (environments.REPOSITORY / "docs" / "operations" / "tutor" / "running.rst").read_text()
    assert f"kubectl delete {','.join(kubernetes.KINDS)} --namespace openedx --selector {kubernetes.LABEL}" in guide


def by_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


def test_t11_only_this_deployment_reaches_broker_and_registry(rendered: Rendered, release: int) -> None:
    """Neither asks for a login: anybody who reaches them could hand out badges."""
    manifests = rendered(release, "kafka-own-mysql-own-redis").manifests()
    deployments, services = by_kind(manifests, "Deployment"), by_kind(manifests, "Service")
    policies = by_kind(manifests, "NetworkPolicy")
    assert set(policies) == set(KAFKA.split(","))
    for name, policy in policies.items():
        spec = policy["spec"]
        pod_labels = deployments[name]["spec"]["template"]["metadata"]["labels"].items()
        assert spec["podSelector"]["matchLabels"].items() <= pod_labels
        (rule,) = spec["ingress"]
        assert [port["port"] for port in rule["ports"]] == [port["port"] for port in services[name]["spec"]["ports"]]
        (allowed,) = rule["from"]
        # Without a namespaceSelector: pods of the policy's own namespace. All of ours are let in, jobs included.
        assert set(allowed) == {"podSelector"}
        jobs = by_kind(manifests, "Job")
        for each in [*deployments.values(), *jobs.values()]:
            assert (
                allowed["podSelector"]["matchLabels"].items() <= each["spec"]["template"]["metadata"]["labels"].items()
            )


def test_t11_further_namespaces_are_let_in_by_name(rendered: Rendered) -> None:
    for policy in by_kind(rendered(NEWEST, "options-kafka").manifests(), "NetworkPolicy").values():
        (rule,) = policy["spec"]["ingress"]
        assert rule["from"][1:] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}}]


def test_t11_without_a_broker_of_ours_there_is_nothing_to_guard(rendered: Rendered) -> None:
    for name in ("external-kafka-own-mysql-own-redis", "options-redis"):
        assert by_kind(rendered(NEWEST, name).manifests(), "NetworkPolicy") == {}


def test_t4_the_broker_calls_itself_by_a_name_that_resolves_in_every_namespace(rendered: Rendered) -> None:
    specs = by_kind(rendered(NEWEST, "kafka-own-mysql-own-redis").manifests(), "Deployment")
    (container,) = specs["badges-kafka"]["spec"]["template"]["spec"]["containers"]
    environment = {each["name"]: each["value"] for each in container["env"]}
    assert environment["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://badges-kafka.openedx.svc:9092"


def test_t4_start_leaves_the_number_of_consumers_to_an_autoscaler(rendered: Rendered) -> None:
    """A number in the manifest is set again at each start, however many the lag calls for."""
    specs = by_kind(rendered(NEWEST, "released").manifests(), "Deployment")
    assert "replicas" not in specs["credentials-badges-consumer"]["spec"]
    assert specs["credentials-badges-worker"]["spec"]["replicas"] == 1


def scaled_object() -> dict[str, Any]:
    """Return the recipe of the guide."""
    guide = (environments.REPOSITORY / "docs" / "operations" / "tutor" / "running.rst").read_text()
    lines = guide[guide.index("    apiVersion: keda.sh") :].splitlines()
    block = lines[: next(n for n, line in enumerate(lines) if line[:4].strip())]
    recipe: dict[str, Any] = yaml.safe_load("\n".join(block))
    return recipe


def test_t4_the_recipe_for_keda_names_what_is_deployed(rendered: Rendered) -> None:
    recipe, config = scaled_object(), dict(defaults("1.2.3"))
    manifests = rendered(NEWEST, "released").manifests()
    (namespace,) = by_kind(manifests, "Namespace")
    assert recipe["metadata"]["namespace"] == namespace
    assert recipe["spec"]["scaleTargetRef"]["name"] in by_kind(manifests, "Deployment")
    assert recipe["spec"]["maxReplicaCount"] <= config["BADGES_KAFKA_PARTITIONS"]
    (trigger,) = recipe["spec"]["triggers"]
    metadata = trigger["metadata"]
    # KEDA's schema: every value is a string
    assert all(isinstance(value, str) for value in metadata.values())
    host, port = OWN_KAFKA.split(":")
    assert metadata["bootstrapServers"] == f"{host}.{namespace}.svc:{port}"
    assert metadata["topic"] == f"{config['BADGES_EVENT_BUS_TOPIC_PREFIX']}-{config['BADGES_EVENT_BUS_TOPIC']}"
    assert metadata["consumerGroup"] == config["BADGES_CONSUMER_GROUP"]
    # Kafka 4 takes clients of 2.1 and newer; KEDA without a version is one of 1.0.
    assert (2, 1) <= tuple(int(part) for part in metadata["version"].split(".")) < (4,)
    # Where our consumers begin when the group has read nothing yet
    assert metadata["offsetResetPolicy"] == "earliest"


def test_t2_a_schema_registry_that_is_away_is_not_the_only_one(rendered: Rendered) -> None:
    """While none answers, LMS loses each event that it sends."""
    specs = by_kind(rendered(NEWEST, "kafka-own-mysql-own-redis").manifests(), "Deployment")
    assert specs["badges-schema-registry"]["spec"]["replicas"] == 2


def test_t2_the_guide_does_not_promise_more_than_the_clients_keep() -> None:
    guide = " ".join((environments.REPOSITORY / "docs" / "operations" / "tutor" / "event-bus.rst").read_text().split())
    assert "Kafka's client keeps it and sends it later" not in guide
    assert "A registry that refuses or is not found costs the event" in guide
    assert "lms-worker" in guide


def test_t5_the_guide_makes_a_superuser_before_the_first_visit() -> None:
    guide = (environments.REPOSITORY / "docs" / "operations" / "tutor" / "first-badge.rst").read_text()
    assert guide.index("do createuser --staff --superuser") < guide.index("do init --limit=credentials")
    assert guide.index("do init --limit=credentials") < guide.index("credentials.<your LMS>/admin")


def test_t15_a_node_can_be_drained_and_takes_one_of_each_at_most(rendered: Rendered) -> None:
    manifests = rendered(NEWEST, "options-kafka").manifests()
    deployments = by_kind(manifests, "Deployment")
    budgets = by_kind(manifests, "PodDisruptionBudget")
    assert set(budgets) == {"credentials-badges-consumer", "credentials-badges-worker", "badges-schema-registry"}
    for name, budget in budgets.items():
        template = deployments[name]["spec"]["template"]
        assert budget["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
        # A minimum of one would keep a single replica on its node for ever.
        assert budget["spec"]["maxUnavailable"] == 1
        assert template["spec"]["topologySpreadConstraints"]


def test_t15_a_container_that_hangs_is_started_again_by_docker_too(rendered: Rendered, tmp_path: Path) -> None:
    """Docker only marks it as unhealthy; the check has to end it."""
    services = rendered(NEWEST, "kafka-own-mysql-own-redis").compose(LOCAL)
    for name in CONSUMER_AND_WORKER.split(","):
        script = services[name]["healthcheck"]["test"][-1]
        assert services[name]["init"] is True
        # With what it would do written down instead: a shell function stands before the command of the same name.
        heartbeat = tmp_path / name
        recorded = 'kill() { echo "kill $*"; }\n' + script.replace(HEARTBEAT, str(heartbeat))
        assert shell(recorded) == ""
        heartbeat.touch()
        assert shell(recorded) == ""
        os.utime(heartbeat, (0, 0))
        assert shell(recorded) == "kill -9 -1\n"
        # It is the file of the process before, when the container starts again.
        assert f"rm -f {HEARTBEAT}" in services[name]["command"][-1]


def shell(script: str) -> str:
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout


def test_t15_disabling_names_the_keys_that_stay(machine: Machines) -> None:
    tutor = machine(NEWEST, "external-kafka-own-mysql-own-redis")
    printed = tutor.tutor("plugins", "disable", "badges")
    assert "--unset BADGES_KAFKA_API_SECRET" in printed
    assert "p@ss/word" not in printed
