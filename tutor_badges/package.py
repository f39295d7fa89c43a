"""Build a wheel for the Credentials image from the code of ``badges_plugin`` that is installed beside Tutor.

The image then has exactly the version that its settings and containers were rendered for, whether that came from an
index, a repository or a checkout, and its build downloads nothing of ours. It is one file, so that files of an older
version in the environment are never installed.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
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
# The earliest time that a zip file can hold: the same code makes the same file, so that Docker's cache stays valid.
TIMESTAMP = (1980, 1, 1, 0, 0, 0)
SKIPPED = re.compile(r"(^|/)(__pycache__|\.[^/]*)(/|$)|\.py[cod]$")


def version() -> str:
    """Return the version of the installed distribution."""
    return metadata.version(DISTRIBUTION)


def wheel_name() -> str:
    """Return the file name of the wheel."""
    return f"{_normalized()}-{WHEEL_TAG}.whl"


@lru_cache(maxsize=1)
def template_root() -> str:
    """Return a folder of Tutor templates that holds the wheel.

    It lasts as long as the process. It is made when templates are read, from the code that is installed then.
    """
    folder = tempfile.TemporaryDirectory(prefix="tutor-badges-")
    _folders.append(folder)
    target = Path(folder.name, TEMPLATE_FOLDER)
    target.mkdir(parents=True)
    write_wheel(target / wheel_name())
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


def write_wheel(path: Path) -> None:
    """Write the wheel of the installed code."""
    records = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as wheel:
        for name, content in _files():
            wheel.writestr(zipfile.ZipInfo(name, TIMESTAMP), content, zipfile.ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            records.append(f"{name},sha256={digest},{len(content)}\n")
        record = f"{_normalized()}.dist-info/RECORD"
        wheel.writestr(zipfile.ZipInfo(record, TIMESTAMP), "".join([*records, f"{record},,\n"]))


def _files() -> Iterator[tuple[str, bytes]]:
    source = _source()
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if path.is_file() and not SKIPPED.search(name):
            yield f"{PACKAGE}/{name}", path.read_bytes()
    info = f"{_normalized()}.dist-info"
    yield f"{info}/METADATA", "".join(_metadata()).encode()
    yield (
        f"{info}/WHEEL",
        f"Wheel-Version: 1.0\nGenerator: tutor_badges\nRoot-Is-Purelib: true\nTag: {WHEEL_TAG}\n".encode(),
    )
    yield f"{info}/entry_points.txt", "".join(_entry_points()).encode()


def _source() -> Path:
    # Found, not imported: Django and the service are not installed beside Tutor.
    spec = util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{PACKAGE} is not installed. Reinstall {DISTRIBUTION}.")
    return Path(next(iter(spec.submodule_search_locations)))


def _metadata() -> Iterator[str]:
    yield f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {version()}\n"
    for requirement in metadata.requires(DISTRIBUTION) or []:
        if "extra ==" not in requirement:
            yield f"Requires-Dist: {requirement}\n"


def _entry_points() -> Iterator[str]:
    yield f"[{ENTRY_POINT_GROUP}]\n"
    for entry_point in metadata.distribution(DISTRIBUTION).entry_points:
        if entry_point.group == ENTRY_POINT_GROUP:
            yield f"{entry_point.name} = {entry_point.value}\n"


def _normalized() -> str:
    return re.sub(r"[-_.]+", "_", DISTRIBUTION) + "-" + version().replace("-", "_")
