"""What the pages hear from the core: a learner was retired."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from badges_plugin.host import User
from badges_plugin.signals import learner_retired
from badges_plugin.web.models import Collection, NameShown, Publication


def take_everything_back(sender: object, user: User, **kwargs: Any) -> None:
    """Leave nothing public of a retired learner, and nothing that they wrote. Their links say that the page is gone."""
    now = timezone.now()
    # Their keys first: MySQL does not change a table that the same statement reads.
    own = Publication.objects.filter(
        pk__in=list(Publication.objects.filter(award__progress__user=user).values_list("pk", flat=True))
    )
    own.filter(taken_back_at=None).update(taken_back_at=now)
    own.update(name_shown=NameShown.NONE, evidence_shown=False, in_collection=False)
    Collection.objects.filter(user=user).update(
        user=None, title="", introduction="", name_shown=NameShown.NONE, taken_back_at=now, hidden_reason=""
    )


def connect() -> None:
    """Connect the receivers. Calling this twice has no further effect."""
    learner_retired.connect(take_everything_back, dispatch_uid="badges_web.retired")
