"""The fields of the form, as they were sent: what was typed comes back as it was, whatever is wrong with it.

Names: ``blocks`` is the number of blocks; ``b1-...`` is about the first, ``b1-lines`` the number of its lines;
``b1-2-...`` is about its second line. A line has a ``value`` once something was chosen, and until then the ``text``
that somebody typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID, uuid4

from django.utils.translation import gettext_lazy as _

from badges_plugin.models import BadgeTemplate
from badges_plugin.reading.asking import DAYS_OF_A_YEAR
from badges_plugin.web.desk.badge.setup import Block, Kind, Line, Setup, Stored

PartT = TypeVar("PartT")

MAX_BLOCKS, MAX_LINES, MAX_TEXT = 20, 100, 500
ALL, ANY = "all", "any"
EVER, FOR = "ever", "for"
DAYS, YEARS = "days", "years"
AUTO, STAFF = "auto", "staff"
DRAWN, UPLOAD, AS_IT_IS = "drawn", "upload", "stored"

LABELS = {
    Kind.COURSE: _("Pass a course"),
    Kind.ANY_RUN: _("Pass any run of a course"),
    Kind.ORG: _("Pass any course of an organization"),
    Kind.GRADE: _("Reach a grade"),
    Kind.PROGRAM: _("Complete a program"),
    Kind.BADGE: _("Have another badge"),
}


@dataclass
class LineFields:
    kind: Kind = Kind.COURSE
    requirement: str = ""
    text: str = ""
    value: str = ""
    grade: str = "80"
    count: str = "1"


@dataclass
class BlockFields:
    group: str = ""
    mode: str = ALL
    needed: str = "1"
    lines: list[LineFields] = field(default_factory=list)


@dataclass
class BadgeFields:
    """All that the form has but for the file of an image."""

    uuid: UUID = field(default_factory=uuid4)
    """That of the template, known before there is one: the picture is drawn from it."""
    version: str = ""
    """What was stored when the page was opened."""
    name: str = ""
    description: str = ""
    image: str = DRAWN
    how: str = AUTO
    blocks: list[BlockFields] = field(default_factory=lambda: [BlockFields(lines=[LineFields()])])
    start: str = ""
    last: str = ""
    valid: str = EVER
    valid_number: str = "2"
    valid_unit: str = YEARS
    lost_by_failing: bool = True
    lost_with_certificate: bool = False
    can_be_reawarded: bool = True

    @property
    def is_fresh(self) -> bool:
        """Whether nothing is chosen yet of what learners must do."""
        lines = [line for _number, _place, line in self.lines]
        return len(lines) == 1 and not (lines[0].text or lines[0].value)

    @property
    def lines(self) -> list[tuple[int, int, LineFields]]:
        """Return all lines with the numbers of their blocks and their own, both from 1."""
        return [
            (number, place, line)
            for number, block in enumerate(self.blocks, 1)
            for place, line in enumerate(block.lines, 1)
        ]


def sent(data: Mapping[str, str]) -> BadgeFields:
    """Return the fields as a form sent them. What is missing or not of its kind is as in an empty form."""
    # Some databases refuse NUL characters.
    data = {name: str(data[name]).replace("\0", "") for name in data}
    return BadgeFields(
        uuid=_uuid(data.get("uuid", "")),
        version=data.get("version", ""),
        name=data.get("name", ""),
        description=data.get("description", ""),
        image=data.get("image", DRAWN),
        how=data.get("how", AUTO),
        blocks=[_block(data, f"b{number}") for number in range(1, _number(data.get("blocks", ""), MAX_BLOCKS) + 1)],
        start=data.get("start", ""),
        last=data.get("last", ""),
        valid=data.get("valid", EVER),
        valid_number=data.get("valid_number", ""),
        valid_unit=data.get("valid_unit", DAYS),
        lost_by_failing="lost_by_failing" in data,
        lost_with_certificate="lost_with_certificate" in data,
        can_be_reawarded="can_be_reawarded" in data,
    )


def stored(template: BadgeTemplate, setup: Setup | None, version: str, *, has_image: bool) -> BadgeFields:
    """Return the fields of a badge as it is stored. ``setup`` is None where words cannot say what it asks for."""
    fields = BadgeFields(
        uuid=template.uuid,
        version=version,
        name=template.name,
        description=template.description,
        image=AS_IT_IS if has_image else DRAWN,
        how=STAFF if is_only_given(template) else AUTO,
        can_be_reawarded=template.can_be_reawarded,
    )
    if days := template.valid_days:
        in_years = days % DAYS_OF_A_YEAR == 0
        fields.valid, fields.valid_unit = FOR, YEARS if in_years else DAYS
        fields.valid_number = str(days // DAYS_OF_A_YEAR if in_years else days)
    if setup is not None:
        terms = setup.terms
        fields.start = terms.start.isoformat() if terms.start else ""
        fields.last = terms.last.isoformat() if terms.last else ""
        fields.lost_by_failing, fields.lost_with_certificate = terms.lost_by_failing, terms.lost_with_certificate
        fields.blocks = [_block_of(block) for block in setup.blocks] or fields.blocks
    return fields


def is_only_given(template: BadgeTemplate) -> bool:
    """Whether staff give a loaded badge and nobody can earn it otherwise."""
    return template.is_given_by_staff and not template.requirements.all()


def act(fields: BadgeFields, data: Mapping[str, str]) -> str | None:
    """Do what a button asks for that adds or takes away a part of the form.

    Returns the id of the field that is next, "" if there is none; None if no such button was pressed.
    """
    for name, action in _ACTIONS.items():
        if name in data:
            return action(fields, data[name])
    return None


def text_id(block: int, place: int) -> str:
    """Return the id of the field in which a line's course is typed."""
    return f"b{block}-{place}-text"


