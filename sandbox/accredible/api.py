"""Routes of the simulated API, and what each request changes.

https://docs.api.accredible.com/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sandbox.accredible.records import Credential, Group, World
from sandbox.credly.records import Json
from sandbox.credly.wire import Reply, Request, json_reply

_SEARCHED = {
    "group.id": lambda credential: credential.group_id,
    "license_id": lambda credential: credential.license_id,
    "recipient_email": lambda credential: credential.recipient["email"],
}


class Refused(Exception):
    """Refuse the request with this status and message. Nothing is changed."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(status, body)
        self.body = body
        self.reply = json_reply(body, status)


@dataclass
class Call:
    """A request whose route and account are known. ``status`` is that of its answer."""

    world: World
    account: str
    body: Json
    identity: str = ""
    status: int = 200


def operation(request: Request) -> str:
    """Return the route's name, a key of ``_ROUTES``, or "" if there is none."""
    return _match(request)[0]


def perform(world: World, request: Request) -> Reply:
    """Carry out a request. The caller holds the world's lock."""
    account = world.keys.get(request.headers.get("authorization", "").removeprefix("Token token="))
    if account is None:
        return Reply(401, b"HTTP Token: Access denied.\n", {"Content-Type": "text/plain"})
    name, identity = _match(request)
    if not name:
        return json_reply({"error": "Not found"}, 404)
    try:
        body = request.json_object() if request.body else {}
        call = Call(world, account, body, identity)
        answer = _ROUTES[name][2](call)
        return json_reply(answer, call.status)
    except Refused as refused:
        return refused.reply


