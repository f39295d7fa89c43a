"""The public door for backends: the example needs nothing else, its promises hold, and reasons are translated."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils.translation import gettext, override

from badges_plugin.distribution import api, reasons
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.distribution.fakes import FakeBackend
from tests.factories import send_passing

EXAMPLE = Path(__file__).resolve().parents[1] / "example_backend/medals"


def imported(source: str) -> Iterator[tuple[str, str]]:
    """Yield module and name of each import from the plugin."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("badges_plugin"):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.startswith("badges_plugin"))


@pytest.mark.parametrize("path", sorted(EXAMPLE.glob("*.py")), ids=lambda path: path.stem)
def test_the_example_backend_imports_nothing_but_the_door(path: Path) -> None:
    names = set(imported(path.read_text(encoding="utf-8")))
    through = {name for module, name in names if module == "badges_plugin.distribution.api"}
    assert names - {("badges_plugin.distribution.api", name) for name in through} <= {
        ("badges_plugin.distribution", "api")
    }
    assert through <= set(api.__all__)


@pytest.mark.parametrize("name", api.__all__)
def test_what_the_door_promises_is_there(name: str) -> None:
    assert getattr(api, name) is not None


def test_the_door_has_nothing_else_that_is_loaded_late() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Worker'"):
        getattr(api, "Worker")  # noqa: B009 - the type checker knows that it is not there


# A sentence that Django itself translates stands for one of ours.
SENTENCE = "This field is required."
with override("de"):
    IN_GERMAN = gettext(SENTENCE)


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("", ""),
        (SENTENCE, IN_GERMAN),
        # The detail stays as it is.
        (reasons.with_detail(SENTENCE, "HTTP 500 (again)"), f"{IN_GERMAN} (HTTP 500 (again))"),
        # A provider's message.
        ("HTTP 422: has it (already)", "HTTP 422: has it (already)"),
    ],
)
def test_reasons_are_shown_in_the_language_of_the_page(stored: str, shown: str) -> None:
    with override("de"):
        assert reasons.localized(stored) == shown
    assert IN_GERMAN != SENTENCE


def test_a_backend_without_urls_has_none_and_one_with_a_url_has_many(
    ada: Any, template: BadgeTemplate, backend: FakeBackend
) -> None:
    send_passing(ada)
    award = BadgeAward.objects.get()
    assert (backend.badge_url(award), backend.badge_urls([award])) == ("", {})

    class Linked(FakeBackend):
        def badge_url(self, award: BadgeAward) -> str:
            return f"https://badges.example/{award.number}"

    assert Linked().badge_urls([award]) == {award.pk: "https://badges.example/1"}
