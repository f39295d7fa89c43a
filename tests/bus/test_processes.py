"""Children start, get ready, and are gone afterwards."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from sandbox.demo.processes import Child, Processes, ProcessFailed

READY_THEN_SLEEP = 'import time; print(\'{"port": "1"}\', flush=True); time.sleep(60)'
IGNORES_TERM = "import signal, time; signal.signal(15, signal.SIG_IGN); print('{}', flush=True); time.sleep(60)"
LEAVES_A_CHILD = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    'print(\'{"child": "%d"}\' % child.pid, flush=True); child.wait()'
)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_what_it_says_when_ready_and_its_clean_end(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        child = processes.start("one", python(READY_THEN_SLEEP))
        assert child.wait_for_json() == {"port": "1"}
        assert child.stop() == -signal.SIGTERM
    assert not is_alive(child.pid)


def test_its_environment_is_ours_and_more(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        code = "import os; print(os.environ['MORE'], os.environ['PATH'])"
        child = processes.start("one", python(code), environ={"MORE": "more"})
        assert child.wait() == 0
        assert child.output().split() == ["more", os.environ["PATH"]]


def test_it_is_talked_to_and_told_that_this_was_all(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        child = processes.start("echo", python("import sys; print(sys.stdin.read().upper(), end='')"))
        child.send_line("hello")
        child.end_input()
        assert child.wait() == 0
        assert child.output() == "HELLO\n"


def test_a_second_run_of_a_name_has_its_own_output(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        for word in ("first", "second"):
            child = processes.start("one", python(f"print('{word}')"))
            child.wait()
            assert child.output() == f"{word}\n"


def test_one_that_ends_early_is_reported_with_its_log(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes, pytest.raises(ProcessFailed, match=r"exit code 3(.|\n)*out of paper"):
        processes.start("one", python("import sys; sys.stderr.write('out of paper'); sys.exit(3)")).wait_for_json()


def test_one_that_never_gets_ready_is_reported(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes, pytest.raises(ProcessFailed, match=r"not after 0.2 s"):
        processes.start("one", python("import time; time.sleep(60)")).wait_for_json(timeout=0.2)


def test_one_that_does_not_want_to_end_is_ended(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        child = processes.start("stubborn", python(IGNORES_TERM))
        child.wait_for_json()
        assert child.stop(grace=0.2) == -signal.SIGKILL


def test_its_own_children_end_with_it(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        child = processes.start("parent", python(LEAVES_A_CHILD))
        grandchild = int(child.wait_for_json()["child"])
        child.kill()
    deadline = time.monotonic() + 5
    while is_alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(grandchild)


def test_an_exception_leaves_nothing_running(tmp_path: Path) -> None:
    children: list[Child] = []

    def fail() -> None:
        with Processes(tmp_path) as processes:
            children.extend(processes.start(name, python(READY_THEN_SLEEP)) for name in ("one", "two"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [is_alive(child.pid) for child in children] == [False, False]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_supervisor_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    supervisor = (
        "import signal, sys, time; from pathlib import Path; from sandbox.demo.processes import Processes\n"
        # What runs in the background of a script has interrupts ignored, and hands that down.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"with Processes(Path({str(tmp_path / 'inner')!r})) as processes:\n"
        f"    child = processes.start('child', [sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        '    print(\'{"child": "%d"}\' % child.pid, flush=True)\n'
        "    time.sleep(60)\n"
    )
    with Processes(tmp_path) as processes:
        outer = processes.start("supervisor", python(supervisor), environ={"PYTHONPATH": os.pathsep.join(sys.path)})
        child = int(outer.wait_for_json()["child"])
        outer.signal(number)
        assert outer.wait() != 0
        assert not is_alive(child)
