"""``manage.py badges_adopt_builtin``: what it says, and when it refuses."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from badges_plugin import host
from badges_plugin.adoption import found, learners, templates
from badges_plugin.adoption.adopters import registered
from badges_plugin.adoption.grouping import SameGroup
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate
from badges_plugin.models import BadgeTemplate
from tests.adoption.world import Builtin
from tests.factories import make_user


def told(*arguments: Any) -> str:
    output = StringIO()
    call_command("badges_adopt_builtin", *arguments, stdout=output, stderr=StringIO())
    return output.getvalue()


def test_it_only_reports_unless_it_is_told_to_do_it(builtin: Builtin, tmp_path: Path) -> None:
    theirs = builtin.credly("Statistics")
    builtin.requirement(theirs)
    for name in ("=ada", *"bcdefg"):
        make_user(username=name)
        builtin.badge(theirs, name, "awarded", "created")
    path = tmp_path / "report.csv"
    tried = told("--report", path)
    assert tried.startswith("Nothing was changed. This is what --apply would do.\n")
    assert not BadgeTemplate.objects.exists()
    done = told("--apply")
    assert done in tried
    assert "Badges: 7 (7 adopted, perhaps never delivered)\n" in done
    assert "7: Held, but perhaps not at the provider" in done
    assert "  “Statistics”, =ada\n" in done
    assert "  and 2 more\n" in done
    written = path.read_text(encoding="utf-8")
    head, *rows = csv.reader(StringIO(written))
    assert head[0] == "topic"
    assert [row[2] for row in rows if row[0].startswith("Held, but")] == ["'=ada", *"bcdefg"]
    assert CredlyBadgeTemplate.objects.get().is_active
    assert "secret" not in done + written


@pytest.mark.parametrize(("config", "error"), [({"builtin_app": "on"}, "still on"), ({"builtin_app": "off"}, None)])
def test_it_does_not_adopt_from_an_app_that_goes_on_writing(
    builtin: Builtin, settings: Any, config: dict[str, str], error: str | None
) -> None:
    builtin.credly()
    settings.BADGES_CONFIG = config
    assert "Badge templates: 1" in told()
    if error is None:
        told("--apply")
    else:
        with pytest.raises(CommandError, match=error):
            told("--apply")
    assert BadgeTemplate.objects.exists() is (error is None)


@pytest.mark.django_db
def test_a_host_without_such_an_app_has_nothing_to_adopt(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.BADGES_CONFIG = {}
    monkeypatch.setattr(host, "BUILTIN_APP", "credentials.apps.of_redwood")
    with pytest.raises(CommandError, match="no badges app of its own"):
        told()


def test_ctrl_c_leaves_what_is_done_and_says_so(builtin: Builtin, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("First", "Second"):
        builtin.requirement(builtin.credly(name))
    adopt = learners.adopt

    def stop(planned: Any, *args: Any, **options: Any) -> None:
        if planned.found.name == "Second":
            raise KeyboardInterrupt
        adopt(planned, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(learners, "adopt", stop)
        with pytest.raises(CommandError, match="run the command again") as interrupted:
            told("--apply")
    assert interrupted.value.returncode == 130
    active = BadgeTemplate.objects.filter(is_active=True).order_by("name")
    assert list(active.values_list("name", flat=True)) == ["First"]
    told("--apply")
    assert list(active.values_list("name", flat=True)) == ["First", "Second"]


def test_another_run_at_the_same_time_is_noticed(builtin: Builtin) -> None:
    row = builtin.credly()
    builtin.requirement(row)
    (each,) = found.templates()
    adopter = next(adopter for adopter in registered() if adopter.template_model == "CredlyBadgeTemplate")
    adopter.adopt_accounts(dry_run=False)
    one, two = (templates.plan(each, adopter, row, SameGroup.ASK) for _ in range(2))
    templates.write(one)
    with pytest.raises(templates.SetUpMeanwhile):
        templates.write(two)
    assert BadgeTemplate.objects.get().requirements.count() == 1


@pytest.mark.parametrize("arguments", [["--same-group", "some"], ["--report", "/nowhere/report.csv"]])
def test_wrong_options_are_refused(builtin: Builtin, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        told(*arguments)
