"""Where MySQL comes from, and what is said where it cannot be had. Apt is a script here that notes how it is called."""

from __future__ import annotations

import platform
import shlex
from pathlib import Path

import pytest

from tests.services import ServiceMissingError, mysql_programs

MIRROR, OTHER = "http://mirror.invalid/debian", "http://packages.invalid/apt"
LISTED = f"""
'{OTHER}/dists/nodistro/InRelease' a 0
'{MIRROR}-security/dists/stable-security/InRelease' b 0
'{MIRROR}/dists/stable/InRelease' c 0
'{MIRROR}/dists/stable/main/binary-amd64/Packages.xz' d 0
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without MySQL and without anything in the cache; gives the only folder of its PATH."""
    programs, keyring = tmp_path / "bin", tmp_path / "keyring.gpg"
    programs.mkdir()
    keyring.touch()
    monkeypatch.setattr(mysql_programs, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(mysql_programs, "KEYRING", keyring)
    monkeypatch.setattr(mysql_programs, "_installed", lambda: None)
    monkeypatch.setenv("PATH", str(programs))
    return programs


def install(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def install_apt(folder: Path, update: str) -> None:
    listing = f'case "$*" in *--print-uris*) echo {shlex.quote(LISTED)};; *update*) {update};; esac'
    install(folder, "apt-get", listing)
    install(
        folder, "apt-config", "echo 'Acquire::http::Proxy \"http://proxy.invalid\";'; echo 'APT::Update::Pre \"x\";'"
    )
    install(folder, "dpkg", "echo amd64")
    install(folder, "dpkg-deb", "exit 0")


def test_a1_where_it_cannot_be_fetched_the_missing_tools_are_named(machine: Path) -> None:
    install(machine, "dpkg", "exit 0")
    with pytest.raises(ServiceMissingError, match="this machine lacks apt-get, apt-config, dpkg-deb"):
        mysql_programs.programs()


def test_a1_without_a_network_apts_reason_is_given_and_nothing_half_done_stays(machine: Path) -> None:
    install_apt(machine, "echo 'E: no route' >&2; exit 100")
    with pytest.raises(ServiceMissingError, match=f"from {MIRROR}: E: no route"):
        mysql_programs.programs()
    assert [path.name for path in mysql_programs.CACHE.iterdir()] == ["lock"]


def test_a1_it_comes_from_the_machines_own_mirror_signed_by_debian(machine: Path, tmp_path: Path) -> None:
    install_apt(machine, f'/bin/cp "$APT_CONFIG" "${{APT_CONFIG%apt.conf}}sources.list" {tmp_path}; exit 100')
    with pytest.raises(ServiceMissingError):
        mysql_programs.programs()
    assert (tmp_path / "sources.list").read_text() == (
        f"deb [arch=amd64 signed-by={mysql_programs.KEYRING}] {MIRROR} {mysql_programs.SUITE} main\n"
    )
    given = (tmp_path / "apt.conf").read_text()
    # The way to the network is the machine's; its hooks are not run, its lists and states not touched.
    assert "proxy.invalid" in given
    assert "APT::Update" not in given
    assert '"/etc/' not in given
    assert '"/var/' not in given


def test_a1_what_was_fetched_once_is_used_without_apt(machine: Path) -> None:
    folder = mysql_programs.CACHE / f"{platform.machine()}-{mysql_programs.LAYOUT}"
    libraries = folder / "usr/lib/any-linux-gnu"
    libraries.mkdir(parents=True)
    install(libraries, "ld-linux-any.so.2", 'echo "mysqld  Ver 9.7.4-2 for Linux"')
    found = mysql_programs.programs()
    assert found.version == "9.7.4-2 for Linux"
    assert found.server[:3] == [libraries / "ld-linux-any.so.2", "--library-path", libraries]
