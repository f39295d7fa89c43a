"""Status lists: each badge gets an index that nobody can guess, and revoked ones have their bits set.

An index tells how many badges there are, or whose is next to whose, only if indices follow one another. So they are
given in the order of a permutation that a secret of the list determines: no two badges meet, however many there are.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from badges_plugin.distribution.api import RejectedKey
from badges_plugin.distribution.open_badges import addresses, building, issuers, keys, proofs, status_bits
from badges_plugin.distribution.open_badges.models import IssuerProfile, SignedBadge, StatusList
from badges_plugin.logs import get_logger

logger = get_logger(__name__)

LENGTH = status_bits.LENGTH
"""Indices of a list."""

_ROUNDS = 4
_HALF_BITS = 9
_MASK = (1 << _HALF_BITS) - 1
_MANY = 5000


def reserve(profile: IssuerProfile, number: int) -> Iterator[tuple[StatusList, int]]:
    """Yield so many free indices of an issuer's lists, which are made when the last one is full.

    Call it in a transaction that writes what the indices are for: if it is undone, they are free again.
    """
    while number:
        # The list is locked until the end of the transaction; the condition is the lock where rows cannot be locked.
        lists = StatusList.objects.filter(issuer=profile, base_url=profile.base_url)
        newest = lists.select_for_update().order_by("-pk").first()
        if newest is None or newest.reserved >= LENGTH:
            newest = StatusList.objects.create(issuer=profile, base_url=profile.base_url)
        start, taken = newest.reserved, min(number, LENGTH - newest.reserved)
        free = StatusList.objects.filter(pk=newest.pk, reserved=start)
        if not free.update(reserved=F("reserved") + taken):
            continue
        number -= taken
        yield from ((newest, index_of(newest.seed, place)) for place in range(start, start + taken))


def index_of(seed: str, place: int) -> int:
    """Return the index at a place of the list's permutation: a Feistel network that walks until it is within the list.

    Both are from 0 to ``LENGTH`` - 1.
    """
    key, number = bytes.fromhex(seed), place
    while True:
        left, right = number >> _HALF_BITS, number & _MASK
        for round_number in range(_ROUNDS):
            mixed = hmac.digest(key, bytes([round_number, right >> 8, right & 0xFF]), hashlib.sha256)
            left, right = right, left ^ (int.from_bytes(mixed[:2], "big") & _MASK)
        number = left << _HALF_BITS | right
        if number < LENGTH:
            return number


def sign_new(lists: Iterable[StatusList]) -> None:
    """Sign those of some lists that never were, so that no badge names a list that is not there."""
    for row in lists:
        if row.signed_at is None:
            sign(row.pk)


def sign_changed(now: datetime | None = None) -> bool:
    """Sign the lists of revoked badges again whose bits are not set yet, and new lists. Return whether there is more.

    A chore of the worker. A list whose key cannot be used is left as it is; the deliveries of its issuer say why.
    """
    stale = SignedBadge.objects.filter(is_listed=False).order_by("status_list").values_list("status_list", flat=True)
    new = StatusList.objects.filter(signed="").order_by("pk").values_list("pk", flat=True)
    left = [sign(pk) for pk in sorted({*stale.distinct(), *new})]
    return any(left)


def sign(pk: int, *, anew: bool = False) -> bool:
    """Set the bits of the revoked badges of a list, and sign it. Return whether more of them are left.

    ``anew``: even if no bit changes, because its key was retired.
    """
    with transaction.atomic():
        row = StatusList.objects.select_for_update().select_related("issuer").get(pk=pk)
        unlisted = SignedBadge.objects.filter(status_list=row, is_listed=False).order_by("pk")
        revoked = dict(unlisted.values_list("pk", "status_index")[:_MANY])
        if not (revoked or anew or not row.signed):
            return False
        pair = keys.current([row.issuer])[row.issuer_id]
        if isinstance(pair, RejectedKey) or issuers.refusal(row.issuer):
            return False
        _write(row, pair, revoked.values())
        SignedBadge.objects.filter(pk__in=revoked).update(is_listed=True)
    return len(revoked) == _MANY


def _write(row: StatusList, pair: keys.KeyPair, revoked: Iterable[int]) -> None:
    bits, now = bits_of(row), timezone.now()
    for index in revoked:
        bits = status_bits.with_bit(bits, index)
    issuer_id = addresses.did(row.base_url, row.issuer.uuid)
    unsigned = building.status_list(url_of(row), issuer_id, bits, now)
    signed = proofs.sign(unsigned, pair.ed25519, addresses.method_id(issuer_id, pair.row.number), now)
    row.signed, row.signed_at, row.key = json.dumps(signed, ensure_ascii=False), now, pair.row
    row.save(update_fields=["signed", "signed_at", "key"])


def url_of(row: StatusList) -> str:
    """Return the address of a list, by which its badges name it."""
    return addresses.status_url(row.base_url, row.uuid)


def bits_of(row: StatusList) -> bytes:
    """Return the bits of a list as it was signed last."""
    if not row.signed:
        return status_bits.empty()
    return status_bits.decode(json.loads(row.signed)["credentialSubject"]["encodedList"])
