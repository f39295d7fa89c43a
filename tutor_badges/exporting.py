"""``tutor local|dev|k8s do badges-export-passed``: who passed which course, from the grades that the LMS keeps."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import click

SERVICE = "lms"
SOURCE = Path(__file__).with_name("lms_grades.py")
# Whatever the LMS prints goes to standard error: standard output is for the rows, which the program writes to 3.
SCRIPT = """\
cat > /tmp/badges-export-passed.py <<'END-OF-BADGES-PROGRAM'
{source}

import sys

with open(3, "w", encoding="utf-8", newline="") as output:
    export(output, sys.stderr, {since})
END-OF-BADGES-PROGRAM
./manage.py lms shell --command 'exec(open("/tmp/badges-export-passed.py").read())' 3>&1 1>&2
"""


def read_since(context: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    """Return the time of an option, in UTC unless it says otherwise."""
    if text is None:
        return None
    try:
        # Python 3.10 and older do not know the Z.
        time = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a time such as 2026-01-31 or 2026-01-31T12:00:00Z.") from None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def script(since: datetime | None = None) -> str:
    """Return the shell script that prints the rows when it runs in the LMS."""
    return SCRIPT.format(
        source=SOURCE.read_text(encoding="utf-8"),
        since=f"datetime.fromisoformat({since.isoformat()!r})" if since else None,
    )


@click.command(
    "badges-export-passed",
    help=(
        "Print who passed which course, from the grades that the LMS keeps, as CSV for badges-backfill: to make up for "
        "events that the event bus lost, or for what was passed before there were badges."
    ),
)
@click.option(
    "--since",
    metavar="TIME",
    callback=read_since,
    help="Only what changed at this time or later, in UTC unless it has a zone. Default: everything.",
)
@click.pass_obj
def export_passed(context: object, since: datetime | None) -> Iterator[tuple[str, str]]:
    from tutor import config as tutor_config  # the rest of this module is used without Tutor
    from tutor import utils
    from tutor.commands.k8s import K8sContext

    with only_rows_on_stdout():
        if isinstance(context, K8sContext):
            # Tutor does not show what a job prints in a cluster.
            namespace = tutor_config.load(context.root)["K8S_NAMESPACE"]
            where = ("--namespace", str(namespace), f"deployment/{SERVICE}", "--container", SERVICE)
            utils.kubectl("exec", *where, "--", "sh", "-e", "-c", script(since))
        else:
            # Tutor renders every task as a template.
            yield SERVICE, "{% raw %}" + script(since) + "{% endraw %}"


@contextlib.contextmanager
def only_rows_on_stdout() -> Iterator[None]:
    """Have Tutor show its commands on standard error, and start programs without a terminal, which mixes the two."""
    terminal = sys.stdin
    with contextlib.redirect_stdout(sys.stderr):
        sys.stdin = io.StringIO()
        try:
            yield
        finally:
            sys.stdin = terminal
