"""``manage.py badges_doctor``: what is wrong, and what to do about it."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from badges_plugin.command_line import BadgesCommand, text
from badges_plugin.doctor import Finding, Level, Reach, bus_probes, core_probes, examine

EXIT_CODES = {Level.OK: 0, Level.WARNING: 0, Level.ERROR: 1}


class Command(BadgesCommand):
    help = (
        "Examine settings, database, event bus and providers, and say for each finding what to do. Exit code: 0 when "
        "there is nothing worse than a warning, 1 when there is an error; with --strict a warning is 1 as well."
    )
    # It must work where the checks find errors: they are among its findings.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--reach",
            choices=[reach.name.lower() for reach in Reach],
            default=Reach.NETWORK.name.lower(),
            help="How far to look. Default: %(default)s, which includes the others.",
        )
        parser.add_argument(
            "--topic",
            type=text,
            default="learning-badges-lifecycle",
            help="The topic of the consumers, without the prefix. Default: %(default)s.",
        )
        parser.add_argument(
            "--group",
            type=text,
            default=bus_probes.GROUP,
            help="The group of the consumers. Default: %(default)s.",
        )
        parser.add_argument("--strict", action="store_true", help="Exit code 1 for warnings, too.")
        parser.add_argument("--json", action="store_true", help="Findings as JSON lines.")

    def handle(self, *args: Any, **options: Any) -> None:
        core_probes.connect(topic=options["topic"], group=options["group"])
        worst = Level.OK
        for name, finding in examine(reach=Reach[options["reach"].upper()]):
            worst = max(worst, finding.level)
            self.stdout.write(_as_json(name, finding) if options["json"] else self._as_text(name, finding))
        if EXIT_CODES[worst] or (options["strict"] and worst is not Level.OK):
            sys.exit(1)

    def _as_text(self, name: str, finding: Finding) -> str:
        style = {Level.OK: self.style.SUCCESS, Level.WARNING: self.style.WARNING, Level.ERROR: self.style.ERROR}
        advice = f"\n         -> {finding.advice}" if finding.advice else ""
        return f"{style[finding.level](f'{finding.level.name:<7}')}  {name}: {finding.what}{advice}"


def _as_json(name: str, finding: Finding) -> str:
    return json.dumps(
        {"probe": name, "level": finding.level.name.lower(), "what": finding.what, "advice": finding.advice}
    )
