"""The command that awards for what a file says."""

from __future__ import annotations

import resource
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from badges_plugin.backfill.spool import Spool
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeProgress, Fulfillment
from badges_plugin.signals import badge_awarded
from tests.core.conftest import Heard
from tests.factories import CCX_PASSING, COURSE, make_template, make_user, penalizes_failing, requires, requires_course

pytestmark = pytest.mark.django_db
HEADER = "username,lms_user_id,course_key,passed,time\n"
CCX = "ccx-v1:Demo+Badges+1+ccx@3"


def backfill(folder: Path, content: str, **options: Any) -> str:
    file, output = folder / "past.csv", StringIO()
    file.write_text(content, encoding="utf-8")
    call_command("badges_backfill", str(file), stdout=output, **options)
    return output.getvalue()


def test_learners_named_by_name_or_id_get_what_they_earned(tmp_path: Path, heard: Heard) -> None:
    template, ccx = make_template(name="Passed"), make_template(name="Coached")
    requires_course(template)
    requires(ccx, ("course.ccx_course_key", "eq", CCX), ("is_passing", "eq", "true"), event_type=CCX_PASSING)
    by_name, by_id = make_user(username="ann"), make_user(username="ben", lms_user_id=7)
    said = backfill(
        tmp_path,
        f"{HEADER}ann,,{COURSE},true,2024-05-01T10:00:00Z\n,7,{COURSE},yes,2024-05-01 10:00\n"
        f"\nnew,9,{CCX},1,2024-05-01T12:00:00+02:00\nann,,course-v1:No+Badge+1,true,2024-05-01T10:00:00Z\n",
    )
    earned = {(award.user.username, award.template.name) for award in BadgeAward.objects.all()}
    assert earned == {(by_name.username, "Passed"), (by_id.username, "Passed"), ("new", "Coached")}
    assert User.objects.get(username="new").lms_user_id == 9
    assert "4 events: 3 matter, 1 matter for no active badge template" in said
    assert "3 learners, 1 new here; 3 badges awarded, 0 revoked" in said
    assert "2 x Passed" in said


def test_the_same_file_again_changes_nothing(tmp_path: Path, heard: Heard) -> None:
    requires_course(make_template())
    content = f"{HEADER}ann,,{COURSE},true,2024-05-01T10:00:00Z\nben,,{COURSE},true,2024-05-02T10:00:00Z\n"
    backfill(tmp_path, content.rsplit("ben", 1)[0])
    first = list(Fulfillment.objects.order_by("pk").values())
    said = backfill(tmp_path, content)
    assert "1 badges awarded" in said
    assert "nothing changed for 1 learners" in said
    again = Fulfillment.objects.filter(pk__in=[row["id"] for row in first]).order_by("pk")
    assert list(again.values()) == first
    backfill(tmp_path, content)
    assert len(heard.awarded) == 2


def test_what_was_lost_again_is_not_awarded_and_nothing_is_revoked_on_the_way(tmp_path: Path, heard: Heard) -> None:
    template = make_template()
    penalizes_failing(template, requires_course(template))
    rows = [
        f"ann,5,{COURSE},true,2024-05-01T10:00:00Z",
        f",5,{COURSE},false,2024-05-02T10:00:00Z",
        f"ben,,{COURSE},false,2024-05-02T10:00:00Z",
        f"ben,,{COURSE},true,2024-05-03T10:00:00Z",
        f"ben,6,{COURSE},true,2024-05-01T10:00:00Z",
    ]
    backfill(tmp_path, HEADER + "\n".join(rows))
    assert [award.user.username for award in heard.awarded] == ["ben"]
    assert heard.revoked == []
    assert User.objects.get(username="ben").lms_user_id == 6


