"""The examples of the reference are true: each request is sent, and its answer has the shape that the page shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from badges_plugin.distribution.open_badges.api import documents_of
from badges_plugin.models import BadgeAward
from badges_plugin.web.models import NameShown, Publication
from badges_plugin.web.rest_api.document import document
from tests.distribution.worlds import deliver
from tests.factories import make_template, make_user, requires, send_passing
from tests.open_badges.conftest import site_that_signs
from tests.web.api_calls import ROOT, badge, client_of, earn
from tests.web.openapi import Document

__all__ = ["site_that_signs"]

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/rest-api.rst"
DOCUMENT = Document(document())
_BLOCK = re.compile(
    r"^\.\. code-block:: (?P<language>\w+)\n(?:   :(?!name)\w+: .*\n)*(?:   :name: (?P<name>[\w-]+)\n)?\n"
    r"(?P<body>(?:(?:   .*)?\n)+)",
    re.MULTILINE,
)


@dataclass
class Example:
    """``shown`` is the answer that the page shows; None where it shows none."""

    request: str
    shown: Any = None


def blocks() -> Iterator[tuple[str, str, str]]:
    for found in _BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        yield found["language"], found["name"] or "", dedent(found["body"]).strip()


def examples() -> dict[str, Example]:
    found: dict[str, Example] = {}
    name = ""
    for language, named, body in blocks():
        if language == "http":
            name = named
            found[name] = Example(body.removeprefix("GET ").removesuffix(" HTTP/1.1"))
        elif language == "json":
            found[name].shown = json.loads(body)
    return found


EXAMPLES = examples()


@pytest.fixture
def people(site_that_signs: Any) -> dict[str, Client]:
    """Ada has published Logic and is half way to another badge. A superuser asks for staff."""
    cache.clear()
    ada = make_user(username="ada", email="ada@example.org", full_name="Ada Lovelace")
    logic = badge(site=site_that_signs)
    two = make_template(name="Two courses", icon="", site=site_that_signs)
    courses = [f"course-v1:edX+{name}+1" for name in ("Algebra", "Ethics")]
    rules = (("is_passing", "eq", "true"), ("course.course_key", "in", "\n".join(courses)))
    requires(two, *rules, count=2, counted_by="course.course_key")
    earn(ada, logic)
    send_passing(ada, courses[0])
    deliver()
    staff = client_of(make_user(is_staff=True, is_superuser=True))
    return {"learner": client_of(ada), "staff": staff, "public": Client()}


def publish() -> str:
    award = BadgeAward.objects.get()
    Publication.objects.create(
        award=award, published_at=timezone.now(), name_shown=NameShown.INITIALS, evidence_shown=True
    )
    return str(documents_of([award.pk])[award.pk].uuid)


def differences(real: Any, shown: Any, place: str = "$") -> Iterator[str]:
    """Yield where an answer has another shape than the one that the page shows."""
    if isinstance(real, dict) and isinstance(shown, dict):
        if list(real) != list(shown):
            yield f"{place}: {list(real)}, shown as {list(shown)}"
        for name in real.keys() & shown.keys():
            yield from differences(real[name], shown[name], f"{place}.{name}")
    elif isinstance(real, list) and isinstance(shown, list):
        if not (real and shown):
            yield f"{place}: an empty list shows nothing" if real or shown else ""
        for each in real[:1] and shown:
            yield from differences(real[0], each, f"{place}[]")
    elif type(real) is not type(shown):
        yield f"{place}: {real!r}, shown as {shown!r}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_answer_has_the_shape_that_the_page_shows(name: str, people: dict[str, Client]) -> None:
    example = EXAMPLES[name]
    public = publish() if name in ("own-badges", "public-badge") else ""
    request = re.sub(r"/badges/v1/badges/[0-9a-f-]{36}/", f"/badges/v1/badges/{public}/", example.request)
    scope = resolve(urlsplit(request).path).func.view_class.throttle_scope  # type: ignore[attr-defined]
    response = people[scope].get(request)
    answer = response.json()
    assert response.status_code == (400 if name == "mistake" else 200)
    if example.shown is not None:
        assert [each for each in differences(answer, example.shown) if each] == []
    for each in (answer, example.shown) if example.shown is not None else (answer,):
        assert list(DOCUMENT.faults(each, _schema(request, response.status_code))) == []


def _schema(request: str, status: int) -> Any:
    path = "/" + urlsplit(request).path.removeprefix(ROOT)
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{uuid}", path).replace("/ada/", "/{username}/")
    return DOCUMENT.answer_to(document()["paths"][path]["get"], str(status))


def test_every_address_has_an_example() -> None:
    shown = {resolve(re.sub(r"\?.*", "", each.request)).url_name for each in EXAMPLES.values()}
    served = {"own-badges", "own-progress", "public-badge", "catalog", "awards", "learner-badges", "learner-progress"}
    assert shown == {f"api-{name}" for name in served}


class _Session:
    """What the example needs of ``requests``, answered by the views."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def get(self, address: str, params: dict[str, str], timeout: float) -> Any:
        response = self._client.get(address, params or None)
        response.raise_for_status = lambda: None  # type: ignore[attr-defined]
        assert (response.status_code, timeout) == (200, 30)
        return response


def test_the_python_example_reads_every_page(people: dict[str, Client]) -> None:
    for name in ("bob", "eve"):
        send_passing(make_user(username=name), "course-v1:edX+Logic+1")
    [code] = [body for language, name, body in blocks() if name == "python-example"]
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102 - ours
    rows = names["awards"](_Session(people["staff"]), "http://testserver", state="held", page_size="1")
    assert sorted(row["learner"]["username"] for row in rows) == ["ada", "bob", "eve"]
