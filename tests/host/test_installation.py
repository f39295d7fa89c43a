"""Which of a checkout's requirements are installed. The rest of this folder is tested by ``make test-host``."""

from __future__ import annotations

import pytest

from tests.host.installation import installable, lifted


@pytest.mark.parametrize(
    ("line", "pins"),
    [
        ("django==4.2.16", ["django==4.2.16"]),
        ("pyjwt[crypto]==2.8.0", ["pyjwt[crypto]==2.8.0"]),
        ("django==4.2.16  # via -r requirements/base.in", ["django==4.2.16"]),
        # Made for several Pythons: the installer decides.
        ('backports-zoneinfo==0.2.1 ; python_version < "3.9"', ['backports-zoneinfo==0.2.1 ; python_version < "3.9"']),
        # On the index under the same version.
        (
            "edx-event-bus-redis @ git+https://github.com/openedx/event-bus-redis.git@v0.5.0",
            ["edx-event-bus-redis==0.5.0"],
        ),
        # Nowhere on the index.
        ("edx-credentials-themes @ git+https://github.com/openedx/credentials-themes.git@0.5.6", []),
        # Built from source.
        ("mysqlclient==2.2.7", []),
        ("    # via django", []),
        ("--index-url https://pypi.example.com", []),
        ("", []),
    ],
)
def test_installable_pins(line: str, pins: list[str]) -> None:
    assert installable([line]) == pins


@pytest.mark.parametrize(
    ("pin", "requirement", "result"),
    [
        ("openedx-events==9.9.2", "openedx-events>=9.10", "openedx-events==9.10"),
        ("openedx-events==10.5.0", "openedx-events>=9.10", "openedx-events==10.5.0"),
        # Names are compared as the index does.
        ("Django==4.2.16", "django>=4.2,<6.0", "Django==4.2.16"),
        ("edx-opaque-keys[django]==2.9.0", "edx-opaque-keys[django]>=2.9", "edx-opaque-keys[django]==2.9.0"),
        ("attrs==23.2.0", "openedx-events>=9.10", "attrs==23.2.0"),
    ],
)
def test_pins_lifted_for_the_plugin(pin: str, requirement: str, result: str) -> None:
    assert lifted([pin], [requirement]) == [result]


def test_a_release_that_is_too_new_is_refused() -> None:
    with pytest.raises(ValueError, match=r"django==6\.0\.1 is newer"):
        lifted(["django==6.0.1"], ["Django>=4.2,<6.0"])
