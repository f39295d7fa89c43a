"""What this plugin puts into a cluster, and how to take it out: ``tutor k8s start`` only ever adds and changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutor_badges.config import KAFKA

LABEL = "tutor-plugin=badges"
NAME_LABEL = "app.kubernetes.io/name"
# Of each kind that the patches render; volumes are deleted only on request.
KINDS = ("deployments", "services", "networkpolicies", "poddisruptionbudgets", "cronjobs")
VOLUMES = "persistentvolumeclaims"
DISABLED = (
    "Badges: in Kubernetes, containers that run already go on running. After `tutor k8s start`, remove them:\n\n"
    "    kubectl delete {kinds} --namespace {namespace} --selector {label}\n\n"
    f"The events that a broker of ours holds are on a volume, which stays unless you add {VOLUMES} to the kinds."
)


def runs_kafka(config: Mapping[str, Any]) -> bool:
    """Tell whether broker and registry are ours to run."""
    return config["BADGES_EVENT_BUS"] == KAFKA and bool(config["BADGES_RUN_KAFKA"])


def names(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names, as in the label ``app.kubernetes.io/name``, of what this configuration runs."""
    own_kafka = ("badges-kafka", "badges-schema-registry") if runs_kafka(config) else ()
    schedule = ("credentials-badges-hourly", "credentials-badges-daily") if config["BADGES_RUN_SCHEDULE"] else ()
    lms_consumer = ("lms-badges-consumer",) if config["BADGES_RUN_LMS_CONSUMER"] else ()
    return ("credentials-badges-consumer", "credentials-badges-worker", *schedule, *lms_consumer, *own_kafka)


def deletion(config: Mapping[str, Any], *, unused: bool, volumes: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the kinds to delete and the label selectors of those that are.

    ``unused`` spares what this configuration runs; ``volumes`` takes the broker's data as well.
    """
    spared = (f"{NAME_LABEL} notin ({','.join(names(config))})",) if unused else ()
    return (*KINDS, VOLUMES) if volumes else KINDS, (LABEL, *spared)


def after_disabling(namespace: str) -> str:
    """Return what somebody has to know who has just disabled the plugin, and with it the command that removes."""
    return DISABLED.format(kinds=",".join(KINDS), namespace=namespace, label=LABEL)
