"""The pages of numbers: who may see them, what they say, and the file."""

from __future__ import annotations

import csv
import html
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badges_plugin import api
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.distribution.numbers import undelivered
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.factories import make_template, make_user, penalizes_failing, requires_course, send_passing, staff_who_may
from tests.limits import Lower

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
DAY = 1440
SITE, CSV = "/badges/desk/numbers/", "/badges/desk/numbers/numbers.csv"


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def template() -> BadgeTemplate:
    """A badge that one learner holds, and one lost."""
    template = make_template(name="Logic <b>")
    penalizes_failing(template, requires_course(template))
    for day in (40, 60):
        send_passing(make_user(), minute=day * DAY)
    award = BadgeAward.objects.order_by("awarded_at")[0]
    api.revoke_award(award, reason="By mistake.")
    return template


def staff(*codenames: str) -> Client:
    client = Client()
    client.force_login(staff_who_may("view_badgetemplate", *codenames))
    return client


def words(response: Any) -> str:
    """Return the text of the page's own part, without tags."""
    found = re.search(r'<div id="content-main" class="desk">(.*)</div>', response.content.decode(), re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]*>", " ", found[1]).split())


def page_of(template: BadgeTemplate) -> str:
    return reverse("badges_web:desk_badge_numbers", args=(template.pk,))


@pytest.mark.parametrize("url", [SITE, CSV, "badge"])
def test_only_staff_who_may_see_badges_see_their_numbers(template: BadgeTemplate, url: str) -> None:
    url = page_of(template) if url == "badge" else url
    anonymous, learner, nobody = Client(), Client(), Client()
    learner.force_login(make_user())
    nobody.force_login(staff_who_may("view_badgeaward"))
    assert anonymous.get(url).status_code == learner.get(url).status_code == 302
    assert nobody.get(url).status_code == 403
    assert staff().get(url).status_code == 200


def test_the_page_of_the_site(template: BadgeTemplate) -> None:
    response = staff().get(SITE)
    text = words(response)
    assert "Learners hold 1 badge today. 0 are on the way." in text
    assert "2 awarded in the last 8 weeks 1 revoked 0 expired" in text
    assert "Logic &lt;b&gt; 1 0 2" in text
    assert "Counted just now." in text
    assert "Feb. 9, 2026 1 0 0" in text
    assert "March 2, 2026 1 1 0" in text
    assert "Accepted" not in text, "nobody is asked to accept anything"
    assert "deliver" not in text, "who may not see deliveries"


def test_the_page_of_a_badge(template: BadgeTemplate) -> None:
    other = make_template(name="Other")
    requires_course(other)
    send_passing(make_user(), minute=61 * DAY)  # both badges
    text = words(staff().get(page_of(template)))
    assert "2 learners have this badge today. 0 are on the way." in text
    assert "3 awarded in the last 8 weeks" in text
    assert "Began it 3 100% 1 of 1 done 3 100% Have it now 2 66%" in text
    assert "less than a day 0 learners" in text
    assert "Badge by badge" not in text


@pytest.mark.parametrize(
    ("query", "words_of_tile"),
    [
        ("?weeks=8", "in the last 8 weeks"),
        ("?weeks=all", "since the beginning"),
        ("?weeks=52", "in the last 52 weeks"),
        ("?weeks=-1", "in the last 8 weeks"),
        ("?weeks=%00", "in the last 8 weeks"),
        ("?badge=nothing", "in the last 8 weeks"),
    ],
)
def test_the_time(template: BadgeTemplate, query: str, words_of_tile: str) -> None:
    assert f"2 awarded {words_of_tile}" in words(staff().get(f"{SITE}{query}"))


def test_a_chosen_badge_has_its_own_page(template: BadgeTemplate) -> None:
    client = staff()
    response = client.get(SITE, {"badge": str(template.pk), "weeks": "26"})
    assert (response.status_code, response["Location"]) == (302, f"{page_of(template)}?weeks=26")
    assert "in the last 26 weeks" in words(client.get(response["Location"]))
    for missing in ("999999", "9" * 30):
        assert client.get(f"{SITE}{missing}/").status_code == 404


