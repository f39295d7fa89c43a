"""The Tutor plugin: items for Tutor's filters and actions, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from tutor import env as tutor_env
from tutor import fmt, hooks
from tutor.exceptions import TutorError

from tutor_badges import bus, commands, exporting, images, kubernetes, mounts, package, removal
from tutor_badges import config as badges_config
from tutor_badges.saving import Configuration, is_within

HERE = Path(__file__).parent
INIT_TASKS = (("credentials", "migrate"), ("credentials", "create-topics"), ("credentials", "check"))
# IMAGES_BUILD_REQUIRED gets no configuration, so the one from CONFIG_LOADED, which comes first, is kept here.
CONFIGURATION = Configuration()


def add_wheel_templates(roots: list[str]) -> list[str]:
    return [*roots, package.template_root()]


def do_not_render_wheel(rendered: bool, template: str) -> bool:
    return rendered and not package.is_wheel(template)


def build_our_images(names: list[str], context: str) -> list[str]:
    return images.required(names, context, CONFIGURATION.loaded)


def refuse_to_build_another_version(tasks: list[Any], config: dict[str, Any]) -> list[Any]:
    """Refuse to build from an environment of another version: the tag would name the installed version."""
    context = click.get_current_context(silent=True)
    root = getattr(context.obj, "root", None) if context else None
    if root and not config["BADGES_PIP_REQUIREMENT"] and not package.is_built_from(Path(root, "env")):
        raise TutorError(
            "The environment was saved with another version of the badges plugin. Run `tutor config save` first."
        )
    return tasks


def build_from_the_published_cache(tasks: list[Any], config: dict[str, Any]) -> list[Any]:
    """Build our images from the cache of the published ones: nobody pushes a cache for our tags."""
    options = is_within("build") or {}
    if options.get("no_cache") or options.get("no_registry_cache"):
        return tasks
    sources = {
        tutor_env.render_str(config, "{{ " + name + " }}"): tutor_env.render_str(config, published)
        for name, published in images.PUBLISHED.items()
    }
    return [
        (name, path, tag, (*arguments, *images.cache_options(tutor_env.render_str(config, tag), sources)))
        for name, path, tag, arguments in tasks
    ]


def remove_wheel(plugin: str, root: str, config: dict[str, Any]) -> None:
    if plugin == "badges":
        package.remove(Path(root, "env"))
        fmt.echo_alert(kubernetes.after_disabling(config.get("K8S_NAMESPACE", "openedx")))
        if kept := badges_config.kept(config):
            fmt.echo_alert(badges_config.KEPT.format(unset=" ".join(f"--unset {key}" for key in kept)))


# Configuration
hooks.Filters.CONFIG_DEFAULTS.add_items(badges_config.defaults(package.version()))
hooks.Filters.CONFIG_DEFAULTS.add(priority=hooks.priorities.LOW)(images.own_tags)
hooks.Actions.CONFIG_LOADED.add()(CONFIGURATION.load)
# Called once, right before the environment is written
hooks.Filters.ENV_TEMPLATE_TARGETS.add()(CONFIGURATION)

# The environment
hooks.Filters.ENV_TEMPLATE_ROOTS.add_item(str(HERE / "templates"))
hooks.Filters.ENV_TEMPLATE_ROOTS.add()(add_wheel_templates)
hooks.Filters.IS_FILE_RENDERED.add()(do_not_render_wheel)
hooks.Filters.ENV_TEMPLATE_FILTERS.add_item(("badges_literal", repr))
hooks.Filters.ENV_TEMPLATE_VARIABLES.add_items(
    [
        ("badges_events", bus.events),
        ("badges_kafka_environment", bus.kafka_environment),
        ("badges_redis_url", bus.redis_url),
        ("badges_registry_environment", bus.registry_environment),
        ("badges_resources", kubernetes.resources),
        ("badges_wheel", package.wheel_name()),
        ("badges_is_checkout", mounts.is_checkout),
        ("iter_badges_mounts", mounts.iter_badges_mounts),
    ]
)
hooks.Filters.ENV_PATCHES.add_items(
    [(path.name, path.read_text(encoding="utf-8")) for path in sorted((HERE / "patches").iterdir())]
)
# Before Tutor removes the hooks of the plugin, this one included.
hooks.Actions.PLUGIN_UNLOADED.add(priority=hooks.priorities.HIGH - 1)(remove_wheel)

# Images and mounts
hooks.Filters.IMAGES_BUILD_REQUIRED.add()(build_our_images)
hooks.Filters.IMAGES_BUILD.add()(refuse_to_build_another_version)
hooks.Filters.IMAGES_BUILD.add(priority=hooks.priorities.LOW)(build_from_the_published_cache)
hooks.Filters.MOUNTED_DIRECTORIES.add_item(("credentials", mounts.CHECKOUT))

# Jobs: after the credentials plugin has created its database and run the migrations, including ours.
hooks.Filters.CLI_DO_INIT_TASKS.add_items(
    [
        (service, (HERE / "templates" / "badges" / "tasks" / service / name).read_text(encoding="utf-8"))
        for service, name in INIT_TASKS
    ],
    priority=hooks.priorities.LOW,
)
hooks.Filters.CLI_DO_COMMANDS.add_items([*commands.COMMANDS, exporting.export_passed, removal.remove])
