"""makemessages extracts every text that is to be translated: it knows the functions' names, and literals only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for path in (ROOT / "badges_plugin").rglob("*.py") if "migrations" not in path.parts)
# The arguments of each function that are extracted. https://docs.djangoproject.com/en/stable/topics/i18n/translation/
TEXTS = {
    "_": 1,
    "gettext": 1,
    "gettext_lazy": 1,
    "gettext_noop": 1,
    "ngettext": 2,
    "ngettext_lazy": 2,
    "pgettext": 2,
    "pgettext_lazy": 2,
    "npgettext": 3,
    "npgettext_lazy": 3,
}


# Shows sentences that were marked by gettext_noop where they were written.
TRANSLATES_WHAT_IS_STORED = {"badges_plugin/distribution/reasons.py": ["gettext(sentence)"]}


def mistakes(source: str) -> Iterator[str]:
    """Yield what makemessages would not extract from a module."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            yield from (f"{name.name} as {name.asname}" for name in node.names if name.asname not in {None, "_"})
            if [name.asname for name in node.names].count("_") > 1:
                yield "two functions as _"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TEXTS:
            given = node.args[: TEXTS[node.func.id]]
            if not given or not all(isinstance(text, ast.Constant) and isinstance(text.value, str) for text in given):
                yield ast.unparse(node)
    imported = re.findall(r"^from django\.utils\.translation import (\w+) as _$", source, flags=re.MULTILINE)
    if len(imported) > 1:
        yield f"{' and '.join(imported)} as _"


def test_every_text_is_extracted() -> None:
    found = {str(path.relative_to(ROOT)): list(mistakes(path.read_text(encoding="utf-8"))) for path in MODULES}
    assert {path: texts for path, texts in found.items() if texts} == TRANSLATES_WHAT_IS_STORED


@pytest.mark.parametrize(
    ("source", "number"),
    [
        ("from django.utils.translation import gettext as _\n_('a' 'b')", 0),
        ("from django.utils.translation import gettext_lazy, ngettext\nngettext('%d a', '%d b', 3)", 0),
        ("from django.utils.translation import gettext as _text\n_text('a')", 1),
        (
            "from django.utils.translation import gettext as _\nfrom django.utils.translation import gettext_lazy as _",
            1,
        ),
        ("_(f'a {b}')", 1),
        ("_('a' + b)", 1),
        ("_('a %s' % b)", 1),
        ("_('a' if b else 'c')", 1),
        ("_(text)", 1),
        ("ngettext('%d a', plural, 3)", 1),
    ],
)
def test_mistakes_are_found(source: str, number: int) -> None:
    assert len(list(mistakes(source))) == number


def test_every_function_of_django_is_known() -> None:
    assert {name for name in translation.__all__ if re.fullmatch(r"n?p?gettext(_lazy|_noop)?", name)} <= set(TEXTS)
