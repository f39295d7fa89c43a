"""``tutor k8s do badges-cleanup``: delete from the cluster what ``start`` and ``launch`` leave running."""

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
        "In Kubernetes, stop and delete everything that the plugin runs in the cluster; `start` never does that. Run "
        "it before you disable the plugin or, with --unused, after a change of the event bus. Badges and settings stay."
    ),
)
@click.option("--unused", is_flag=True, help="Delete only what is no longer configured.")
@click.option("--volumes", is_flag=True, help="Also delete the broker's volume, with all events on it.")
@click.pass_obj
def remove(context: object, *, unused: bool, volumes: bool) -> Iterator[tuple[str, str]]:
    if isinstance(context, K8sContext):
        config = tutor_config.load(context.root)
        kinds, selectors = kubernetes.deletion(config, unused=unused, volumes=volumes)
        utils.kubectl("delete", ",".join(kinds), *resource_selector(config, *selectors), "--ignore-not-found")
    else:
        fmt.echo_info("Outside Kubernetes, `launch` and `start` remove the containers that are no longer configured.")
    yield from ()
