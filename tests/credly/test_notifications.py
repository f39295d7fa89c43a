"""What learners are told, and by which way."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail

from badges_plugin import api
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate
from badges_plugin.models import BadgeAward
from sandbox.credly import CredlySimulator
from tests.distribution.worlds import deliver, set_up_ace
from tests.factories import COURSE, send_passing


@pytest.fixture(params=["django", "edx-ace"])
def way(request: pytest.FixtureRequest, settings: Any) -> str:
    """With edx-ace set up as a host would, and without."""
    if request.param == "edx-ace":
        set_up_ace(settings)
    return str(request.param)


@pytest.fixture
def switched_on(credly: CredlySimulator, settings: Any) -> None:
    settings.BADGES_CONFIG["distribution"]["notify"] = True


def html_of(message: Any) -> str:
    [(content, kind)] = message.alternatives
    assert kind == "text/html"
    return str(content)


def test_off_by_default(template: CredlyBadgeTemplate, ada: Any) -> None:
    send_passing(ada)
    deliver()

    assert mail.outbox == []


@pytest.mark.usefixtures("switched_on", "way")
def test_an_issued_badge_comes_with_the_link_to_accept_it(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any
) -> None:
    credly.world.change_template(str(template.uuid), {"name": "unused"})
    template.name = "R&D <Explorer>"
    template.save()
    send_passing(ada)
    deliver()

    [message] = mail.outbox
    link = f"{credly.origin}/go/{credly.badges()[0].accept_token}"
    assert (message.to, message.subject) == (["ada@example.org"], "You have earned the badge R&D <Explorer>")
    assert "Hello Ada Lovelace," in message.body
    assert link in message.body
    assert f'href="{link}"' in html_of(message)
    assert "R&amp;D &lt;Explorer&gt;" in html_of(message)


@pytest.mark.usefixtures("switched_on", "way")
def test_a_revoked_badge(template: CredlyBadgeTemplate, ada: Any) -> None:
    send_passing(ada, minute=1)
    deliver()
    send_passing(ada, minute=2, is_passing=False)
    deliver()

    assert mail.outbox[-1].subject == "Your badge Data Science Explorer was revoked"
    for text in (mail.outbox[-1].body, html_of(mail.outbox[-1])):
        assert "was revoked." in text.replace("</strong>", "")
        assert f"The grade in the course {COURSE} dropped below passing." in text


@pytest.mark.usefixtures("switched_on", "way")
def test_a_badge_that_staff_revoked(template: CredlyBadgeTemplate, ada: Any) -> None:
    send_passing(ada)
    deliver()
    api.revoke_award(BadgeAward.objects.get(), reason="Cheated.")
    deliver()

    text, html = mail.outbox[-1].body, html_of(mail.outbox[-1])
    assert "was revoked." in text
    assert "Cheated" not in text + html


@pytest.mark.usefixtures("switched_on")
def test_nothing_is_told_before_credly_has_it(credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any) -> None:
    credly.fail(status=422, operation="issue")
    send_passing(ada)
    deliver()

    assert mail.outbox == []
