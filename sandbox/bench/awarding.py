"""Award badges one by one, when asked to: run by path, with the folder of the code to run as its argument.

A line of JSON on standard input names the kind of badge and how many to award; the answer is the median time in
milliseconds. Of rows of a file it is how many ``badges_backfill`` applies a second. It uses only what the code before
batches had as well.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Sequence
from io import StringIO
from statistics import median
from tempfile import NamedTemporaryFile

import django


def main(code: str) -> None:
    os.chdir(code)
    sys.path.insert(0, code)
    django.setup()
    from django.core.management import call_command
    from openedx_events.learning.data import UserData, UserPersonalData

    from badges_plugin import api
    from badges_plugin.models import BadgeRequirement, BadgeTemplate, DataRule
    from sandbox.credly.remote import CredlyControl
    from sandbox.drills.badges import PASSING, CredlyBadge, add_site, earn_by_course, next_metadata, passing

    def backfill(kind: str, numbers: Sequence[int]) -> float:
        """Return how many rows a second the command applies."""
        with NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file:
            file.write("username,course_key,passed,time\n")
            file.writelines(f"awarding-{number},{courses[kind]},true,2025-01-01T00:00:00Z\n" for number in numbers)
            file.flush()
            began = time.perf_counter()
            call_command("badges_backfill", file.name, stdout=StringIO(), stderr=StringIO())
            return len(numbers) / (time.perf_counter() - began)

    call_command("migrate", verbosity=0)
    site = add_site()
    sold = CredlyBadge(CredlyControl(os.environ["CREDLY_API_BASE_URL"]), f"awarding {os.getpid()}")
    own, course = BadgeTemplate.objects.create(site=site, name="awarding"), f"course-v1:Bench+Awarding{os.getpid()}+1"
    earn_by_course(own, course)
    courses = {"own": course, "credly": sold.course, "awarding rows": course, "other rows": f"{course}B"}
    half = BadgeTemplate.objects.create(site=site, name="awarding: a half")
    earn_by_course(half, courses["other rows"])
    rest = BadgeRequirement.objects.create(template=half, event_type=PASSING)
    DataRule.objects.create(requirement=rest, key_path="course.course_key", operator="eq", value=f"{course}C")
    people = itertools.count(10_000_000)
    print("ready", flush=True)
    for line in sys.stdin:
        kind, count = json.loads(line)
        if kind.endswith("rows"):
            print(backfill(kind, list(itertools.islice(people, count))), flush=True)
            continue
        taken = []
        for number in itertools.islice(people, count):
            name = f"awarding-{number}"
            pii = UserPersonalData(username=name, email=f"{name}@example.org", name=name)
            data = passing(UserData(id=number, is_active=True, pii=pii), courses[kind], is_passing=True)
            metadata = next_metadata()
            began = time.perf_counter()
            api.handle_event(PASSING, metadata, {"course_passing_status": data})
            taken.append(time.perf_counter() - began)
        print(1000 * median(taken), flush=True)


if __name__ == "__main__":
    main(sys.argv[-1])
