"""Read openedx-events: the event types that badges can use, their key paths, and the learner they are about.

Every public signal whose data carries ``UserData``, and which can cross the event bus, is usable. The earner is
the person the event is about, never the staff member who acted. Source: the data classes of openedx-events, read
by introspection, so that event types of later releases and of other packages are usable without a change here.
Events that carry nothing but an LMS user id are usable where a table says at which key path it is.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from uuid import UUID

import attr
import fastavro
from django.utils.translation import gettext as _
from opaque_keys import OpaqueKey
from openedx_events.data import EventsMetadata
from openedx_events.event_bus.avro.deserializer import AvroSignalDeserializer
from openedx_events.learning.data import UserData
from openedx_events.tooling import OpenEdxPublicSignal, load_all_signals

from badges_plugin import conf
from badges_plugin.data import EVENT_TIME, BadgingEvent, EventStamp, LearnerData, ValueKind, resolve
from badges_plugin.exceptions import IgnoredEvent, UnusableEventType

# Attribute names under which event data classes keep the person the event is about, most certain first.
_EARNER_NAMES = ("user", "student_user")
# ... and those of people who acted on somebody else.
_ACTOR_NAMES = frozenset({"created_by", "requesting_user"})

BADGE_AWARDED_TYPE, BADGE_REVOKED_TYPE = conf.BADGE_EVENT_TYPES
"""The event types of badges themselves. Those about badges of this service are always received, on whatever bus."""

EARNERS_BY_ID: Mapping[str, str] = {
    "org.openedx.learning.course.persistent_grade_summary.changed.v1": "user_id",
    "org.openedx.enterprise.learner_credit_course_enrollment.revoked.v1": (
        "enterprise_course_enrollment.enterprise_customer_user.user_id"
    ),
    "org.openedx.enterprise.subsidy.redeemed.v1": "lms_user_id",
    "org.openedx.enterprise.subsidy.redemption-reversed.v1": "lms_user_id",
    "org.openedx.enterprise.subsidy_ledger_transaction.committed.v1": "lms_user_id",
    "org.openedx.enterprise.subsidy_ledger_transaction.created.v1": "lms_user_id",
    "org.openedx.enterprise.subsidy_ledger_transaction.failed.v1": "lms_user_id",
    "org.openedx.enterprise.subsidy_ledger_transaction.reversed.v1": "lms_user_id",
}
"""Event types that carry no UserData, with the key path of the earner's LMS user id. ``BADGES_CONFIG["earner_ids"]``
adds those of other packages. Source: ``openedx_events/learning/data.py`` and ``openedx_events/enterprise/data.py``."""

MAX_LMS_USER_ID = 2**31 - 1
"""The host keeps LMS user ids in an IntegerField."""

_KIND_BY_TYPE: tuple[tuple[tuple[type, ...], ValueKind], ...] = (
    ((bool,), ValueKind.BOOLEAN),  # before int: bool is a subclass of it
    ((int, float), ValueKind.NUMBER),
    ((datetime, date), ValueKind.DATETIME),
    ((str, UUID, OpaqueKey), ValueKind.TEXT),
    ((list, tuple), ValueKind.LIST),
)


@dataclass(frozen=True)
class EventType:
    """What is known of one public event type before any event of it arrives."""

    name: str
    signal: OpenEdxPublicSignal
    root: str | None
    """The only argument of the signal, from which key paths start; None when there are several."""
    earner_path: str
    """The key path of the earner's UserData, or of the LMS user id where ``is_by_id``."""
    kinds: Mapping[str, ValueKind]
    """Every key path that a rule can use, ignored ones included."""
    personal_paths: frozenset[str]
    """Key paths that lie inside somebody's UserData, without that prefix: ``created_by.pii.email`` is in here."""
    classes: Mapping[str, type]
    """Key paths with the classes of their values."""
    is_by_id: bool = False
    """Whether the event tells nothing of its earner but the LMS user id."""


def get_event_type(name: str) -> EventType:
    """Return what is known of an event type.

    Raises UnusableEventType when openedx-events has no such event, when it names no learner, or when it cannot cross
    the event bus.
    """
    return _event_type(name, _id_path(name))


