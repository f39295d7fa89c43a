"""Publish a badge, choose what others see of it, and take it back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from badges_plugin import reading
from badges_plugin.host import User
from badges_plugin.models import BadgeAward
from badges_plugin.web.models import NameShown, Publication
from badges_plugin.web.pages.answers import not_found, see_other
from badges_plugin.web.pages.rendering import page
from badges_plugin.web.pages.serving import served
from badges_plugin.web.shared import (
    SignedDocument,
    documents_of,
    find_document,
    initials,
    name_of,
    people_of,
)

ONLY_ME, WITH_LINK = "me", "link"


class PublishForm(forms.Form):
    """What others see of a badge. ``name`` offers no more than is known of the learner."""

    who = forms.ChoiceField(choices=[(ONLY_ME, ""), (WITH_LINK, "")])
    name = forms.ChoiceField(choices=NameShown.choices)
    evidence = forms.BooleanField(required=False)
    collection = forms.BooleanField(required=False)


@served
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show and save what others see of a badge."""
    award = own_award(request.user, uuid)
    if award is None:
        return not_found(request)
    publication = Publication.objects.filter(award=award).first()
    choices = _choices_of(publication)
    form = PublishForm(request.POST if request.method == "POST" else choices)
    if request.method == "POST" and form.is_valid():
        save_choices(award, form.cleaned_data)
        return see_other(f"{reverse('badges_web:publish', args=[uuid])}?saved=1")
    details = reading.awards([award.pk])[award.pk]
    full = name_of(award.user)
    context = {
        "uuid": uuid,
        "award": details,
        "is_revoked": details.state is reading.AwardState.REVOKED,
        "chosen": form.data,
        "errors": form.errors if request.method == "POST" else {},
        "is_public": publication is not None and publication.is_public,
        "is_saved": "saved" in request.GET and request.method != "POST",
        "full_name": full,
        "initials": initials(full),
    }
    status = 400 if context["errors"] else 200
    return page(request, "publish", context, status=status, has_form=True)


@served
@login_required
@require_POST
def switch(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Publish a badge as it was shown last, or take it back; says which, so that pressing twice does no harm.

    A badge that was never public shows no name and nothing of what the learner did until they choose to.
    """
    award = own_award(request.user, uuid)
    if award is None:
        return not_found(request)
    publication = Publication.objects.filter(award=award).first()
    who = WITH_LINK if request.POST.get("public") == "1" else ONLY_ME
    save_choices(award, {**_choices_of(publication), "who": who})
    here = request.POST.get("page", "")
    query = f"?earned={here}" if here.isascii() and here.isdigit() else ""
    return see_other(f"{reverse('badges_web:mine')}{query}#badge-{uuid}")


def save_choices(award: BadgeAward, chosen: dict[str, Any]) -> None:
    """Store what a learner chose. Revoked badges can be taken back, but not published.

    The learner's row is locked, as it is where a learner is erased: whoever comes second knows of the other.
    """
    now = timezone.now()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=award.progress.user_id)
        document = documents_of([award.pk]).get(award.pk)
        row = Publication.objects.filter(award=award).first()
        is_wanted = chosen["who"] == WITH_LINK
        if is_wanted and not (row and row.is_public) and not _may_be_published(award, document):
            return
        if row is None:
            if not is_wanted:
                return
            row = Publication(award=award, published_at=now)
        if is_wanted and row.taken_back_at is not None:
            row.published_at, row.taken_back_at = now, None
        elif not is_wanted and row.taken_back_at is None:
            row.taken_back_at = now
        row.name_shown = chosen["name"]
        row.evidence_shown = bool(chosen["evidence"])
        row.in_collection = bool(chosen["collection"])
        row.save()


def own_award(user: Any, uuid: UUID) -> BadgeAward | None:
    """Return the award behind a link, if it is one of the person who is signed in."""
    document = find_document(uuid)
    if document is None or document.is_erased:
        return None
    rows = BadgeAward.objects.filter(pk=document.award_id, progress__user__in=people_of(user))
    return rows.select_related("progress__user", "progress__template").first()


def _choices_of(publication: Publication | None) -> dict[str, Any]:
    if publication is None:
        return {"who": ONLY_ME, "name": NameShown.NONE, "evidence": False, "collection": False}
    return {
        "who": WITH_LINK if publication.is_public else ONLY_ME,
        "name": publication.name_shown,
        "evidence": publication.evidence_shown,
        "collection": publication.in_collection,
    }


def _may_be_published(award: BadgeAward, document: SignedDocument | None) -> bool:
    if document is None or document.is_erased or document.is_revoked:
        return False
    return reading.awards([award.pk])[award.pk].state is not reading.AwardState.REVOKED
