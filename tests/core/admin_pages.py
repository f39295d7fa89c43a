"""Staff at work in the admin: who they are, and filling in a page's form as a browser would."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from html.parser import HTMLParser
from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tests.factories import COURSE, make_user


def staff(*permissions: str, superuser: bool = False) -> Client:
    """Sign in a member of staff who holds permissions such as ``view_badgeaward``, and no others."""
    user = make_user(is_staff=True, is_superuser=superuser)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=permissions, content_type__app_label="badges_plugin")
    )
    client = Client()
    client.force_login(user)
    return client


def url(model: str, page: str = "changelist", *arguments: Any, app: str = "badges_plugin") -> str:
    return reverse(f"admin:{app}_{model}_{page}", args=arguments)


class _Form(HTMLParser):
    """The values of the form with the most fields, which is the page's own."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.forms.append({})
        elif tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
            self._put(name, "")
        elif tag == "option" and self._select and "selected" in given:
            self._put(self._select, given["value"])
        elif tag == "input" and name and given.get("type") not in ("submit", "button", "file"):
            if given.get("type") not in ("checkbox", "radio"):
                self._put(name, given.get("value", ""))
            elif "checked" in given:
                self._put(name, given.get("value", "on"))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.forms[-1][self._textarea][-1] += data.removeprefix("\r\n").removeprefix("\n")

    def _put(self, name: str, value: str) -> None:
        if self.forms and name:
            self.forms[-1].setdefault(name, []).append(value)


def filled_in(response: Any) -> dict[str, Any]:
    """Return the values that a page's form would send if somebody only pressed "Save"."""
    parser = _Form()
    parser.feed(response.content.decode())
    return {name: values for name, values in max(parser.forms, key=len).items() if "__prefix__" not in name}


def submit(client: Client, address: str, changes: Mapping[str, Any] | None = None, **more: Any) -> Any:
    """Open a page, change what is given (None: clear it), press "Save", and follow to where that leads."""
    page = client.get(address)
    assert page.status_code == 200, page.status_code
    values = {**filled_in(page), **(changes or {}), **more}
    sent = {name: value for name, value in values.items() if value is not None}
    return client.post(address, sent, follow=True)


def rules(*given: tuple[str, str, str], start: int = 0) -> dict[str, str]:
    """Return what filling in rows of rules sends, ``start`` being the number of rows that are there already."""
    values = {"rules-TOTAL_FORMS": str(start + len(given))}
    for number, (key_path, operator, value) in enumerate(given, start):
        values |= {
            f"rules-{number}-key_path": key_path,
            f"rules-{number}-operator": operator,
            f"rules-{number}-value": value,
        }
    return values


PASSES = (("course.course_key", "eq", COURSE), ("is_passing", "eq", "true"))
FAILS = (("course.course_key", "eq", COURSE), ("is_passing", "eq", "false"))


def text(response: Any) -> str:
    """Return what a person reads on the page."""
    body = re.sub(r"(?s)<(script|style).*?</\1>", "", response.content.decode())
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def errors(response: Any) -> str:
    """Return what the page complains about."""
    found = re.findall(r'(?s)<ul class="(?:errorlist|messagelist)[^"]*".*?</ul>', response.content.decode())
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", " ".join(found))).split())
