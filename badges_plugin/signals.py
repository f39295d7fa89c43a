"""The core's internal signals: how what stands above learns of awards, revocations and retired learners.

They are plain Django signals, sent with ``send``, all but one inside the transaction that awards, revokes or erases: a
receiver writes what must be true together with the award, and one that raises undoes it. No receiver may do I/O with
the outside here. The public events ``BADGE_AWARDED`` and ``BADGE_REVOKED`` of openedx-events are another
thing: they are sent after the commit.

Sender of the first two: ``BadgeTemplate``. Arguments: ``award``, a ``BadgeAward``; when revoked its ``revoked_at`` is
set.

``badge_event`` is sent after the commit, before the public event: by it the badges that need this one hear of it in the
same service, whatever bus there is. It is sent again, to all, until no receiver raises. Sender: ``BadgeTemplate``.
Argument: ``event``, the ``BadgingEvent``.

``learner_retired`` is sent, by ``Learner``, in the transaction that erases what is kept of a learner: whoever keeps
something of them, by their name or address, erases it. Argument: ``user``, who is locked.
"""

from django.dispatch import Signal

badge_awarded = Signal()
badge_revoked = Signal()
badge_event = Signal()
learner_retired = Signal()
