"""Images that differ from the published ones: their tags, and which must be built before a launch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutor_badges.config import KAFKA

CREDENTIALS_IMAGE = "CREDENTIALS_DOCKER_IMAGE"
OPENEDX_IMAGE = "DOCKER_IMAGE_OPENEDX"
IF_KAFKA = "{% if BADGES_EVENT_BUS == '" + KAFKA + "' %}"
KAFKA_SUFFIX = IF_KAFKA + "-badges{{ BADGES_VERSION }}-kafka{% endif %}"
REGISTRY = "{{ DOCKER_REGISTRY }}"
OWN_REGISTRY = "{{ BADGES_DOCKER_REGISTRY or DOCKER_REGISTRY }}"
OPENEDX_REGISTRY = IF_KAFKA + OWN_REGISTRY + "{% else %}" + REGISTRY + "{% endif %}"
# The templates of the published images that ours are based on, as the plugins that declared them have them
PUBLISHED: dict[str, str] = {}
CREDENTIALS_SUFFIX = "-badges{{ BADGES_VERSION }}{% if BADGES_EVENT_BUS == '" + KAFKA + "' %}-kafka{% endif %}"


def own_tags(defaults: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Give the images that we change their own tags, so that pulling the published image never replaces ours.

    Extends the defaults of the plugin that declared the image, so that the tag changes with the releases of both Open
    edX and this plugin: a cluster keeps running an image whose tag it knows. A value that an operator has set is kept.
    """
    declared = dict(defaults)
    ours = {
        CREDENTIALS_IMAGE: (OWN_REGISTRY, CREDENTIALS_SUFFIX),
        OPENEDX_IMAGE: (OPENEDX_REGISTRY, KAFKA_SUFFIX),
    }
    PUBLISHED.clear()
    PUBLISHED.update((name, declared[name]) for name in ours if name in declared)
    return [
        *defaults,
        *(
            (name, declared[name].replace(REGISTRY, registry) + suffix)
            for name, (registry, suffix) in ours.items()
            if name in declared
        ),
    ]


def cache_options(tag: str, published: Mapping[str, str]) -> tuple[str, ...]:
    """Return the options that build ``tag`` from the cache of the published image that it is based on."""
    source = published.get(tag, tag)
    return () if source == tag else (f"--cache-from=type=registry,ref={source}-cache",)


def required(names: list[str], context: str, config: Mapping[str, Any]) -> list[str]:
    """Return the images to build before a launch; ``context`` is "local" or "dev".

    Credentials always, since nobody publishes an image with badges. The LMS only for Kafka, whose client the published
    image lacks; in dev, Tutor builds its image anyway.
    """
    wanted = ["credentials"]
    if context == "local" and config.get("BADGES_EVENT_BUS") == KAFKA:
        wanted.append("openedx")
    return [*names, *(name for name in wanted if name not in names)]
