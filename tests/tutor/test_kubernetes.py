"""The resources in the cluster, and how they are removed again."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.tutor import environments
from tests.tutor.combinations import ALL
from tests.tutor.conftest import Rendered
from tests.tutor.guide import GUIDE, recipe
from tests.tutor.machines import Machines
from tests.tutor.rendering import Rendering
from tutor_badges import checks, kubernetes
from tutor_badges.config import defaults

NEWEST = environments.NEWEST
LABEL, VALUE = kubernetes.LABEL.split("=")
CONSUMER_AND_WORKER = "credentials-badges-consumer,credentials-badges-worker"
ALWAYS = f"{CONSUMER_AND_WORKER},credentials-badges-hourly,credentials-badges-daily"
KAFKA = "badges-kafka,badges-schema-registry"


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
    assert found == set(kubernetes.names(configuration(name)))


@pytest.mark.parametrize(
    ("name", "options", "kinds", "spared"),
    [
        ("kafka-own-mysql-own-redis", ["--volumes"], (*kubernetes.KINDS, kubernetes.VOLUMES), ""),
        # After a change of the bus
        ("redis-own-mysql-own-redis", ["--unused"], kubernetes.KINDS, ALWAYS),
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


def configuration(name: str) -> dict[str, Any]:
    return {**dict(defaults("1.2.3")), **ALL[name]}


def identities(manifests: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return kinds and names, but not those of ConfigMaps: they are Tutor's, and named after what they hold."""
    return {(each["kind"], each["metadata"]["name"]) for each in manifests if each["kind"] != "ConfigMap"}


def deleted(cluster: list[dict[str, Any]], config: dict[str, Any], **options: bool) -> set[tuple[str, str]]:
    """Return what of a cluster badges-cleanup deletes, by the rules for label selectors."""
    kinds, selectors = kubernetes.deletion(config, **options)

    def matches(labels: dict[str, str]) -> bool:
        for selector in selectors:
            name, operator, values = re.fullmatch(r"(\S+?)(=| notin )\(?([^)]*)\)?", selector).groups()  # type: ignore[union-attr]
            if (labels.get(name) in values.split(",")) != (operator == "="):
                return False
        return True

    return identities(
        [each for each in cluster if plural(each["kind"]) in kinds and matches(each["metadata"].get("labels", {}))]
    )


VOLUME = ("PersistentVolumeClaim", "badges-kafka")
OWN, EXTERNAL, REDIS = (f"{bus}-own-mysql-own-redis" for bus in ("kafka", "external-kafka", "redis"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # A change of the bus, and back
        (OWN, REDIS),
        (REDIS, OWN),
        # To a broker elsewhere
        (OWN, EXTERNAL),
        # Without the consumer in the LMS
        ("options-kafka", OWN),
        # Nothing has changed
        (OWN, OWN),
    ],
)
def test_t1_after_a_change_what_is_no_longer_rendered_goes_and_nothing_else(
    rendered: Rendered, before: str, after: str
) -> None:
    """``start`` applies what is rendered and leaves the rest of the cluster as it is."""
    old, new = (rendered(NEWEST, name).manifests() for name in (before, after))
    left = identities(old) - identities(new)
    cluster = [*old, *new]
    assert deleted(cluster, configuration(after), unused=True, volumes=False) == left - {VOLUME}
    assert deleted(cluster, configuration(after), unused=True, volumes=True) == left


def test_t1_removal_leaves_what_is_not_ours(rendered: Rendered, rendered_without_badges: Rendered) -> None:
    cluster = rendered(NEWEST, "options-kafka").manifests()
    added = identities(cluster) - identities(rendered_without_badges(NEWEST).manifests())
    config = configuration("options-kafka")
    assert deleted(cluster, config, unused=False, volumes=False) == added - {VOLUME}
    assert deleted(cluster, config, unused=False, volumes=True) == added


