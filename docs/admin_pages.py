"""Describe the plugin's pages in the admin for the reference, from the classes that make them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import descriptions
from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path, label_for_field, model_format_dict

Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]


def pages() -> str:
    """Return an entry for each page of the plugin. Raises LookupError for one that nothing is said about."""
    admin.autodiscover()
    registered = {
        model._meta.label: model_admin
        for model, model_admin in admin.site._registry.items()  # noqa: SLF001 - there is no public list
        if type(model_admin).__module__.startswith("badges_plugin")
    }
    if different := registered.keys() ^ descriptions.ADMIN_PAGES.keys():
        raise LookupError(f"docs/descriptions.py differs from the admin in {sorted(different)}")
    parts = []
    for title, labels in _sections().items():
        parts += ["", title, "~" * len(title), ""]
        parts += ["\n".join(_entry(registered[label], descriptions.ADMIN_PAGES[label])) + "\n" for label in labels]
    return "\n".join([*parts, ""])


def desk(table: Table) -> str:
    """Return a table of the other pages for staff. Raises LookupError for one that nothing is said about."""
    from badges_plugin.web.desk.urls import urlpatterns

    addresses = {pattern.name or "": str(pattern.pattern) for pattern in urlpatterns}
    if different := addresses.keys() ^ descriptions.DESK_PAGES.keys():
        raise LookupError(f"docs/descriptions.py differs from the pages for staff in {sorted(different)}")
    rows = [(f"``{re.sub('int:', '', addresses[name])}``", said) for name, said in descriptions.DESK_PAGES.items()]
    return table(("Address", "What it is for"), rows)


def _sections() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for label in descriptions.ADMIN_PAGES:
        app = label.partition(".")[0]
        found.setdefault(descriptions.ADMIN_SECTIONS[app], []).append(label)
    return found


def _entry(page: admin.ModelAdmin[Any], purpose: str) -> Iterator[str]:
    options = page.model._meta
    yield f"*{_capital(options.verbose_name_plural)}*: ``/admin/{options.app_label}/{options.model_name}/``"
    yield f"   {purpose}"
    yield ""
    yield f"   Columns: {_listed(label_for_field(name, page.model, page) for name in page.list_display)}."
    if filters := [_filter(page, each) for each in page.list_filter]:
        yield f"   Filters: {_listed(filters)}."
    if searched := [_label(page, path.lstrip("=^@")) for path in page.search_fields]:
        yield f"   Search: {_listed(dict.fromkeys(searched))}."
    if actions := [_action(page, each) for each in page.actions or ()]:
        yield f"   Actions: {_listed(actions)}."


def _listed(words: Any) -> str:
    return ", ".join(str(word).strip() for word in words)


def _filter(page: admin.ModelAdmin[Any], entry: Any) -> str:
    if isinstance(entry, type):
        return str(entry.title)  # type: ignore[attr-defined]
    return _label(page, entry[0] if isinstance(entry, tuple) else entry)


def _label(page: admin.ModelAdmin[Any], path: str) -> str:
    fields = get_fields_from_path(page.model, path)
    # "Name" of what? The name of the table before the last one says it.
    of = fields[-2].related_model._meta if len(fields) > 1 else None
    name = str(getattr(fields[-1], "verbose_name", fields[-1].name))
    return f"{of.verbose_name}'s {name}" if of else name


def _action(page: admin.ModelAdmin[Any], action: Any) -> str:
    found = page.get_action(action)
    said = found[2] if found else action
    return f"*{_capital(str(said) % model_format_dict(page.opts))}*"


def _capital(text: object) -> str:
    said = str(text)
    return said[:1].upper() + said[1:]
