"""*Verify a badge*, with files as people have them: the answer comes first, in words."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from badges_plugin.distribution.open_badges import baking
from badges_plugin.images import png_for_baking
from tests.browser.conftest import Open
from tests.browser.serving import Service
from tests.browser.test_pages import foreign
from tests.browser.world import World

Upload = tuple[str, bytes]


def good(world: World) -> Upload:
    return "badge.png", baking.bake_png(png_for_baking(world.statistics), world.signed["public"].json_text)


def revoked(world: World) -> Upload:
    return "badge.json", world.signed["revoked"].json_text.encode()


def of_others(world: World) -> Upload:
    return "badge.json", foreign(world).encode()


def changed(world: World) -> Upload:
    document = json.loads(world.signed["public"].json_text)
    document["credentialSubject"]["achievement"]["name"] = "Brain surgery"
    return "badge.png", baking.bake_png(png_for_baking(world.statistics), json.dumps(document))


def broken(world: World) -> Upload:
    return "badge.png", good(world)[1][:-200]


@pytest.mark.parametrize(
    ("made", "answer", "explanation"),
    [
        (good, "This badge is valid", "It was issued by Example University, nothing in it was changed"),
        (revoked, "This badge was revoked", "Do not accept it as proof."),
        (of_others, "This badge was not issued here", "It names this issuer: badges.another.example"),
        (changed, "This badge was changed after it was signed", "its content is not what we signed"),
        (broken, "We cannot read this as a badge", "There is no Open Badge in what you gave us."),
    ],
    ids=["good", "revoked", "foreign", "changed", "broken"],
)
def test_a_file(
    opened: Open, served: Service, world: World, made: Callable[[World], Upload], answer: str, explanation: str
) -> None:
    name, content = served.run(made, world)
    window = opened()
    window.go("/badges/verify/")
    page = window.page
    page.get_by_label("File").set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})
    with page.expect_navigation():
        page.get_by_role("button", name="Verify").click()
    assert page.get_by_role("heading", name=answer).is_visible()
    assert explanation in page.get_by_label("Result").inner_text()
    page.get_by_role("link", name="Verify another badge").click()
    page.get_by_label("File").wait_for()
