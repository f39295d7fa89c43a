"""The URLs of the desk, below ``badges/desk/``."""

from __future__ import annotations

from django.urls import URLPattern, path

from badges_plugin.web.desk.award import award
from badges_plugin.web.desk.learner import learner, learners
from badges_plugin.web.desk.trying import try_it

urlpatterns: list[URLPattern] = [
    path("awards/<int:award_id>/", award, name="desk_award"),
    path("learners/", learners, name="desk_learners"),
    path("learners/<int:user_id>/", learner, name="desk_learner"),
    path("try/", try_it, name="desk_try"),
]
