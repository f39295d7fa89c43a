"""What the host does with its users succeeds whatever is wrong with badges."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client
from django.urls import reverse

from badges_plugin.models import FailedEvent
from badges_plugin.processing import erasure, traces
from tests.factories import UserFactory, make_user

pytestmark = pytest.mark.django_db
User = get_user_model()


def saved(user: Any) -> None:
    user.full_name = "Ada King"
    user.save()
    user.refresh_from_db()
    assert user.full_name == "Ada King"


def made(user: Any) -> None:
    User.objects.create(username="another")


def logged_in(user: Any) -> None:
    user.set_password("secret")
    user.is_staff = user.is_superuser = True
    user.save()
    answer = Client().post(reverse("admin:login"), {"username": user.username, "password": "secret"})
    assert answer.status_code == 302
    user.refresh_from_db()
    assert user.last_login is not None


def deleted(user: Any) -> None:
    with transaction.atomic():
        user.delete()
        assert not User.objects.filter(username="ada").exists()


@pytest.mark.parametrize("act", [saved, made, logged_in, deleted], ids=lambda each: each.__name__)
@pytest.mark.parametrize(
    "given",
    [
        {"retention": {"typo": 1}},
        {"retirement": {"username_prefix": ""}},
        {"retirement": {"typo": "x"}},
        {"builtin_app": "maybe"},
        ["events"],
    ],
    ids=str,
)
def test_c1_wrong_settings_never_reach_the_host(act: Callable[[Any], None], given: object, settings: Any) -> None:
    user = UserFactory.create(username="ada")
    kept(id=77)
    settings.BADGES_CONFIG = given
    act(user)


@pytest.mark.parametrize("act", [saved, made, logged_in, deleted], ids=lambda each: each.__name__)
def test_c1_a_bug_of_ours_never_reaches_the_host(
    act: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        User.objects.raw("SELECT nonsense")[0]

    user = UserFactory.create(username="ada")
    monkeypatch.setattr(erasure, "is_retired", lambda *_: 1 / 0)
    monkeypatch.setattr(traces, "forget", broken)
    with caplog.at_level(logging.ERROR):
        act(user)
    assert "could not be" in caplog.text


def test_c1_who_is_deleted_is_forgotten_although_the_settings_are_wrong(settings: Any) -> None:
    user = make_user(username="ada", lms_user_id=77)
    theirs = kept(id=77)
    settings.BADGES_CONFIG = {"retirement": {"typo": 1}}
    user.delete()
    theirs.refresh_from_db()
    assert "ada" not in str(theirs.payload)


def test_c1_a_retirement_is_noticed_although_other_settings_are_wrong(
    settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    user = make_user(username="ada", lms_user_id=77)
    theirs = kept(id=77)
    settings.BADGES_CONFIG = {"retention": {"typo": 1}}
    with django_capture_on_commit_callbacks(execute=True):
        user.username = "retired__user_1"
        user.save()
    theirs.refresh_from_db()
    assert "ada" not in str(theirs.payload)


def kept(**about: Any) -> FailedEvent:
    payload = {"user": {**about, "pii": {"username": "ada", "email": "ada@example.org", "name": "Ada"}}}
    return FailedEvent.objects.create(
        fingerprint="1", bus="kafka", topic="t", group="g", position="0", reason="", error="", payload=payload,
        metadata={},
    )  # fmt: skip
