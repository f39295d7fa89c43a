"""Fetch MySQL's own programs, once for all checkouts of this user.

Debian's stable suite carries only MariaDB, which takes statements that MySQL refuses; its unstable suite carries MySQL.
Those packages and every library they need, the C library included, are unpacked into a folder of their own and run by
the dynamic loader in it. Nothing is installed, and neither apt's nor dpkg's state on the machine is touched.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tests.services.process import ServiceMissingError

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "openedx-badges-plugin" / "mysql"
PACKAGES = ("mysql-server-core", "mysql-client-core")
SUITE = "sid"
# Signs every suite of Debian, and nothing else: other archives in the machine's lists are not trusted for this.
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Changes when the way of unpacking does. A newer MySQL is fetched when the folder is removed.
LAYOUT = "1"

# The machine's own settings are left out, but for those of the network, and so are its hooks.
APT_CONFIGURATION = """
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Log "{folder}/log";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
# A mirror may be frozen. Its lists must be signed by Debian; they need not be of this week.
Acquire::Check-Valid-Until "false";
"""
OF_THE_NETWORK = re.compile(r"^Acquire::https?::.*", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Programs:
    """Commands that run them, to which a program's own arguments are added."""

    server: list[str | Path]
    client: list[str | Path]
    version: str
    """What the server says of itself, such as "9.7.4-2 for Linux on x86_64 ((Debian))"."""


def programs() -> Programs:
    """Return the commands of an installed MySQL, or else of the cached one, fetched if need be (80 MB; 410 MB on disk).

    Raises ServiceMissingError, which says what is missing, where it cannot be fetched.
    """
    return _installed() or _unpacked(_cached())


def _installed() -> Programs | None:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    server, client = (shutil.which(name, path=path) for name in ("mysqld", "mysql"))
    if not server or not client:
        return None
    version = _version([server])
    # MariaDB's programs go by these names, too.
    return None if "MariaDB" in version else Programs([server, "--no-defaults"], [client, "--no-defaults"], version)


def _unpacked(root: Path) -> Programs:
    loader = next(root.glob("usr/lib/*/ld-linux*.so.*"))
    run: list[str | Path] = [loader, "--library-path", loader.parent]
    server = [*run, root / "usr/sbin/mysqld"]
    client = [*run, root / "usr/bin/mysql", "--no-defaults"]
    return Programs([*server, "--no-defaults", f"--basedir={root / 'usr'}"], client, _version(server))


def _version(server: list[str | Path] | list[str]) -> str:
    done = subprocess.run([*server, "--version"], capture_output=True, text=True)
    return done.stdout.partition(" Ver ")[2].strip() or f"{done.stdout}{done.stderr}".strip()


def _cached() -> Path:
    """Return the folder with everything unpacked. It is there as a whole or not at all."""
    folder = CACHE / f"{platform.machine()}-{LAYOUT}"
    if folder.exists():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        # Several test processes may want it at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            print("Fetching MySQL, once for all checkouts (80 MB)...", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(dir=CACHE) as name:
                _fetch(Path(name)).rename(folder)
    return folder


def _fetch(folder: Path) -> Path:
    """Download with apt, in folders of its own below this one, and unpack; returns the folder of what was unpacked."""
    missing = [name for name in ("apt-get", "apt-config", "dpkg", "dpkg-deb") if not shutil.which(name)]
    if missing or not KEYRING.exists():
        lacks = ", ".join([*missing, *([] if KEYRING.exists() else [str(KEYRING)])])
        raise ServiceMissingError(
            f"MySQL is not installed, and can be fetched with Debian's tools only; this machine lacks {lacks}."
        )
    mirrors = _mirrors()
    if not mirrors:
        raise ServiceMissingError(
            "MySQL is not installed and cannot be fetched: no list of apt's on this machine names a mirror of Debian."
        )
    failures = []
    for mirror in mirrors:
        failure = _download(folder, mirror)
        if failure is None:
            return _unpack(folder)
        failures.append(f"from {mirror}: {failure}")
    raise ServiceMissingError("MySQL is not installed and could not be fetched " + "\n".join(failures))


def _mirrors() -> list[str]:
    """Return the URLs in the machine's own lists that may hold Debian itself, the most likely one first."""
    # Works before the lists were ever downloaded, and by any user.
    printed = _run("apt-get", "update", "--print-uris").stdout
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", SUITE)
    suites = dict.fromkeys([release, "stable", "testing", "unstable", SUITE])
    found = [re.findall(rf"^'(\S+)/dists/{suite}/InRelease'", printed, re.MULTILINE) for suite in suites]
    return list(dict.fromkeys(chain.from_iterable(found)))


def _download(folder: Path, mirror: str) -> str | None:
    """Download the packages; returns what went wrong, if anything did."""
    for name in ("state/lists/partial", "cache/archives/partial", "log"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    # Nothing counts as installed, so that the C library is downloaded, too.
    (folder / "status").write_text("")
    architecture = _run("dpkg", "--print-architecture").stdout.strip()
    source = f"deb [arch={architecture} signed-by={KEYRING}] {mirror} {SUITE} main\n"
    (folder / "sources.list").write_text(source)
    network = OF_THE_NETWORK.findall(_run("apt-config", "dump").stdout)
    configuration = folder / "apt.conf"
    configuration.write_text("\n".join(network) + APT_CONFIGURATION.format(folder=folder))
    for command in (["update"], ["install", "--yes", "--download-only", *PACKAGES]):
        done = _run("apt-get", "--quiet", *command, APT_CONFIG=str(configuration))
        # A list that could not be downloaded is only a warning to ``update``, and fails ``install``.
        if done.returncode:
            return done.stderr.strip()
    return None


def _unpack(folder: Path) -> Path:
    root = folder / "root"
    root.mkdir()
    for package in sorted((folder / "cache/archives").glob("*.deb")):
        done = _run("dpkg-deb", "--extract", str(package), str(root))
        if done.returncode:
            raise ServiceMissingError(f"MySQL could not be unpacked: {done.stderr.strip()}")
    return root


def _run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "LC_ALL": "C.UTF-8", **environment}
    return subprocess.run(command, env=environ, capture_output=True, text=True)
