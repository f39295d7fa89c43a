"""What is in the cluster, and how it gets out of it again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tutor import environments
from tests.tutor.combinations import ALL
from tests.tutor.conftest import Rendered
from tests.tutor.machines import Machines
from tutor_badges import kubernetes
from tutor_badges.config import defaults

NEWEST = max(environments.RELEASES)
LABEL, VALUE = kubernetes.LABEL.split("=")
CONSUMER_AND_WORKER = "credentials-badges-consumer,credentials-badges-worker"
KAFKA = "badges-kafka,badges-schema-registry"


def plural(kind: str) -> str:
    return kind.lower().removesuffix("y") + "ies" if kind.endswith("y") else kind.lower() + "s"


def ours(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in manifests if "badges" in each["metadata"]["name"]]


def test_t1_all_that_is_ours_in_the_cluster_can_be_found_by_its_labels(rendered: Rendered, release: int) -> None:
    """Whoever adds a resource without them, or of a kind that is not deleted, leaves it running for ever."""
    for name, configuration in ALL.items():
        manifests = ours(rendered(release, name).manifests())
        for each in manifests:
            assert each["metadata"]["labels"][LABEL] == VALUE
            assert plural(each["kind"]) in {*kubernetes.KINDS, kubernetes.VOLUMES}
        config = {**dict(defaults("1.2.3")), **configuration}
        assert {each["metadata"]["labels"][kubernetes.NAME_LABEL] for each in manifests} == set(
            kubernetes.names(config)
        )


@pytest.mark.parametrize(
    ("name", "options", "kinds", "spared"),
    [
        ("kafka-own-mysql-own-redis", [], kubernetes.KINDS, ""),
        ("kafka-own-mysql-own-redis", ["--volumes"], (*kubernetes.KINDS, kubernetes.VOLUMES), ""),
        # After a change of the bus, or from a broker of our own to one elsewhere
        ("redis-own-mysql-own-redis", ["--unused"], kubernetes.KINDS, CONSUMER_AND_WORKER),
        ("external-kafka-own-mysql-own-redis", ["--unused"], kubernetes.KINDS, CONSUMER_AND_WORKER),
        # Nothing is unused that is configured
        ("options-kafka", ["--unused"], kubernetes.KINDS, f"{CONSUMER_AND_WORKER},lms-badges-consumer,{KAFKA}"),
    ],
)
def test_t1_removal_deletes_by_label_and_spares_what_is_configured(
    machine: Machines, name: str, options: list[str], kinds: tuple[str, ...], spared: str
) -> None:
    tutor = machine(NEWEST, name)
    tutor.tutor("k8s", "do", "badges-remove", *options)
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
    assert "no longer configured" in tutor.tutor(mode, "do", "badges-remove")
    assert tutor.kubectl() == []


def test_t1_disabling_says_what_goes_on_running(machine: Machines, release: int) -> None:
    """The command that removes is gone by then."""
    tutor = machine(release, "kafka-own-mysql-own-redis")
    tutor.tutor("config", "save", "--set", "K8S_NAMESPACE=campus")
    printed = tutor.tutor("plugins", "disable", "badges")
    assert f"kubectl delete {','.join(kubernetes.KINDS)} --namespace campus --selector {kubernetes.LABEL}" in printed


def test_t1_the_guide_names_the_same_label_and_kinds() -> None:
    guide = (environments.REPOSITORY / "docs" / "operators" / "running.rst").read_text()
    assert f"kubectl delete {','.join(kubernetes.KINDS)} --namespace openedx --selector {kubernetes.LABEL}" in guide
