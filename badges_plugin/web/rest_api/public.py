"""One badge as everybody sees it: what was signed, the state of now, and the name as the learner chose."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request

from badges_plugin.distribution.api import web_url
from badges_plugin.reading import AwardState
from badges_plugin.web.rest_api.places import Files, files_of, images
from badges_plugin.web.rest_api.showing import Badge
from badges_plugin.web.shared import BadgeOnShow, find_document, on_show, text_at, why_hidden


class Gone(APIException):
    status_code = HTTPStatus.GONE
    default_detail = _("This badge is no longer public.")
    default_code = "gone"


@dataclass(frozen=True)
class Issuer:
    name: str
    url: str | None


@dataclass(frozen=True)
class PublicAward:
    """A published badge.

    .. pii: Carries the name of a learner in memory, as far as the learner chose; never logged.
    .. pii_types: name
    .. pii_retirement: retained
    """

    uuid: UUID
    public_url: str
    badge: Badge
    criteria: str
    state: str
    name: str
    awarded_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    issuer: Issuer
    files: Files | None


def award(uuid: UUID, request: Request) -> PublicAward:
    """Return a signed badge that is public. Six queries at most.

    Raises NotFound (404) for one that does not exist or was never published, and Gone (410) for one that was taken
    back, or whose learner was erased.
    """
    document = find_document(uuid)
    shown = on_show([document]).get(uuid) if document is not None else None
    if shown is None:
        raise Gone if why_hidden(document) is HTTPStatus.GONE else NotFound
    return _shown(shown, request)


def _shown(shown: BadgeOnShow, request: Request) -> PublicAward:
    document, template = shown.document, shown.template
    signed = json.loads(document.json_text)
    achievement = signed.get("credentialSubject", {}).get("achievement", {})
    image = images([template])[template.pk]
    return PublicAward(
        uuid=document.uuid,
        public_url=document.url,
        badge=Badge(
            template.uuid,
            text_at(achievement, "name") or template.name,
            text_at(achievement, "description"),
            request.build_absolute_uri(image.url),
        ),
        criteria=text_at(achievement, "criteria", "narrative"),
        state=(AwardState.REVOKED if shown.is_revoked else shown.award.state).value,
        name="" if shown.is_revoked else shown.name,
        awarded_at=shown.award.awarded_at,
        expires_at=shown.award.expires_at,
        ended_at=shown.award.ended_at,
        issuer=Issuer(text_at(signed, "issuer", "name"), web_url(text_at(signed, "issuer", "url")) or None),
        files=files_of(document, image) if shown.is_open else None,
    )
