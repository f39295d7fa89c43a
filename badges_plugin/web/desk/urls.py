"""The URLs of the desk, below ``badges/desk/``."""

from __future__ import annotations

from django.urls import URLPattern, path

from badges_plugin.web.desk import award, finding, history, learner, numbers, numbers_csv, running, trying
from badges_plugin.web.desk.badge import activating, catching_up, copying, form
from badges_plugin.web.desk.badge import page as badge_page
from badges_plugin.web.desk.giving import views as giving

urlpatterns: list[URLPattern] = [
    path("find/", finding.find, name="desk_find"),
    path("badges/new/", form.new_badge, name="desk_new_badge"),
    path("badges/choices/", form.find, name="desk_choices"),
    path("badges/<int:template_id>/", badge_page.badge, name="desk_badge"),
    path("badges/<int:template_id>/change/", form.change_badge, name="desk_change_badge"),
    path("badges/<int:template_id>/copy/", copying.copy_badge, name="desk_copy_badge"),
    path("badges/<int:template_id>/activate/", activating.activate, name="desk_activate_badge"),
    path("badges/<int:template_id>/done-already/", catching_up.catch_up, name="desk_catch_up"),
    path("badges/<int:template_id>/deactivate/", activating.deactivate, name="desk_deactivate_badge"),
    path("badges/<int:template_id>/holders.csv", badge_page.holders, name="desk_export_holders"),
    path("learners/", learner.learners, name="desk_learners"),
    path("learners/<int:user_id>/", learner.learner, name="desk_learner"),
    path("awards/<int:award_id>/", award.award, name="desk_award"),
    path("give/", giving.give, name="desk_give"),
    path("lists/", giving.gift_lists, name="desk_gift_lists"),
    path("lists/<int:pk>/", giving.gift_list, name="desk_gift_list"),
    path("lists/<int:pk>/undo/", giving.undo, name="desk_gift_list_undo"),
    path("try/", trying.try_it, name="desk_try"),
    path("history/<int:template_id>/", history.history, name="desk_history"),
    path("history/deleted/", history.deleted_badges, name="desk_deleted_badges"),
    path("running/", running.running, name="desk_running"),
    path("numbers/", numbers.numbers, name="desk_numbers"),
    path("numbers/numbers.csv", numbers_csv.export_numbers, name="desk_export_numbers"),
    path("numbers/<int:template_id>/", numbers.badge_numbers, name="desk_badge_numbers"),
]
