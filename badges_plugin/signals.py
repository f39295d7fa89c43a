"""
The core's internal signals: how what stands above learns of awards and revocations.

Both are plain Django signals, sent with ``send`` inside the transaction that awards or revokes: a receiver
writes what must be true together with the award, and one that raises undoes it. No receiver may do I/O with
the outside here. The public events ``BADGE_AWARDED`` and ``BADGE_REVOKED`` of openedx-events are another
thing: they are sent after the commit.

Sender: ``BadgeTemplate``. Arguments: ``award``, a ``BadgeAward``; when revoked its ``revoked_at`` is set.
"""

from django.dispatch import Signal

badge_awarded = Signal()
badge_revoked = Signal()
