"""``manage.py badges_doctor``: report problems of the installation, and how to fix them."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from badges_plugin.command_line import BadgesCommand, text
from badges_plugin.conf import CONSUMER_GROUP, TOPIC
from badges_plugin.doctor import Finding, Level, Reach, core_probes, examine

EXIT_CODES = {Level.OK: 0, Level.WARNING: 0, Level.ERROR: 1}


class Command(BadgesCommand):
    help = (
        "Examine settings, database, event bus and providers, and say what to do about each problem. The exit code is "
        "1 if there is an error, and with --strict also if there is a warning; otherwise it is 0."
    )
    # It must run even if system checks fail: their messages are among its findings.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--reach",
            choices=[reach.name.lower() for reach in Reach],
            default=Reach.NETWORK.name.lower(),
            help="What to examine. Default: %(default)s, which includes the others.",
        )
        parser.add_argument(
            "--topic",
            type=text,
            default=TOPIC,
            help="The consumers' topic, without the prefix. Default: %(default)s.",
        )
        parser.add_argument(
            "--group",
            type=text,
            default=CONSUMER_GROUP,
            help="The consumers' group. Default: %(default)s.",
        )
        parser.add_argument("--strict", action="store_true", help="Exit with code 1 for warnings, too.")
        parser.add_argument("--json", action="store_true", help="Print the findings as JSON lines.")

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
