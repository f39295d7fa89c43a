"""The figures of ``make figures`` count what they claim to count, on sources of a few lines."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("grimp", reason="the tools of make lint are not in this environment")

from tests import figures
from tests.figures import Figure, Module

SIX_LINES = "".join(f"total_{number} = add({number}, 'text')\n" for number in range(6))
RENAMED = SIX_LINES.replace("total", "sum").replace("add", "combine").replace("'text'", "'other'")
CREDLY, ACCREDIBLE = (f"{folder}/models.py" for folder in figures.PROVIDERS)


def measured(name: str, sources: dict[str, str]) -> Figure:
    modules = [Module(path, text) for path, text in sources.items()]
    return next(each for each in figures.measure(modules) if each.name.startswith(name))


def function(lines: int) -> str:
    return "def long() -> None:\n" + "    pass\n" * (lines - 1)


@pytest.mark.parametrize(
    ("name", "sources", "value", "is_met"),
    [
        ("shipped files", {"badges_plugin/a.py": "x = 1\n", "sandbox/b.py": "x = 1\n"}, "1", True),
        ("lines per file: maximum", {"badges_plugin/a.py": "x = 1\n" * 300}, "300", True),
        ("lines per file: maximum", {"tutor_badges/a.py": "x = 1\n" * 301}, "301", False),
        ("modules under", {f"badges_plugin/{n}.py": "x = 1\n" for n in range(19)}, "19", True),
        ("modules under", {f"badges_plugin/{n}.py": "x = 1\n" for n in range(20)}, "20", False),
        # A package's own file, and an empty one, are no small modules.
        ("modules under", {"badges_plugin/a/__init__.py": "x = 1\n", "badges_plugin/b.py": ""}, "0", True),
        ("functions over", {"badges_plugin/a.py": function(40)}, "0", True),
        ("functions over", {"badges_plugin/a.py": function(41)}, "1", False),
        ("fully annotated", {"badges_plugin/a.py": "def f(x: int, *args: int) -> int: ...\n"}, "100.0 %", True),
        ("fully annotated", {"badges_plugin/a.py": "def f(x) -> int: ...\ndef g() -> int: ...\n"}, "50.0 %", False),
        ("fully annotated", {"badges_plugin/a.py": "def f(x: int, **kwargs) -> int: ...\n"}, "0.0 %", False),
        ("fully annotated", {"badges_plugin/a.py": "class A:\n    def f(self) -> None: ...\n"}, "100.0 %", True),
        ("type: ignore", {"badges_plugin/a.py": "x = y  # type: ignore[name]\n"}, "1", True),
        ("noqa", {"badges_plugin/a.py": "x = y  # noqa: F821\n"}, "1", True),
        ("cast()", {"badges_plugin/a.py": "x = cast(int, y)\nbroadcast(x)\n"}, "1", True),
        ("test lines", {"badges_plugin/a.py": "x = 1\n" * 4, "tests/test_a.py": "x = 1\n" * 2}, "0.50", True),
        ("pairs of provider", {CREDLY: SIX_LINES, ACCREDIBLE: RENAMED}, "1", True),
        ("pairs of provider", {CREDLY: SIX_LINES, ACCREDIBLE: RENAMED.replace("combine(3,", "combine(3 +")}, "0", True),
        ("pairs of provider", {CREDLY: SIX_LINES, "badges_plugin/models.py": SIX_LINES}, "0", True),
    ],
)
def test_values_and_limits(name: str, sources: dict[str, str], value: str, is_met: bool) -> None:
    figure = measured(name, {"badges_plugin/first.py": "x = 1\n" * 30} | sources if _needs_first(name) else sources)
    assert (figure.value, figure.is_met) == (value, is_met)


def _needs_first(name: str) -> bool:
    """Whether the sources need a further shipped file, because the others are empty or small."""
    return name.startswith(("modules under", "pairs of provider"))


@pytest.mark.parametrize(
    ("call", "count"),
    [
        ("patch('a.b')", 1),
        ("mock.patch.object(a, 'b')", 1),
        ("monkeypatch.setattr(a, 'b', 1)", 1),
        ("monkeypatch.setenv('A', 'b')", 0),
        ("setattr(settings, 'A', 1)", 0),
        ("client.patch('/url/')", 0),
    ],
)
def test_patches(call: str, count: int) -> None:
    assert figures.patches(Module("tests/test_a.py", f"{call}\n")) == count


@pytest.mark.parametrize(("calls", "is_met"), [(3, True), (4, False)])
def test_patches_per_hundred_tests(calls: int, is_met: bool) -> None:
    tests = "".join(f"def test_{number}(): ...\n" for number in range(100)) + "patch('a')\n" * calls
    figure = measured("patches per 100 tests", {"badges_plugin/a.py": "x = 1\n", "tests/test_a.py": tests})
    assert (figure.value, figure.is_met) == (f"{calls:.1f}", is_met)


@pytest.mark.parametrize(
    ("figure", "says"),
    [
        (lambda: Figure("files", "3"), "files 3"),
        (lambda: Figure("files", "3", "at most 4"), "files 3 at most 4 ok"),
        (lambda: Figure("files", "5", "at most 4", is_met=False, where=["a.py"]), "files 5 at most 4 EXCEEDED a.py"),
    ],
)
def test_a_figure_that_exceeds_its_limit_says_where(figure: Callable[[], Figure], says: str) -> None:
    assert " ".join(str(figure()).split()) == says
