"""Write the tables and pictures of the documentation that come from the code: ``python docs/generated.py``.

A page marks the place of a table with two comments, ``.. generated: NAME`` and ``.. end generated``. Tables and
pictures are stored in the repository, so that they can also be read on a code host. The build compares them with the
code (see ``stale``) and fails when they differ.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import admin_pages
import architecture
import data_model
import descriptions
import diagrams
import python_api

DOCS = Path(__file__).resolve().parent

_REGION = re.compile(
    r"(?P<begin>^\.\. generated: (?P<name>[a-z-]+)\n)(?P<table>.*?)(?P<end>^\.\. end generated\n)",
    re.MULTILINE | re.DOTALL,
)


def _set_up() -> None:
    """Load the apps in the sandbox's settings; no database is looked at."""
    root = DOCS.parent
    sys.path[:0] = [str(root / "sandbox"), str(root)]
    os.environ.update(DJANGO_SETTINGS_MODULE="sandbox.settings", DATABASE_URL="sqlite://:memory:")
    import django

    django.setup()


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an RST simple table; cells are single lines."""
    lines = [list(header), *[list(row) for row in rows]]
    widths = [max(len(line[n]) for line in lines) for n in range(len(header))]
    rule = "  ".join("=" * width for width in widths)
    body = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join(["", rule, body[0], rule, *body[1:], rule, "", ""])


def operators() -> str:
    from badges_plugin.data import ValueKind
    from badges_plugin.models.conditions import OPERATOR_LABELS
    from badges_plugin.rules import OPERATORS, Operator

    def mark(operator: Operator, kind: ValueKind) -> str:
        return "yes" if operator in OPERATORS[kind] else "\\-"

    return _table(
        ["Operator", "Stored as", *[kind.value for kind in ValueKind]],
        [
            [str(OPERATOR_LABELS[operator]), f"``{operator.value}``", *[mark(operator, kind) for kind in ValueKind]]
            for operator in Operator
        ],
    )


def key_paths() -> str:
    from badges_plugin import conf, events

    parts = []
    for name in conf.DEFAULT_EVENTS:
        kinds = events.key_paths(name, conf.DEFAULT_IGNORED_KEYPATHS)
        parts += ["", f"``{name}``:"]
        parts.append(_table(["Key path", "Kind"], [[f"``{path}``", kind.value] for path, kind in kinds.items()]))
    return "\n".join(parts)


def event_types() -> str:
    from openedx_events.tooling import OpenEdxPublicSignal, load_all_signals

    from badges_plugin.events import get_event_type
    from badges_plugin.exceptions import UnusableEventType

    load_all_signals()
    rows = []
    for name in sorted(signal.event_type for signal in OpenEdxPublicSignal.all_events()):
        try:
            event_type = get_event_type(name)
        except UnusableEventType:
            continue
        earner = f"``{event_type.earner_path}``" if event_type.earner_path else "the event itself"
        rows.append([f"``{name}``", f"{earner} (LMS user id)" if event_type.is_by_id else earner])
    return _table(["Event type", "The earner"], rows)


def sentences() -> str:
    from badges_plugin.reading import wordings

    passing = sorted(wordings.PASSING_STATUS)
    courses = {
        **dict.fromkeys(passing, wordings.PASS),
        **wordings.COURSE_WORDINGS,
        wordings.GRADE: wordings.REACH_GRADE,
    }
    losses = {
        **dict.fromkeys(passing, wordings.FAIL),
        wordings.GRADE: wordings.MISS_GRADE,
        **wordings.LOSS_WORDINGS,
    }
    example = {"course": "Algebra", "org": "edX", "count": 5, "grade": "80%", "program": "Mathematics"}
    rows = [[name, each.one % example, each.different_of_org % example] for name, each in courses.items()]
    rows += [[name, str(once), many % example] for name, (once, many) in wordings.COUNTED.items()]
    rows += [[name, each.one % example, "\\-"] for name, each in losses.items()]
    rows += [[name, each % example, "\\-"] for name, each in wordings.PROGRAMS.items()]
    return _table(["Event type", "Sentence", "Counted"], [[f"``{name}``", *rest] for name, *rest in sorted(rows)])


def consumer_settings() -> str:
    from badges_plugin.consumers.config import ConsumerConfig

    defaults: dict[str, object] = {
        field.name: {} if field.name == "kafka" else field.default for field in fields(ConsumerConfig)
    }
    return _settings(defaults, descriptions.CONSUMER)


def distribution_settings() -> str:
    from badges_plugin.distribution import conf

    return _settings(conf._DEFAULTS, descriptions.DISTRIBUTION)  # noqa: SLF001 - the one place where they are written


def credly_settings() -> str:
    from badges_plugin.distribution.credly import conf

    return _settings(conf._DEFAULTS, descriptions.CREDLY)  # noqa: SLF001 - see above


def accredible_settings() -> str:
    from badges_plugin.distribution.accredible import conf

    return _settings(conf._DEFAULTS, descriptions.ACCREDIBLE)  # noqa: SLF001 - see above


def open_badges_settings() -> str:
    from badges_plugin.distribution.open_badges import conf

    return _settings(conf._DEFAULTS, descriptions.OPEN_BADGES)  # noqa: SLF001 - see above


def _settings(defaults: Mapping[str, object], meanings: Mapping[str, str]) -> str:
    if defaults.keys() != meanings.keys():
        raise LookupError(f"docs/descriptions.py differs from the code in {sorted(defaults.keys() ^ meanings.keys())}")
    rows = [[f"``{name}``", f"``{value!r}``", meanings[name]] for name, value in defaults.items()]
    return _table(["Key", "Default", "Meaning"], rows)


def signals() -> str:
    """Return what the module of the internal signals says, which must name each of them."""
    from django.dispatch import Signal

    from badges_plugin import signals

    document = inspect.getdoc(signals) or ""
    unsaid = [
        name
        for name, value in inspect.getmembers(signals)
        if isinstance(value, Signal) and f"``{name}``" not in document
    ]
    if unsaid:
        raise LookupError(f"The docstring of badges_plugin/signals.py does not name {unsaid}")
    return "\n".join(["", *document.splitlines()[2:], "", ""])


def public_events() -> str:
    """Return the data of the public events about badges, which is the same for both."""
    from badges_plugin import events

    paths, other = (events.key_paths(f"org.openedx.learning.badge.{name}.v1", ()) for name in ("awarded", "revoked"))
    if paths != other:
        raise LookupError("The two events about badges carry different data; the page says that they do not.")
    return _table(["Field of ``badge``", "Kind"], [[f"``{path}``", kind.value] for path, kind in paths.items()])


def providers() -> str:
    """Return what each backend declares about itself, and how its requests are limited."""
    from badges_plugin.distribution import registry
    from badges_plugin.distribution.backends import Backend

    backends = [registry.get(slug) for slug in ("credly", "accredible", "open_badges")]

    def row(what: str, says: Callable[[Backend[Any]], bool]) -> list[str]:
        return [what, *("yes" if says(each) else "no" for each in backends)]

    rows = [
        row("needs an e-mail address", lambda each: each.needs_email),
        row("needs a name", lambda each: each.needs_name),
        row("learners have to accept the badge there", lambda each: each.asks_learners),
        row("knows the date on which a badge expires", lambda each: each.expires_badges),
        row("makes a revoked badge valid again", lambda each: each.restores_badges),
        row("corrects the name on a badge", lambda each: bool(each.name_correction)),
    ]
    rows.append(
        ["badges in one request", *(str(each.bulk_size()) if each.bulk_size() > 1 else "1" for each in backends)]
    )
    return _table(["The provider", *(str(each.name) for each in backends)], rows)


TABLES: dict[str, Callable[[], str]] = {
    "operators": operators,
    "key-paths": key_paths,
    "event-types": event_types,
    "sentences": sentences,
    "consumer-settings": consumer_settings,
    "distribution-settings": distribution_settings,
    "credly-settings": credly_settings,
    "accredible-settings": accredible_settings,
    "open-badges-settings": open_badges_settings,
    **{f"api-{name}": partial(python_api.module, module) for module, name in descriptions.PUBLIC_MODULES.items()},
    "signals": signals,
    "public-events": public_events,
    "data-model": lambda: data_model.tables(_table),
    "admin-pages": admin_pages.pages,
    "desk-pages": lambda: admin_pages.desk(_table),
    "providers": providers,
}

PICTURES: dict[str, Callable[[], str]] = {
    "explanation/layers-of-the-core.svg": lambda: architecture.picture(
        "Layers of badges_plugin: imports point down", "core-layers"
    ),
    "explanation/layers-of-distribution.svg": lambda: architecture.picture(
        "Layers of badges_plugin.distribution: imports point down", "distribution-layers"
    ),
    **{f"reference/tables-of-{name}.svg": partial(data_model.picture, name) for name in data_model.PICTURES},
    "explanation/way-of-an-event.svg": diagrams.way_of_an_event,
    "reference/states-of-a-delivery.svg": diagrams.states_of_a_delivery,
    "howto/several-sites.svg": diagrams.several_sites,
}


def _tables_renewed(page: str) -> str:
    return _REGION.sub(lambda found: found["begin"] + TABLES[found["name"]]() + found["end"], page)


def _current() -> dict[Path, str]:
    """Return what every page and picture should hold."""
    _set_up()
    pages = {path: _tables_renewed(path.read_text("utf-8")) for path in sorted(DOCS.rglob("*.rst"))}
    return pages | {DOCS / name: draw() for name, draw in PICTURES.items()}


def stale() -> list[Path]:
    """Return the pages and pictures that differ from the code."""
    return [path for path, text in _current().items() if not path.exists() or path.read_text("utf-8") != text]


def main() -> None:
    """Update every table and picture."""
    texts = _current()
    for path in stale():
        path.write_text(texts[path], "utf-8")
        sys.stdout.write(f"Updated {path.relative_to(DOCS)}.\n")


if __name__ == "__main__":
    main()
