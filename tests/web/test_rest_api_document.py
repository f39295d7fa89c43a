"""The OpenAPI document says what the views do: addresses, methods, parameters, access, and every field of answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from rest_framework import serializers

from badges_plugin.web.rest_api.base import ApiView, ListView, NotFoundView
from badges_plugin.web.rest_api.document import DocumentView, document
from badges_plugin.web.rest_api.urls import urlpatterns
from tests.factories import make_user
from tests.web.api_calls import ROOT, client_of
from tests.web.openapi import Document

DOCUMENT = Document(document())
_CONVERTER = re.compile(r"<(\w+):(\w+)>")


def views() -> dict[str, type[ApiView]]:
    """Return the views by their addresses, as the document writes them."""
    found = {}
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        view: type[ApiView] = pattern.callback.view_class  # type: ignore[attr-defined]
        if view is not NotFoundView:
            found["/" + _CONVERTER.sub(r"{\2}", str(pattern.pattern))] = view
    return found


def operations() -> Mapping[str, Mapping[str, Any]]:
    paths: Mapping[str, Mapping[str, Any]] = document()["paths"]
    return paths


CASES = [pytest.param(path, view, id=path) for path, view in views().items()]


def test_every_address_and_method_is_described_and_no_other() -> None:
    served = {
        path: {name for name in view.http_method_names if name != "head" and hasattr(view, name)}
        for path, view in views().items()
    }
    assert served == {path: set(methods) for path, methods in operations().items()}
    names = [each["operationId"] for methods in operations().values() for each in methods.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("path", "view"), CASES)
def test_parameters_are_described(path: str, view: type[ApiView]) -> None:
    given = [DOCUMENT.resolve(each) for each in operations()[path]["get"].get("parameters", ())]
    in_path = {each["name"] for each in given if each["in"] == "path" and each["required"]}
    assert in_path == set(re.findall(r"\{(\w+)\}", path))
    in_query = {each["name"]: each["schema"] for each in given if each["in"] == "query"}
    fields = dict(view.query().fields) if view.query else {}
    assert fields.keys() == in_query.keys()
    for name, field in fields.items():
        described = DOCUMENT.resolve(in_query[name])
        assert not field.required
        if isinstance(field, serializers.ChoiceField):
            assert list(field.choices) == described["enum"]
        elif name != "cursor":
            assert list(DOCUMENT.differences(field, described)) == []


@pytest.mark.parametrize(("path", "view"), CASES)
def test_answers_are_described(path: str, view: type[ApiView]) -> None:
    answer = DOCUMENT.answer_to(operations()[path]["get"])
    if view is DocumentView:
        assert answer == {"type": "object"}
        return
    if issubclass(view, ListView):
        assert list(answer["properties"]) == answer["required"] == ["next", "results"]
        answer = answer["properties"]["results"]["items"]
    assert list(DOCUMENT.differences(view.shape(), answer)) == []


@pytest.mark.parametrize(("path", "view"), CASES)
def test_access_and_refusals_are_described(path: str, view: type[ApiView]) -> None:
    operation = operations()[path]["get"]
    statuses = set(operation["responses"])
    assert bool(operation["security"]) == bool(view.authentication_classes)
    assert "429" in statuses
    assert ("400" in statuses) == issubclass(view, ListView)
    assert {"401", "403"} <= statuses or not view.authentication_classes
    assert ("404" in statuses) == ("{" in path)


@pytest.mark.django_db
def test_the_document_is_served_with_its_address() -> None:
    response = Client().get(f"{ROOT}openapi.json")
    served = response.json()
    assert served["servers"] == [{"url": f"http://testserver{ROOT}"}]
    assert {**served, "servers": document()["servers"]} == document()
    assert response["Access-Control-Allow-Origin"] == "*"


def test_what_the_document_defines_is_used() -> None:
    text = repr(document())
    for kind in ("schemas", "parameters", "responses"):
        unused = [name for name in document()["components"][kind] if f"'#/components/{kind}/{name}'" not in text]
        assert unused == []


@pytest.mark.django_db
@pytest.mark.skipif(find_spec("drf_yasg") is None, reason="only the service has drf-yasg")
def test_the_services_own_page_lists_the_views(caplog: pytest.LogCaptureFixture) -> None:
    client = client_of(make_user(is_staff=True, is_superuser=True))
    listed = client.get("/api-docs/", {"format": "openapi"}).json()
    found = {path.partition("/badges/v1/")[2] for path in listed["paths"] if "/badges/v1/" in path}
    assert found == {path[1:] for path, view in views().items() if view is not DocumentView}
    assert not [each for each in caplog.records if "badges_plugin" in each.getMessage()]
