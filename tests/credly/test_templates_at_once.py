"""Credly tells of a template while it is being changed elsewhere."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from badges_plugin.distribution.credly.data import EventPayload, TemplatePayload, TemplateState
from badges_plugin.distribution.credly.events import apply_event
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.models import RulesetVersion
from tests.factories import make_template
from tests.meanwhile import meanwhile

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def template(transactional_db: None) -> CredlyBadgeTemplate:
    organization = CredlyOrganization.objects.create(uuid=uuid.uuid4(), name="At once")
    return CredlyBadgeTemplate.objects.create(
        site=make_template().site, organization=organization, name="First", state="active", is_active=False
    )


def tell(template: CredlyBadgeTemplate, name: str, at: datetime) -> None:
    """What a webhook does with what Credly says."""
    record = TemplatePayload(id=template.uuid, name=name, description="", image_url="", state=TemplateState.ACTIVE)
    event = EventPayload(
        id=uuid.uuid4(),
        organization_id=template.organization.uuid,
        event_type="badge_template.changed",
        occurred_at=at,
        template=record,
        badge=None,
    )
    assert apply_event(template.organization, event)


def test_staff_save_a_template_while_credly_tells_of_it(template: CredlyBadgeTemplate) -> None:
    def save() -> None:
        CredlyBadgeTemplate.objects.get(pk=template.pk).save()

    def holds_the_configuration(sql: str) -> bool:
        return "FOR UPDATE" in sql and RulesetVersion._meta.db_table in sql

    # If anything of the template were written before that, the one who saves would wait for it with the configuration.
    with meanwhile(save, before=holds_the_configuration) as saved:
        tell(template, "Renamed", NOW)
    saved()


def test_an_older_event_that_is_applied_at_the_same_time_does_not_undo_a_newer_one(
    template: CredlyBadgeTemplate,
) -> None:
    # The older one has looked up the template, and is about to write.
    newer = NOW + timedelta(seconds=1)
    with meanwhile(lambda: tell(template, "Newer", newer), before=lambda sql: sql.startswith("UPDATE")) as told:
        tell(template, "Older", NOW)
    told()

    template.refresh_from_db()
    assert (template.name, template.as_of) == ("Newer", newer)
