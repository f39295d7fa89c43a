"""Install the judges, and ask them about many badges at once."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.services.process import ServiceFailedError, ServiceMissingError, find_program

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "judges"
#: Who judges documents with an embedded proof, and who judges tokens.
SIGNED_DOCUMENTS = ("digital_bazaar", "consortium")
TOKENS = "tokens"
SCHEMA = "schema"
#: The oldest with what judges use: fetch and Web Crypto. Debian 12 has it.
_NODE = 18
_INSTALL_SECONDS = 600
_JUDGE_SECONDS = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge said of one badge."""

    accepted: bool
    revoked: bool
    reason: str


def ask(judge: str, network: Mapping[str, Any], badges: Iterable[bytes]) -> list[Verdict]:
    """Return what ``judge`` says of each of ``badges``.

    ``network`` is all that the judge can find there, by address. Raises ServiceMissingError without Node.js or npm,
    ServiceFailedError when the judge cannot be installed or ends early.
    """
    lines = [json.dumps(network), *(base64.b64encode(badge).decode() for badge in badges)]
    done = subprocess.run(
        [find_program("node", package="nodejs"), "judge.mjs", judge],
        cwd=installed(),
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=_JUDGE_SECONDS,
    )
    verdicts = [Verdict(**json.loads(line)) for line in done.stdout.splitlines()]
    if done.returncode or len(verdicts) != len(lines) - 1:
        raise ServiceFailedError(f"The judge {judge} ended with {done.returncode}:\n{done.stderr}")
    return verdicts


@cache
def installed() -> Path:
    """Return the folder of the judges with their packages, installing them once (52 MB).

    Raises ServiceMissingError without a current Node.js or npm, ServiceFailedError when npm cannot install.
    """
    _check_node()
    npm = find_program("npm", package="npm")
    packages = [HERE / "package.json", HERE / "package-lock.json"]
    folder = CACHE / hashlib.sha256(b"".join(path.read_bytes() for path in packages)).hexdigest()[:16]
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        # Several test processes may want it at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "node_modules" / ".package-lock.json").exists():
            folder.mkdir(exist_ok=True)
            _install(npm, folder, packages)
        for script in HERE.glob("*.mjs"):
            shutil.copy(script, folder)
    return folder


def _check_node() -> None:
    node = find_program("node", package="nodejs")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < _NODE:
        raise ServiceMissingError(f"Node.js {_NODE} or newer is needed, and {node} is {version}")


def _install(npm: Path, folder: Path, packages: list[Path]) -> None:
    for path in packages:
        shutil.copy(path, folder)
    done = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
    )
    if done.returncode:
        raise ServiceFailedError(f"npm could not install the judges:\n{done.stdout}{done.stderr}")
