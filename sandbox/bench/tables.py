"""Fill the tables as those of a large site are, and measure the pages that staff open. Needs Django."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from statistics import median
from urllib.parse import urlencode

from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badges_plugin.admin.large import LargeTableAdmin
from badges_plugin.counting import MOST
from badges_plugin.distribution import numbers
from badges_plugin.distribution.credly.models import CredlyBadge
from badges_plugin.distribution.models import Channel, Delivery, DeliveryAttempt
from badges_plugin.host import User, UserCredential
from badges_plugin.models import (
    BadgeAward,
    BadgeProgress,
    BadgeRequirement,
    BadgeTemplate,
    FailedEvent,
    Fulfillment,
    Learner,
)
from sandbox.drills.badges import PASSING, add_site

REQUIREMENTS = 10
"""Fulfillments of each progress."""
STEP = 100_000
"""Rows of one statement."""
ROUNDS = 3
FAST = 0.25
"""Seconds. A page that takes no longer on its first visit, which is the slowest one, is not visited again."""
_FIRST = "bench learner "
_DIGITS = " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10))
_TENS = " CROSS JOIN ".join(f"({_DIGITS}) {name}" for name in "abcef")
_NUMBERS = " ".join(("(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS i FROM", _TENS, ") numbers"))
_TIME = "'2026-01-01 00:00:00'"

Expressions = Mapping[str, str]


def fill(rows: int, *, fulfillments: int = REQUIREMENTS) -> BadgeTemplate:
    """Give ``rows`` new learners progress on one badge, with its award, delivery, attempt and failed event each.

    Every progress has ``fulfillments`` of them. Return the badge. Only for MySQL and MariaDB.
    """
    template = _add_template(fulfillments)
    with connection.cursor() as cursor:
        # To look up each key, right by construction, and to write it all for replicas, would take most of the time.
        cursor.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_log_bin = 0")
    last = User.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for start in range(0, rows, STEP):
        count = min(STEP, rows - start)
        _insert(User, _user(last + start), f"{_NUMBERS} WHERE i < {count}")
        _add_facts(template, f"{last + start} < i AND i <= {last + start + count}")
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION foreign_key_checks = 1, unique_checks = 1, sql_log_bin = 1")
    count_rows()
    return template


def count_rows() -> None:
    """Let the server count the rows of the tables that grow, which it would do by itself some seconds later."""
    growing = (
        User,
        UserCredential,
        CredlyBadge,
        Learner,
        BadgeProgress,
        Fulfillment,
        BadgeAward,
        Delivery,
        FailedEvent,
    )
    with connection.cursor() as cursor:
        for model in growing:
            cursor.execute(f"ANALYZE TABLE {_name(model)}")
            cursor.fetchall()


def measure() -> list[tuple[str, float]]:
    """Return how long each page takes, in seconds: the median of a few visits by a superuser, unless it is fast."""
    while numbers.count_some(timezone.now()):
        pass  # what the pages of numbers show, as workers count it
    client = Client()
    client.force_login(_staff())
    return [(name, _seconds(client, url)) for name, url in _pages()]


def _staff() -> User:
    staff, _ = User.objects.get_or_create(username="bench-staff", defaults={"is_staff": True, "is_superuser": True})
    return staff


def _seconds(client: Client, url: str) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        response = client.get(url, follow=True)  # a search that finds one learner leads to their page
        taken.append(time.perf_counter() - start)
        if response.status_code != 200:
            raise RuntimeError(f"{url} answered with {response.status_code}")
        if taken[0] <= FAST:
            break
    return median(taken)


def _pages() -> Iterator[tuple[str, str]]:
    progress = BadgeProgress.objects.order_by("-pk")[0]
    user, template = progress.user, progress.template
    searches = {
        "user name": user.username,
        "e-mail address": user.email,
        "full name": user.full_name,
        "first letters": user.username[:-3],
        "last name": str(user.full_name).rsplit(" ", 1)[-1],
        "nobody": "nobody at all",
        "everybody": _FIRST.split()[0],
    }
    people = {f"search, {name}": {"q": text} for name, text in searches.items()}
    lists: Mapping[type[models.Model], Mapping[str, Mapping[str, object]]] = {
        BadgeProgress: {
            **people,
            **{f"badge: {value}": {"badge": value} for value in ("held", "nearly", "revoked", "never")},
            "one template": {"template__id__exact": template.pk},
            "one template, held": {"template__id__exact": template.pk, "badge": "held"},
            "name of a badge, nearly": {"badge_name": template.name[:9], "badge": "nearly"},
        },
        BadgeAward: {
            **people,
            "search, badge": {"q": template.name},
            **{f"state: {value}": {"state": value} for value in ("held", "ended", "penalty", "expired")},
            **{f"expiry: {value}": {"expiry": value} for value in ("30", "365", "never")},
            "a day": {"awarded_at__gte": "2026-01-01 00:00:00+00:00", "awarded_at__lt": "2026-01-02 00:00:00+00:00"},
            "one template": {"progress__template__id__exact": template.pk},
            "one template, held": {"progress__template__id__exact": template.pk, "state": "held"},
            "name of a badge": {"badge_name": template.name[:9]},
        },
        Delivery: {
            **people,
            "search, badge": {"q": template.name},
            "search, ID": {"q": "00000001"},
            **{f"state: {value}": {"state__exact": value} for value in ("pending", "done", "failed")},
            "issues": {"action__exact": "issue"},
            "in doubt": {"in_doubt__exact": 1},
            "backend": {"backend__exact": "credly"},
        },
        CredlyBadge: {
            "search, user name": {"q": user.username},
            "search, ID": {"q": str(CredlyBadge.objects.order_by("pk")[0].external_id)},
            "search, everybody": {"q": user.username[:5]},
            "state": {"state__exact": "accepted"},
        },
        FailedEvent: {
            "search, event": {"q": "00000001"},
            "search, nothing": {"q": "nobody at all"},
            "failed": {"state__exact": "failed"},
            "type": {"event_type__exact": PASSING},
        },
    }
    yield "Front page", reverse("admin:index")
    for model, queries in lists.items():
        url = _url(model, "changelist")
        yield f"{model.__name__}", url
        yield f"{model.__name__}, last page", f"{url}?p={MOST // LargeTableAdmin.list_per_page}"
        yield from ((f"{model.__name__}, {name}", f"{url}?{urlencode(query)}") for name, query in queries.items())
        yield f"{model.__name__}, one", _url(model, "change", model._base_manager.order_by("pk")[0].pk)  # noqa: SLF001
    for name, query in {"8 weeks": "", "since the beginning": "?weeks=all"}.items():
        yield f"Numbers, {name}", f"{reverse('badges_web:desk_numbers')}{query}"
        yield f"Numbers, one badge, {name}", f"{reverse('badges_web:desk_badge_numbers', args=(template.pk,))}{query}"
    award = BadgeAward.objects.order_by("-pk")[0]
    yield "Learners", reverse("badges_web:desk_learners")
    for name, given in people.items():
        yield f"Learners, {name}", f"{reverse('badges_web:desk_learners')}?{urlencode(given)}"
    yield "Learner", reverse("badges_web:desk_learner", args=(user.pk,))
    yield "Award, its story", reverse("badges_web:desk_award", args=(award.pk,))
    yield "Try it", f"{reverse('badges_web:desk_try')}?{urlencode({'badge': template.pk})}"
    yield "BadgeTemplate", _url(BadgeTemplate, "changelist")
    yield "BadgeTemplate, one", _url(BadgeTemplate, "change", template.pk)
    yield "BadgeTemplate, delete", _url(BadgeTemplate, "delete", template.pk)
    requirement = template.requirements.order_by("pk")[0]
    yield "BadgeRequirement, one", _url(BadgeRequirement, "change", requirement.pk)
    yield "BadgeRequirement, delete", _url(BadgeRequirement, "delete", requirement.pk)


def _url(model: type[models.Model], page: str, *arguments: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


def _add_template(requirements: int) -> BadgeTemplate:
    template = BadgeTemplate.objects.create(site=add_site(), name="bench: a badge of everybody")
    for number in range(requirements):
        requirement = BadgeRequirement.objects.create(template=template, event_type=PASSING)
        for key_path, value in (("course.course_key", f"course-v1:Bench+Table{number}+1"), ("is_passing", "true")):
            requirement.rules.create(key_path=key_path, operator="eq", value=value)
    BadgeTemplate.objects.filter(pk=template.pk).update(is_active=True)
    return template


def _user(first: int) -> Expressions:
    number = f"{first} + 1 + i"
    return {
        "id": number,
        "username": f"CONCAT('bench-', {number})",
        "email": f"CONCAT('bench-', {number}, '@example.org')",
        "full_name": f"CONCAT('{_FIRST}', {number})",
        "lms_user_id": f"1000000 + {number}",
    }


def _add_facts(template: BadgeTemplate, users: str) -> None:
    """Insert the rows of the users whose key, ``i``, is meant. Every key is that of the user or made of it."""
    source = " ".join(("(SELECT id AS i FROM", _name(User), ") users WHERE", users))
    kind = ContentType.objects.get_for_model(BadgeTemplate).pk
    channel, _ = Channel.objects.get_or_create(backend="credly", account="be9c0000-0000-0000-0000-000000000000")
    is_over = "(i % 10 = 0)"
    _insert(Learner, {"user": "i", "profile_time": _TIME, "was_named": "1"}, source)
    _insert(BadgeProgress, {"id": "i", "user": "i", "template": f"{template.pk}"}, source)
    credential = {
        "id": "i", "credential_content_type": f"{kind}", "credential_id": f"{template.pk}",
        "username": "CONCAT('bench-', i)", "status": f"IF({is_over}, 'revoked', 'awarded')",
        "uuid": "CONCAT('be9c', LPAD(HEX(i), 28, '0'))", "created": _TIME, "modified": _TIME,
    }  # fmt: skip
    _insert(UserCredential, credential, source)
    badge = {"usercredential_ptr": "i", "external_id": "LPAD(HEX(i), 32, '0')", "state": "'accepted'"}
    _insert(CredlyBadge, badge, source)
    award = {
        "id": "i", "progress": "i", "credential": "i", "number": "1", "events": "'[]'",
        "awarded_at": f"{_TIME} + INTERVAL i SECOND", "recorded_at": _TIME, "published_at": _TIME,
        "revoked_at": f"IF({is_over}, {_TIME}, NULL)", "ended_by": f"IF({is_over}, 'penalty', '')",
        "expires_at": f"IF(i % 2, {_TIME} + INTERVAL 1 YEAR + INTERVAL i SECOND, NULL)",
    }  # fmt: skip
    _insert(BadgeAward, award, source)
    delivery = {
        "id": "i", "award": "i", "backend": "'credly'", "channel": f"{channel.pk}", "action": "'issue'",
        "state": "IF(i % 1000, 'done', 'failed')", "external_id": "LPAD(HEX(i), 32, '0')",
        "attempts": "1", "created": _TIME, "settled_at": f"{_TIME} + INTERVAL i SECOND", "next_attempt_at": _TIME,
    }  # fmt: skip
    _insert(Delivery, delivery, source)
    attempt = {
        "delivery": "i", "number": "1", "outcome": "'delivered'", "looked_up": "0", "milliseconds": "200",
        "started_at": f"{_TIME} + INTERVAL i SECOND", "worker": "'bench'",
    }  # fmt: skip
    _insert(DeliveryAttempt, attempt, source)
    failed = {
        "fingerprint": "LPAD(HEX(i), 64, '0')", "bus": "'kafka'", "topic": "'bench'", "group": "'bench'",
        "position": "CONCAT('0:', i)", "event_id": "LPAD(HEX(i), 36, '0')", "event_type": f"'{PASSING}'",
        "metadata": "'{}'", "reason": "'An error.'", "error": "'An error.'", "failed_at": _TIME,
        "state": "IF(i % 1000, 'processed', 'failed')", "updated_at": f"{_TIME} + INTERVAL i SECOND",
    }  # fmt: skip
    _insert(FailedEvent, failed, source)
    for requirement in template.requirements.order_by("pk"):
        fulfillment = {
            "progress": "i", "requirement": f"{requirement.pk}", "is_fulfilled": "1", "event_type": f"'{PASSING}'",
            "event_id": "LPAD(HEX(i), 32, '0')", "event_time": f"{_TIME} + INTERVAL i SECOND", "times": "'[]'",
            "made_under": f"'{requirement.validity().current}'",
        }  # fmt: skip
        _insert(Fulfillment, fulfillment, source)


def _insert(model: type[models.Model], values: Expressions, source: str) -> None:
    """Insert rows by one statement: ``values`` by field, as SQL, from ``source``; other fields as they are by default.

    A commit for each statement.
    """
    quote = connection.ops.quote_name
    columns, expressions, parameters = [], [], []
    for field in model._meta.local_concrete_fields:
        if field.name not in values and isinstance(field, models.AutoField | models.BigAutoField):
            continue
        columns.append(quote(str(field.column)))
        if field.name in values:
            expressions.append(values[field.name].replace("%", "%%"))
        else:
            expressions.append("%s")
            parameters.append(field.get_db_prep_save(field.get_default(), connection))
    into, selected = f"{_name(model)} ({', '.join(columns)})", ", ".join(expressions)
    statement = " ".join(("INSERT INTO", into, "SELECT", selected, "FROM", source))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def _name(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)
