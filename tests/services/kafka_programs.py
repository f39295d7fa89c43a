"""Fetch the Java programs of the Kafka event bus from Maven Central once, into the repository's cache."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.services.process import ServiceFailedError, find_program

POM = Path(__file__).with_name("kafka.pom.xml")
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "kafka"
FETCH_SECONDS = 600
REGISTRY = "apicurio-registry-app"
# The newest that Java 17 can run: 3.3 needs 21. The archive holds all it depends on.
REGISTRY_ARTIFACT = f"io.apicurio:{REGISTRY}:3.0.9:tar.gz:all"


@dataclass(frozen=True)
class Programs:
    """Commands that run them, to which a program's own arguments are added."""

    kafka: list[str]
    """Runs a class of the Kafka server's jars."""
    registry: list[str]
    """Runs Apicurio Registry. Its settings are system properties, and go before it: see ``java``."""

    @staticmethod
    def java(*, megabytes: int, **properties: object) -> list[str]:
        """Return the beginning of a command; small and quick to start rather than fast. ``_`` stands for a dot."""
        java = str(find_program("java", package="openjdk-17-jre-headless"))
        defined = [f"-D{name.replace('_', '.')}={value}" for name, value in properties.items()]
        return [java, f"-Xmx{megabytes}m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *defined]


def programs() -> Programs:
    """Return the commands, fetching the programs if need be (155 MB).

    Raises ServiceMissingError without Java or Maven, ServiceFailedError when Maven cannot fetch.
    """
    folder = CACHE / hashlib.sha256(POM.read_bytes() + REGISTRY_ARTIFACT.encode()).hexdigest()[:16]
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        # Several test processes may want it at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _fetch(folder)
    runner = next((folder / REGISTRY).glob("*-runner.jar"))
    return Programs(kafka=["-cp", f"{folder}/*"], registry=["-jar", str(runner)])


def _fetch(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        fetched = Path(name) / "fetched"
        _maven("copy-dependencies", "-f", str(POM), f"-DoutputDirectory={fetched}")
        # Not by the POM: Maven would look for the registry's own dependencies, which nobody needs.
        _maven("copy", f"-Dartifact={REGISTRY_ARTIFACT}", f"-DoutputDirectory={name}")
        with tarfile.open(next(Path(name).glob(f"{REGISTRY}-*.tar.gz"))) as content:
            content.extractall(fetched / REGISTRY, filter="data")
        fetched.rename(folder)


def _maven(goal: str, *arguments: str) -> None:
    maven = find_program("mvn", package="maven")
    done = subprocess.run(
        [maven, "-q", "-B", f"dependency:{goal}", *arguments],
        cwd=CACHE,
        capture_output=True,
        text=True,
        timeout=FETCH_SECONDS,
    )
    if done.returncode:
        raise ServiceFailedError(f"Maven could not fetch Kafka:\n{done.stdout}{done.stderr}")