def _groups(call: Call) -> Json:
    size = min(int(call.body.get("page_size", 50)), call.world.max_page)
    page = int(call.body.get("page", 1))
    mine = [group for group in call.world.groups.values() if group.account == call.account]
    pages = max(1, -(-len(mine) // size))
    shown = mine[(page - 1) * size : page * size]
    return {
        "groups": [
            {
                "id": group.id,
                "name": group.name,
                "course_name": group.course_name or None,
                "course_description": group.course_description,
            }
            for group in shown
        ],
        "meta": {
            "current_page": page,
            "next_page": page + 1 if page < pages else None,
            "prev_page": page - 1 if page > 1 else None,
            "total_pages": pages,
            "total_count": len(mine),
        },
    }


_LARGEST_BULK = 30


def _issue_many(call: Call) -> Json:
    """Create what can be created. The status tells whether that is all, some or none of it."""
    wanted = call.body.get("credentials", [])
    if not wanted or len(wanted) > _LARGEST_BULK:
        raise Refused(422, {"errors": f"credentials must be 1 to {_LARGEST_BULK}"})
    results: list[Json] = []
    for each in wanted:
        try:
            results.append({"credential": _create(call, each)})
        except Refused as refused:
            errors = refused.body["errors"]
            # Assumption: errors of fields are listed as sentences.
            texts = (
                [f"{name} {text}" for name, many in errors.items() for text in many]
                if isinstance(errors, dict)
                else [errors]
            )
            error = {"code": refused.reply.status, "message": "Invalid credential", "details": texts}
            results.append({"error": error})
    refusals = sum("error" in result for result in results)
    call.status = 200 if not refusals else 422 if refusals == len(results) else 207
    return {"results": results}


def _issue(call: Call) -> Json:
    return {"credential": _create(call, call.body.get("credential", {}))}


def _create(call: Call, wanted: Json) -> Json:
    group = call.world.groups.get(wanted.get("group_id", 0))
    recipient = wanted.get("recipient", {})
    if group is None or group.account != call.account:
        raise Refused(404, {"errors": "Doesn't exist"})
    errors = {f"recipient.{name}": ["can't be blank"] for name in ("name", "email") if not recipient.get(name)}
    if not (wanted.get("name") or group.course_name):
        errors["name"] = ["can't be blank"]
    if _is_duplicate(call.world, group, recipient.get("email", "")):
        errors["recipient.email"] = ["has already been taken. Your group settings do not allow duplicates"]
    if errors:
        raise Refused(422, {"errors": errors})
    credential = Credential(
        # Assumption: the issuer's id is a reference, not unique; two requests with the same id make two credentials.
        id=next(call.world.numbers),
        group_id=group.id,
        license_id=str(wanted.get("id", "")),
        recipient={"name": recipient["name"], "email": recipient["email"]},
        name=wanted.get("name") or group.course_name,
        issued_on=_day(wanted.get("issued_on")) or datetime.now(UTC).date(),
        expired_on=_day(wanted.get("expired_on")),
        approve=bool(wanted.get("approve")) and call.world.credits > 0,
        updated_at=datetime.now(UTC),
    )
    call.world.credits -= credential.approve
    call.world.add(credential)
    return credential.shown()


def _is_duplicate(world: World, group: Group, email: str) -> bool:
    if group.duplicates == "any":
        return False
    # Assumption: e-mail addresses are compared case-insensitively; the group decides whether expired ones count.
    return any(
        credential.group_id == group.id
        and credential.recipient["email"].casefold() == email.casefold()
        and (credential.is_alive or group.duplicates == "one ever")
        for credential in world.at(email)
    )


def _expire(call: Call) -> Json:
    credential = _existing(call)
    wanted = call.body.get("credential", {})
    # Assumption: what is left out stays as it is.
    if "expired_on" in wanted:
        credential.expired_on = _day(wanted["expired_on"])
    credential.recipient |= wanted.get("recipient", {})
    credential.updated_at = datetime.now(UTC)
    return {"credential": credential.shown()}


def _delete(call: Call) -> Json:
    credential = _existing(call)
    del call.world.credentials[credential.id]
    return {"credential": credential.shown()}


def _get(call: Call) -> Json:
    return {"credential": _existing(call).shown()}


def _search(call: Call) -> Json:
    query, page = dict(call.body.get("query", {})), call.body.get("page", {})
    since = _day(query.pop("updated_at[gte]", None))
    if unknown := query.keys() - _SEARCHED.keys():
        raise Refused(400, {"code": 400, "message": f"unknown: {sorted(unknown)}", "status": "error", "errors": []})
    found = [
        credential.shown()
        for credential in call.world.of_account(call.account)
        if all(_same(_SEARCHED[name](credential), value) for name, value in query.items())
        and (since is None or credential.updated_at.date() >= since)
    ]
    start, size = int(page.get("from", 0)), min(int(page.get("size", 50)), call.world.max_page)
    return {"credentials": found[start : start + size], "meta": {"total_count": len(found)}}


def _same(value: object, wanted: object) -> bool:
    return str(value).casefold() == str(wanted).casefold()


def _existing(call: Call) -> Credential:
    credential = call.world.by_any_id(call.account, call.identity)
    if credential is None:
        raise Refused(404, {"success": False, "data": "Credential not found"})
    return credential


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except (TypeError, ValueError):
        raise Refused(422, {"errors": {"date": ["is not a date"]}}) from None


_ROUTES: dict[str, tuple[str, re.Pattern[str], Callable[[Call], Json]]] = {
    "groups": ("POST", re.compile(r"/v1/issuer/groups/search"), _groups),
    "issue": ("POST", re.compile(r"/v1/credentials"), _issue),
    "issue_many": ("POST", re.compile(r"/v2/credentials/bulk_create"), _issue_many),
    "expire": ("PUT", re.compile(r"/v1/credentials/([^/]+)"), _expire),
    "delete": ("DELETE", re.compile(r"/v1/credentials/([^/]+)"), _delete),
    "get": ("GET", re.compile(r"/v1/credentials/([^/]+)"), _get),
    "search": ("POST", re.compile(r"/v2/credentials/search"), _search),
}


def _match(request: Request) -> tuple[str, str]:
    for name, (method, pattern, _handle) in _ROUTES.items():
        found = pattern.fullmatch(request.path)
        if found and method == request.method:
            return name, found.group(1) if pattern.groups else ""
    return "", ""
