"""The guide's two recipes for autoscaling, by their schemas and by what is deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tutor.conftest import Rendered
from tests.tutor.environments import NEWEST
from tests.tutor.guide import recipe
from tests.tutor.rendering import run
from tutor_badges.config import OWN_KAFKA, defaults

SCHEMA = Path(__file__).with_name("scaled_object.schema.json")
CONFIG = dict(defaults("1.2.3"))
# With BADGES_AUTOSCALE_CONSUMERS
AUTOSCALED = "released"


KEDA, HPA = (yaml.safe_load(recipe(f"apiVersion: {api}")) for api in ("keda.sh/v1alpha1", "autoscaling/v2"))


def refused_by_keda(resource: dict[str, Any], folder: Path) -> bool:
    path = folder / "scaled-object.json"
    path.write_text(json.dumps(resource))
    try:
        run("jsonschema", "--instance", path, SCHEMA)
    except AssertionError:
        return True
    return False


def test_t4_the_schema_of_keda_takes_the_recipe(tmp_path: Path) -> None:
    assert not refused_by_keda(KEDA, tmp_path)


def test_t4_t11_t15_kubernetes_takes_the_recipe_and_all_that_is_ours(rendered: Rendered, tmp_path: Path) -> None:
    """The long test of all combinations says the same of every other manifest."""
    manifests = [each for each in rendered(NEWEST, "options-kafka").manifests() if "badges" in each["metadata"]["name"]]
    kinds = {each["kind"] for each in manifests}
    assert {"CronJob", "Deployment", "NetworkPolicy", "PersistentVolumeClaim", "PodDisruptionBudget"} <= kinds
    path = tmp_path / "resources.yml"
    path.write_text(yaml.dump_all([HPA, *manifests], Dumper=yaml.CSafeDumper))
    run("kubernetes-validate", "--strict", "--quiet", path)


def test_t4_the_schema_of_keda_refuses_what_keda_would(tmp_path: Path) -> None:
    """A number or a boolean without quotes is the usual mistake."""
    wrong = json.loads(json.dumps(KEDA))
    wrong["spec"]["triggers"][0]["metadata"]["lagThreshold"] = 500
    assert refused_by_keda(wrong, tmp_path)


@pytest.mark.parametrize(
    ("target", "most"),
    [
        (KEDA["spec"]["scaleTargetRef"], KEDA["spec"]["maxReplicaCount"]),
        (HPA["spec"]["scaleTargetRef"], HPA["spec"]["maxReplicas"]),
    ],
    ids=["keda", "hpa"],
)
def test_t4_a_recipe_scales_what_start_leaves_alone(rendered: Rendered, target: dict[str, str], most: int) -> None:
    """A number in the manifest is set again at each start, however many the lag calls for."""
    manifests = rendered(NEWEST, AUTOSCALED).manifests()
    deployments = {each["metadata"]["name"]: each["spec"] for each in manifests if each["kind"] == "Deployment"}
    assert "replicas" not in deployments[target["name"]]
    assert deployments["credentials-badges-worker"]["replicas"] == 1
    # More consumers than partitions would be idle.
    assert most <= CONFIG["BADGES_KAFKA_PARTITIONS"]


def test_t4_the_recipe_for_keda_reads_what_our_consumers_read(rendered: Rendered) -> None:
    manifests = rendered(NEWEST, AUTOSCALED).manifests()
    (namespace,) = [each["metadata"]["name"] for each in manifests if each["kind"] == "Namespace"]
    assert KEDA["metadata"]["namespace"] == HPA["metadata"]["namespace"] == namespace
    (trigger,) = KEDA["spec"]["triggers"]
    metadata = trigger["metadata"]
    host, port = OWN_KAFKA.split(":")
    assert metadata["bootstrapServers"] == f"{host}.{namespace}.svc:{port}"
    assert metadata["topic"] == f"{CONFIG['BADGES_EVENT_BUS_TOPIC_PREFIX']}-{CONFIG['BADGES_EVENT_BUS_TOPIC']}"
    assert metadata["consumerGroup"] == CONFIG["BADGES_CONSUMER_GROUP"]
    # Kafka 4 takes clients of 2.1 and newer; KEDA without a version is one of 1.0.
    assert (2, 1) <= tuple(int(part) for part in metadata["version"].split(".")) < (4,)
    # Where our consumers begin when the group has read nothing yet
    assert metadata["offsetResetPolicy"] == "earliest"


def test_t4_the_recipe_by_processor_time_needs_no_request() -> None:
    """A share of what a container requests is unknown if it requests none, and ours do not."""
    (metric,) = HPA["spec"]["metrics"]
    assert metric["resource"]["name"] == "cpu"
    assert metric["resource"]["target"]["type"] == "AverageValue"
