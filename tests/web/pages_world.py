"""What the tests of pages do: earn, publish, ask for a page, and read it."""

from __future__ import annotations

import html
import re
from typing import Any
from uuid import UUID

from django.test import Client
from django.utils import timezone

from badges_plugin.distribution.open_badges.api import SignedDocument, documents_of
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.web.models import NameShown, Publication
from tests.distribution.worlds import deliver
from tests.factories import send_passing

HOST = "badges.example.org"
OTHER_COURSE = "course-v1:Demo+Logic+1"
NOBODY = UUID("00000000-0000-4000-8000-000000000000")


def award_of(user: Any, template: BadgeTemplate) -> BadgeAward:
    """Return the latest award of a badge to a learner."""
    return BadgeAward.objects.filter(progress__user=user, progress__template=template).order_by("-number")[0]


def earn(user: Any, template: BadgeTemplate, *, minute: float = 1) -> SignedDocument:
    """Let a learner earn a badge by passing its course, and the worker sign it."""
    send_passing(user, minute=minute)
    deliver()
    award = award_of(user, template)
    return documents_of([award.pk])[award.pk]


def publish(document: SignedDocument, **choices: Any) -> Publication:
    """Publish a badge as if its learner had chosen so: with everything, unless said otherwise."""
    chosen = {"name_shown": NameShown.FULL, "evidence_shown": True, "in_collection": True, **choices}
    return Publication.objects.create(award_id=document.award_id, published_at=timezone.now(), **chosen)


def as_user(user: Any) -> Client:
    """Return a browser in which somebody is signed in; None is nobody."""
    client = Client()
    if user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def words(response: Any) -> str:
    """Return what people read of a page, each run of white space one space."""
    body = response.content.decode().partition("<body")[2].partition(">")[2]
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", body, flags=re.DOTALL)
    text = re.sub(r"</?(?:bdi|span|a|b|strong|time|em)\b[^>]*>", "", text)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())
