"""Adopt all that the built-in app holds: accounts, then template by template its rules, learners and badges.

Restartable: a template is known by its identity at the provider, a requirement by what it means, a badge by whether it
is still the built-in app's. What is adopted is switched off there, template by template, as the last step of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet

from badges_plugin import conf, host
from badges_plugin.adoption import conditions, found, learners, people, templates
from badges_plugin.adoption.adopters import Adopter, registered
from badges_plugin.adoption.found import FoundTemplate
from badges_plugin.adoption.grouping import SameGroup
from badges_plugin.adoption.report import ADOPTED, KNOWN, Finding, Kind, Report, Topic
from badges_plugin.adoption.templates import Plan, Setup, SetUpMeanwhile
from badges_plugin.exceptions import BadgesError


class CannotAdopt(BadgesError):
    """Nothing can be adopted; the message says what to do."""


def adopt(
    report: Report,
    *,
    dry_run: bool,
    same_group: SameGroup = SameGroup.ASK,
    on_template: Callable[[int, int], None] = lambda number, total: None,
) -> None:
    """Adopt everything, or only report it. ``on_template`` is told how many templates are done, of how many.

    Raises CannotAdopt if the host has no such app, or if it is still on: it would go on writing.
    """
    _refuse(dry_run=dry_run)
    models = host.builtin_models()
    adopters = [each for each in registered() if each.template_model in models]
    for adopter in adopters:
        for outcome, number in adopter.adopt_accounts(dry_run=dry_run).items():
            report.count(Kind.ACCOUNTS, outcome, number)
    rows = {adopter: models[adopter.template_model].objects.in_bulk() for adopter in adopters}
    all_templates, others = found.templates(), people.others()
    for number, each in enumerate(all_templates, 1):
        planned = _plan(each, rows, same_group)
        if planned is None:
            _report_left(each, adopters, report)
        else:
            _adopt_template(planned, others, report, dry_run=dry_run)
        on_template(number, len(all_templates))
    _report_orphans(adopters, rows, report)


def _refuse(*, dry_run: bool) -> None:
    if not host.builtin_models():
        raise CannotAdopt("This release of the Credentials service has no badges app of its own.")
    if not dry_run and (conf.keeps_builtin_app() or host.builtin_receivers()):
        raise CannotAdopt(
            'The built-in badges app is still on, and goes on writing. Set BADGES_CONFIG["builtin_app"] to "off" and '
            "restart every process of the service first."
        )


def _plan(each: FoundTemplate, rows: dict[Adopter, dict[int, Any]], same_group: SameGroup) -> Plan | None:
    for adopter, of_provider in rows.items():
        if (row := of_provider.get(each.pk)) is not None:
            planned = templates.plan(each, adopter, row, same_group)
            return None if planned.own is None and templates.is_taken(each) else planned
    return None


def _adopt_template(planned: Plan, others: Collection[int], report: Report, *, dry_run: bool) -> None:
    _report_template(planned, report)
    if not dry_run:
        try:
            templates.write(planned)
        except SetUpMeanwhile as error:
            raise CannotAdopt(
                f"“{error}” was set up by somebody else at this moment. Run the command again."
            ) from error
    badges = badges_of(planned.adopter, planned.found.pk)
    learners.adopt(planned, badges, report, dry_run=dry_run, others=others)
    _report_empty(planned.found, report)
    if templates.should_be_active(planned):
        if planned.grouping.is_doubtful:
            sentence = " ".join(conditions.alternatives(planned.found, planned.grouping))
            report.find(Finding(Topic.GROUPS, planned.found.name, detail=sentence))
        for reason in templates.obstacles(planned):
            report.find(Finding(Topic.PROBLEM, planned.found.name, detail=reason))
    if not dry_run and (reason := templates.finish(planned)):
        report.find(Finding(Topic.PROBLEM, planned.found.name, detail=reason))


def badges_of(adopter: Adopter, template_id: int) -> QuerySet[Any]:
    """Return the badges of the built-in app of one of its templates that are not adopted."""
    return _all_badges(adopter).filter(_of_templates(adopter, [template_id]))


def _all_badges(adopter: Adopter) -> QuerySet[Any]:
    badges: QuerySet[Any] = host.builtin_models()[adopter.badge_model].objects.order_by("pk")
    return badges


def _of_templates(adopter: Adopter, template_ids: list[int]) -> Q:
    model = host.builtin_models()[adopter.template_model]
    return Q(credential_content_type=ContentType.objects.get_for_model(model), credential_id__in=template_ids)


def _report_template(planned: Plan, report: Report) -> None:
    each, setup = planned.found, planned.setup
    is_news = planned.own is None or (setup is Setup.COPIED and bool(each.requirements or each.penalties))
    report.count(Kind.TEMPLATES, ADOPTED if is_news else KNOWN)
    for topic, details in (
        (Topic.RULES, planned.translation.problems if setup is Setup.IMPOSSIBLE else ()),
        (Topic.LEFT_OUT, planned.translation.left_out if setup is Setup.COPIED else ()),
        (Topic.OWN_RULES, ("",) if setup is Setup.OWN else ()),
        (Topic.EARNERS, ("",) if templates.has_unusual_events(each) else ()),
    ):
        for detail in details:
            report.find(Finding(topic, each.name, detail=detail))
    for kind, outcome, number in _conditions(planned):
        report.count(kind, outcome, number)


def _conditions(planned: Plan) -> Iterator[tuple[Kind, str, int]]:
    """Yield what became of requirements, penalties and their rules."""
    each, setup = planned.found, planned.setup
    rules: Counter[str] = Counter()
    for requirement in each.requirements:
        outcome = ADOPTED if setup is Setup.COPIED else KNOWN if requirement.pk in planned.matched else "not copied"
        rules[outcome] += len(requirement.rules)
        yield Kind.REQUIREMENTS, outcome, 1
    for penalty in each.penalties:
        if penalty.pk not in planned.translation.penalties or setup in (Setup.OWN, Setup.IMPOSSIBLE):
            outcome = "not copied"
        else:
            outcome = ADOPTED if setup is Setup.COPIED else KNOWN
        rules[outcome] += len(penalty.rules)
        yield Kind.PENALTIES, outcome, 1
    for outcome, number in rules.items():
        yield Kind.RULES, outcome, number


def _report_empty(each: FoundTemplate, report: Report) -> None:
    """Count progress in which nothing is fulfilled: that app writes it for every learner of whom it hears."""
    models = host.builtin_models()
    filled = models["Fulfillment"].objects.filter(progress__template=each.pk).values("progress").distinct().count()
    total = models["BadgeProgress"].objects.filter(template=each.pk).count()
    report.count(Kind.PROGRESS, "with nothing fulfilled", total - filled)


def _report_left(each: FoundTemplate, adopters: list[Adopter], report: Report) -> None:
    """Report a template that is not adopted, with everything that belongs to it."""
    models = host.builtin_models()
    report.find(Finding(Topic.NO_PROVIDER, each.name))
    report.count(Kind.TEMPLATES, "not adopted")
    report.count(Kind.REQUIREMENTS, "not copied", len(each.requirements))
    report.count(Kind.PENALTIES, "not copied", len(each.penalties))
    report.count(Kind.RULES, "not copied", sum(len(one.rules) for one in (*each.requirements, *each.penalties)))
    progress, fulfillments = models["BadgeProgress"].objects, models["Fulfillment"].objects
    outcome = "of a badge that is not adopted"
    report.count(Kind.PROGRESS, outcome, progress.filter(template=each.pk).count())
    report.count(Kind.FULFILLMENTS, outcome, fulfillments.filter(progress__template=each.pk).count())
    for adopter in adopters:
        report.count(Kind.BADGES, outcome, badges_of(adopter, each.pk).count())


def _report_orphans(adopters: list[Adopter], rows: dict[Adopter, dict[int, Any]], report: Report) -> None:
    """Report what belongs to templates that were deleted, and badges of those that are not adopted."""
    models = host.builtin_models()
    outcome = "of a deleted badge"
    report.count(Kind.PROGRESS, outcome, models["BadgeProgress"].objects.filter(template=None).count())
    report.count(Kind.FULFILLMENTS, outcome, models["Fulfillment"].objects.filter(progress__template=None).count())
    for adopter in adopters:
        for badge in _all_badges(adopter).exclude(_of_templates(adopter, sorted(rows[adopter]))).iterator():
            report.count(Kind.BADGES, outcome)
            report.find(Finding(Topic.NO_TEMPLATE, "", badge.username, adopter.external_id(badge)))
