"""What an award costs in SQL statements, all rows of Credly and of its delivery and the transaction included."""

from __future__ import annotations

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badges_plugin.api import Outcome
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate
from badges_plugin.distribution.models import Delivery
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.factories import COURSE, make_template, make_user, requires_course, send_passing, user_data

MOST = 20
OTHER = "course-v1:Demo+Other+1"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_known", [True, False])
def test_an_award_that_goes_to_credly_takes_at_most_twenty_statements(
    template: CredlyBadgeTemplate, is_known: bool
) -> None:
    ContentType.objects.get_for_model(BadgeTemplate)
    requires_course(make_template(), OTHER)
    learner = make_user()
    send_passing(learner, OTHER)
    # Somebody had this badge before: the ruleset is compiled, the channel to Credly exists.
    send_passing(make_user())
    with CaptureQueriesContext(connection) as queries:
        assert send_passing(learner if is_known else user_data(), COURSE, minute=1) is Outcome.APPLIED
    award = BadgeAward.objects.filter(progress__template=template).latest("pk")
    assert Delivery.objects.filter(award=award).exists()
    assert CredlyBadge.objects.filter(pk=award.credential_id).exists()
    assert award.published_at is not None
    assert len(queries) <= MOST, "\n".join(query["sql"][:100] for query in queries.captured_queries)
