"""Pictures of the pages for learners and for everybody, as the reference lists them: most of them on a phone."""

from __future__ import annotations

from tests.browser.conftest import Open
from tests.browser.pictures import PHONE
from tests.browser.world import World


def test_what_learners_see(opened: Open, world: World) -> None:
    window = opened(world.ada, width=PHONE)
    document = world.signed["public"]
    window.go("/badges/mine/")
    window.picture_for_docs("my-badges", width=PHONE, most=860)
    window.picture_for_docs("readme", width=1000, most=1240)
    window.go(f"/badges/mine/{document.uuid}/")
    window.picture_for_docs("sharing-options", width=PHONE)
    window.go("/badges/mine/collection/")
    window.picture_for_docs("my-collection", width=PHONE)
    window.go("/badges/catalogue/?q=statistics")
    window.picture_for_docs("catalog", width=PHONE)
    window.go(f"/badges/catalogue/{world.reasoning.uuid}/")
    window.picture_for_docs("badge-to-earn", width=PHONE)
    window.go("/badges/mails/")
    window.picture_for_docs("mails", width=PHONE)


def test_what_everybody_sees(opened: Open, world: World) -> None:
    window = opened(width=PHONE)
    document = world.signed["public"]
    window.go(f"/badges/b/{document.uuid}/")
    window.picture_for_docs("learner-badge")
    window.go(f"/badges/c/{world.collection.uuid}/")
    window.picture_for_docs("collection", width=PHONE)
    window.go(f"/badges/verify/?link={document.url}")
    window.picture_for_docs("verified", width=PHONE)
    window.go(f"/badges/b/{world.signed['revoked'].uuid}/")
    window.picture_for_docs("badge-revoked", width=PHONE)
