"""*New badge*, and the same page for a badge that is there: what learners must do, chosen in words.

Without JavaScript each button posts the form, which comes back with a line more or less; nothing is stored before
somebody saves. With it the column at the side follows what is typed.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from django.contrib import messages
from django.contrib.sites.models import Site
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from badges_plugin.activation import refusal_of
from badges_plugin.images import picture_of
from badges_plugin.images.uploads import Accepted
from badges_plugin.models import BadgeTemplate, RulesetVersion
from badges_plugin.web.desk import links
from badges_plugin.web.desk.badge import choosing, picturing, presenting, saving, wording
from badges_plugin.web.desk.badge.asking import Question, noted, question_of
from badges_plugin.web.desk.badge.checking import Checked, Problem, check
from badges_plugin.web.desk.badge.decoding import setup_of
from badges_plugin.web.desk.badge.dry_run import named
from badges_plugin.web.desk.badge.fields import AS_IT_IS, LABELS, STAFF, BadgeFields, act, sent, stored
from badges_plugin.web.desk.badge.permitted import MAY_ADD, MAY_CHANGE, to_change
from badges_plugin.web.desk.badge.places import trail_to
from badges_plugin.web.desk.badge.setup import Kind
from badges_plugin.web.desk.site import desk_page, page
from badges_plugin.web.shared import site_of

_NOT_KEPT = frozenset({"csrfmiddlewaretoken", "do", "image"})


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(*MAY_ADD)
def new_badge(request: HttpRequest) -> HttpResponse:
    return _Form(request, None).answer()


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(*MAY_CHANGE)
def change_badge(request: HttpRequest, template_id: int) -> HttpResponse:
    return _Form(request, to_change(request, template_id)).answer()


class _Outdated(Exception):
    """Somebody else has changed the badge since the page was opened."""


@require_GET
@desk_page()
def find(request: HttpRequest) -> HttpResponse:
    """Answer a search of the form's fields, with JavaScript: at most 20 options."""
    if not (request.user.has_perms(MAY_CHANGE) or request.user.has_perms(MAY_ADD)):
        raise PermissionDenied
    kind, term = request.GET.get("kind", ""), request.GET.get("q", "").replace("\0", "")[:200]
    but = request.GET.get("but", "")
    if kind not in list(Kind):
        raise Http404
    found = choosing.find(
        Kind(kind), term, site_of(request), but=int(but) if but.isdecimal() and len(but) < 10 else None
    )
    options = [asdict(each) for each in found]
    response = JsonResponse({"options": options})
    response["Cache-Control"] = "private, no-store"
    return response


