"""Keys: made once, kept readable, rotated without loss, and retired with everything that they signed."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from badges_plugin.distribution import keys as at_rest
from badges_plugin.distribution.channels import resume_changed_keys
from badges_plugin.distribution.claims import claim
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.delivery import carry_out, prepare
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.distribution.open_badges import api, keys, rotating, storing
from badges_plugin.distribution.open_badges.api import Outcome
from badges_plugin.distribution.open_badges.models import IssuerProfile, SigningKey, StatusList
from badges_plugin.distribution.recording import record_all
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.distribution.worlds import deliver, let_time_pass
from tests.factories import make_user, send_passing
from tests.open_badges.conftest import HOST
from tests.open_badges.signed import is_listed, outcomes, said, signed


def rotate(**options: Any) -> str:
    output = StringIO()
    call_command("badges_rotate_keys", stdout=output, **options)
    return output.getvalue()


def methods() -> list[str]:
    """Return what the DID document publishes."""
    issuer = IssuerProfile.objects.get()
    document = Client(headers={"host": HOST}).get(f"/badges/open/issuers/{issuer.uuid}/did.json").json()
    return [method.rpartition("#")[2] for method in document["assertionMethod"]]


def test_two_processes_that_make_the_first_key_get_the_same(template: BadgeTemplate) -> None:
    issuer = IssuerProfile.objects.create(site=template.site, name="I", url="https://i.org", base_url="https://i.org")
    rows = [keys.make(issuer) for _ in range(2)]
    assert rows[0].pk == rows[1].pk
    assert keys.current([issuer])[issuer.pk].row == SigningKey.objects.get()  # type: ignore[union-attr]


def test_the_private_parts_are_encrypted_and_follow_secret_key(
    template: BadgeTemplate, ada: Any, settings: Any
) -> None:
    send_passing(ada)
    deliver()
    before = SigningKey.objects.get()
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(before.encrypted_private)

    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert at_rest.reencrypt().renewed == 1
    settings.SECRET_KEY_FALLBACKS = []

    after = SigningKey.objects.get()
    assert after.encrypted_private != before.encrypted_private
    send_passing(make_user())
    assert deliver() == {"done": 1}
    assert [outcomes(document) for document in signed()] == [{Outcome.VALID}] * 2


def test_a_lost_secret_key_pauses_the_issuer_until_there_is_a_new_key(
    template: BadgeTemplate, ada: Any, settings: Any
) -> None:
    send_passing(ada)
    deliver()
    settings.SECRET_KEY = "another"
    send_passing(make_user())
    deliver()
    assert "SECRET_KEY" in Channel.objects.get().paused_reason
    assert at_rest.reencrypt().unreadable

    rotate()
    resume_changed_keys()
    let_time_pass()
    deliver()

    assert Channel.objects.get().paused_reason == ""
    assert [outcomes(document) for document in signed()] == [{Outcome.VALID}] * 2


def test_a_secret_key_that_is_put_back_among_the_fallbacks_resumes_the_issuer(
    template: BadgeTemplate, ada: Any, settings: Any
) -> None:
    send_passing(ada)
    deliver()
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    send_passing(make_user())
    deliver()
    assert resume_changed_keys() == 0

    settings.SECRET_KEY_FALLBACKS = [old]
    assert resume_changed_keys() == 1
    let_time_pass()
    assert deliver() == {"done": 1}


def test_after_a_rotation_old_badges_verify_and_can_be_revoked(template: BadgeTemplate, ada: Any) -> None:
    send_passing(ada, minute=1)
    deliver()
    assert "signs with key 2" in rotate()
    bob = make_user()
    send_passing(bob, minute=1)
    deliver()

    old, new = signed()
    used = [said(document)["proof"]["verificationMethod"].rpartition("#")[2] for document in (old, new)]
    assert used == methods() == ["key-1", "key-2"]
    assert outcomes(old) == outcomes(new) == {Outcome.VALID}

    send_passing(ada, minute=2, is_passing=False)
    deliver(chores=True)
    assert (is_listed(signed()[0]), is_listed(signed()[1])) == (True, False)
    listed = json.loads(StatusList.objects.get().signed)
    assert listed["proof"]["verificationMethod"].endswith("#key-2")


def test_after_a_compromise_nothing_that_the_key_signed_counts_and_all_of_it_is_signed_again(
    template: BadgeTemplate, ada: Any
) -> None:
    gone = make_user()
    for user in (ada, make_user(), gone):
        send_passing(user, minute=1)
    deliver()
    before = signed()
    send_passing(ada, minute=2, is_passing=False)
    deliver(chores=True)
    storing.forget(list(BadgeAward.objects.filter(progress__user=gone)))

    assert "3 badges were signed again" in rotate(retire=1)

    assert methods() == ["key-2"]
    assert [outcomes(document) for document in before[:2]] == [{Outcome.TAMPERED}] * 2
    after = signed()
    assert [document.uuid for document in after] == [document.uuid for document in before]
    assert [outcomes(document) for document in after[:2]] == [{Outcome.REVOKED}, {Outcome.VALID}]
    assert after[2].json_text == ""
    old, new = said(before[1]), said(after[1])
    for each in (old, new):
        for name in ("proof", "validFrom"):
            each.pop(name)
    assert new == old
    assert is_listed(after[0])
    assert json.loads(StatusList.objects.get().signed)["proof"]["verificationMethod"].endswith("#key-2")
    assert SigningKey.objects.get(number=1).encrypted_private == ""
    # Again, as after an interruption.
    assert "No badge is left" in rotate(retire=1)
    assert methods() == ["key-2"]


def test_a_badge_that_was_being_signed_when_its_key_was_retired_is_signed_again(
    template: BadgeTemplate, ada: Any
) -> None:
    send_passing(ada)
    claimed = claim(1, worker="busy", lease=60, now=timezone.now(), policy=config().retry)
    attempts = [carry_out(job) for job in prepare(claimed, config())]
    assert "No badge is left" in rotate(retire=1)
    record_all(attempts, policy=config().retry)
    StatusList.objects.update(key=SigningKey.objects.get(number=1))  # as if it had been signed meanwhile, too
    [before] = signed()
    assert outcomes(before) == {Outcome.TAMPERED}

    assert not rotating.sign_what_is_left()

    assert outcomes(signed()[0]) == {Outcome.VALID}
    assert StatusList.objects.get().key == SigningKey.objects.get(number=2)


@pytest.mark.parametrize(
    ("options", "said_"),
    [({"retire": 7}, "has no key 7"), ({"site": "nobody.example"}, "no such issuer"), ({}, "")],
)
def test_what_cannot_be_rotated_is_told(template: BadgeTemplate, options: dict[str, Any], said_: str) -> None:
    if options:
        IssuerProfile.objects.create(site=template.site, name="I", url="https://i.org", base_url="https://i.org")
    with pytest.raises(CommandError, match=said_ or "there is no issuer"):
        rotate(**options)


def test_a_signature_with_a_key_of_somebody_else_is_not_ours(template: BadgeTemplate, ada: Any) -> None:
    send_passing(ada)
    deliver()
    [document] = signed()
    forged = document.json_text.replace("#key-1", "#key-2")
    assert api.verify(forged).outcome == Outcome.TAMPERED
    foreign = document.json_text.replace("did:web:badges.example.org", "did:web:elsewhere.example.org")
    assert api.verify(foreign).outcome == Outcome.NOT_OURS
    assert Delivery.objects.get().state == "done"
