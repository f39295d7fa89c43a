"""Beside the real built-in badges app: one user, one award, one public event, one badge at Credly, no failed event."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from openedx_events.learning.signals import BADGE_AWARDED, COURSE_PASSING_STATUS_UPDATED
from rest_framework.test import APIClient

from badges_plugin import api, builtin, conf, handlers, host
from badges_plugin.consumers.applying import Applier
from badges_plugin.consumers.config import ConsumerConfig
from badges_plugin.consumers.message import DecodedEvent, Message
from badges_plugin.consumers.running import StopRequest
from badges_plugin.distribution.credly.conf import BUILTIN_DEFAULTS
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate
from badges_plugin.models import BadgeAward, FailedEvent, Learner
from sandbox.credly import CredlySimulator
from tests.distribution.worlds import deliver
from tests.factories import COURSE, PASSING, at, metadata, passing_data, requires_course, user_data

User = get_user_model()
SECOND = "course-v1:Demo+Second+1"


def _is_real() -> bool:
    try:
        return find_spec("credentials.apps.badges.signals") is not None
    except ModuleNotFoundError:
        return False


pytestmark = [
    pytest.mark.skipif(not _is_real(), reason="the host has no built-in badges app, or is the stand-in"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(params=["off", "on"])
def builtin_app(request: Any, settings: Any, credly: CredlySimulator) -> Iterator[str]:
    """Switch the built-in app as the settings say; DEBUG is on, so that openedx-events stops at an exception."""
    settings.DEBUG = True
    config = settings.BADGES_CONFIG
    settings.BADGES_CONFIG = {
        **config,
        "events": list(conf.DEFAULT_EVENTS),
        "credly": {**BUILTIN_DEFAULTS, **config["credly"]},
        "builtin_app": request.param,
    }
    if request.param == "on":
        _switch_on()
    yield request.param
    host.switch_builtin_off()


def _switch_on() -> None:
    """Do what the app's ``ready()`` and the import of its handlers do, and then what our ``ready()`` does."""
    theirs = import_module("credentials.apps.badges.signals.handlers")
    signals = import_module("credentials.apps.badges.signals.signals")
    handlers.disconnect()
    theirs.listen_to_badging_events()
    for signal, receiver in host._BUILTIN_CHAIN.items():
        getattr(signals, signal).connect(getattr(theirs, receiver))
    handlers.connect()
    assert host.builtin_receivers() == sorted(conf.DEFAULT_EVENTS)


@pytest.fixture
def public() -> Iterator[list[str]]:
    """The user names in the public events of badges of ours."""
    names: list[str] = []

    def hear(badge: Any, **kwargs: object) -> None:
        if BadgeAward.objects.filter(credential__uuid=badge.uuid).exists():
            names.append(badge.user.pii.username)

    BADGE_AWARDED.connect(hear)
    yield names
    BADGE_AWARDED.disconnect(hear)


@pytest.fixture
def same_template(template: CredlyBadgeTemplate) -> CredlyBadgeTemplate:
    """The Credly template, active in both apps; Credly does not take the built-in app's key."""
    models = host.builtin_models()
    organization = models["CredlyOrganization"].objects.create(uuid=template.organization.uuid, api_key="no-such-key")
    theirs = models["CredlyBadgeTemplate"].objects.create(
        uuid=template.uuid, name=template.name, organization=organization, site=template.site, state="active"
    )
    models["CredlyBadgeTemplate"].objects.filter(pk=theirs.pk).update(is_active=True)
    requirement = models["BadgeRequirement"].objects.create(template=theirs, event_type=PASSING)
    models["DataRule"].objects.create(
        requirement=requirement, data_path="course.course_key", operator="eq", value=COURSE
    )
    return template


def consume(name: str, course: str = COURSE, *, event_id: uuid.UUID | None = None, minute: float = 0) -> bool:
    """Consume the event that the LMS user 77 passes a course under this name. Returns whether it was applied."""
    known = metadata(time=at(minute), event_id=event_id)
    who = user_data(id=77, username=name, email="ada@example.org", name="Ada Lovelace")
    event = DecodedEvent(COURSE_PASSING_STATUS_UPDATED, known, {"course_passing_status": passing_data(who, course)})
    message = Message("kafka", "topic", "group", str(known.id), str(known.id), PASSING, {}, b"", lambda: event)
    config = ConsumerConfig(patience=1, max_backoff=0.01, kafka={})
    return Applier(config, StopRequest()).apply_or_store([message]) == [True]


def rename(old: str, new: str) -> None:
    """Let the host replace the user name, as it does for a learner who is renamed or retired."""
    settings: Any = import_module("django.conf").settings
    worker, _ = User.objects.get_or_create(username=settings.USERNAME_REPLACEMENT_WORKER)
    client = APIClient()
    client.force_authenticate(worker)
    answer = client.post("/api/v2/replace_usernames/", {"username_mappings": [{old: new}]}, format="json")
    assert answer.json()["successful_replacements"] == [{old: new}]