class _Form:
    """One request for the form. ``template`` is loaded with all that belongs to it, or None for a new badge."""

    def __init__(self, request: HttpRequest, template: BadgeTemplate | None) -> None:
        self._request, self._template = request, template
        self._site = site_of(request) or Site.objects.order_by("pk").first()
        self._setup = setup_of(template) if template is not None else None
        self._version = saving.version_of(template) if template is not None else ""
        self._is_theirs = template is not None and template.origin != BadgeTemplate.ORIGIN

    @property
    def _has_words(self) -> bool:
        """Whether words can say what the badge asks for; otherwise its rules are edited elsewhere."""
        return self._template is None or self._setup is not None

    def answer(self) -> HttpResponse:
        data = self._request.POST
        if self._request.method != "POST":
            fields = self._stored_fields()
            return self._page(fields, focus="name" if self._template is None else "")
        fields = sent(data)
        if self._template is not None:
            self._keep_what_is_theirs(fields)
        focus = act(fields, data)
        if "_aside" in data:
            return self._side(fields)
        wants = next((name for name in ("_activate", "_save") if name in data), "")
        if focus is not None or not wants or "_check" in data:
            return self._page(fields, focus=focus or "", shows_missing="_check" in data)
        return self._save(fields, wants)

    def _stored_fields(self) -> BadgeFields:
        if self._template is None:
            return BadgeFields()
        has_image = picture_of(self._template).row is not None or self._is_theirs
        return stored(self._template, self._setup, self._version, has_image=has_image)

    def _keep_what_is_theirs(self, fields: BadgeFields) -> None:
        """Name and description of a provider's badge are changed there; rules that no words say, elsewhere."""
        as_stored = self._stored_fields()
        fields.uuid = as_stored.uuid
        if self._is_theirs:
            fields.name, fields.description = as_stored.name, as_stored.description
        if not self._has_words:
            fields.blocks, fields.how = as_stored.blocks, as_stored.how

    def _check(self, fields: BadgeFields) -> Checked:
        checked = check(fields, self._site, but=self._template.pk if self._template is not None else None)
        if not self._has_words:
            about = {"name", "valid_number"}
            checked.problems = [each for each in checked.problems if each.field in about]
        if self._is_theirs:
            checked.problems = [each for each in checked.problems if each.field != "name"]
        return checked

    def _described(self, fields: BadgeFields, checked: Checked) -> BadgeTemplate:
        if self._has_words or self._template is None:
            return presenting.described(fields, checked, self._template, self._site)
        return self._template

    def _side(self, fields: BadgeFields) -> HttpResponse:
        context = self._aside_context(fields, self._check(fields), looks="_look" in self._request.POST)
        html = render_to_string("badges_web/desk/badge_aside.html", context, self._request)
        return JsonResponse({"aside": html, "drawing": str(picturing.drawing(fields))})

    def _aside_context(self, fields: BadgeFields, checked: Checked, *, looks: bool) -> dict[str, Any]:
        described = self._described(fields, checked)
        aside = presenting.aside(described, fields, checked, self._site, timezone.now(), looks=looks)
        if self._template is not None and (refusal := refusal_of(self._template)):
            aside = replace(aside, problems=[*aside.problems, Problem("", refusal)])
        learners = named(self._request, aside.dry_run)
        return {"aside": aside, "named": learners, "is_staff_only": fields.how == STAFF}

    def _page(
        self, fields: BadgeFields, *, focus: str = "", shows_missing: bool = False, image_problem: str = ""
    ) -> HttpResponse:
        checked = self._check(fields)
        template = self._template
        told = [each for each in checked.problems if shows_missing or not each.is_empty]
        context = {
            **self._aside_context(fields, checked, looks=True),
            "fields": fields,
            "blocks": list(presenting.blocks(fields, checked, focus, shows_missing=shows_missing)),
            "kinds": [(kind.value, label) for kind, label in LABELS.items()],
            "is_fresh": template is None and fields.is_fresh,
            "problems": {each.field.replace("-", "_"): each.text for each in reversed(told)},
            "image_problem": image_problem,
            "drawing": picturing.drawing(fields),
            "picture_url": picture_of(template).best_url if template is not None else "",
            "has_words": self._has_words,
            "is_theirs": self._is_theirs,
            "template": template,
            "focus": focus,
            "lost_badge": any(line.kind is Kind.BADGE for _number, _place, line in fields.lines),
        }
        title = _("New badge") if template is None else _("Change “%s”") % template.name
        return page(self._request, "new_badge", title=title, trail=trail_to(template), context=context)

    def _save(self, fields: BadgeFields, wants: str) -> HttpResponse:
        checked = self._check(fields)
        file: Any = self._request.FILES.get("file")
        picture, image_problem = picturing.uploaded(fields, file)
        is_active = self._template is not None and self._template.is_active
        if image_problem or self._stops(fields, checked, wants, is_active=is_active):
            return self._page(fields, shows_missing=True, image_problem=image_problem)
        if self._template is not None and fields.version != self._version:
            return self._outdated(fields)
        question = self._question(checked)
        if question is not None and self._request.POST.get("do") not in question.answers:
            if picture is not None and self._template is not None:
                # A file cannot wait for the answer.
                with transaction.atomic():
                    picturing.save(self._template, fields, picture)
                    saving.note(self._request, self._template, _("Changed the picture."))
                fields.image = AS_IT_IS
            return self._ask(fields, checked, question)
        try:
            template = self._stored(fields, checked, picture, question)
        except _Outdated:
            return self._outdated(fields)
        except ValidationError as error:
            for text in error.messages:
                messages.error(self._request, text)
            return self._page(fields)
        if wants == "_activate":
            return HttpResponseRedirect(reverse("badges_web:desk_activate_badge", args=(template.pk,)))
        return HttpResponseRedirect(links.badge_url(template.pk))

    def _outdated(self, fields: BadgeFields) -> HttpResponse:
        text = _("Somebody has changed this badge since you opened it. Nothing is saved. Open the page again.")
        messages.error(self._request, text)
        return self._page(fields)

    def _stops(self, fields: BadgeFields, checked: Checked, wants: str, *, is_active: bool) -> bool:
        """Whether something is wrong that keeps the badge from being saved: of a draft only its name."""
        if checked.named_problem is not None or any(not each.is_empty for each in checked.problems):
            return True
        if wants != "_activate" and not is_active:
            return False
        if checked.problems:
            return True
        return bool(self._has_words and presenting.problems_of(self._described(fields, checked)))

    def _question(self, checked: Checked) -> Question | None:
        if self._template is None or not self._has_words:
            return None
        return question_of(saving.changes(self._template, checked.setup))

    def _ask(self, fields: BadgeFields, checked: Checked, question: Question) -> HttpResponse:
        template = self._template
        if template is None:
            raise ValueError("Of a new badge nothing is asked.")
        # What was typed goes with the page, and comes back with the answer.
        kept = [(name, value) for name, values in self._request.POST.lists() for value in values]
        context = {
            "question": question,
            "kept": [*(pair for pair in kept if pair[0] not in _NOT_KEPT), ("image", fields.image)],
            "before": wording.paragraph(template),
            "after": wording.paragraph(self._described(fields, checked)),
            "template": template,
        }
        return page(self._request, "badge_change", title=question.title, trail=trail_to(template), context=context)

    def _stored(
        self, fields: BadgeFields, checked: Checked, picture: Accepted | None, question: Question | None
    ) -> BadgeTemplate:
        forget = question is not None and self._request.POST.get("do") == "forget"
        is_new = self._template is None
        before = "" if self._template is None else wording.paragraph(self._template)
        with transaction.atomic():
            RulesetVersion.hold()
            self._must_be_as_opened(fields)
            template = self._save_template(fields, checked)
            if self._has_words:
                saving.save(template, checked.setup, forget=forget)
            picturing.save(template, fields, picture)
            fresh = saving.loaded(template.pk)
            if fresh is None:
                raise Http404
            after = wording.paragraph(fresh)
            saving.note(self._request, fresh, noted(before, after, question, forget=forget), is_new=is_new)
        if checked.unfinished:
            messages.warning(self._request, _("Lines in which nothing is chosen yet were left out."))
        text = _("The badge is saved as a draft.") if not fresh.is_active else _("The change is saved.")
        messages.success(self._request, text)
        return fresh

    def _must_be_as_opened(self, fields: BadgeFields) -> None:
        """Look again: until now another page may have been saved at the same time."""
        if self._template is None:
            return
        stored = saving.loaded(self._template.pk)
        if stored is None or saving.version_of(stored) != fields.version:
            raise _Outdated
        self._template = stored

    def _save_template(self, fields: BadgeFields, checked: Checked) -> BadgeTemplate:
        values: dict[str, Any] = {"valid_days": checked.valid_days, "can_be_reawarded": fields.can_be_reawarded}
        if not self._is_theirs:
            values |= {"name": fields.name.strip(), "description": fields.description.strip()}
        if self._has_words:
            values["is_given_by_staff"] = presenting.is_given_by_staff(fields, self._template)
        template = self._template
        if template is None:
            if self._site is None:
                raise ValidationError(_("The service has no site yet. Add one under “Sites”."))
            is_taken = BadgeTemplate.objects.filter(uuid=fields.uuid).exists()  # sent twice
            if is_taken:
                raise ValidationError(_("This badge is saved already."))
            template = BadgeTemplate(uuid=fields.uuid, site=self._site, **values)
            template.clean()
            template.save()
            return saving.loaded(template.pk) or template
        for name, value in values.items():
            setattr(template, name, value)
        if template.valid_days is None or template.renewal_days >= template.valid_days:
            template.renewal_days = 0
            values["renewal_days"] = 0
        template.save(update_fields=[*values, "modified"])
        return template
