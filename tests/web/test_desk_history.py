"""The pages with the history of badges, for staff."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse

from badges_plugin.distribution.accredible.models import AccredibleGroup
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate
from badges_plugin.models import BadgeTemplate
from badges_plugin.web.desk import history
from tests.core.admin_pages import staff, text
from tests.factories import make_template, make_user, requires_course
from tests.limits import Lower

pytestmark = pytest.mark.django_db
VIEW = "view_badgetemplate"
MAY_SEE = f"badges_plugin.{VIEW}"


def address(template_id: int) -> str:
    return reverse("badges_web:desk_history", args=(template_id,))


def rename(template: BadgeTemplate, *names: str) -> None:
    """Rename it, each time by somebody else: what one person does at once is one change."""
    for name in names:
        BadgeTemplate.objects.filter(pk=template.pk).update(name=name)
        record = BadgeTemplate.history.filter(id=template.pk).order_by("-history_id").first()
        BadgeTemplate.history.filter(pk=record.pk).update(history_user=make_user(full_name=f"Editor of {name}"))


def test_shows_what_was_changed_and_by_whom() -> None:
    template = make_template(name="Logic")
    requires_course(template)
    rename(template, "<i>Proof</i>")
    response = staff(VIEW).get(address(template.pk))
    page = text(response)
    assert "<i>Proof" not in response.content.decode()
    assert "History of <i>Proof</i>" in page
    assert "Editor of <i>Proof</i> Renamed from “Logic” to “<i>Proof</i>”." in page
    assert "Added “Pass course-v1:Demo+Badges+1”. For support Course passing status updated:" in page
    assert page.index("Renamed") < page.index("Created")
    assert "Older changes are not known" not in page


def test_a_deleted_badge_is_listed_and_keeps_its_history() -> None:
    template = make_template(name="Logic")
    requires_course(template)
    key = template.pk
    client = staff(VIEW)
    assert "No badge was deleted." in text(client.get(reverse("badges_web:desk_deleted_badges")))
    template.delete()
    listed = client.get(reverse("badges_web:desk_deleted_badges"))
    assert "One badge was deleted." in text(listed)
    assert f'href="{address(key)}"' in listed.content.decode()
    page = text(client.get(address(key)))
    assert "This badge was deleted." in page
    assert "Removed “Pass course-v1:Demo+Badges+1”." in page


def test_long_lists_are_cut(lower: Lower) -> None:
    lower(history, PER_PAGE=2, MOST_DELETED=1)
    template = make_template(name="Logic")
    rename(template, "Second", "Third", "Fourth")
    client = staff(VIEW)
    pages = [text(client.get(address(template.pk), {"page": number})) for number in ("1", "2", "bad", "99")]
    assert [("to “Fourth”" in page, "to “Second”" in page) for page in pages] == [
        (True, False),
        (False, True),
        (True, False),
        (False, True),
    ]
    assert "Page 1 of 2" in pages[0]
    assert "Older" in pages[0]
    assert "Newer" in pages[1]
    template.delete()
    make_template().delete()
    listed = text(client.get(reverse("badges_web:desk_deleted_badges")))
    assert "Only the last ones are shown." in listed
    assert "Fourth" not in listed
    assert "At least 1 badges were deleted." in listed


def test_what_is_unknown_is_not_found_and_does_not_fail() -> None:
    client = staff(VIEW)
    assert [client.get(address(key)).status_code for key in (4711, 2**31, 10**30)] == [404, 404, 404]


@pytest.mark.parametrize(
    ("visitor", "status"),
    [(Client, 302), (staff, 403), (lambda: staff(VIEW), 200)],
)
def test_only_staff_who_may_see_badges_see_their_history(visitor: Callable[[], Any], status: int) -> None:
    template = make_template()
    pages = [address(template.pk), reverse("badges_web:desk_deleted_badges")]
    assert [visitor().get(page).status_code for page in pages] == [status, status]


def test_a_badge_page_shows_the_last_changes(lower: Lower) -> None:
    lower(history, IN_SECTION=2)
    template = make_template(name="Logic")
    assert (history.section(template.pk).total, history.section(template.pk).more) == (1, False)
    rename(template, "Second", "Third")
    section = history.section(template.pk)
    assert (section.total, section.more, len(section.rows), section.url) == (3, True, 2, address(template.pk))


def noted(template: BadgeTemplate, person: Any, text: str, *, after: float = 0.0) -> None:
    """Have a page note something so many seconds after the badge's last record."""
    kind = ContentType.objects.get_for_model(BadgeTemplate)
    entry = LogEntry.objects.create(
        user=person, content_type=kind, object_id=str(template.pk), action_flag=CHANGE, change_message=text
    )
    last = BadgeTemplate.history.filter(id=template.pk).order_by("-history_id").first()
    LogEntry.objects.filter(pk=entry.pk).update(action_time=last.history_date + timedelta(seconds=after))


def test_what_pages_note_stands_with_what_was_changed() -> None:
    template = make_template(name="Logic")
    rename(template, "Proof")
    person = BadgeTemplate.history.order_by("-history_id").first().history_user
    other, gone = make_user(full_name="J. Okafor"), make_user(username="retired__user_0123456789")
    noted(template, person, "31 learners kept what they had done.", after=1)
    noted(template, person, "Renamed from “Logic” to “Proof”.", after=1)  # says it already
    noted(template, person, '[{"changed": {"fields": ["Name"]}}]', after=1)  # Django's words for it
    noted(template, other, "Awarded by hand to 27 learners.", after=1)
    noted(template, gone, '[{"changed": {"fields": ["Icon"]}}]', after=100)
    rows = history.section(template.pk).rows
    assert [(row.by, row.notes, [edit.sentence for edit in row.edits]) for row in rows] == [
        ("Somebody whose account is gone", ("Changed Icon.",), []),
        ("J. Okafor", ("Awarded by hand to 27 learners.",), []),
        ("Editor of Proof", ("31 learners kept what they had done.",), ["Renamed from “Logic” to “Proof”."]),
        ("A command or a synchronization", (), ["Created the badge “Logic”.", "Activated."]),
    ]
    page = text(staff(VIEW).get(address(template.pk)))
    assert "31 learners kept what they had done. Line by line Renamed from “Logic” to “Proof”." in page


def test_notes_of_the_pages_of_every_provider_are_shown() -> None:
    template = make_template()
    person = make_user(full_name="J. Okafor")
    for number, model in enumerate((CredlyBadgeTemplate, AccredibleGroup)):
        LogEntry.objects.create(
            user=person,
            content_type=ContentType.objects.get_for_model(model),
            object_id=str(template.pk),
            action_flag=CHANGE,
            change_message=f"Note {number}.",
        )
    said = {note for row in history.section(template.pk).rows for note in row.notes}
    assert {"Note 0.", "Note 1."} <= said
