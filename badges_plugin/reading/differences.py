"""The sentences of what changed between two states. No query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin.models import BadgeTemplate
from badges_plugin.models.records import State
from badges_plugin.reading.recorded import Key, Kind, Picture, Step
from badges_plugin.reading.words import join_sentences


def template_edits(before: State | None, after: State | None) -> Iterator[str]:
    """Yield what changed in the facts of a badge itself."""
    if after is None:
        if before is not None:
            yield _("Deleted the badge “%(name)s”.") % {"name": before["name"]}
        return
    if before is None:
        yield _("Created the badge “%(name)s”.") % {"name": after["name"]}
        if after["is_active"]:
            yield _("Activated.")
        return
    for name, words in WORDS.items():
        if before[name] != after[name]:
            yield words(before[name], after[name])
    for name in sorted(after.keys() - WORDS.keys()):
        if before.get(name) != after[name]:
            label = BadgeTemplate._meta.get_field(name).verbose_name  # type: ignore[union-attr]
            yield _("Changed: %(fact)s.") % {"fact": label}


def group_edits(before: State | None, after: State | None) -> Iterator[str]:
    """Yield what changed in a group of requirements, which staff know as a block."""
    if after is None:
        if before is not None:
            yield _("Removed the block “%(name)s”.") % {"name": before["name"]}
        return
    values = {"name": after["name"], "needed": after["needed"], "before": (before or after)["needed"]}
    if before is None:
        text = ngettext(
            "Added the block “%(name)s”: %(needed)d of its lines is enough.",
            "Added the block “%(name)s”: %(needed)d of its lines are enough.",
            after["needed"],
        )
        yield text % values
        return
    if before["name"] != after["name"]:
        yield _("Renamed the block “%(before)s” to “%(name)s”.") % {"before": before["name"], "name": after["name"]}
    if before["needed"] != after["needed"]:
        text = ngettext(
            "%(needed)d line of the block “%(name)s” is enough. Before: %(before)d.",
            "%(needed)d lines of the block “%(name)s” are enough. Before: %(before)d.",
            after["needed"],
        )
        yield text % values
    if before["position"] != after["position"]:
        yield _("Moved the block “%(name)s” to another place.") % values


def condition_edits(
    step: Step, key: Key, facts_changed: bool, sentence_of: Callable[[Picture, Key], str]
) -> Iterator[str]:
    """Yield what changed in a requirement or penalty, and what that meant for learners."""
    before, after = step.before.get(*key), step.after.get(*key)
    was, now = sentence_of(step.before, key), sentence_of(step.after, key)
    is_penalty = key[0] is Kind.PENALTY
    if after is None:
        if before is not None:
            text = _("Removed what takes the badge away: “%(what)s”.") if is_penalty else _("Removed “%(what)s”.")
            yield text % {"what": was}
        return
    if before is None:
        text = _("Added what takes the badge away: “%(what)s”.") if is_penalty else _("Added “%(what)s”.")
        yield text % {"what": now}
        return
    if was != now:
        yield _("Changed “%(before)s” to “%(after)s”.") % {"before": was, "after": now}
    elif facts_changed:
        yield _("Changed the rules of “%(what)s”.") % {"what": now}
    if is_penalty:
        yield from _links(step.after, before, after, now, sentence_of)
    else:
        yield from _place(step.after, before, after, now)
        yield from _decided(before, after, now)


def _place(picture: Picture, before: State, after: State, what: str) -> Iterator[str]:
    if before["group_id"] != after["group_id"]:
        group = picture.get(Kind.GROUP, after["group_id"])
        if group is None:
            yield _("Took “%(what)s” out of its block.") % {"what": what}
        else:
            yield _("Moved “%(what)s” into the block “%(block)s”.") % {"what": what, "block": group["name"]}
    elif before["position"] != after["position"]:
        yield _("Moved “%(what)s” to another place.") % {"what": what}


def _decided(before: State, after: State, what: str) -> Iterator[str]:
    """Yield what staff decided about what learners had done under the earlier rules."""
    if before["kept_rules"] != after["kept_rules"]:
        yield _("What learners had done for it still counts: “%(what)s”.") % {"what": what}
    if before["forgotten_rules"] != after["forgotten_rules"]:
        yield _("What learners had done for it was forgotten: “%(what)s”.") % {"what": what}


def _links(
    picture: Picture, before: State, after: State, what: str, sentence_of: Callable[[Picture, Key], str]
) -> Iterator[str]:
    if before["linked_ids"] == after["linked_ids"]:
        return
    sentences = [sentence_of(picture, (Kind.REQUIREMENT, pk)) for pk in after["linked_ids"]]
    lost = join_sentences(sentence for sentence in sentences if sentence)
    if lost:
        yield _("“%(what)s” takes this away: %(lost)s.") % {"what": what, "lost": lost}
    else:
        yield _("“%(what)s” takes nothing away any more.") % {"what": what}


def _validity(days: int | None) -> str:
    if not days:
        return _("without end")
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


def _renewal(days: int) -> str:
    if not days:
        return _("after its end")
    return ngettext("from %(days)d day before its end", "from %(days)d days before its end", days) % {"days": days}


# What each fact of a badge says when it changes, before and after, in the order in which people read it.
WORDS: dict[str, Callable[[Any, Any], str]] = {
    "name": lambda old, new: _("Renamed from “%(before)s” to “%(after)s”.") % {"before": old, "after": new},
    "is_active": lambda old, new: _("Activated.") if new else _("Deactivated."),
    "description": lambda old, new: _("Changed the description."),
    "icon": lambda old, new: _("Changed the address of the image."),
    "can_be_reawarded": lambda old, new: (
        _("Can be earned again after it was revoked.") if new else _("Cannot be earned again after it was revoked.")
    ),
    "in_order": lambda old, new: (
        _("What learners must do is asked for in order.")
        if new
        else _("What learners must do is asked for in any order.")
    ),
    "valid_days": lambda old, new: (
        _("Valid: %(after)s. Before: %(before)s.") % {"before": _validity(old), "after": _validity(new)}
    ),
    "renewal_days": lambda old, new: (
        _("Can be renewed %(after)s. Before: %(before)s.") % {"before": _renewal(old), "after": _renewal(new)}
    ),
    "is_signed_here": lambda old, new: (
        _("Is also signed by this site.") if new else _("Is no longer signed by this site as well.")
    ),
    "is_given_by_staff": lambda old, new: (
        _("Is also given by staff, and need not ask for anything.")
        if new
        else _("Is no longer meant to be given by staff.")
    ),
    "site_id": lambda old, new: _("Moved to another site."),
}