def _id_path(name: str) -> str | None:
    return EARNERS_BY_ID.get(name) or conf.earner_ids().get(name)


@cache
def _event_type(name: str, id_path: str | None) -> EventType:
    signal = _signals().get(name)
    if signal is None:
        raise UnusableEventType(_("There is no public event type “%s” in the installed openedx-events.") % name)
    fields: dict[str, type] = dict(signal.init_data)
    root = next(iter(fields)) if len(fields) == 1 else None
    tree = fields if root is None else _attributes(fields[root])
    about_user = root is not None and fields[root] is UserData
    leaves = list(_leaves(tree, "", about_user))
    classes = {path: cls for path, cls, _ in leaves}
    if id_path is not None:
        _refuse_other_than_ids(name, id_path, classes)
    earner_path = id_path or ("" if about_user else _find_earner(name, tree))
    _refuse_unserializable(signal)
    return EventType(
        name,
        signal,
        root,
        earner_path,
        kinds={path: kind for path, cls, _ in leaves if (kind := _kind_of(cls))} | {EVENT_TIME: ValueKind.DATETIME},
        personal_paths=frozenset(path for path, cls, inside_user in leaves if inside_user and _kind_of(cls)),
        classes=classes | {EVENT_TIME: datetime},
        is_by_id=id_path is not None,
    )


def key_paths(name: str, ignored: tuple[str, ...] = ()) -> dict[str, ValueKind]:
    """Return the key paths that rules on an event type may use, with the kind of their values.

    ``ignored`` are the configured paths such as ``user.pii.email``. They apply to everybody an event
    mentions: ``student_user.pii.email`` and ``created_by.pii.email`` are left out as well, and so is
    ``pii.email`` where the event's data is the user itself.
    """
    return dict(_key_paths(name, _id_path(name), ignored))


@lru_cache(maxsize=500)
def _key_paths(name: str, id_path: str | None, ignored: tuple[str, ...]) -> Mapping[str, ValueKind]:
    event_type = _event_type(name, id_path)
    below_user = {path.removeprefix("user.") for path in ignored if path.startswith("user.")}

    def is_ignored(path: str) -> bool:
        qualified = f"{event_type.root}.{path}" if event_type.root else path
        if any(_is_at_or_below(candidate, one) for candidate in (path, qualified) for one in ignored):
            return True
        if event_type.is_by_id and path == event_type.earner_path:
            return "id" in below_user
        return path in event_type.personal_paths and any(f".{path}.".find(f".{tail}.") >= 0 for tail in below_user)

    return {path: kind for path, kind in event_type.kinds.items() if not is_ignored(path)}


def exists(name: str, *, but: str = "") -> bool:
    """Whether openedx-events has the event type, and it is another one than ``but``."""
    return name != but and name in _signals()


def _is_at_or_below(path: str, parent: str) -> bool:
    return path == parent or path.startswith(f"{parent}.")


def read_event(name: str, metadata: EventsMetadata, arguments: Mapping[str, object]) -> BadgingEvent:
    """Read what a signal carried.

    ``arguments`` are the signal's keyword arguments. Raises IgnoredEvent when the event names nobody, or
    nobody who could be found again (an anonymous user), and UnusableEventType for a type that never can.
    """
    event_type = get_event_type(name)
    payload = arguments if event_type.root is None else arguments.get(event_type.root)
    earner = payload if event_type.earner_path == "" else resolve(payload, event_type.earner_path)
    if event_type.is_by_id:
        learner = LearnerData(_lms_user_id(earner), username="", email="", name="", is_active=True)
    elif isinstance(earner, UserData):
        learner = _read_learner(earner)
    else:
        raise IgnoredEvent("the event carries no user data")
    if learner.lms_user_id is None and not learner.username:
        raise IgnoredEvent("the event's user has neither an LMS user id nor a user name")
    return BadgingEvent(name, EventStamp(metadata.time, metadata.id), learner, payload)


