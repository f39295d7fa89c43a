"""The address of a list filters by what the list offers, and by no column that its pages hide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client, RequestFactory
from django.urls import reverse

from badges_plugin.models import FailedEvent
from tests.core.admin_pages import staff, url
from tests.factories import make_template, make_user, requires_course, send_passing

pytestmark = pytest.mark.django_db

COMPARISONS = ("", "__exact", "__startswith", "__regex", "__contains", "__gt", "__isnull")
LETTERS = "startswith"


def our_admins() -> list[admin.ModelAdmin[Any]]:
    """Everything of ours that is registered, of whatever backend is installed."""
    ours = [each for model, each in admin.site._registry.items() if model.__module__.startswith("badges_plugin.")]
    assert len(ours) >= 10
    return ours


def columns(model: type[models.Model], depth: int = 3, path: str = "") -> Iterator[str]:
    """Every column that a lookup could reach from a model, through relations in both directions."""
    for field in model._meta.get_fields():
        here = f"{path}{field.name}"
        if not field.is_relation:
            yield here
        elif depth > 1 and isinstance(field.related_model, type):
            yield from columns(field.related_model, depth - 1, f"{here}__")


@pytest.mark.parametrize("model_admin", our_admins(), ids=lambda each: each.model.__name__)
def test_c8_no_list_of_ours_compares_a_column_letter_by_letter(model_admin: Any, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = make_user(is_staff=True, is_superuser=True)
    letters = [f"{path}__{LETTERS}" for path in columns(model_admin.model)]
    assert not [lookup for lookup in letters if model_admin.lookup_allowed(lookup, "v", request)]


@pytest.mark.parametrize("model_admin", our_admins(), ids=lambda each: each.model.__name__)
def test_c8_a_list_filters_by_what_it_offers_and_by_nothing_else(model_admin: Any, rf: RequestFactory) -> None:
    # A path with the class that filters by it offers what the path alone does.
    given = [each[0] if isinstance(each, tuple) else each for each in model_admin.list_filter]
    offered = {each if isinstance(each, str) else each.parameter_name for each in given}
    allowed = {
        path
        for path in columns(model_admin.model)
        for comparison in COMPARISONS
        if model_admin.lookup_allowed(f"{path}{comparison}", "v", rf.get("/"))
    }
    assert {path for path in allowed if not any(path == name or path.startswith(f"{name}__") for name in offered)} == (
        set()
    )


@pytest.mark.parametrize("model_admin", our_admins(), ids=lambda each: each.model.__name__)
def test_c8_every_filter_that_a_list_offers_works(model_admin: Any, client: Client) -> None:
    template = make_template()
    requires_course(template)
    send_passing(make_user())
    client.force_login(make_user(is_staff=True, is_superuser=True))
    opts = model_admin.model._meta
    address = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    response = client.get(address)
    assert response.status_code == 200
    links = [
        choice["query_string"]
        for spec in response.context["cl"].filter_specs
        for choice in spec.choices(response.context["cl"])
        if choice.get("query_string")
    ]
    assert {client.get(f"{address}{link}").status_code for link in links} <= {200}


@pytest.mark.parametrize(
    "lookup",
    [
        "payload__user__pii__email__startswith=v",
        "payload__icontains=v",
        "metadata__source__startswith=v",
        "error__contains=v",
        "raw__contains=v",
        "fingerprint__startswith=0",
    ],
)
def test_c8_what_a_failed_event_says_cannot_be_guessed_from_its_list(lookup: str) -> None:
    FailedEvent.objects.create(fingerprint="1", payload={"user": {"pii": {"email": "vera@example.org"}}})
    client = staff("view_failedevent")
    assert client.get(f"{url('failedevent')}?state__exact=failed").status_code == 200
    assert client.get(f"{url('failedevent')}?{lookup}").status_code == 400


@pytest.mark.parametrize("field", ["encrypted_key", "recipient_email", "payload", "password"])
@pytest.mark.parametrize("model_admin", our_admins(), ids=lambda each: each.model.__name__)
def test_c8_a_pop_up_names_objects_by_their_key_only(model_admin: Any, field: str, client: Client) -> None:
    client.force_login(make_user(is_staff=True, is_superuser=True))
    opts = model_admin.model._meta
    address = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    assert client.get(f"{address}?_to_field={field}").status_code == 400


@pytest.mark.parametrize(("query", "found"), [("vera@example.org", 1), ("vera@example", 0), ("vera", 1)])
def test_c8_an_address_that_no_page_shows_is_found_as_a_whole_or_not_at_all(query: str, found: int) -> None:
    template = make_template()
    requires_course(template)
    send_passing(make_user(username="v1" if query != "vera" else "vera", email="vera@example.org", full_name=""))
    response = staff("view_badgeaward").get(f"{url('badgeaward')}?q={query}")
    assert response.context["cl"].result_count == found
