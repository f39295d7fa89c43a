"""The page of one award: how it stands, here and at the provider, and its whole story."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from badges_plugin import reading
from badges_plugin.distribution import telling
from badges_plugin.models import BadgeAward
from badges_plugin.reading import AwardState
from badges_plugin.reading.awards import award_of
from badges_plugin.reading.awards import rows as award_rows
from badges_plugin.reading.happenings import fulfilling_sentences, happenings
from badges_plugin.times import day_text
from badges_plugin.web.desk import persons, reached
from badges_plugin.web.desk.cards import standing_of
from badges_plugin.web.desk.doing import Button, award_buttons, delivery_buttons, offered_buttons, progress_buttons
from badges_plugin.web.desk.links import learner_url
from badges_plugin.web.desk.site import desk_page, page
from badges_plugin.web.desk.story import Facts, story_of
from badges_plugin.web.shared import arts


@desk_page("badges_plugin.view_badgeaward", "badges_plugin.view_badgeprogress")
def award(request: HttpRequest, award_id: int) -> HttpResponse:
    """Show one award with everything that happened to it."""
    row = get_object_or_404(award_rows().select_related("progress__user"), pk=award_id)
    facts = _facts(request, row)
    person = persons.person(row.user)
    template = row.template
    badge_url = reached.badge_url(request, template.pk)
    context: dict[str, Any] = {
        "award": facts.award,
        "learner": person,
        "learner_url": learner_url(person.id),
        "art": arts([template])[template.pk],
        "lead": _lead(facts.award, learner_url(person.id), person.name, badge_url, template.name),
        "standing": standing_of(facts.award),
        "is_held": facts.award.state is AwardState.HELD,
        "valid_until": day_text(facts.award.expires_at) if facts.award.expires_at else "",
        "deliveries": [(each, _delivery_url(each), delivery_buttons(request, each)) for each in facts.deliveries],
        "states": telling.current(facts.deliveries),
        "buttons": _buttons(request, facts, person),
        "unsent": _unsent(request, facts),
        "steps": story_of(facts),
        "events": row.events,
        "ending_event": row.ending_facts.get("event", {}).get("id", ""),
        "admin_url": reached.row_url(request, BadgeAward, row.pk),
    }
    title = _("%(learner)s: %(badge)s") % {"learner": person.name, "badge": template.name}
    trail = [(reached.desk_url(request, "desk_learners"), _("Learners")), (learner_url(person.id), person.name)]
    return page(request, "award", title=title, trail=trail, context=context)


def _facts(request: HttpRequest, row: BadgeAward) -> Facts:
    progress = reading.progress_rows([row.progress_id])
    template_id = row.progress.template_id
    told = telling.deliveries_of([row.pk], with_log=True) if telling.may_see(request.user) else {}
    return Facts(
        row=row,
        award=award_of(row),
        progress=progress[row.progress_id],
        happenings=happenings(progress)[row.progress_id],
        sentences=fulfilling_sentences(template_id),
        rule=reading.criteria([template_id])[template_id].steps,
        deliveries=told.get(row.pk, ()),
    )


def _lead(award: reading.Award, learner_url: str, learner: str, badge_url: str, badge: str) -> SafeString:
    """Return the sentence that the page begins with, in which both names are links."""
    told = {
        "learner": format_html('<a href="{}"><bdi>{}</bdi></a>', learner_url, learner),
        "badge": format_html('<a href="{}"><bdi>{}</bdi></a>', badge_url, badge)
        if badge_url
        else format_html("<bdi>{}</bdi>", badge),
        "day": day_text(award.awarded_at),
        "last_day": day_text(award.ended_at) if award.ended_at is not None else "",
    }
    if award.state is AwardState.HELD:
        pattern = _("{learner} has {badge} since {day}.")
    else:
        pattern = _("{learner} had {badge} from {day} to {last_day}.")
    return format_html(pattern, **told)


def _unsent(request: HttpRequest, facts: Facts) -> str:
    """Return why no delivery is shown; empty where one is, or for a person who may not see them."""
    if facts.deliveries or not telling.may_see(request.user):
        return ""
    if telling.is_sent(facts.row.template):  # old deliveries of revoked badges are deleted
        return _("No delivery of this badge is on record: none was made, or it was deleted after some time.")
    return _("This badge is not sent to a provider.")


def _delivery_url(delivery: telling.DeliveryTold) -> str:
    return reached.page_url("admin:badges_distribution_delivery_change", delivery.id)


def _buttons(request: HttpRequest, facts: Facts, person: persons.Person) -> list[Button]:
    """Return what can be done about the award; nothing about one that was awarded again since."""
    if facts.progress.awards[-1].id != facts.award.id:
        return []
    buttons = award_buttons(request, facts.award, is_erased=person.is_erased)
    if facts.award.state is AwardState.HELD:
        return [*buttons, *offered_buttons(request, facts.row)]
    return [*buttons, *progress_buttons(request, facts.row.progress_id)]