def test_an_empty_site_has_axes_and_says_so() -> None:
    response = staff("view_delivery").get(SITE)
    assert "Nothing was awarded in this time." in words(response)
    assert response.content.count(b'class="ax"') == 2
    assert "No badge was awarded yet, and nobody is on the way." in words(response)
    assert "Nothing failed." in words(response)


def test_a_large_site_that_was_not_counted_yet(template: BadgeTemplate, lower: Lower) -> None:
    lower("badges_plugin.reading.numbers", LARGE=0)
    text = words(staff("view_delivery").get(SITE))
    assert "Nothing was counted yet." in text
    assert "0 deliveries need you" in text
    assert "awarded" not in text, "nobody knows how many"
    assert "on the way." not in text


def test_many_badges_are_shown_when_asked_for(template: BadgeTemplate, lower: Lower) -> None:
    other = make_template(name="Zeta")
    requires_course(other)
    send_passing(make_user(), minute=61 * DAY)
    lower("badges_plugin.web.desk.numbers", MOST_BADGES=1)
    client = staff()
    assert "All 2 badges" in words(client.get(SITE))
    assert "Zeta 1 0 1" in words(client.get(SITE, {"all": "1"}))
    assert "Zeta 1 0 1" not in words(client.get(SITE))


def test_numbers_in_the_picture_are_not_written_as_people_do(template: BadgeTemplate, settings: Any) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    client = staff()
    response = client.get(SITE, HTTP_ACCEPT_LANGUAGE="fr")
    pictures = "".join(re.findall(r"<svg class=\"desk-chart.*?</svg>", response.content.decode(), re.DOTALL))
    attributes = re.findall(r' (?:x|y|x1|x2|y1|y2|width|height)="([^"]*)"', pictures)
    assert len(attributes) > 20
    assert [each for each in attributes if not re.fullmatch(r"\d+(\.\d+)?", each)] == []


def failing(template: BadgeTemplate, *reasons: str, state: str = "failed", paused: str = "") -> Channel:
    channel = Channel.objects.create(backend="credly", account=str(template.uuid), paused_reason=paused)
    award = BadgeAward.objects.filter(progress__template=template).order_by("pk")[0]
    for number, reason in enumerate(reasons):
        Delivery.objects.create(
            award=award, backend=f"backend-{number}", channel=channel, action="issue", state=state, last_error=reason
        )
    return channel


def test_what_failed_by_reason_with_a_way_to_it(template: BadgeTemplate, lower: Lower) -> None:
    lower("badges_plugin.distribution.numbers", MOST=3)
    failing(template, "Refused. (Code 17)", "Refused. (Code 18)", "No address.")
    response = staff("view_delivery").get(SITE)
    text = words(response)
    assert "3 deliveries need you" in text
    assert "Refused. 2 Show them No address. 1 Show it" in text
    assert "Code" not in text
    delivery = Delivery.objects.get(last_error="No address.")
    assert reverse("admin:badges_distribution_delivery_change", args=(delivery.pk,)) in response.content.decode()
    assert "There are more." not in text
    several = re.findall(
        r'href="([^"]*delivery/[?][^"]*)"', staff("view_delivery").get(page_of(template)).content.decode()
    )
    assert len(several) == 2, "from the number, and from the reason"
    listed = staff("view_delivery").get(html.unescape(several[0]))
    assert listed.status_code == 200, "the list has such a filter"
    assert listed.context["cl"].result_count == 3
    Delivery.objects.filter(pk=delivery.pk).update(state="pending")
    other = make_template()
    assert "Nothing failed." in words(staff("view_delivery").get(page_of(other)))


def test_more_failures_than_are_looked_at(template: BadgeTemplate, lower: Lower) -> None:
    lower("badges_plugin.distribution.numbers", MOST=2)
    failing(template, "Refused.", "Refused.", "Refused.")
    text = words(staff("view_delivery").get(SITE))
    assert "There are more. Not all of them were looked at." in text


