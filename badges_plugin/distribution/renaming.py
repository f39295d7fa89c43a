"""Send the corrected name of a learner to the providers of a badge: asked on a page, from the page of an award."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin.admin.asking import Question
from badges_plugin.distribution import deciding, queueing, recipients, registry
from badges_plugin.models import BadgeAward


class SendName(Question[BadgeAward]):
    name = "send_name"
    template = "badges_distribution/admin/send_name.html"

    @classmethod
    def choose(cls, rows: QuerySet[BadgeAward]) -> QuerySet[BadgeAward]:
        return queueing.correctable(rows).select_related("progress__user__badges_learner", "progress__template")

    @classmethod
    def nothing(cls) -> str:
        return _("There is no badge at a provider that could be given another name.")

    @classmethod
    def offered(cls, row: BadgeAward) -> str:
        is_there = queueing.correctable(BadgeAward.objects.filter(pk=row.pk)).exists()
        return _("Send the corrected name…") if is_there else ""

    def title(self) -> str:
        if len(self.rows) > 1:
            return _("Send the corrected names for %d badges?") % len(self.rows)
        facts = {"badge": self.rows[0].template, "learner": _name(self.rows[0])}
        return _("Send the name of %(learner)s for “%(badge)s”?") % facts

    def context(self) -> dict[str, Any]:
        for row in self.rows:
            vars(row)["name_on_badge"] = _name(row)
        used = {backend for row in self.rows for backend in registry.responsible_for(row.template)}
        notes = sorted(str(backend.name_correction) for backend in used if backend.name_correction)
        return {"only": len(self.rows) == 1, "name": _name(self.rows[0]), "notes": notes}

    def act(self, answer: dict[str, Any]) -> None:
        sent = [row.pk for row in self.rows if deciding.send_name(row, by=self.staff)]
        self.admin.log_each(self.request, sent, _("Corrected name sent."))
        if not sent:
            self.say(self.nothing(), messages.WARNING)
            return
        text = ngettext("The name is sent for %d badge.", "The names are sent for %d badges.", len(sent))
        self.say(text % len(sent))


def _name(award: BadgeAward) -> str:
    """Return the name that the provider would get; empty where none is known that could stand on a badge."""
    known = recipients.recipient(award.user, earner_id="")
    last = "" if known.last_name == recipients.MISSING_NAME else known.last_name
    return f"{known.first_name} {last}".strip()
