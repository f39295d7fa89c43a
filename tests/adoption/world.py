"""Rows of the host's built-in badges app, as it writes them; the stand-in has the same columns."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.contrib.sites.models import Site

from badges_plugin import host
from badges_plugin.adoption.grouping import SameGroup
from badges_plugin.adoption.report import Kind, Report
from badges_plugin.adoption.running import adopt
from badges_plugin.host import UserCredential
from tests.factories import COURSE, PASSING, at

Rules = Sequence[tuple[str, str, str]]
MINUTE = timedelta(minutes=1)


class Builtin:
    """The built-in app, with what tests put into it."""

    def __init__(self) -> None:
        self.models = SimpleNamespace(**host.builtin_models())
        self._ids = count(9_000)
        self._organization: Any = None
        self._config: Any = None

    def organization(self, name: str = "Org", key: str = "secret") -> Any:
        return self.models.CredlyOrganization.objects.create(uuid=uuid.uuid4(), name=name, api_key=key)

    def config(self, name: str = "Config", key: str = "secret") -> Any:
        return self.models.AccredibleAPIConfig.objects.create(name=name, api_key=key)

    def credly(self, name: str = "Credly badge", *, organization: Any = None, **changes: Any) -> Any:
        """Save a template of Credly, active and published unless said otherwise."""
        self._organization = organization or self._organization or self.organization()
        return self._template(self.models.CredlyBadgeTemplate(organization=self._organization), name, changes)

    def accredible(self, name: str = "Accredible badge", *, config: Any = None, **changes: Any) -> Any:
        """Save a group of Accredible, active unless said otherwise. Its key is Accredible's id."""
        self._config = config or self._config or self.config()
        return self._template(self.models.AccredibleGroup(pk=next(self._ids), api_config=self._config), name, changes)

    def _template(self, row: Any, name: str, changes: dict[str, Any]) -> Any:
        is_credly = isinstance(row, self.models.CredlyBadgeTemplate)
        row.name, row.site = name, Site.objects.get_or_create(domain="example.org", name="example")[0]
        if is_credly:
            row.uuid = changes.pop("uuid", None) or uuid.uuid4()
        row.save()
        values = {
            "state": "active",
            "is_active": True,
            "icon": "https://images.example.org/badge.png",
            "description": "For learning.",
            "origin": "credly" if is_credly else "accredible",
            "created": at(0),
            **changes,
        }
        self.models.BadgeTemplate.objects.filter(pk=row.pk).update(**values)
        return type(row).objects.get(pk=row.pk)

    def requirement(
        self,
        template: Any,
        course: str = COURSE,
        *,
        group: str | None = None,
        rules: Rules | None = None,
        event_type: str = PASSING,
        description: str = "",
    ) -> Any:
        """Save a requirement: to pass the course, unless there are other rules."""
        row = self.models.BadgeRequirement.objects.create(
            template_id=template.pk, event_type=event_type, blend=group, description=description
        )
        passes = (("course.course_key", "eq", course), ("is_passing", "eq", "yes"))
        for path, operator, value in passes if rules is None else rules:
            self.models.DataRule.objects.create(requirement=row, data_path=path, operator=operator, value=value)
        return row

    def penalty(self, template: Any, requirements: Sequence[Any], rules: Rules | None = None) -> Any:
        """Save a penalty: for failing the course, unless there are other rules."""
        row = self.models.BadgePenalty.objects.create(template_id=template.pk, event_type=PASSING)
        row.requirements.set(requirements)
        fails = (("course.course_key", "eq", COURSE), ("is_passing", "eq", "False"))
        for path, operator, value in fails if rules is None else rules:
            self.models.PenaltyDataRule.objects.create(penalty=row, data_path=path, operator=operator, value=value)
        return row

    def progress(self, template: Any, username: str, *requirements: Any) -> Any:
        """Save a progress record in which these are fulfilled; None is a requirement that was deleted."""
        row = self.models.BadgeProgress.objects.create(template_id=template and template.pk, username=username)
        for requirement in requirements:
            self.models.Fulfillment.objects.create(progress=row, requirement=requirement)
        return row

    def badge(
        self, template: Any, username: str, status: str, state: str, external_id: Any = None, minute: float = 5
    ) -> Any:
        """Save a badge that was made at some minute, and changed a minute later."""
        is_credly = isinstance(template, self.models.CredlyBadgeTemplate)
        model = self.models.CredlyBadge if is_credly else self.models.AccredibleBadge
        row = model.objects.create(
            username=username,
            credential_content_type=ContentType.objects.get_for_model(type(template)),
            credential_id=template.pk,
            status=status,
            state=state,
            **{"external_uuid" if is_credly else "external_id": external_id},
        )
        UserCredential.objects.filter(pk=row.pk).update(created=at(minute), modified=at(minute) + MINUTE)
        return row


def run(*, dry_run: bool = False, same_group: str = "ask") -> Report:
    """Adopt, and check that every row of the built-in app is accounted for."""
    models, report = host.builtin_models(), Report()
    rules = models["DataRule"].objects.count() + models["PenaltyDataRule"].objects.count()
    accounts = models["CredlyOrganization"].objects.count() + models["AccredibleAPIConfig"].objects.count()
    totals = {
        Kind.ACCOUNTS: accounts,
        Kind.TEMPLATES: models["BadgeTemplate"].objects.count(),
        Kind.REQUIREMENTS: models["BadgeRequirement"].objects.count(),
        Kind.RULES: rules,
        Kind.PENALTIES: models["BadgePenalty"].objects.count(),
        Kind.PROGRESS: models["BadgeProgress"].objects.count(),
        Kind.FULFILLMENTS: models["Fulfillment"].objects.count(),
        Kind.BADGES: models["CredlyBadge"].objects.count() + models["AccredibleBadge"].objects.count(),
    }
    adopt(report, dry_run=dry_run, same_group=SameGroup(same_group))
    assert {kind: report.total(kind) for kind in Kind} == totals
    return report


def found(report: Report) -> dict[str, list[str]]:
    """Return what was found, by the name of the topic."""
    return {topic.name: sorted(sample.lines) for topic, sample in report.findings.items()}


def moment(minute: float) -> datetime:
    return at(minute)
