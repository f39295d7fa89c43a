"""The REST API for learners and everybody: answers, access, paging, headers and errors."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.sites.models import Site
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from badges_plugin import api
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate
from badges_plugin.web.rest_api.checks import check_settings, check_tokens
from tests.factories import UserFactory, at, make_template, make_user, requires, send_passing, staff_who_may
from tests.web.api_calls import (
    ROOT,
    all_pages,
    badge,
    client_of,
    earn,
    get,
    learner,
    results,
    token_of,
    trust_tokens,
)

pytestmark = pytest.mark.django_db

OWN = ("badges/mine/", "progress/mine/")
STAFF = ("awards/", "learners/ada/badges/", "learners/ada/progress/")
PUBLIC = ("catalogue/", "openapi.json")


@pytest.fixture(autouse=True)
def _no_requests_yet() -> None:
    """Counts of requests outlive the database of a test."""
    cache.clear()


# --- answers


def test_my_badges_say_when_how_and_why() -> None:
    ada, logic = learner(), badge(valid_days=3650)
    award = earn(ada, logic)
    api.revoke_award(award, reason="By mistake")
    award.refresh_from_db()
    [found] = results(client_of(ada), "badges/mine/")
    assert found == {
        "id": award.pk,
        "badge": {**found["badge"], "uuid": str(logic.uuid), "name": "Logic", "description": "For learning."},
        "number": 1,
        "state": "revoked",
        "awarded_at": "2026-01-01T00:00:00Z",
        "expires_at": "2035-12-30T00:00:00Z",
        "ended_at": award.revoked_at.strftime("%Y-%m-%dT%H:%M:%SZ") if award.revoked_at else None,
        "ended_by": "by_hand",
        "ended_by_text": "revoked by staff",
        "reason": "By mistake",
        "public_url": None,
        "files": None,
        "providers": [],
    }


def test_times_are_utc_wherever_the_site_is(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DATETIME_FORMAT": "%d.%m.%Y"}
    ada = learner()
    earn(ada, badge())
    assert results(client_of(ada), "badges/mine/")[0]["awarded_at"] == "2026-01-01T00:00:00Z"


def test_my_badges_are_mine_under_each_of_my_users_and_nobody_elses() -> None:
    ada, namesake, bob = learner(lms_user_id=7), learner("ada_old", lms_user_id=7), learner("bob")
    unknown = learner("eve", lms_user_id=None)
    logic = badge()
    earn(bob, logic, 1)
    award = earn(ada, logic)
    BadgeAward.objects.filter(pk=award.pk).update(progress=_progress_of(namesake, logic))
    assert [found["id"] for found in results(client_of(ada), "badges/mine/")] == [award.pk]
    assert results(client_of(unknown), "badges/mine/") == []


def _progress_of(user: Any, template: BadgeTemplate) -> Any:
    return BadgeProgress.objects.create(user=user, template=template)


def test_my_progress_says_what_is_missing() -> None:
    template = make_template(name="Courses", icon="", in_order=True)
    courses = [f"course-v1:edX+{name}+1" for name in ("Algebra", "Logic")]
    requires(
        template,
        ("is_passing", "eq", "true"),
        ("course.course_key", "in", "\n".join(courses)),
        count=2,
        counted_by="course.course_key",
    )
    ada = learner()
    send_passing(ada, courses[0])
    [found] = results(client_of(ada), "progress/mine/")
    [step] = found["steps"]
    [requirement] = step["requirements"]
    assert (found["state"], found["done"], found["needed"], found["share"]) == ("on_the_way", 0, 1, 0.5)
    assert (step["is_next"], requirement["done"], requirement["needed"]) == (True, 1, 2)
    assert (requirement["counted"], requirement["missing"]) == ([courses[0]], [courses[1]])
    assert requirement["last_event"]["time"] == "2026-01-01T00:00:00Z"
    assert requirement["explanation"].startswith("1 of 2 courses; missing: course-v1:edX+Logic+1")


def test_progress_leaves_out_what_is_held_and_what_cannot_be_earned() -> None:
    ada = learner()
    lost = badge("Lost", "course-v1:edX+Lost+1")
    lost_for_good = badge("Gone", "course-v1:edX+Gone+1", can_be_reawarded=False)
    expired = badge("Old", "course-v1:edX+Old+1", can_be_reawarded=False, valid_days=3650)
    held, retired = badge("Held", "course-v1:edX+Held+1"), badge("Off", "course-v1:edX+Off+1")
    for template in (lost, lost_for_good):
        api.revoke_award(earn(ada, template), reason="")
    earn(ada, held)
    ended = earn(ada, expired)
    BadgeAward.objects.filter(pk=ended.pk).update(expires_at=at(1))
    api.revoke_award(earn(ada, retired), reason="")
    BadgeTemplate.objects.filter(pk=retired.pk).update(is_active=False)
    found = {each["badge"]["name"]: each["state"] for each in results(client_of(ada), "progress/mine/")}
    assert found == {"Lost": "revoked", "Old": "expired"}


def test_the_catalog_says_what_active_badges_ask_for() -> None:
    logic = badge(valid_days=30)
    make_template(name="Draft", is_active=False)
    [found] = results(Client(), "catalogue/")
    assert (found["uuid"], found["name"]) == (str(logic.uuid), "Logic")
    assert found["criteria"]["sentences"] == ["Pass course-v1:edX+Logic+1", "Valid for 30 days"]
    assert found["criteria"]["steps"][0]["requirements"] == [{"sentence": "Pass course-v1:edX+Logic+1"}]


def test_the_catalog_leaves_out_badges_of_other_tenants() -> None:
    badge("Ours")
    SiteConfiguration = apps.get_model("core", "SiteConfiguration")
    tenant = Site.objects.create(domain="tenant.example.org", name="Tenant")
    badge("Theirs", site=tenant)
    assert [each["name"] for each in results(Client(), "catalogue/")] == ["Ours", "Theirs"]
    SiteConfiguration.objects.create(site=tenant, platform_name="Tenant")
    assert [each["name"] for each in results(Client(), "catalogue/")] == ["Ours"]


def test_images_are_ours_unless_a_provider_has_one() -> None:
    for name in ("Ours", "Theirs"):
        badge(name, icon="https://images.example.org/1.png")
    BadgeTemplate.objects.filter(name="Theirs").update(origin="somewhere")
    ours, theirs = (each["image_url"] for each in results(Client(), "catalogue/"))
    assert theirs == "https://images.example.org/1.png"
    assert ours.startswith("http://testserver/badges/images/")
    assert Client().get(ours).status_code == 200


# --- access


@pytest.mark.parametrize("path", [*OWN, *STAFF])
def test_without_a_login_the_answer_is_401_and_says_how_to_log_in(path: str) -> None:
    learner()
    response = get(Client(), path)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'JWT realm="api"')
    assert list(response.json()) == ["detail"]


@pytest.mark.parametrize("path", PUBLIC)
def test_what_is_public_needs_no_login_and_is_not_spoiled_by_a_bad_one(path: str) -> None:
    for headers in ({}, {"authorization": "JWT nonsense"}, {"cookie": "sessionid=nonsense"}):
        assert Client().get(f"{ROOT}{path}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("path", "permission", "other"),
    [
        ("awards/", "view_badgeaward", "view_badgeprogress"),
        ("learners/ada/badges/", "view_badgeaward", "view_badgeprogress"),
        ("learners/ada/progress/", "view_badgeprogress", "view_badgeaward"),
    ],
)
def test_staff_need_the_permission(path: str, permission: str, other: str) -> None:
    assert get(client_of(learner()), path).status_code == 403
    assert get(client_of(staff_who_may(other)), path).status_code == 403
    assert get(client_of(staff_who_may(permission)), path).status_code == 200


def test_a_token_logs_in_by_header_and_by_cookies(settings: Any) -> None:
    trust_tokens(settings)
    ada = learner()
    earn(ada, badge())
    token = token_of(ada)
    payload, _dot, signature = token.rpartition(".")
    by_cookies = Client()
    by_cookies.cookies["edx-jwt-cookie-header-payload"] = payload
    by_cookies.cookies["edx-jwt-cookie-signature"] = signature
    cases: list[tuple[Client, dict[str, str], int]] = [
        (Client(), {"authorization": f"JWT {token}"}, 200),
        (Client(), {"authorization": f"Bearer {token}"}, 401),
        (Client(), {"authorization": f"JWT {token[:-9]}AAAAAAAAA"}, 401),
        (Client(), {"authorization": f"JWT {token_of(ada, exp=1)}"}, 401),
        (Client(), {"authorization": f"JWT {token_of(ada, is_restricted=True)}"}, 403),
        (by_cookies, {}, 200),
        (by_cookies, {"use-jwt-cookie": "true"}, 200),
    ]
    answers = [client.get(f"{ROOT}badges/mine/", headers=headers) for client, headers, _status in cases]
    assert [each.status_code for each in answers] == [status for _client, _headers, status in cases]
    assert [len(each.json()["results"]) for each in answers if each.status_code == 200] == [1, 1, 1]


def test_a_token_of_somebody_new_has_no_badges(settings: Any) -> None:
    # In Tutor such a user has neither a name nor an LMS user id.
    trust_tokens(settings)
    settings.EDX_DRF_EXTENSIONS = {"JWT_PAYLOAD_USER_ATTRIBUTE_MAPPING": {"email": "email"}}
    earn(learner("other", lms_user_id=None), badge())
    newcomer = UserFactory.build(username="newcomer", lms_user_id=5)
    response = Client().get(f"{ROOT}badges/mine/", headers={"authorization": f"JWT {token_of(newcomer)}"})
    assert (response.status_code, response.json()) == (200, {"next": None, "results": []})


def test_a_site_may_close_its_catalog(settings: Any) -> None:
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "rest_api": {"anonymous_catalog": False}}
    response = get(Client(), "catalogue/")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'JWT realm="api"')
    response = get(client_of(learner()), "catalogue/")
    assert (response.status_code, response["Cache-Control"]) == (200, "private, no-store")
    assert "Access-Control-Allow-Origin" not in response


# --- pages


def test_pages_hold_every_row_once_also_when_rows_are_added() -> None:
    ada = learner()
    for number in range(5):
        earn(ada, badge(f"B{number}", f"course-v1:edX+B{number}+1"), minute=number // 2)
    client = client_of(ada)
    first = get(client, "badges/mine/", page_size=2).json()
    earn(ada, badge("New", "course-v1:edX+New+1"), minute=99)
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    names = [each["badge"]["name"] for page in (first, second, third) for each in page["results"]]
    assert (names, third["next"]) == (["B4", "B3", "B2", "B1", "B0"], None)


@pytest.mark.parametrize("path", ["catalogue/", "progress/mine/"])
def test_other_lists_have_pages_too(path: str) -> None:
    ada = learner()
    for number in range(5):
        api.revoke_award(earn(ada, badge(f"B{number}", f"course-v1:edX+B{number}+1")), reason="")
    pages = all_pages(client_of(ada), path, page_size=2)
    names = [each.get("name") or each["badge"]["name"] for page in pages for each in page]
    assert ([len(page) for page in pages], sorted(names)) == ([2, 2, 1], [f"B{number}" for number in range(5)])


def test_a_page_has_an_upper_limit(settings: Any) -> None:
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "rest_api": {"page_size": 1, "max_page_size": 2}}
    for number in range(4):
        badge(f"B{number}")
    sizes = {size: len(results(Client(), "catalogue/", **({"page_size": size} if size else {}))) for size in (0, 1, 99)}
    assert sizes == {0: 1, 1: 1, 99: 2}


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ({"page_size": "0"}, "page_size"),
        ({"page_size": "many"}, "page_size"),
        ({"page_size": ""}, "page_size"),
        ({"cursor": "%%%"}, "cursor"),
        ({"cursor": "MS4y\u0661"}, "cursor"),
        ({"cursor": "OTk5OTk5OTk5OTk5OTk5OTk5Ljk5OTk5OTk5OTk5OTk5OTk5OTk"}, "cursor"),  # the largest numbers
        ({"cursor": "MS45OTk5OTk5OTk5OTk5OTk5OTk5"}, "cursor"),  # a key of more than 64 bits
        ({"cursor": "x" * 500}, "cursor"),
        ({"stat": "held"}, "stat"),
    ],
)
def test_a_wrong_parameter_is_named(parameters: dict[str, str], wrong: str) -> None:
    client = client_of(learner())
    for path in ("badges/mine/", "progress/mine/", "catalogue/"):
        response = get(client, path, **parameters)
        assert (response.status_code, list(response.json())) == (400, [wrong])


# --- headers and errors


def test_private_answers_are_kept_nowhere_and_read_by_no_other_site() -> None:
    client = client_of(learner())
    for path in OWN:
        response = get(client, path)
        assert response["Cache-Control"] == "private, no-store"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Type"] == "application/json"
        assert "Access-Control-Allow-Origin" not in response


def test_public_answers_are_for_every_site_and_a_minute() -> None:
    response = get(Client(), "catalogue/")
    assert (response["Cache-Control"], response["Access-Control-Allow-Origin"]) == ("public, max-age=60", "*")
    assert {"Accept-Language", "Cookie"} <= set(response["Vary"].split(", "))
    assert not response.cookies


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "nothing/", 404),
        ("get", "", 404),
        ("get", "badges/not-a-uuid/", 404),
        ("get", "learners/nobody/badges/", 404),
        ("get", "learners/no%00body/progress/", 404),
        ("get", "catalog", 301),
        ("post", "badges/mine/", 405),
        ("delete", "catalogue/", 405),
        ("options", "awards/", 405),
    ],
)
def test_errors_are_json_and_tell_nothing_more(method: str, path: str, status: int) -> None:
    client = client_of(make_user(is_staff=True, is_superuser=True))
    response = getattr(client, method)(f"{ROOT}{path}")
    assert response.status_code == status
    if status >= 400:
        assert (list(response.json()), response["Cache-Control"]) == (["detail"], "private, no-store")


def test_a_browser_gets_json_as_well() -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert Client().get(f"{ROOT}catalogue/", headers={"accept": accept})["Content-Type"] == "application/json"


def test_texts_are_in_the_language_of_the_request() -> None:
    response = Client().get(f"{ROOT}nothing/", headers={"accept-language": "fr"})
    assert (response.json(), response["Content-Language"]) == ({"detail": "Pas trouvé."}, "fr")


@pytest.mark.parametrize("scope", ["public", "learner", "staff"])
def test_too_many_requests_are_refused_for_a_while(scope: str, settings: Any) -> None:
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "rest_api": {f"{scope}_rate": "2/hour"}}
    client = client_of(make_user(is_staff=True, is_superuser=True))
    path = {"public": "catalogue/", "learner": "badges/mine/", "staff": "awards/"}[scope]
    answers = [get(client, path) for _time in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert 0 < int(answers[2]["Retry-After"]) <= 3600
    assert get(client_of(learner()), path).status_code in ({429} if scope == "public" else {200, 403})


def test_a_made_up_address_is_not_counted_as_another(settings: Any) -> None:
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "rest_api": {"public_rate": "2/hour"}}
    made_up = [f"10.9.8.{number}, 198.51.100.7" for number in range(3)]
    answers = [Client().get(f"{ROOT}catalogue/", headers={"x-forwarded-for": each}) for each in made_up]
    assert [each.status_code for each in answers] == [200, 200, 429]


def test_no_rate_is_no_limit(settings: Any) -> None:
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "rest_api": {"public_rate": ""}}
    assert {get(Client(), "catalogue/").status_code for _time in range(3)} == {200}
    assert not cache.get("throttle_public_127.0.0.1")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"page_size": 0}, "page_size"),
        ({"page_size": True}, "page_size"),
        ({"page_size": 101}, "page_size"),
        ({"max_page_size": 501}, "max_page_size"),
        ({"staff_rate": "often"}, "staff_rate"),
        ({"public_rate": "0/minute"}, "public_rate"),
        ({"anonymous_catalog": "yes"}, "anonymous_catalog"),
        ({"rate": "1/day"}, "rate"),
        ({}, ""),
    ],
)
def test_the_check_names_the_setting(given: dict[str, object], named: str, settings: Any) -> None:
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "rest_api": given}
    found = check_settings(None)
    assert [each.id for each in found] == ["badges_web.E011"] * bool(named)
    assert all(named in each.msg for each in found)


def test_the_check_warns_where_every_token_is_accepted(settings: Any) -> None:
    trust_tokens(settings)
    assert check_tokens(None) == []
    settings.JWT_AUTH = {**settings.JWT_AUTH, "JWT_PUBLIC_SIGNING_JWK_SET": None}
    forged = {"authorization": f"JWT {token_of(learner())[:-9]}AAAAAAAAA"}
    is_accepted = Client().get(f"{ROOT}badges/mine/", headers=forged).status_code == 200
    assert [each.id for each in check_tokens(None)] == ["badges_web.W012"] * is_accepted


# --- what it costs


@pytest.mark.parametrize("path", ["badges/mine/", "progress/mine/", "catalogue/", "awards/", "learners/ada/badges/"])
def test_queries_do_not_grow_with_rows(path: str) -> None:
    ada = learner(is_superuser=True)
    client = client_of(ada)

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            get(client, path)
        return len(captured)

    def add(number: int) -> None:
        api.revoke_award(earn(ada, badge(f"B{number}", f"course-v1:edX+B{number}+1")), reason="")

    add(0)
    count()  # what a process looks up once
    few = count()
    for number in range(1, 6):
        add(number)
    assert count() == few
    assert few <= 14
