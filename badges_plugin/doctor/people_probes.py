"""Probes that compare learners and badges with the host's own rows."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from badges_plugin.doctor.findings import Finding
from badges_plugin.host import AWARDED, REVOKED, UserCredential
from badges_plugin.models import BadgeAward, BadgeTemplate, Learner

EXAMPLES = 10
"""How many rows a finding names."""

CORRECT = (
    "Somebody changed the credentials. Select these badges under Badge awards in the admin and choose “Correct the "
    "user credentials of selected badges”."
)


def credentials() -> Iterator[Finding]:
    """Check that the host's credential of each badge agrees with the latest award."""
    ours = ContentType.objects.get_for_model(BadgeTemplate)
    newer = BadgeAward.objects.filter(progress=OuterRef("progress"), number__gt=OuterRef("number"))
    last = BadgeAward.objects.filter(~Exists(newer))
    disagreements = {
        "a credential of another type or template": ~Q(
            credential__credential_content_type=ours, credential__credential_id=F("progress__template")
        ),
        "a credential with another user name": ~Q(credential__username=F("progress__user__username")),
        "a credential that is not valid, though the badge is": Q(revoked_at=None) & ~Q(credential__status=AWARDED),
        "a credential that is valid, though the badge is revoked": Q(revoked_at__isnull=False)
        & ~Q(credential__status=REVOKED),
    }
    found = False
    for what, condition in disagreements.items():
        if text := _listed(last.filter(condition)):
            found = True
            yield Finding.error(f"Badges have {what}: awards {text}.", CORRECT)
    without = UserCredential.objects.filter(credential_content_type=ours).exclude(
        Exists(BadgeAward.objects.filter(credential=OuterRef("pk")))
    )
    if text := _listed(without):
        found = True
        yield Finding.warning(
            f"User credentials refer to a badge template and belong to no award: {text}.",
            "Delete them on the host's page of user credentials, unless code of your own creates such rows.",
        )
    if not found:
        yield Finding.ok("Every badge agrees with its credential.")


def learners() -> Iterator[Finding]:
    """Check that each learner is one user."""
    twice = (
        Learner.objects.filter(user__lms_user_id__gt=0)
        .order_by()
        .values("user__lms_user_id")
        .annotate(number=Count("pk"))
        .filter(number__gt=1)
    )
    if number := twice.count():
        ids = ", ".join(str(row["user__lms_user_id"]) for row in twice.order_by("user__lms_user_id")[:EXAMPLES])
        yield Finding.warning(
            f"{number} LMS users have several users here, more than one of which has badge progress: {ids}.",
            "New events go to the oldest. If one of the users is another person's, correct its LMS user id in the "
            "admin. Badges that a learner earned as another user stay with that user.",
        )
    else:
        yield Finding.ok("Every learner is one user.")


def _listed(rows: QuerySet[BadgeAward] | QuerySet[UserCredential]) -> str:
    """Return the ids of the first rows and the number of further ones; empty if there are none."""
    number = rows.count()
    if not number:
        return ""
    ids = ", ".join(map(str, rows.order_by("pk").values_list("pk", flat=True)[:EXAMPLES]))
    return f"{ids} and {number - EXAMPLES} more" if number > EXAMPLES else ids
