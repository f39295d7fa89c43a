"""The image builds and the scripts in containers, as hadolint and shellcheck see them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.tutor.combinations import ALL
from tests.tutor.conftest import Rendered
from tests.tutor.environments import NEWEST
from tests.tutor.rendering import LOCAL, Rendering, run
from tutor_badges import package

CREDENTIALS = "plugins/credentials/build/credentials/Dockerfile"
OPENEDX = "build/openedx/Dockerfile"
# "Multiple consecutive RUN": Tutor's own lines come before ours, whatever ours are.
CONSECUTIVE_RUN = "DL3059"


def findings(rendering: Rendering, dockerfile: str) -> Counter[tuple[str, str]]:
    """Count the findings by rule and message; where in the file they are differs with what stands before."""
    found: list[dict[str, Any]] = json.loads(
        run("hadolint", "--no-fail", "--format", "json", "--ignore", CONSECUTIVE_RUN, rendering.env / dockerfile)
    )
    return Counter((finding["code"], finding["message"]) for finding in found)


@pytest.mark.long
@pytest.mark.parametrize("dockerfile", [CREDENTIALS, OPENEDX])
@pytest.mark.parametrize("name", ["kafka-own-mysql-own-redis", "redis-own-mysql-own-redis", "released"])
def test_hadolint_finds_no_more_than_without_the_plugin(
    rendered: Rendered, rendered_without_badges: Rendered, release: int, name: str, dockerfile: str
) -> None:
    before = findings(rendered_without_badges(release), dockerfile)
    assert findings(rendered(release, name), dockerfile) - before == Counter()


def test_the_wheel_is_where_the_dockerfile_takes_it_from(rendered: Rendered, release: int) -> None:
    rendering = rendered(release, "kafka-own-mysql-own-redis")
    assert f"COPY badges-plugin/{package.wheel_name()} " in rendering.text(CREDENTIALS)
    assert (rendering.env / package.BUILD_CONTEXT / package.wheel_name()).is_file()


def test_a_released_version_comes_from_the_index(rendered: Rendered, release: int) -> None:
    dockerfile = rendered(release, "released").text(CREDENTIALS)
    assert "'openedx-badges-plugin==1.2.3'" in dockerfile
    assert "COPY badges-plugin" not in dockerfile


def test_the_kafka_client_is_installed_where_kafka_is_used(rendered: Rendered, release: int) -> None:
    for name in ALL:
        uses_kafka = ALL[name].get("BADGES_EVENT_BUS", "kafka") == "kafka"
        rendering = rendered(release, name)
        for dockerfile in (CREDENTIALS, OPENEDX):
            assert ("confluent-kafka[" in rendering.text(dockerfile)) == uses_kafka


@pytest.mark.parametrize("name", ["options-kafka", "options-redis"])
def test_shellcheck_takes_the_scripts_of_the_containers(rendered: Rendered, release: int, name: str) -> None:
    services = rendered(release, name).compose(LOCAL)
    for container in ("credentials-badges-consumer", "credentials-badges-worker", "lms-badges-consumer"):
        shell, option, script = services[container]["command"]
        assert (shell, option) == ("sh", "-c")
        run("shellcheck", "--shell=sh", "-", text=script)
        # The last command takes the place of the shell, so that it gets the signal to stop.
        assert script.strip().splitlines()[-1].startswith("exec ./manage.py ")


def test_t15_shellcheck_takes_the_scripts_that_run_by_the_clock(rendered: Rendered) -> None:
    rendering = rendered(NEWEST, "options-kafka")
    scripts = [rendering.compose(LOCAL)["credentials-badges-schedule"]["command"][2].replace("$$", "$")]
    jobs = [each for each in rendering.manifests() if each["kind"] == "CronJob"]
    scripts += [job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"][2] for job in jobs]
    assert len(scripts) == 3
    for script in scripts:
        run("shellcheck", "--shell=sh", "-", text=script)
    by_clock = ("poll_credly_events", "poll_accredible_credentials", "sync_credly_badge_templates")
    for name in by_clock:
        assert [name in script for script in scripts].count(True) == 2


def test_folders_of_our_containers_have_an_owner(rendered: Rendered, release: int) -> None:
    script = "apps/permissions/setowners.sh"
    assert "setowner 1000 /mounts/badges-kafka" in rendered(release, "kafka-own-mysql-own-redis").text(script)
    assert "badges" not in rendered(release, "redis-own-mysql-own-redis").text(script)


def test_the_eviction_policy_is_changed_when_asked_for(rendered: Rendered, release: int) -> None:
    path = "apps/redis/redis.conf"
    assert "maxmemory-policy volatile-lru" in rendered(release, "options-redis").text(path)
    assert "volatile-lru" not in rendered(release, "options-kafka").text(path)
