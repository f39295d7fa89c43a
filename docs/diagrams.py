"""Draw how things flow: the way of an event, the states of a delivery, and what belongs to a site."""

from __future__ import annotations

import svg

WIDTH = 460


def way_of_an_event() -> str:
    """Return the way from a learner who passes a course to a badge that others see."""
    consumer = ("whose is it, which rules match?", "progress, award and delivery", "in one transaction")
    parts = [
        *svg.frame("The way of an event", WIDTH, 478),
        svg.card(90, 44, 190, "LMS", "a learner passes a course"),
        svg.arrow((185, 91), (185, 117), label="event", at=(195, 108)),
        svg.card(90, 118, 190, "Event bus", "Kafka or Redis Streams"),
        svg.arrow((185, 165), (185, 207), label="event", at=(195, 190)),
        svg.box(20, 196, 420, 186, f'rx="8" fill="none" stroke="{svg.LINE}" stroke-dasharray="5 4"'),
        svg.text("Credentials", 345, 372, 'font-family="sans-serif" font-weight="bold"'),
        svg.card(60, 208, 250, "Consumer: consume_events", *consumer, fill=svg.WHITE),
        svg.arrow((310, 248), (375, 248), (375, 141), (281, 141), label="badge awarded,", at=(300, 112)),
        svg.text("badge revoked", 300, 128, 'font-family="sans-serif"', 12),
        svg.arrow((185, 289), (185, 315), label="delivery, waiting", at=(195, 306)),
        svg.card(60, 316, 250, "Worker: deliver_badges", "sends or signs, retries", fill=svg.WHITE),
        svg.arrow((120, 363), (120, 415), label="HTTPS", at=(130, 404)),
        svg.card(20, 416, 190, "Credly, Accredible", "the badge at the provider"),
        svg.arrow((250, 363), (250, 389), (330, 389), (330, 415)),
        svg.card(235, 416, 205, "Pages of this site", "My badges, public page, mails"),
        "</svg>",
    ]
    return "\n".join([*parts, ""])


def states_of_a_delivery() -> str:
    """Return the states, in the words of the admin, and the numbered ways between them."""
    from badges_plugin.distribution.retry import State

    def card(state: State, x: float, y: float) -> str:
        return svg.card(x, y, 120, str(state.label).capitalize(), state.value)

    parts = [
        *svg.frame("The states of a delivery", WIDTH, 330),
        card(State.PENDING, 170, 44),
        card(State.SENDING, 170, 150),
        card(State.CANCELLED, 325, 150),
        card(State.DONE, 15, 260),
        card(State.FAILED, 170, 260),
        card(State.GIVEN_UP, 325, 260),
        svg.arrow((205, 91), (205, 149)),
        svg.number(1, 205, 118),
        svg.arrow((255, 150), (255, 92)),
        svg.number(2, 255, 122),
        svg.arrow((170, 173), (75, 173), (75, 259)),
        svg.number(3, 75, 212),
        svg.arrow((230, 197), (230, 259)),
        svg.number(4, 230, 226),
        svg.arrow((290, 60), (385, 60), (385, 149)),
        svg.arrow((290, 173), (324, 173)),
        svg.number(5, 385, 104),
        svg.number(5, 306, 173),
        svg.arrow((290, 283), (324, 283)),
        svg.number(6, 306, 283),
        svg.arrow((170, 283), (150, 283), (150, 67), (169, 67)),
        svg.number(7, 150, 130),
        svg.arrow((445, 275), (452, 275), (452, 75), (291, 75)),
        svg.number(8, 430, 75),
        "</svg>",
    ]
    return "\n".join([*parts, ""])


def several_sites() -> str:
    """Return two sites of one service: what each has of its own, and what they share."""
    shared = (
        "learners and their awards",
        "events, consumers, workers",
        "accounts at Credly and Accredible",
        "settings and staff",
    )

    def site(x: float, domain: str) -> list[str]:
        return [
            svg.card(x, 44, 205, domain, "pages, catalog", "sender and texts of mails"),
            svg.arrow((x + 102, 108), (x + 102, 134)),
            svg.card(x, 135, 205, "Its badges", "requirements, images"),
            svg.arrow((x + 102, 182), (x + 102, 208)),
            svg.card(x, 209, 205, "Its issuer", "base URL, keys, signed badges"),
            svg.arrow((x + 102, 256), (x + 102, 282)),
        ]

    parts = [
        *svg.frame("Two sites of one service", WIDTH, 396),
        *site(15, "badges.one.example"),
        *site(240, "badges.two.example"),
        svg.card(15, 283, 430, "One Credentials service", *shared, fill=svg.WHITE),
        "</svg>",
    ]
    return "\n".join([*parts, ""])