def _read_learner(user: UserData) -> LearnerData:
    pii = user.pii
    return LearnerData(
        lms_user_id=user.id if user.id and 0 < user.id <= MAX_LMS_USER_ID else None,
        # A name that does not fit is no name; an address that does not fit is none; a name to show is cut.
        username=_fit_text(pii.username if pii else "", 150, cut=False),
        email=_fit_text(pii.email if pii else "", 254, cut=False),
        name=_fit_text(pii.name if pii else "", 255, cut=True),
        is_active=bool(user.is_active),
    )


def _lms_user_id(value: object) -> int | None:
    """Return an id that a learner can have. 0, and whatever is no whole number, is how events say "nobody"."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= MAX_LMS_USER_ID else None


def _fit_text(text: str | None, length: int, *, cut: bool) -> str:
    """Return text that every database keeps in a column of that length: PostgreSQL knows no NUL character."""
    cleaned = (text or "").replace("\0", "")
    if len(cleaned) <= length:
        return cleaned
    return cleaned[:length] if cut else ""


@cache
def _signals() -> Mapping[str, OpenEdxPublicSignal]:
    load_all_signals()
    return {signal.event_type: signal for signal in OpenEdxPublicSignal.all_events()}


def _refuse_unserializable(signal: OpenEdxPublicSignal) -> None:
    """Raise UnusableEventType for events that never arrive: both sides of the bus need an Avro schema of the signal.

    Found out by making one. The list of such signals in openedx-events (``KNOWN_UNSERIALIZABLE_SIGNALS``) knows
    nothing of the signals of other packages.
    """
    try:
        fastavro.parse_schema(AvroSignalDeserializer(signal).schema)
    except Exception as error:  # openedx-events raises bare exceptions here
        message = _(
            "Events of type “%(name)s” never arrive: the installed openedx-events cannot send them (%(reason)s)."
        )
        raise UnusableEventType(message % {"name": signal.event_type, "reason": error}) from error


def _refuse_other_than_ids(name: str, id_path: str, classes: Mapping[str, type]) -> None:
    """Raise UnusableEventType where events have no whole number at the key path: an anonymous id finds nobody."""
    cls = classes.get(id_path)
    if cls is None or not issubclass(cls, int) or issubclass(cls, bool):
        message = _("Events of type “%(name)s” have no LMS user id at “%(key_path)s”.")
        raise UnusableEventType(message % {"name": name, "key_path": id_path})


def _attributes(cls: type) -> dict[str, type]:
    return {item.name: item.type for item in attr.fields(cls) if item.type is not None} if attr.has(cls) else {}


def _find_earner(name: str, tree: Mapping[str, type], prefix: str = "") -> str:
    """Breadth first: the person nearest to the root is the one whom the event is about."""
    people = {key: f"{prefix}{key}" for key, cls in tree.items() if cls is UserData}
    for preferred in _EARNER_NAMES:
        if preferred in people:
            return people[preferred]
    others = [path for key, path in people.items() if key not in _ACTOR_NAMES]
    if len(others) == 1:
        return others[0]
    for key, cls in tree.items():
        if cls is not UserData and (below := _attributes(cls)):
            try:
                return _find_earner(name, below, f"{prefix}{key}.")
            except UnusableEventType:
                continue
    raise UnusableEventType(_("Event type “%s” does not say which learner it is about: it carries no UserData.") % name)


def _leaves(tree: Mapping[str, type], prefix: str, inside_user: bool) -> Iterator[tuple[str, type, bool]]:
    """Yield path and class of every value, and whether it is a part of somebody's UserData."""
    for key, annotation in tree.items():
        path = f"{prefix}{key}"
        if below := _attributes(annotation):
            yield from _leaves(below, f"{path}.", inside_user or annotation is UserData)
        elif cls := _class_of(annotation):
            yield path, cls, inside_user


def _class_of(annotation: object) -> type | None:
    """Return the class of the values, which may be absent; None where there is not the one."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        choices = [item for item in typing.get_args(annotation) if item is not type(None)]
        return _class_of(choices[0]) if len(choices) == 1 else None
    cls = origin or annotation
    return cls if isinstance(cls, type) else None


def _kind_of(cls: type) -> ValueKind | None:
    """None for what no operator can compare (dictionaries, anything unknown): it is not offered."""
    return next((kind for bases, kind in _KIND_BY_TYPE if issubclass(cls, bases)), None)
