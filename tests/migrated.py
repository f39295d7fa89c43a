"""Keep migrated SQLite databases: to migrate an empty one takes five seconds, and each process of a test run needs one.

The file of a kept database is named after everything that made it. The tests copy it; whoever migrates a copy as usual
finds that nothing is left to do.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import ENVIRONMENT_VARIABLE, settings
from django.db.backends.signals import connection_created

FOLDER = Path(__file__).resolve().parents[1] / ".cache" / "migrated"
# A folder that grows with every change of a migration is emptied now and then.
MAX_KEPT = 10


def database() -> Path:
    """Return the file of a migrated database for the settings of this process.

    The first process that needs it makes it, while the others wait.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name()}.sqlite3"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            for old in sorted(FOLDER.glob("*.sqlite3"), key=lambda file: file.stat().st_mtime)[: 1 - MAX_KEPT]:
                old.unlink(missing_ok=True)
            _migrate(path)
    return path


def fill_the_next(path: Path) -> None:
    """Copy ``path`` into the next SQLite database in memory that this process connects to."""

    def fill(connection: Any, **kwargs: object) -> None:
        if _is_in_memory(connection):
            connection_created.disconnect(dispatch_uid=__name__)
            _copy(path, connection)

    connection_created.connect(fill, weak=False, dispatch_uid=__name__)


def begin_again(connection: Any) -> bool:
    """Make an SQLite database in memory as it was in the beginning; return whether it is one."""
    if not _is_in_memory(connection):
        return False
    connection.ensure_connection()
    _copy(database(), connection)
    return True


def name() -> str:
    """Return the name of what these migrations make, run by this Python and this Django."""
    made_by = hashlib.sha256("\n".join([sys.version, django.__version__, os.environ[ENVIRONMENT_VARIABLE]]).encode())
    for app in apps.get_app_configs():
        made_by.update(f"\n{app.name} {app.label}\n".encode())
        spec = find_spec(settings.MIGRATION_MODULES.get(app.label) or f"{app.name}.migrations")
        for folder in (spec.submodule_search_locations or []) if spec else []:
            for file in sorted(Path(folder).glob("*.py")):
                made_by.update(file.read_bytes())
    return made_by.hexdigest()[:16]


def _migrate(path: Path) -> None:
    """Make the file, whole or not at all. Raises CalledProcessError, with the output on standard error."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{unfinished}",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--skip-checks", "--verbosity", "0"], env=environment, check=True
    )
    unfinished.rename(path)


def _is_in_memory(connection: Any) -> bool:
    return bool(connection.vendor == "sqlite" and connection.is_in_memory_db())


def _copy(path: Path, connection: Any) -> None:
    with closing(sqlite3.connect(path)) as kept:
        kept.backup(connection.connection)