def test_what_waits_for_an_account(template: BadgeTemplate) -> None:
    channel = failing(template, "", "", state="pending", paused="The key was refused. (401)")
    url = reverse("admin:badges_distribution_channel_change", args=(channel.pk,))
    response = staff("view_delivery", "view_channel").get(SITE)
    assert "is on hold: The key was refused. 2 Show the account" in words(response)
    assert url in response.content.decode()
    assert url not in staff("view_delivery").get(SITE).content.decode()
    assert "0 deliveries need you" in words(response)


def lines(response: Any) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(text.splitlines()))


def test_the_file(template: BadgeTemplate) -> None:
    BadgeTemplate.objects.filter(pk=template.pk).update(name="=1+1")
    other = make_template(name="Ω")
    requires_course(other)
    send_passing(make_user(), minute=61 * DAY)
    client = staff()
    response = client.get(CSV)
    assert response["Content-Disposition"] == 'attachment; filename="badge-numbers.csv"'
    heading, *rows = lines(response)
    assert heading == ["Week from", "Badge", "Awarded", "Accepted by the learner", "Revoked", "Expired"]
    assert rows == [
        ["2026-02-09", "'=1+1", "1", "", "0", "0"],
        ["2026-03-02", "'=1+1", "2", "", "1", "0"],
        ["2026-03-02", "Ω", "1", "", "0", "0"],
    ]
    assert [row[1] for row in lines(client.get(CSV, {"badge": other.pk}))[1:]] == ["Ω"]


def test_what_learners_accept_is_told_where_they_are_asked(template: BadgeTemplate) -> None:
    organization = CredlyOrganization.objects.create(uuid="00000000-0000-0000-0000-0000000000c0", name="NU")
    there = CredlyBadgeTemplate.objects.create(
        site=template.site, uuid="00000000-0000-0000-0000-0000000000c1", name="At Credly", organization=organization,
        state="active", is_active=True,
    )  # fmt: skip
    penalizes_failing(there, requires_course(there))
    again = make_user()
    for user in (again, make_user(), make_user(), make_user()):
        send_passing(user, minute=61 * DAY)
    # One was awarded twice: it is not known how the first stood.
    send_passing(again, is_passing=False, minute=61 * DAY + 1)
    send_passing(again, minute=61 * DAY + 2)
    badges = list(CredlyBadge.objects.order_by("pk"))
    assert len(badges) == 4
    CredlyBadge.objects.filter(pk__in=[badge.pk for badge in badges[:2]]).update(state="accepted")
    client = staff("view_delivery")
    text = words(client.get(SITE))
    assert "2 accepted by the learner (40% of those that had to be accepted)" in text
    assert "At Credly 4 0 5 40%" in text
    assert re.search(r"Logic &lt;b&gt; \d \d \d not asked for", text)
    own = words(client.get(reverse("badges_web:desk_badge_numbers", args=(there.pk,))))
    assert "2 accepted by the learner (40%)" in own
    assert "Have it now 4 100% Accepted it at Credly 2 50%" in own
    (row,) = lines(client.get(CSV, {"badge": there.pk}))[1:]
    assert row == ["2026-03-02", "At Credly", "5", "2", "1", "0"]


def test_a_badge_by_digits_of_another_script(template: BadgeTemplate) -> None:
    digits = str(template.pk).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    response = staff().get(SITE, {"badge": digits})
    assert response.headers["Location"] == f"{page_of(template)}?weeks=8"


def test_failures_of_a_badge_are_found_behind_many_of_others(template: BadgeTemplate, lower: Lower) -> None:
    lower("badges_plugin.distribution.numbers", MOST=2)
    failing(template, "Refused.", "Refused.", "Refused.")
    other = make_template(name="Other")
    requires_course(other)
    send_passing(make_user(), minute=62 * DAY)
    failing(other, "No address.")
    assert (undelivered().failed, undelivered().is_cut) == (3, True), "one more than are counted"
    found = undelivered(other.pk)
    assert ([each.reason for each in found.failures], found.failed, found.is_cut) == (["No address."], 1, False)
    assert "No address. 1 Show it" in words(staff("view_delivery").get(page_of(other)))
