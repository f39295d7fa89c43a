"""Compile the ruleset, change a template, compile again: ``python -m sandbox.bench.compiling TEMPLATE``.

Prints one line of JSON: CPU seconds, megabytes over the bare process, CPU milliseconds after a change.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from statistics import median

import django

CHANGES = 7


def main(template: int) -> None:
    django.setup()
    from badges_plugin.models import BadgeTemplate, DataRule, RulesetVersion
    from badges_plugin.ruleset import compile_ruleset, current_ruleset

    # Connects, and loads the code and the queries, which are no part of the configuration.
    compile_ruleset(RulesetVersion.current(), [template])
    gc.collect()
    bare = _megabytes()
    cpu = time.process_time()
    ruleset = current_ruleset()
    cpu = time.process_time() - cpu
    active = len(ruleset.templates)
    # The former ruleset must not be kept.
    del ruleset
    gc.collect()
    grown = _megabytes() - bare
    changes = []
    for number in range(CHANGES):
        changed = BadgeTemplate.objects.order_by("pk").filter(pk__gte=template)[number]
        rule = DataRule.objects.filter(requirement__template=changed, key_path="course.course_key")[0]
        rule.value = f"course-v1:Bench+Changed{number}+{changed.pk}"
        rule.save()
        began = time.process_time()
        current_ruleset()
        changes.append(1000 * (time.process_time() - began))
    found = {"cpu": cpu, "megabytes": grown, "bare": bare, "active": active, "change": median(changes)}
    print(json.dumps({**found, "changes": ", ".join(f"{each:.1f}" for each in changes)}), flush=True)


def _megabytes() -> float:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main(int(sys.argv[1]))