def test_a_dry_run_says_what_would_change(
    tmp_path: Path, heard: Heard, django_capture_on_commit_callbacks: Any
) -> None:
    requires_course(make_template(name="Passed"))
    with django_capture_on_commit_callbacks(execute=True):
        said = backfill(tmp_path, f"{HEADER}ann,,{COURSE},true,2024-05-01T10:00:00Z\n", dry_run=True)
    assert "1 learners, 1 would be new here; 1 badges would be awarded" in said
    assert "1 x Passed" in said
    assert heard.public == []
    assert not User.objects.filter(username="ann").exists()
    assert not BadgeProgress.objects.exists()


@pytest.mark.parametrize(
    ("content", "complaints"),
    [
        ("", ["lacks course_key, passed, time, username or lms_user_id"]),
        ("username,course_key,time\n", ["past.csv: ", "lacks passed"]),
        ("username,course_key,passed,time,grade\n", ["unknown or duplicate columns: grade"]),
        ("username,username,course_key,passed,time\n", ["duplicate columns"]),
        (f"{HEADER}ann,,{COURSE},maybe,2024-05-01\n", ["line 2: passed must be true or false"]),
        (f"{HEADER}ann,,{COURSE},true,yesterday\n", ["line 2: 'yesterday' is not a time"]),
        (f"{HEADER}ann,,{COURSE},true,0001-01-01T00:00+05:00\n", ["line 2: '0001-01-01T00:00+05:00' is not a time"]),
        (f"{HEADER}an\0n,,{COURSE},true,2024-05-01\n", ["line 2: the user name 'an\\x00n' has characters"]),
        (HEADER.replace(",", ";"), ["lacks course_key", "Separate the columns with commas"]),
        (f"{HEADER}ann,,{COURSE},true,2999-01-01\n", ["line 2: the time '2999-01-01' is in the future"]),
        (f"{HEADER},,{COURSE},true,2024-05-01\n", ["line 2: neither a user name nor an LMS user id"]),
        (f"{HEADER}ann,-4,{COURSE},true,2024-05-01\n", ["line 2: the LMS user id '-4'"]),
        (f"{HEADER}ann,,Demo 1,true,2024-05-01\n", ["line 2: 'Demo 1' is not a course key"]),
        (f"{HEADER}ann,,{COURSE},true,2024-05-01,x\n", ["line 2: there are more values than columns"]),
        (
            f"{HEADER}ann,,{COURSE},true,2024-05-01\n\nann,,,,\n",
            ["line 4: '' is not a course key", "line 4: passed must be"],
        ),
    ],
)
def test_mistakes_are_named_with_their_lines_and_nothing_is_applied(
    tmp_path: Path, heard: Heard, content: str, complaints: list[str]
) -> None:
    requires_course(make_template())
    with pytest.raises(CommandError) as refused:
        backfill(tmp_path, content)
    assert all(complaint in str(refused.value) for complaint in complaints), refused.value
    assert heard.awarded == []


def test_a_file_in_another_encoding_or_absent_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(f"{HEADER}J\xf6rg,,{COURSE},true,2024-05-01\n".encode("latin-1"))
    for name, complaint in (("latin.csv", "not CSV in UTF-8"), ("absent.csv", "No such file")):
        with pytest.raises(CommandError, match=complaint):
            call_command("badges_backfill", str(tmp_path / name))


def test_only_the_template_asked_for(tmp_path: Path, heard: Heard) -> None:
    wanted, other = make_template(), make_template()
    requires_course(wanted)
    requires_course(other)
    content = f"{HEADER}{make_user().username},,{COURSE},true,2024-05-01\n"
    backfill(tmp_path, content, template=[wanted.uuid])
    assert [award.template for award in heard.awarded] == [wanted]
    with pytest.raises(CommandError, match="No active badge template"):
        backfill(tmp_path, content, template=[make_template(is_active=False).uuid])


def test_badges_that_are_switched_off_are_not_awarded(tmp_path: Path, settings: Any) -> None:
    settings.BADGES_ENABLED = False
    with pytest.raises(CommandError, match="switched off"):
        backfill(tmp_path, HEADER)


