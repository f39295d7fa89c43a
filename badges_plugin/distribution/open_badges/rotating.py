"""After a key was compromised: retire it, and sign again what it signed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from badges_plugin import updating
from badges_plugin.distribution.api import RejectedKey
from badges_plugin.distribution.open_badges import addresses, keys, signing, status_lists
from badges_plugin.distribution.open_badges.models import SignedBadge, SigningKey, StatusList

AT_ONCE = 100


def retire(row: SigningKey) -> SigningKey:
    """Retire a key, if that was not done yet, and return the one that signs now. Status lists are signed again."""
    newest = keys.newest(row.issuer_id)
    if newest is None or newest.pk == row.pk:
        newest = keys.rotate(row.issuer)
    if row.retired_at is None:
        keys.retire(row)
    _sign_lists(row)
    return newest


def sign_again(row: SigningKey) -> Iterator[int]:
    """Sign all badges again that a retired key signed, and yield how many, some at a time.

    They keep what they say and their identifiers. Raises RejectedKey when the key that signs now cannot be used.
    """
    pair = keys.current([row.issuer])[row.issuer_id]
    if isinstance(pair, RejectedKey):
        raise pair
    while count := _sign_some(row, pair):
        yield count


def sign_what_is_left(now: datetime | None = None) -> bool:
    """Sign again what is still signed with retired keys, some at a time. Return whether there is more.

    A chore of the worker: a key may be retired between a badge's being signed with it and its being stored.
    """
    left = []
    for row in SigningKey.objects.exclude(retired_at=None).select_related("issuer").order_by("pk"):
        _sign_lists(row)
        if SignedBadge.objects.filter(key=row).exists():
            pair = keys.current([row.issuer])[row.issuer_id]
            # Where the new key cannot be used, the deliveries of the issuer say why.
            left.append(not isinstance(pair, RejectedKey) and _sign_some(row, pair) == AT_ONCE)
    return any(left)


def _sign_lists(row: SigningKey) -> None:
    for pk in StatusList.objects.filter(key=row).order_by("pk").values_list("pk", flat=True):
        status_lists.sign(pk, anew=True)


def _sign_some(row: SigningKey, pair: keys.KeyPair) -> int:
    with transaction.atomic():
        badges = list(SignedBadge.objects.select_for_update().filter(key=row).order_by("pk")[:AT_ONCE])
        lists = StatusList.objects.in_bulk({badge.status_list_id for badge in badges})
        for badge in badges:
            badge.key = pair.row
            if not badge.document:
                continue  # erased
            now = timezone.now()
            kid = addresses.key_url(lists[badge.status_list_id].base_url, row.issuer.uuid, pair.row.number)
            signed = signing.sign_again(badge.document, pair, kid, now)
            badge.document, badge.jwt, badge.signed_at = signed["document"], signed["jwt"], now
        updating.update(badges, ["document", "jwt", "key", "signed_at"])
    return len(badges)