def test_t1_elsewhere_start_removes_what_is_no_longer_configured(machine: Machines) -> None:
    tutor = machine(NEWEST, "redis-own-mysql-own-redis")
    assert "no longer configured" in tutor.tutor("local", "do", "badges-cleanup")
    assert tutor.kubectl() == []
    tutor.tutor("plugins", "disable", "badges")
    tutor.tutor("local", "start", "--detach")
    assert "badges" not in (tutor.root / "env/local/docker-compose.yml").read_text()
    (start,) = [call for call in tutor.docker() if "up" in call]
    assert "--remove-orphans" in start


def test_t1_t15_disabling_says_what_goes_on_running_and_which_keys_stay(machine: Machines) -> None:
    """The command that removes is gone by then."""
    tutor = machine(NEWEST, EXTERNAL)
    with (tutor.root / "config.yml").open("a") as file:
        file.write("K8S_NAMESPACE: campus\n")
    printed = tutor.tutor("plugins", "disable", "badges")
    assert f"kubectl delete {','.join(kubernetes.KINDS)} --namespace campus --selector {kubernetes.LABEL}" in printed
    assert "--unset BADGES_KAFKA_API_SECRET" in printed
    assert "p@ss/word" not in printed


def test_t1_the_guide_names_the_same_label_and_kinds() -> None:
    guide = (GUIDE / "running.rst").read_text()
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


def test_t2_a_schema_registry_that_is_away_is_not_the_only_one(rendered: Rendered) -> None:
    """While none answers, LMS loses each event that it sends."""
    specs = by_kind(rendered(NEWEST, "kafka-own-mysql-own-redis").manifests(), "Deployment")
    assert specs["badges-schema-registry"]["spec"]["replicas"] == 2


def test_t2_the_guide_does_not_promise_more_than_the_clients_keep() -> None:
    guide = " ".join((GUIDE / "event-bus.rst").read_text().split())
    assert "Kafka's client keeps it and sends it later" not in guide
    assert "The registry refuses, or its name is unknown" in guide
    assert "lms-worker" in guide


def test_t6_the_notice_of_a_change_names_a_section_of_the_guide() -> None:
    (section,) = re.findall("`(.+?)`", checks.CHANGE_OF_BUS)
    guide = (GUIDE / "event-bus.rst").read_text()
    steps = guide[guide.index(f"\n{section}\n---") :]
    # Drained first, then changed, and then what is left in the cluster removed
    order = [steps.index(words) for words in ("LAG", "BADGES_EVENT_BUS=redis", "badges-cleanup --unused")]
    assert order == sorted(order)


def test_t5_the_guide_makes_a_superuser_before_the_first_visit() -> None:
    guide = (GUIDE / "first-badge.rst").read_text()
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


@pytest.mark.parametrize("name", ["options-kafka", "released"])
def test_t15_what_a_container_asks_for_can_be_changed_one_by_one(rendered: Rendered, name: str) -> None:
    found = {}
    for each in ours(rendered(NEWEST, name).manifests()):
        template = each["spec"].get("jobTemplate", each)["spec"].get("template") if "spec" in each else None
        if template:
            (container,) = template["spec"]["containers"]
            found[container["name"]] = container["resources"]
    expected = {key: kubernetes.RESOURCES[key] for key in found}
    if name == "options-kafka":
        assert set(found) == set(kubernetes.RESOURCES)
        expected["badges-kafka"] = {"requests": {"memory": "768Mi", "cpu": "500m"}, "limits": {"memory": "2Gi"}}
    assert found == expected
    # All but the broker, whose heap is bounded otherwise, have a limit.
    assert [key for key, value in kubernetes.RESOURCES.items() if "limits" not in value] == ["badges-kafka"]


@pytest.mark.long
def test_t15_the_recipe_for_an_override_changes_a_deployment_of_ours(machine: Machines) -> None:
    tutor = machine(NEWEST, OWN)
    (tutor.root / "plugins").mkdir()
    (tutor.root / "plugins" / "campus.yml").write_text(recipe("name: campus"))
    tutor.tutor("plugins", "enable", "campus")
    deployments = by_kind(Rendering(NEWEST, tutor.root).manifests(), "Deployment")
    assert [name for name, each in deployments.items() if "nodeSelector" in each["spec"]["template"]["spec"]] == [
        "credentials-badges-worker"
    ]