def test_one_learner_whose_events_meet_a_bug_does_not_stand_in_the_way(tmp_path: Path, heard: Heard) -> None:
    requires_course(make_template())
    failing = make_user(username="ann")

    def fail(award: BadgeAward, **kwargs: Any) -> None:
        if award.user == failing:
            raise ValueError("ann@example.org")

    badge_awarded.connect(fail)
    content = f"{HEADER}ann,,{COURSE},true,2024-05-01\nben,,{COURSE},true,2024-05-01\n"
    try:
        with pytest.raises(CommandError, match="events of 1 learners could not be applied"):
            backfill(tmp_path, content)
    finally:
        badge_awarded.disconnect(fail)
    assert [award.user.username for award in BadgeAward.objects.all()] == ["ben"]
    assert "1 badges awarded" in backfill(tmp_path, content)


def test_what_names_learners_is_in_no_file_that_a_killed_process_leaves(tmp_path: Path) -> None:
    requires_course(make_template())
    spools = tmp_path / "spools"
    spools.mkdir()
    files: list[Path] = []

    def look(award: BadgeAward, **kwargs: Any) -> None:
        files.extend(path for path in spools.rglob("*") if path.is_file())

    badge_awarded.connect(look)
    try:
        said = backfill(tmp_path, f"{HEADER}ann,,{COURSE},true,2024-05-01\n", spool_dir=spools)
    finally:
        badge_awarded.disconnect(look)
    assert "1 badges awarded" in said
    assert files == []
    assert list(spools.iterdir()) == []


def test_a_full_disk_is_said_with_what_to_do(tmp_path: Path) -> None:
    requires_course(make_template())
    rows = "".join(f"learner{number},,{COURSE},true,2024-05-01\n" for number in range(2000))
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    (tmp_path / "past.csv").touch()
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**18, usual[1]))
    try:
        with pytest.raises(CommandError, match=r"cannot be stored on disk.*--spool-dir"):
            backfill(tmp_path, HEADER + rows)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert not BadgeAward.objects.exists()


def test_the_events_are_sorted_in_no_other_file_than_the_spool(tmp_path: Path) -> None:
    """SQLite would sort them where temporary files go, in a file as large as the spool."""
    statements: list[str] = []
    with Spool(tmp_path) as spool:
        spool._database.set_trace_callback(statements.append)
        assert spool.count_learners() == len(list(spool.by_learner())) == 0
        spool._database.set_trace_callback(None)
        plans = [
            step for each in statements for *_, step in spool._database.execute(f"EXPLAIN QUERY PLAN {each}").fetchall()
        ]
    assert any("by_learner" in step for step in plans)
    assert not [step for step in plans if "TEMP B-TREE" in step]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ada@example.org", "is an e-mail address"),
        ("ada\uff20example.org", "is an e-mail address"),
        ("ada/lovelace", "characters that the LMS does not allow"),
        ("<ada>", "characters that the LMS does not allow"),
        ("ada;bob", "characters that the LMS does not allow"),
        ("a", "too short"),
        ("retired__user_0a1b", "was retired"),
    ],
)
def test_c6_a_name_that_the_lms_cannot_have_is_refused_with_its_line(
    tmp_path: Path, heard: Heard, name: str, reason: str
) -> None:
    requires_course(make_template())
    with pytest.raises(CommandError, match="1 errors; nothing was applied") as refused:
        backfill(tmp_path, f"{HEADER}ann,,{COURSE},true,2024-05-01\n{name},,{COURSE},true,2024-05-01\n")
    assert "line 3: " in str(refused.value)
    assert reason in str(refused.value)
    assert not User.objects.filter(username__in=["ann", name]).exists()


@pytest.mark.parametrize("name", ["ann-marie", "ann_2", "ann.m", "J\xfcrgen", "ann marie", "\u592a\u90ce", "x" * 150])
def test_c6_a_name_that_an_lms_can_have_is_taken(tmp_path: Path, heard: Heard, name: str) -> None:
    requires_course(make_template())
    backfill(tmp_path, f"{HEADER}{name},,{COURSE},true,2024-05-01\n")
    assert [award.user.username for award in heard.awarded] == [name]


