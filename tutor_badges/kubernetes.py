"""What this plugin runs in a cluster, and how to delete it: ``tutor k8s start`` only adds and changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutor_badges.config import KAFKA

LABEL = "tutor-plugin=badges"
NAME_LABEL = "app.kubernetes.io/name"
# Of each kind that the patches render; volumes are deleted only on request.
KINDS = ("deployments", "services", "networkpolicies", "poddisruptionbudgets", "cronjobs")
VOLUMES = "persistentvolumeclaims"
Resources = Mapping[str, Mapping[str, str]]
PYTHON: Resources = {"requests": {"memory": "512Mi"}, "limits": {"memory": "1Gi"}}
# What each container asks for. Deployments and CronJobs have one container each, of the same name.
RESOURCES: Mapping[str, Resources] = {
    "credentials-badges-consumer": PYTHON,
    "credentials-badges-worker": PYTHON,
    "credentials-badges-hourly": PYTHON,
    "credentials-badges-daily": PYTHON,
    "lms-badges-consumer": {"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}},
    # BADGES_KAFKA_HEAP_OPTS bounds its heap. A limit that is not raised together with it would kill the broker.
    "badges-kafka": {"requests": {"memory": "768Mi"}},
    # Without a limit, Java would allow itself a quarter of the memory of the node.
    "badges-schema-registry": {"requests": {"memory": "512Mi"}, "limits": {"memory": "1Gi"}},
}
DISABLED = (
    "Badges: in Kubernetes, running containers keep running. After `tutor k8s start`, delete them:\n\n"
    "    kubectl delete {kinds} --namespace {namespace} --selector {label}\n\n"
    f"The events of the plugin's own broker are on a volume, which stays unless you add {VOLUMES} to the kinds."
)


def runs_kafka(config: Mapping[str, Any]) -> bool:
    """Tell whether the plugin runs the broker and the registry."""
    return config["BADGES_EVENT_BUS"] == KAFKA and bool(config["BADGES_RUN_KAFKA"])


def names(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of everything this configuration runs, as in the label ``app.kubernetes.io/name``."""
    own_kafka = ("badges-kafka", "badges-schema-registry") if runs_kafka(config) else ()
    schedule = ("credentials-badges-hourly", "credentials-badges-daily") if config["BADGES_RUN_SCHEDULE"] else ()
    lms_consumer = ("lms-badges-consumer",) if config["BADGES_RUN_LMS_CONSUMER"] else ()
    return ("credentials-badges-consumer", "credentials-badges-worker", *schedule, *lms_consumer, *own_kafka)


def resources(name: str, given: Mapping[str, Resources]) -> dict[str, dict[str, str]]:
    """Return requests and limits of a container: the plugin's own, with those an operator has ``given`` over them."""
    own, changes = RESOURCES[name], given.get(name, {})
    return {key: {**own.get(key, {}), **changes.get(key, {})} for key in sorted({*own, *changes})}


def deletion(config: Mapping[str, Any], *, unused: bool, volumes: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the kinds to delete, and the label selectors that choose among them.

    ``unused`` spares what this configuration runs; ``volumes`` includes the broker's data.
    """
    spared = (f"{NAME_LABEL} notin ({','.join(names(config))})",) if unused else ()
    return (*KINDS, VOLUMES) if volumes else KINDS, (LABEL, *spared)


def after_disabling(namespace: str) -> str:
    """Return the advice for an operator who has just disabled the plugin, and with it the command badges-cleanup."""
    return DISABLED.format(kinds=",".join(KINDS), namespace=namespace, label=LABEL)
