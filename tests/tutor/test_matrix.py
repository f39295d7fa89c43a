"""Every combination of Tutor release, bus and services, as Compose, kustomize and Kubernetes' schemas see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tutor.combinations import ALL, HEAP_OPTS
from tests.tutor.conftest import Rendered
from tests.tutor.rendering import DEV, LOCAL, Rendering, run

OWN_KAFKA = {"badges-kafka", "badges-schema-registry"}
CONTAINERS = {"credentials-badges-consumer", "credentials-badges-worker"}
HOUR = 3600


def expected_services(name: str) -> set[str]:
    own_kafka = (
        OWN_KAFKA if ALL[name].get("BADGES_EVENT_BUS", "kafka") == "kafka" and "external-kafka" not in name else set()
    )
    lms_consumer = {"lms-badges-consumer"} if name.startswith("options") else set()
    return CONTAINERS | own_kafka | lms_consumer


SCHEDULE = "credentials-badges-schedule"


def ours(services: dict[str, Any]) -> set[str]:
    return {name for name in services if "badges" in name}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("files", "settings"),
    [(LOCAL, "credentials.settings.tutor.production"), (DEV, "credentials.settings.tutor.development")],
    ids=["local", "dev"],
)
def test_compose(rendered: Rendered, release: int, name: str, files: tuple[str, ...], settings: str) -> None:
    services = rendered(release, name).compose(files)
    # In Kubernetes, CronJobs do what this container does here.
    assert ours(services) == expected_services(name) | {SCHEDULE}
    assert services[SCHEDULE]["environment"]["DJANGO_SETTINGS_MODULE"] == settings
    for container in CONTAINERS:
        service = services[container]
        # The image, the settings and the folders of Credentials itself
        assert service["image"] == services["credentials"]["image"]
        assert service["environment"]["DJANGO_SETTINGS_MODULE"] == settings
        mounted = {volume["target"] for volume in service["volumes"]}
        assert "/openedx/credentials/credentials/settings/tutor" in mounted
        assert service["restart"] == "unless-stopped"
        assert service["stop_grace_period"] == "1m0s"
        assert service["healthcheck"]["test"]
        # Compose has checked that these exist; what is external must not be waited for.
        depends_on = set(service.get("depends_on", {}))
        assert ("mysql" in depends_on) == ("external-mysql" not in name)
        assert ("redis" in depends_on) == (name.startswith("redis") and "external-redis" not in name)
        assert (depends_on >= OWN_KAFKA) == (expected_services(name) >= OWN_KAFKA)


@pytest.mark.long
def test_kubernetes_takes_every_manifest(rendered: Rendered, release: int, tmp_path: Path) -> None:
    """Most resources are the same in all combinations: each different one is validated once."""
    resources: dict[str, dict[str, Any]] = {}
    for name in ALL:
        manifests = rendered(release, name).manifests()
        deployments = {each["metadata"]["name"]: each for each in manifests if each["kind"] == "Deployment"}
        assert ours(deployments) == expected_services(name)
        resources.update({json.dumps(each, sort_keys=True): each for each in manifests})
    path = tmp_path / "resources.yml"
    path.write_text(yaml.dump_all(resources.values(), Dumper=yaml.CSafeDumper))
    run("kubernetes-validate", "--strict", "--quiet", path)


def deployments(rendering: Rendering) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each["spec"] for each in rendering.manifests() if each["kind"] == "Deployment"}


@pytest.mark.parametrize(
    ("name", "consumers", "workers", "strategy"),
    [
        ("kafka-own-mysql-own-redis", 1, 1, "RollingUpdate"),
        ("options-kafka", 3, 2, "RollingUpdate"),
        # With Redis a consumer has a name of its own: never two at once, not even during an update
        ("options-redis", 1, 2, "Recreate"),
    ],
)
def test_deployments(rendered: Rendered, release: int, name: str, consumers: int, workers: int, strategy: str) -> None:
    specs = deployments(rendered(release, name))
    consumer, worker = specs["credentials-badges-consumer"], specs["credentials-badges-worker"]
    assert (consumer["replicas"], worker["replicas"]) == (consumers, workers)
    assert consumer["strategy"]["type"] == strategy
    for spec in (consumer, worker):
        pod = spec["template"]["spec"]
        (container,) = pod["containers"]
        (credentials,) = specs["credentials"]["template"]["spec"]["containers"]
        assert container["image"] == credentials["image"]
        assert container["volumeMounts"] == credentials["volumeMounts"]
        assert container["livenessProbe"]
        assert container["resources"]["requests"]["memory"]
        # A Service badges-kafka would otherwise put BADGES_KAFKA_PORT and the like into the environment
        assert pod["enableServiceLinks"] is False


def test_the_scripts_of_the_containers_are_the_same_everywhere(rendered: Rendered, release: int) -> None:
    rendering = rendered(release, "options-kafka")
    specs, local, dev = deployments(rendering), rendering.compose(LOCAL), rendering.compose(DEV)
    for name in (*CONTAINERS, "lms-badges-consumer"):
        (container,) = specs[name]["template"]["spec"]["containers"]
        assert container["command"] == local[name]["command"] == dev[name]["command"]


def test_broker_and_registry_are_set_up_alike_everywhere(rendered: Rendered, release: int) -> None:
    rendering = rendered(release, "options-kafka")
    specs, local = deployments(rendering), rendering.compose(LOCAL)
    environments = {}
    for name in OWN_KAFKA:
        (container,) = specs[name]["template"]["spec"]["containers"]
        environments[name] = {each["name"]: each["value"] for each in container["env"]}
        # Compose prints a dollar sign as it would have to be written
        local_environment = {key: value.replace("$$", "$") for key, value in local[name]["environment"].items()}
        # In a cluster, also those in other namespaces have to find the broker by what it calls itself.
        advertised = local_environment.pop("KAFKA_ADVERTISED_LISTENERS", "").replace(
            "badges-kafka", "badges-kafka.openedx.svc"
        )
        assert advertised == environments[name].pop("KAFKA_ADVERTISED_LISTENERS", "")
        assert local_environment == environments[name]
    assert environments["badges-kafka"]["KAFKA_HEAP_OPTS"] == HEAP_OPTS
    # Schemas stay forever, or the messages that refer to them could not be read.
    assert environments["badges-schema-registry"]["APICURIO_KAFKASQL_TOPIC_RETENTION_MS"] == "-1"


def test_what_reads_its_logs_before_it_answers_is_left_the_time(rendered: Rendered, release: int) -> None:
    """After a crash that may be long; killed in the middle, a broker would never come up."""
    specs = deployments(rendered(release, "options-kafka"))
    for name in OWN_KAFKA:
        (container,) = specs[name]["template"]["spec"]["containers"]
        probe = container["startupProbe"]
        assert probe["periodSeconds"] * probe["failureThreshold"] >= HOUR


@pytest.mark.parametrize("files", [LOCAL, DEV], ids=["local", "dev"])
def test_lms_starts_although_the_broker_is_ill(rendered: Rendered, release: int, files: tuple[str, ...]) -> None:
    """Compose starts nothing that depends, however indirectly, on a service that does not become healthy."""
    services = rendered(release, "kafka-own-mysql-own-redis").compose(files)
    assert set(services["lms"]["depends_on"]) >= OWN_KAFKA
    for name in ("lms", "cms", *CONTAINERS, *OWN_KAFKA):
        conditions = {each["condition"] for each in services[name].get("depends_on", {}).values()}
        assert "service_healthy" not in conditions