@pytest.mark.parametrize(
    "key",
    [
        "library-v1:Demo+Library",
        "course-v1:Demo+Badges+1+branch@draft-branch",
        "course-v1:Demo+Badges+1+version@519665f6223ebd6980884f2b",
        "block-v1:Demo+Badges+1+type@video+block@1",
        "lib:Demo:Library",
    ],
)
def test_c6_what_is_no_course_run_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(CommandError, match=r"line 2: .* is not (the key of a course run|a course key)"):
        backfill(tmp_path, f"{HEADER}ann,,{key},true,2024-05-01\n")


NEWCOMERS = (
    f"{HEADER}known,,{COURSE},true,2024-05-01\nann,,{COURSE},true,2024-05-01\n,7,{COURSE},true,2024-05-01\n"
    f"ben,9,{COURSE},true,2024-05-01\nann,,{COURSE},false,2024-05-02\nrenamed,7,{COURSE},false,2024-05-03\n"
    f"nobody,,course-v1:Of+No+Interest,true,2024-05-01\n,55,{COURSE},true,2024-05-01\n"
)


@pytest.mark.parametrize("dry_run", [True, False])
def test_c6_who_is_new_is_named_with_the_line(tmp_path: Path, dry_run: bool) -> None:
    requires_course(make_template())
    make_user(username="known")
    make_user(username="by-id", lms_user_id=7)
    said = backfill(tmp_path, NEWCOMERS, dry_run=dry_run)
    title = "Would be new here:" if dry_run else "New here:"
    assert f"{title}\n  line 3: ann\n  line 5: ben (LMS user 9)\n" in said
    assert "line 2" not in said
    assert f"2 {'would be ' if dry_run else ''}new here" in said


@pytest.mark.parametrize("dry_run", [True, False])
def test_c6_who_is_new_may_be_refused(tmp_path: Path, heard: Heard, dry_run: bool) -> None:
    requires_course(make_template())
    make_user(username="known")
    make_user(username="by-id", lms_user_id=7)
    with pytest.raises(CommandError, match="3 learners are unknown") as refused:
        backfill(tmp_path, NEWCOMERS, dry_run=dry_run, unknown_learners="refuse")
    assert "  line 3: ann\n  line 5: ben (LMS user 9)\n  line 9: LMS user 55, without a user name" in str(refused.value)
    assert (heard.awarded, User.objects.filter(username__in=["ann", "ben"]).exists()) == ([], False)

    known_only = f"{HEADER}known,,{COURSE},true,2024-05-01\n"
    assert "1 badges" in backfill(tmp_path, known_only, dry_run=dry_run, unknown_learners="refuse")


@pytest.mark.parametrize("dry_run", [True, False])
def test_c6_an_unknown_id_without_a_user_name_is_refused_with_its_line(
    tmp_path: Path, heard: Heard, dry_run: bool
) -> None:
    requires_course(make_template())
    make_user(username="by-id", lms_user_id=7)
    rows = f"{HEADER},7,{COURSE},true,2024-05-01\n,55,{COURSE},true,2024-05-01\n"
    with pytest.raises(CommandError, match="1 learners are unknown") as refused:
        backfill(tmp_path, rows, dry_run=dry_run, unknown_learners="refuse")
    assert str(refused.value).endswith("  line 3: LMS user 55, without a user name")
    assert heard.awarded == []

    # By default the others get what they earned, and nobody is said to be new.
    said = backfill(tmp_path, rows, dry_run=dry_run)
    assert "here:" not in said
    assert "Not applied:\n  1 x LMS user 55 is not known here and the event has no user name" in said


def test_c6_a_dry_run_names_everybody_who_is_new(tmp_path: Path) -> None:
    requires_course(make_template())
    rows = "".join(f"learner{number},,{COURSE},true,2024-05-01\n" for number in range(70))
    said = backfill(tmp_path, HEADER + rows, dry_run=True)
    assert "  line 71: learner69\n" in said
