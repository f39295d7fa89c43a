"""List parameters that all collections share: ``filter=key::value|key::value``, ``sort=-name``, ``page=2``.

https://www.credly.com/docs/badge_templates
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from sandbox.credly.records import Json
from sandbox.credly.refusals import Refused

PAGE_SIZE = 50

R = TypeVar("R")
Query = Mapping[str, str]
#: Tells whether a record matches the value of a filter key.
Matcher = Callable[[R, str], bool]


def one_of(attribute: str) -> Matcher[object]:
    """Match any of a comma-separated list of values."""
    return lambda record, value: getattr(record, attribute) in value.split(",")


def same_text(attribute: str) -> Matcher[object]:
    return lambda record, value: str(getattr(record, attribute)).casefold() == value.casefold()


def is_flag(attribute: str) -> Matcher[object]:
    return lambda record, value: getattr(record, attribute) is (value == "true")


def shares_an_item(attribute: str) -> Matcher[object]:
    return lambda record, value: bool(set(getattr(record, attribute)) & set(value.split(",")))


def contains(*attributes: str) -> Matcher[object]:
    return lambda record, value: any(value.casefold() in str(getattr(record, name)).casefold() for name in attributes)


def at_least(attribute: str) -> Matcher[object]:
    return lambda record, value: str(getattr(record, attribute)) >= value


def at_most(attribute: str) -> Matcher[object]:
    return lambda record, value: str(getattr(record, attribute)) <= value


TEMPLATE_FILTERS: Mapping[str, Matcher[object]] = {
    "query": contains("name", "description"),
    "name": same_text("name"),
    "public": is_flag("public"),
    "reporting_tags": shares_an_item("reporting_tags"),
    "skills": shares_an_item("skills"),
    "state": one_of("state"),
    "owner_id": same_text("organization_id"),
    "created_at_min": at_least("created_at"),
    "created_at_max": at_most("created_at"),
    "updated_at_min": at_least("updated_at"),
    "updated_at_max": at_most("updated_at"),
}
# Assumption: filtering by issuer_earner_id is not documented, so it is an unknown key here.
BADGE_FILTERS: Mapping[str, Matcher[object]] = {
    "query": contains("issued_to_first_name", "issued_to_last_name", "recipient_email"),
    "state": one_of("state"),
    "recipient_email": same_text("recipient_email"),
    "recipient_email_all": same_text("recipient_email"),
    "badge_template_id": one_of("badge_template_id"),
    "public": is_flag("public"),
    "issued_at_min": at_least("issued_at"),
    "issued_at_max": at_most("issued_at"),
}
EVENT_FILTERS: Mapping[str, Matcher[object]] = {
    "event_type": one_of("event_type"),
    "occurred_at_min": at_least("occurred_at"),
    "occurred_at_max": at_most("occurred_at"),
}


def select(records: Sequence[R], query: Query, filters: Mapping[str, Matcher[object]], *, default_sort: str) -> list[R]:
    """Return the records, filtered and sorted."""
    # Assumption: unknown filter keys and sort attributes are ignored.
    selected = list(records)
    for condition in filter(None, query.get("filter", "").split("|")):
        key, _, value = condition.partition("::")
        if key in filters:
            selected = [record for record in selected if filters[key](record, value)]
    return sort(selected, query.get("sort") or default_sort)


def sort(records: list[R], order: str) -> list[R]:
    for name in reversed(order.split("|")):
        attribute = name.removeprefix("-")
        if records and attribute in vars(records[0]):
            records.sort(key=lambda record: str(getattr(record, attribute)), reverse=name.startswith("-"))
    return records


def page(
    records: Sequence[R], query: Query, url: str, shape: Callable[[R], Json], *, size: int, keep_filter: bool = False
) -> Json:
    """Return one page."""
    # Assumption: links to other pages lose filter and sort. Credly's own client appends both to next_page_url again.
    number = _page_number(query)
    total_pages = max(1, -(-len(records) // size))
    chosen = records[(number - 1) * size : number * size]
    kept = {name: query[name] for name in ("filter", "sort") if keep_filter and name in query}

    def link(target: int) -> str | None:
        return f"{url}?{urlencode({**kept, 'page': target})}" if 1 <= target <= total_pages else None

    return {
        "data": [shape(record) for record in chosen],
        "metadata": {
            "count": len(chosen),
            "current_page": number,
            "total_count": len(records),
            "total_pages": total_pages,
            "per": size,
            "previous_page_url": link(number - 1),
            "next_page_url": link(number + 1),
        },
    }


def _page_number(query: Query) -> int:
    text = query.get("page", "1")
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise Refused(400, "page must be a positive number")
    return int(text)
