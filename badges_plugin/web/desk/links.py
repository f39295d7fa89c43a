"""The addresses of the desk's pages, by the primary key of what they are about."""

from __future__ import annotations

from django.urls import reverse


def badge_url(template_id: int) -> str:
    return reverse("badges_web:desk_badge", args=(template_id,))


def learner_url(user_id: int) -> str:
    return reverse("badges_web:desk_learner", args=(user_id,))


def award_url(award_id: int) -> str:
    return reverse("badges_web:desk_award", args=(award_id,))


def history_url(template_id: int) -> str:
    return reverse("badges_web:desk_history", args=(template_id,))
