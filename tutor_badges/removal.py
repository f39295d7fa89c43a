"""``tutor k8s do badges-cleanup``: take out of the cluster what nobody else would."""

from __future__ import annotations

from collections.abc import Iterator

import click
from tutor import config as tutor_config
from tutor import fmt, utils
from tutor.commands.k8s import K8sContext, resource_selector

from tutor_badges import kubernetes


@click.command(
    "badges-cleanup",
    help=(
        "In Kubernetes, stop and remove what the plugin runs in the cluster, which `start` never does: before the "
        "plugin is disabled or, with --unused, after a change of the event bus. Badges and settings stay."
    ),
)
@click.option("--unused", is_flag=True, help="Remove only what the configuration no longer has.")
@click.option("--volumes", is_flag=True, help="Delete the broker's volume too, and all events that it holds.")
@click.pass_obj
def remove(context: object, *, unused: bool, volumes: bool) -> Iterator[tuple[str, str]]:
    if isinstance(context, K8sContext):
        config = tutor_config.load(context.root)
        kinds, selectors = kubernetes.deletion(config, unused=unused, volumes=volumes)
        utils.kubectl("delete", ",".join(kinds), *resource_selector(config, *selectors), "--ignore-not-found")
    else:
        fmt.echo_info("Outside Kubernetes, `launch` and `start` remove the containers that are no longer configured.")
    yield from ()