def test_b1_one_learner_under_two_names_is_one_user_and_gets_the_badge(
    builtin_app: str,
    public: list[str],
    credly: CredlySimulator,
    same_template: CredlyBadgeTemplate,
) -> None:
    requires_course(same_template, SECOND)
    assert consume("old-name")
    assert consume("new-name", SECOND, minute=1)
    assert BadgeAward.objects.get().user.username == "old-name"
    assert Learner.objects.count() == 1
    assert public == ["old-name"]
    # The built-in app, where it is on, makes a user for each name.
    assert User.objects.filter(lms_user_id=77).count() == (1 if builtin_app == "off" else 2)


@pytest.mark.parametrize("new", ["retired__user_1", "new-name"])
def test_b1_the_same_event_after_a_renaming_is_the_same_badge(
    builtin_app: str,
    public: list[str],
    credly: CredlySimulator,
    same_template: CredlyBadgeTemplate,
    new: str,
) -> None:
    event_id = uuid.uuid1()
    assert consume("ada", event_id=event_id)
    assert deliver() == {"done": 1}
    rename("ada", new)
    assert consume("ada", event_id=event_id)
    award = BadgeAward.objects.get()
    assert (award.user.username, award.credential.username) == (new, new)
    assert public == ["ada"]
    assert len(credly.badges()) == 1


def test_b2_the_built_in_app_does_not_touch_our_part_of_an_event(
    builtin_app: str,
    public: list[str],
    credly: CredlySimulator,
    same_template: CredlyBadgeTemplate,
    caplog: Any,
) -> None:
    assert consume("ada")
    assert not FailedEvent.objects.exists()
    assert BadgeAward.objects.count() == 1
    assert public == ["ada"]
    # Its call, with its own key, is refused, and that is logged without the learner.
    assert ("which is not ours, failed with" in caplog.text) is (builtin_app == "on")
    assert deliver() == {"done": 1}
    assert len(credly.badges()) == 1
    assert len(credly.requests("issue")) == (1 if builtin_app == "off" else 2)
    (message,) = [each for each in builtin.check_rows(None, databases=["default"]) if each.id == "badges_plugin.W023"]
    assert same_template.name in message.msg
    assert ("is awarded twice" in message.msg) is (builtin_app == "on")


def test_b2_what_the_built_in_app_still_has_is_told(builtin_app: str, same_template: CredlyBadgeTemplate) -> None:
    api.deactivate_template(same_template)
    messages = {each.id: each.msg for each in builtin.check_rows(None, databases=["default"])}
    if builtin_app == "on":
        assert messages == {}
    else:
        assert messages.keys() == {"badges_plugin.W022", "badges_plugin.W024"}
        assert same_template.name in messages["badges_plugin.W022"]
        assert "1 with an API key" in messages["badges_plugin.W024"]
        assert "no-such-key" not in str(messages)


LOOK = """
import json, django
django.setup()
from django.contrib import admin
from django.core.checks import registry
from django.urls import resolve
from badges_plugin import host
from credentials.apps.badges.signals.signals import BADGE_PROGRESS_COMPLETE

def is_theirs(thing):
    return thing.__module__.startswith("credentials.apps.badges")

print(json.dumps({
    "receivers": host.builtin_receivers(),
    "inner": len(BADGE_PROGRESS_COMPLETE.receivers),
    "admin": sum(model._meta.app_label == "badges" for model in admin.site._registry),
    "webhook": resolve("/badges/credly/webhook/").func.cls.__module__.partition(".")[0],
    "check": any(map(is_theirs, registry.registry.registered_checks)),
}))
"""


def look(**config: object) -> dict[str, Any]:
    """Start a process of the service and return what of the built-in app there is in it."""
    environ = {**os.environ, "DATABASE_URL": "sqlite://:memory:", "BADGES_CONFIG_JSON": json.dumps(config)}
    run = subprocess.run([sys.executable, "-c", LOOK], env=environ, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_b2_a_process_starts_without_the_built_in_app_and_with_it_where_the_settings_keep_it() -> None:
    assert look() == {"receivers": [], "inner": 0, "admin": 0, "webhook": "badges_plugin", "check": False}
    kept = look(builtin_app="on")
    assert (kept["receivers"], kept["inner"]) == (sorted(conf.DEFAULT_EVENTS), 1)
    assert (kept["webhook"], kept["check"]) == ("credentials", True)
    assert kept["admin"] > 0


def test_b2_a_process_starts_with_a_dictionary_that_lacks_what_the_built_in_app_needs() -> None:
    """As a BADGES_CONFIG in the operator's YAML has it, which takes the place of the service's own."""
    assert look(events=None, credly=None, accredible=None, rules=None)["receivers"] == []
    assert look(events=None, credly=None, builtin_app="on")["receivers"] == sorted(conf.DEFAULT_EVENTS)


def test_b2_credly_reaches_our_webhook_at_the_address_of_the_built_in_app() -> None:
    answer = Client().post("/badges/credly/webhook/", "{}", content_type="application/json")
    assert (answer.status_code, answer.json()) == (400, {"detail": "organization_id must be a UUID."})
