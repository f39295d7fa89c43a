"""The core's internal signals, which report awards, revocations and retired learners to higher layers.

They are plain Django signals, sent with ``send``, all but those of badge events inside the transaction that awards,
revokes or erases. A receiver writes rows that must be consistent with the award; an exception in it rolls everything
back. Receivers must not do any network I/O. The public events ``BADGE_AWARDED`` and ``BADGE_REVOKED`` of openedx-events
are different: they are sent after the commit.

The sender of ``badge_awarded`` and ``badge_revoked`` is ``BadgeTemplate``. Argument: ``award``, a ``BadgeAward``, whose
``revoked_at`` is set if it was revoked.

``badges_awarded`` and ``badges_revoked`` tell of the same awards, many at a time: all that are written together, once
each has been told of by itself. Receivers that write rows should listen to these. Argument: ``awards``, a list, not
empty.

``badge_given_back`` is sent by ``BadgeTemplate`` after ``badges_awarded``, when an award gives back one that was
revoked by mistake. Arguments: ``award``, and ``earlier``, the one that was revoked.

``badge_event`` is sent after the commit, before the public event, so that the badges that need this one are updated in
the same service, with or without a bus. It is sent again, to all receivers, until none of them raises. Sender:
``BadgeTemplate``. Argument: ``event``, the ``BadgingEvent``. ``badge_events`` tells of the same events, many at a time,
once each has been sent by itself. Argument: ``events``, a list, not empty.

``learner_retired`` is sent by ``Learner`` in the transaction that erases a learner's data: receivers erase data that
they store by the learner's name or e-mail address. Argument: ``user``, whose row is locked.
"""

from django.dispatch import Signal

badge_awarded = Signal()
badge_revoked = Signal()
badges_awarded = Signal()
badges_revoked = Signal()
badge_given_back = Signal()
badge_event = Signal()
badge_events = Signal()
learner_retired = Signal()
