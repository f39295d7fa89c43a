"""The drills themselves run, in small, on whatever database the tests have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import django
import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def drills(*arguments: str, timeout: float = 170) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sandbox.drills", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout)


@pytest.mark.standin
@pytest.mark.long
@pytest.mark.every_database
@pytest.mark.skipif(
    django.VERSION < (5, 1) and connection.vendor == "sqlite",
    reason="before Django 5.1 several processes cannot write to one SQLite file without now and then failing",
)
def test_deliveries() -> None:
    done = drills("deliveries", "--small", "--seed", "7")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "seed 7" in done.stdout
    assert "Nothing was lost, and nothing was done twice" in done.stdout


@pytest.mark.standin
@pytest.mark.long
@pytest.mark.every_database
@pytest.mark.timeout(620)
@pytest.mark.skipif(
    django.VERSION < (5, 1) and connection.vendor == "sqlite",
    reason="before Django 5.1 several processes cannot write to one SQLite file without now and then failing",
)
def test_c1_the_erased_stay_erased_wherever_they_stood() -> None:
    done = drills("erased", "--small", "--seed", "7", timeout=600)

    assert done.returncode == 0, done.stdout + done.stderr


def test_an_area_that_does_not_exist() -> None:
    done = drills("dilveries")

    assert done.returncode == 2
    assert "no such area: dilveries" in done.stderr
