"""Pictures of the documentation: each is shown, is there, is taken by a browser test, and is said in words."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "pictures"
PAGES = {
    path: path.read_text(encoding="utf-8") for path in [ROOT / "README.rst", *sorted((ROOT / "docs").rglob("*.rst"))]
}
TESTS = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests" / "browser").glob("test_*.py")))
SHOWN = re.compile(r"^( *)\.\. (?:image|figure):: (\S+)\n((?:\1   +.*\n)*)", flags=re.MULTILINE)
WIDEST = 1280
MOST_BYTES = 2_000_000


def test_every_picture_is_taken_by_a_test_and_shown_on_a_page() -> None:
    taken = re.findall(r'picture_for_docs\(\s*"([a-z0-9-]+)"', TESTS)
    named = {name for text in PAGES.values() for name in re.findall(r"pictures/([\w-]+)\.png", text)}
    assert len(taken) == TESTS.count("picture_for_docs("), "the name of a picture is a literal"
    assert sorted(taken) == sorted(named) == sorted(path.stem for path in FOLDER.iterdir())


def test_every_picture_is_there_and_is_said_in_words() -> None:
    shown = [(page, *found) for page, text in PAGES.items() for found in SHOWN.findall(text)]
    assert len(shown) > len(list(FOLDER.iterdir()))
    for page, _, address, options in shown:
        alternative = re.search(r":alt: (.+(?:\n +[^: ].*)*)", options)
        assert alternative, f"{page.name}, {address}: nobody hears what it shows"
        assert 20 <= len(" ".join(alternative[1].split())) <= 250, address
        assert "://" in address or (page.parent / address).is_file(), f"{page.name}: {address} leads nowhere"


def test_pictures_are_small() -> None:
    sizes = {path.stem: path.stat().st_size for path in FOLDER.iterdir()}
    assert sum(sizes.values()) <= MOST_BYTES, sizes
    for path in FOLDER.iterdir():
        with Image.open(path) as picture:
            assert picture.width <= WIDEST, path.name
            assert "Words" in getattr(picture, "text", {}), f"{path.name} was not taken by a test"