def _add(fields: BadgeFields, what: str) -> str:
    number, _colon, kind = what.partition(":")
    block = _part(fields.blocks, number)
    if block is None or kind not in list(Kind) or len(block.lines) >= MAX_LINES:
        return ""
    block.lines.append(LineFields(Kind(kind)))
    return text_id(int(number), len(block.lines))


def _add_block(fields: BadgeFields, mode: str) -> str:
    if len(fields.blocks) >= MAX_BLOCKS:
        return ""
    fields.blocks.append(BlockFields(mode=ANY if mode == ANY else ALL, lines=[LineFields()]))
    return text_id(len(fields.blocks), 1)


def _remove(fields: BadgeFields, what: str) -> str:
    number, _colon, place = what.partition(":")
    block = _part(fields.blocks, number)
    if block is None or _part(block.lines, place) is None:
        return ""
    del block.lines[int(place) - 1]
    if not block.lines and len(fields.blocks) > 1:
        fields.blocks.remove(block)
    return ""


def _change(fields: BadgeFields, what: str) -> str:
    number, _colon, place = what.partition(":")
    block = _part(fields.blocks, number)
    line = _part(block.lines, place) if block is not None else None
    if line is None:
        return ""
    line.text = line.value = ""
    return text_id(int(number), int(place))


def _begin(fields: BadgeFields, what: str) -> str:
    """Begin with something else than one course."""
    if what == "any_n":
        fields.blocks = [BlockFields(mode=ANY, needed="2", lines=[LineFields() for _number in range(3)])]
    elif what in list(Kind):
        fields.blocks = [BlockFields(lines=[LineFields(Kind(what))])]
    return text_id(1, 1)


_ACTIONS = {"add": _add, "add_block": _add_block, "remove": _remove, "change": _change, "begin": _begin}


def _block(data: Mapping[str, str], prefix: str) -> BlockFields:
    lines = range(1, _number(data.get(f"{prefix}-lines", ""), MAX_LINES) + 1)
    return BlockFields(
        group=data.get(f"{prefix}-group", ""),
        mode=data.get(f"{prefix}-mode", ALL),
        needed=data.get(f"{prefix}-needed", "1"),
        lines=[_line(data, f"{prefix}-{place}") for place in lines],
    )


def _line(data: Mapping[str, str], prefix: str) -> LineFields:
    kind = data.get(f"{prefix}-kind", "")
    return LineFields(
        kind=Kind(kind) if kind in list(Kind) else Kind.COURSE,
        requirement=data.get(f"{prefix}-requirement", ""),
        text=data.get(f"{prefix}-text", "")[:MAX_TEXT],
        value=data.get(f"{prefix}-value", "")[:MAX_TEXT],
        grade=data.get(f"{prefix}-grade", ""),
        count=data.get(f"{prefix}-count", "1"),
    )


def _block_of(block: Block) -> BlockFields:
    return BlockFields(
        group=str(block.group_id or ""),
        mode=ALL if block.needed is None else ANY,
        needed=str(block.needed or 1),
        lines=[_line_of(each) for each in block.lines],
    )


def _line_of(stored_line: Stored) -> LineFields:
    line: Line = stored_line.line
    return LineFields(
        kind=line.kind,
        requirement=str(stored_line.requirement_id or ""),
        value=line.value,
        grade=f"{line.grade:g}" if line.grade is not None else "",
        count=str(line.count),
    )


def _part(parts: list[PartT], number: str) -> PartT | None:
    place = _number(number, len(parts) + 1)
    return parts[place - 1] if 1 <= place <= len(parts) else None


def _number(text: str, most: int) -> int:
    return min(int(text), most) if text.isdecimal() and len(text) < 6 else 0


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid4()
