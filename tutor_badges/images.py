"""Which images differ from the published ones, their tags, and which must be built before a launch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutor_badges.config import KAFKA

CREDENTIALS_IMAGE = "CREDENTIALS_DOCKER_IMAGE"
OPENEDX_IMAGE = "DOCKER_IMAGE_OPENEDX"
KAFKA_SUFFIX = "{% if BADGES_EVENT_BUS == '" + KAFKA + "' %}-badges-kafka{% endif %}"
CREDENTIALS_SUFFIX = "-badges{{ BADGES_VERSION }}{% if BADGES_EVENT_BUS == '" + KAFKA + "' %}-kafka{% endif %}"


def own_tags(defaults: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """
    Give the images that we change a tag of their own, so that a pull of the published image never replaces ours.

    Extends the defaults of whoever declared the image. An operator's own value is not a default and stays.
    """
    declared = dict(defaults)
    suffixes = {CREDENTIALS_IMAGE: CREDENTIALS_SUFFIX, OPENEDX_IMAGE: KAFKA_SUFFIX}
    return [*defaults, *((name, declared[name] + suffix) for name, suffix in suffixes.items() if name in declared)]


def required(names: list[str], context: str, config: Mapping[str, Any]) -> list[str]:
    """
    Return the images to build before a launch; ``context`` is "local" or "dev".

    Credentials always, since nobody publishes an image with badges. LMS only for Kafka, whose client is missing from
    the published image; in dev Tutor builds its image anyway.
    """
    wanted = ["credentials"]
    if context == "local" and config.get("BADGES_EVENT_BUS") == KAFKA:
        wanted.append("openedx")
    return [*names, *(name for name in wanted if name not in names)]
