"""The seed of a new simulator: two organizations, one of them with templates in every state.

``--seed FILE`` replaces it: {"organizations": [{fields of Organization, "badge_templates": [{fields of Template}]}]}
"""

import json
from pathlib import Path

from sandbox.credly.records import ACTIVE, ARCHIVED, DRAFT, Json, Organization
from sandbox.credly.world import World

DEMO_ORGANIZATION_ID = "0c2f6d0a-52a7-4b5e-9d6c-6a1f4a3e7b10"
DEMO_KEY = "demo-key-of-the-credly-simulator"
OTHER_ORGANIZATION_ID = "7d1f0f3e-0f4b-4c55-8a2e-5b7f1d9c2e21"
OTHER_KEY = "other-key-of-the-credly-simulator"


def _template(number: int, name: str, state: str, description: str, **more: object) -> Json:
    return {
        "id": f"5e0a1c00-0000-4000-8000-{number:012d}",
        "name": name,
        "description": description,
        "state": state,
        "image_url": f"https://images.credly.example/size/680x680/badge-{number}.png",
        "vanity_slug": name.lower().replace(" ", "-"),
        **more,
    }


DEFAULT: Json = {
    "organizations": [
        {
            "id": DEMO_ORGANIZATION_ID,
            "name": "Open Learning Institute",
            "keys": [DEMO_KEY],
            "contact_email": "badges@institute.example",
            "website_url": "https://institute.example",
            "photo_url": "https://images.credly.example/institute.png",
            "vanity_slug": "open-learning-institute",
            "badge_templates": [
                _template(1, "Data Science Explorer", ACTIVE, "Passed both courses of the data science series."),
                _template(2, "First Steps", ACTIVE, "Passed the first course.", skills=["Persistence"]),
                _template(3, "Marathon Learner", ACTIVE, "May be earned many times.", allow_duplicate_badges=True),
                _template(4, "Quantum Basics", DRAFT, "Not published yet."),
                _template(5, "Founding Student", ARCHIVED, "No longer issued."),
            ],
        },
        {
            "id": OTHER_ORGANIZATION_ID,
            "name": "Académie des Métiers",
            "keys": [OTHER_KEY],
            "vanity_slug": "academie-des-metiers",
            "badge_templates": [_template(21, "Premier Pas", ACTIVE, "Premier cours réussi.")],
        },
    ]
}


def load(path: Path) -> Json:
    seed: Json = json.loads(path.read_text(encoding="utf-8"))
    return seed


def plant(world: World, seed: Json) -> None:
    """Fill an empty world. This makes no events: the templates are older than any webhook."""
    for values in seed["organizations"]:
        organization = {name: value for name, value in values.items() if name != "badge_templates"}
        world.add_organization(Organization(**organization))
        for template in values.get("badge_templates", ()):
            world.add_template(organization["id"], template, with_event=False)
