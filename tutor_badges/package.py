"""The wheel of ``badges_plugin`` for the Credentials image, of the same version as the Tutor plugin.

The distribution for Tutor's environment, ``openedx-badges-tutor``, ships it: its build calls this module, on the Python
that builds it, without Tutor. Where the whole repository is installed instead, the wheel is made from the code that is
there. Either way the image has exactly the version that its settings and containers were rendered for, and its build
downloads nothing of ours. It is one file, so that files of an older version in the environment are never installed.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata, util
from pathlib import Path, PurePosixPath

DISTRIBUTION = "openedx-badges-plugin"
PACKAGE = "badges_plugin"
ENTRY_POINT_GROUP = "credentials.djangoapp"
# Below the templates of the credentials plugin, which renders them to where its image is built.
TEMPLATE_FOLDER = PurePosixPath("credentials", "build", "credentials", "badges-plugin")
BUILD_CONTEXT = PurePosixPath("plugins", TEMPLATE_FOLDER)
DOCKERFILE = BUILD_CONTEXT.parent / "Dockerfile"
WHEEL_TAG = "py3-none-any"
# A root of templates that holds the wheel. Only openedx-badges-tutor has it.
SHIPPED = Path(__file__).with_name("wheel")
# The earliest time that a zip file can hold: the same code makes the same file, so that Docker's cache stays valid.
TIMESTAMP = (1980, 1, 1, 0, 0, 0)
SKIPPED = re.compile(r"(^|/)(__pycache__|\.[^/]*)(/|$)|\.py[cod]$")


@dataclass(frozen=True)
class Release:
    """What the wheel says about itself: its version, what it needs, and its entry points by name."""

    version: str
    requires: tuple[str, ...]
    entry_points: tuple[tuple[str, str], ...]

    @property
    def wheel_name(self) -> str:
        """Return the file name of the wheel."""
        return f"{self.identity}-{WHEEL_TAG}.whl"

    @property
    def identity(self) -> str:
        """Return name and version as file names have them."""
        return re.sub(r"[-_.]+", "_", DISTRIBUTION) + "-" + self.version.replace("-", "_")


def version() -> str:
    """Return the version of the wheel, and so of this plugin."""
    shipped = _shipped()
    return shipped.name.split("-")[1] if shipped else metadata.version(DISTRIBUTION)


def wheel_name() -> str:
    """Return the file name of the wheel."""
    shipped = _shipped()
    return shipped.name if shipped else installed().wheel_name


@lru_cache(maxsize=1)
def template_root() -> str:
    """Return a folder of Tutor templates that holds the wheel.

    If none was shipped, it is made when templates are read, from the code that is installed then, and lasts as long as
    the process.
    """
    if _shipped():
        return str(SHIPPED)
    folder = tempfile.TemporaryDirectory(prefix="tutor-badges-")
    _folders.append(folder)
    write_wheel(Path(folder.name), installed(), _source())
    return folder.name


# A reference keeps the folder until the process ends.
_folders: list[tempfile.TemporaryDirectory[str]] = []


def is_wheel(template: str) -> bool:
    """Tell whether a template is the wheel, which is copied, not rendered."""
    return PurePosixPath(template).parent == TEMPLATE_FOLDER


def is_built_from(env: Path) -> bool:
    """Tell whether an image built from ``env`` gets the installed version. An older version may have saved ``env``."""
    dockerfile = env / DOCKERFILE
    return dockerfile.exists() and wheel_name() in dockerfile.read_text(encoding="utf-8")


def remove(env: Path) -> None:
    """Delete our files below ``env``, Tutor's environment folder."""
    shutil.rmtree(env / BUILD_CONTEXT, ignore_errors=True)


def write_wheel(root: Path, release: Release, source: Path) -> Path:
    """Write the wheel of the code in ``source`` below ``root``, a folder of templates. Return its path."""
    path = root / TEMPLATE_FOLDER / release.wheel_name
    path.parent.mkdir(parents=True, exist_ok=True)
    records = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as wheel:
        for name, content in _files(release, source):
            wheel.writestr(zipfile.ZipInfo(name, TIMESTAMP), content, zipfile.ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            records.append(f"{name},sha256={digest},{len(content)}\n")
        record = f"{release.identity}.dist-info/RECORD"
        wheel.writestr(zipfile.ZipInfo(record, TIMESTAMP), "".join([*records, f"{record},,\n"]))
    return path


def installed() -> Release:
    """Return what the installed distribution says about itself."""
    distribution = metadata.distribution(DISTRIBUTION)
    return Release(
        distribution.version,
        tuple(requirement for requirement in distribution.requires or [] if "extra ==" not in requirement),
        tuple((each.name, each.value) for each in distribution.entry_points if each.group == ENTRY_POINT_GROUP),
    )


def _shipped() -> Path | None:
    return next((SHIPPED / TEMPLATE_FOLDER).glob("*.whl"), None)


def _files(release: Release, source: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if path.is_file() and not SKIPPED.search(name):
            yield f"{PACKAGE}/{name}", path.read_bytes()
    information = {
        "METADATA": f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {release.version}\n"
        + "".join(f"Requires-Dist: {requirement}\n" for requirement in release.requires),
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: tutor_badges\nRoot-Is-Purelib: true\nTag: {WHEEL_TAG}\n",
        "entry_points.txt": f"[{ENTRY_POINT_GROUP}]\n"
        + "".join(f"{name} = {value}\n" for name, value in release.entry_points),
    }
    for name, text in information.items():
        yield f"{release.identity}.dist-info/{name}", text.encode()


def _source() -> Path:
    # Found, not imported: Django and the service are not installed beside Tutor.
    spec = util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{PACKAGE} is not installed. Reinstall {DISTRIBUTION}.")
    return Path(next(iter(spec.submodule_search_locations)))
