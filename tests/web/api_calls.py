"""What the tests of the REST API share: a world with badges, and clients of several kinds."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.test import Client

from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.factories import make_template, make_user, requires_course, send_passing
from tests.web.pages_world import award_of

ROOT = "/api/badges/v1/"
ISSUER = {"ISSUER": "http://lms.test/oauth2", "AUDIENCE": "openedx", "SECRET_KEY": "unused"}
LMS_KEY = Path(__file__).with_name("lms_key.pem").read_bytes()


def badge(name: str = "Logic", course: str = "course-v1:edX+Logic+1", **changes: Any) -> BadgeTemplate:
    """Make an active badge for passing a course."""
    template = make_template(**{"name": name, "icon": "", **changes})
    requires_course(template, course)
    return template


def earn(user: User, template: BadgeTemplate, minute: float = 0) -> BadgeAward:
    """Let a learner pass the course of a badge that asks for one."""
    rule = template.requirements.get().rules.get(key_path="course.course_key")
    send_passing(user, rule.value, minute=minute)
    return award_of(user, template)


def client_of(user: User | None) -> Client:
    """Return a client with a session."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def token_of(user: User, **claims: Any) -> str:
    """Return a token as the LMS makes it."""
    now = int(time.time())
    described = {
        "iss": ISSUER["ISSUER"],
        "aud": ISSUER["AUDIENCE"],
        "preferred_username": user.username,
        "email": user.email,
        "user_id": user.lms_user_id,
        "full_name": user.full_name,
        "scopes": ["user_id", "email", "profile"],
        "version": "1.2.0",
        "iat": now,
        "exp": now + 600,
        **claims,
    }
    return jwt.encode(described, LMS_KEY, algorithm="RS512")


def trust_tokens(changeable: Any) -> None:
    """Let the service accept ``token_of``, whatever its own settings are. ``changeable``: pytest-django's fixture."""
    private = load_pem_private_key(LMS_KEY, None)
    assert isinstance(private, RSAPrivateKey)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    keys = json.dumps({"keys": [public]})
    changeable.JWT_AUTH = {**settings.JWT_AUTH, "JWT_ISSUERS": [ISSUER], "JWT_PUBLIC_SIGNING_JWK_SET": keys}


def get(client: Client, path: str, **parameters: Any) -> Any:
    """Return the answer to a request, as its status and what was read of it."""
    given = {
        name: value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in parameters.items()
    }
    return client.get(f"{ROOT}{path}", given)


def results(client: Client, path: str, **parameters: Any) -> list[dict[str, Any]]:
    """Return the results of a page."""
    response = get(client, path, **parameters)
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def all_pages(client: Client, path: str, **parameters: Any) -> list[list[dict[str, Any]]]:
    """Follow ``next`` to the last page; return the results of each page."""
    response = get(client, path, **parameters)
    pages = [response.json()["results"]]
    while following := response.json()["next"]:
        response = client.get(following)
        pages.append(response.json()["results"])
        assert len(pages) < 50, "there is no end"
    return pages


def learner(name: str = "ada", **changes: Any) -> User:
    return make_user(username=name, full_name=f"{name.title()} Lovelace", **changes)
