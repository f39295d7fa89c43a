"""A collection: the badges that a learner shows together, at one link. And the page on which they set it up."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from badges_plugin import retirement
from badges_plugin.host import User
from badges_plugin.reading import AwardState
from badges_plugin.web.models import Collection, NameShown, Publication
from badges_plugin.web.pages.answers import gone, not_found, see_other
from badges_plugin.web.pages.content import content_of
from badges_plugin.web.pages.limits import limited
from badges_plugin.web.pages.publishing import ONLY_ME, WITH_LINK
from badges_plugin.web.pages.rendering import page
from badges_plugin.web.pages.serving import served
from badges_plugin.web.paging import slice_of
from badges_plugin.web.shared import (
    arts,
    documents_of,
    initials,
    issuer_of,
    name_of,
    on_show,
    origin_of,
    people_of,
    shown_name,
    site_of,
)

PER_PAGE = 24


class CollectionForm(forms.Form):
    """What a learner says about their collection."""

    who = forms.ChoiceField(choices=[(ONLY_ME, ""), (WITH_LINK, "")])
    title = forms.CharField(max_length=100, required=False)
    introduction = forms.CharField(max_length=500, required=False)
    name = forms.ChoiceField(choices=NameShown.choices)


@served
@limited("public", lambda settings: settings.public_rate)
@require_safe
def collection(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show a collection that its learner published; to its owner always."""
    found = Collection.objects.filter(uuid=uuid).select_related("user").first()
    if found is None:
        return not_found(request)
    # The host retires with a query that nobody hears of; the worker erases a little later.
    if found.user is not None and retirement.is_gone(found.user):
        return gone(request) if found.published_at is not None else not_found(request)
    is_owner = found.user_id in people_of(request.user)
    if not found.is_public and not is_owner:
        return gone(request) if found.was_public else not_found(request)
    return page(request, "collection", _context(request, found, is_owner=is_owner))


@served
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def my_collection(request: HttpRequest) -> HttpResponse:
    """Show and save what others see of the collection."""
    user = cast("User", request.user)
    people = people_of(user)
    found = Collection.objects.filter(user__in=people).order_by("pk").first()
    shown = Publication.objects.filter(award__progress__user__in=people, in_collection=True, taken_back_at=None)
    form = CollectionForm(request.POST if request.method == "POST" else _choices_of(found))
    if request.method == "POST" and form.is_valid():
        save_choices(user, found, form.cleaned_data)
        return see_other(f"{reverse('badges_web:my_collection')}?saved=1")
    full = name_of(user)
    context = {
        "found": found,
        "chosen": form.data,
        "errors": form.errors if request.method == "POST" else {},
        "is_public": found is not None and found.is_public,
        "is_saved": "saved" in request.GET and request.method != "POST",
        "full_name": full,
        "initials": initials(full),
        "number": shown.count(),
        "url": _url(request, found) if found is not None else "",
    }
    return page(request, "my_collection", context, status=400 if context["errors"] else 200, has_form=True)


def save_choices(user: User, found: Collection | None, chosen: dict[str, Any]) -> None:
    """Store what a learner chose for their collection; nothing once they are retired."""
    now = timezone.now()
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=(found and found.user_id) or user.pk)
        if retirement.is_gone(locked):
            return
        row, _created = Collection.objects.get_or_create(user=locked)
        row.title, row.introduction = chosen["title"].strip(), chosen["introduction"].strip()
        row.name_shown = chosen["name"]
        if chosen["who"] == WITH_LINK and not row.is_published:
            row.published_at, row.taken_back_at = now, None
        elif chosen["who"] == ONLY_ME and row.is_published:
            row.taken_back_at = now
        row.save()


def _context(request: HttpRequest, found: Collection, *, is_owner: bool) -> dict[str, Any]:
    owner = found.user
    chosen = Publication.objects.filter(in_collection=True, taken_back_at=None)
    keys = list(
        chosen.filter(award__progress__user__in=people_of(owner) if owner else [])
        .order_by("-award__awarded_at", "-pk")
        .values_list("award", flat=True)
    )
    listed = slice_of(keys, request.GET, "page", size=PER_PAGE)
    documents = documents_of(listed.items)
    public = on_show(documents.values())
    badges = [public[documents[pk].uuid] for pk in listed.items if pk in documents and documents[pk].uuid in public]
    # A revoked badge is nothing to show together with others; its own page says what became of it.
    badges = [each for each in badges if not each.is_revoked]
    pictures = arts({each.template.pk: each.template for each in badges}.values(), ours=True)
    name = shown_name(owner, found.name_shown) if owner else ""
    origin = _origin(request, badges)
    return {
        "found": found,
        "is_owner": is_owner,
        "name": name,
        "title": found.title or (_("Badges of %(name)s") % {"name": name} if name else _("A collection of badges")),
        "listed": listed,
        "badges": [
            {
                "shown": each,
                "content": content_of(each.document.json_text),
                "art": pictures[each.template.pk],
                "is_expired": each.award.state is AwardState.EXPIRED,
            }
            for each in badges
        ],
        "url": _url(request, found),
        "preview_url": f"{origin}{pictures[badges[0].template.pk].preview_url}" if badges else "",
    }


def _origin(request: HttpRequest, badges: list[Any]) -> str:
    """Return scheme and host of shared links, from the issuer's profile."""
    site = badges[0].template.site if badges else site_of(request)
    return origin_of(issuer_of(site).base_url) if site is not None else ""


def _url(request: HttpRequest, found: Collection) -> str:
    path = reverse("badges_web:collection", args=[found.uuid])
    return f"{_origin(request, [])}{path}"


def _choices_of(found: Collection | None) -> dict[str, Any]:
    if found is None:
        return {"who": ONLY_ME, "name": NameShown.NONE, "title": "", "introduction": ""}
    return {
        "who": WITH_LINK if found.is_published else ONLY_ME,
        "name": found.name_shown,
        "title": found.title,
        "introduction": found.introduction,
    }
