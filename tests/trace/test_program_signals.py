"""Signals to kab are its program's, each once, from wherever they come."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.command import COMMAND, TIMEOUT_S, environment
from support.patience import PATIENCE_S
from support.processes import linux
from support.terminals import CTRL_BACKSLASH, CTRL_C, CTRL_Z, at_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.terminals import Typist

pytestmark = linux
TRACE = (*COMMAND, "trace", "--quiet")
HEARING = """
import os, signal, sys

def hear(number, frame):
    os.write(1, f"<{signal.Signals(number).name}>".encode())

for name in sys.argv[1:]:
    signal.signal(getattr(signal, name), hear)
signal.signal(signal.SIGVTALRM, lambda *_: os._exit(7))
os.write(1, b"<ready %d>" % os.getpid())
while True:
    signal.pause()
"""
"""Tells of the signals that are its arguments; the last one of all, SIGVTALRM, ends it."""
HEARD = [
    it.name
    for it in sorted(signal.valid_signals())
    if isinstance(it, signal.Signals)
    and it not in {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGVTALRM}
    and not it.name.startswith("SIGRT")
]
LAST = signal.SIGVTALRM


class Hearing:
    """A program that tells of signals, under kab."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.seen = ""
        self.program = int(self.awaits(">").partition(" ")[2][:-1])

    def awaits(self, text: str) -> str:
        """Wait until it has told something; what it told since the last time."""
        assert self.process.stdout is not None
        found = ""
        while not found.endswith(text):
            part = os.read(self.process.stdout.fileno(), 1).decode()
            assert part, f"it ended, and {text!r} isn't in {found!r}"
            found += part
        self.seen += found
        return found

    def ended(self) -> int:
        """End it; what it told until then."""
        os.kill(self.process.pid, LAST)
        assert self.process.stdout is not None
        self.seen += self.process.stdout.read().decode()
        return self.process.wait(TIMEOUT_S)


@contextmanager
def hearing(*names: str, before: tuple[str, ...] = (), is_leader: bool = True) -> Iterator[Hearing]:
    words = [*before, *TRACE, sys.executable, "-c", HEARING, *names]
    process = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        start_new_session=is_leader,
    )
    with process:
        try:
            yield Hearing(process)
        finally:
            process.kill()


def test_each_signal_to_kab_reaches_the_program_once() -> None:
    with hearing(*HEARD) as it:
        for name in HEARD:
            it.process.send_signal(getattr(signal, name))
            assert it.awaits(">") == f"<{name}>"
        assert it.ended() == 7
        assert it.seen.count("<") == len(HEARD) + 1


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGCONT"])
def test_a_signal_to_the_whole_group_reaches_the_program_once(name: str) -> None:
    with hearing(name, "SIGUSR2") as it:
        for _ in range(20):
            os.killpg(it.process.pid, getattr(signal, name))
            it.awaits(f"<{name}>")
            os.kill(it.process.pid, signal.SIGUSR2)  # kab has passed on by then what it will
            it.awaits("<SIGUSR2>")
        assert it.ended() == 7
        assert it.seen.count(f"<{name}>") == 20


def test_a_signal_from_the_program_to_its_group_reaches_it_once() -> None:
    code = HEARING.replace("while", "os.killpg(0, signal.SIGTERM)\nwhile", 1)
    words = [*TRACE, sys.executable, "-c", code, "SIGTERM", "SIGUSR1"]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, env=environment(), start_new_session=True
    )
    with process:
        it = Hearing(process)
        it.awaits("<SIGTERM>")
        os.kill(process.pid, signal.SIGUSR1)
        it.awaits("<SIGUSR1>")
        assert it.ended() == 7
        assert it.seen.count("<SIGTERM>") == 1


def test_what_the_group_ignores_is_passed_on_to_who_listens() -> None:
    with hearing("SIGHUP", before=("nohup",)) as it:
        it.process.send_signal(signal.SIGHUP)
        assert it.awaits(">") == "<SIGHUP>"
        assert it.ended() == 7


def test_a_kill_of_kab_leaves_the_program_alone() -> None:
    with hearing("SIGTERM") as it:
        it.process.kill()
        it.process.wait(TIMEOUT_S)
        os.kill(it.program, signal.SIGTERM)
        assert it.awaits(">") == "<SIGTERM>"
        os.kill(it.program, LAST)
        assert it.process.stdout is not None
        assert it.process.stdout.read() == b""  # nobody else has it open, no witness either


def test_a_killed_program_is_reported() -> None:
    with hearing() as it:
        os.kill(it.program, signal.SIGKILL)
        _, err = it.process.communicate(timeout=TIMEOUT_S)
        assert it.process.returncode == -signal.SIGKILL
        assert b"raced" in err


def test_sigterm_is_the_programs_to_end_with() -> None:
    ends = "trap 'echo cleaned; exit 9' TERM; echo; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [*TRACE, "sh", "-c", ends],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out) == (9, "cleaned\n")
    assert "raced" in err


@pytest.fixture(scope="module")
def container() -> tuple[str, ...]:
    """Words that make a command the first process of its own."""
    words = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc")
    if shutil.which("unshare") is None:
        pytest.skip("unshare isn't installed")
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("unshare isn't allowed")
    return words


def test_the_first_process_of_a_container_reaps_what_others_leave(
    container: tuple[str, ...],
) -> None:
    leaves = """
import os, time
reads, writes = os.pipe()
if not os.fork():
    if not os.fork():
        os.write(writes, b"%d" % os.getpid())
    os._exit(0)
os.wait()
orphan = int(os.read(reads, 16))
while os.path.exists(f"/proc/{orphan}"):
    time.sleep(0.01)
print("reaped")
"""
    words = [*container, *TRACE, sys.executable, "-c", leaves]
    done = subprocess.run(
        words, capture_output=True, check=True, env=environment(), timeout=TIMEOUT_S
    )
    assert done.stdout == b"reaped\n"


@pytest.mark.parametrize("ends", [LAST, signal.SIGKILL])
def test_the_first_process_of_a_container_passes_signals_on(
    container: tuple[str, ...], ends: signal.Signals
) -> None:
    with hearing("SIGTERM", before=container) as it:
        assert it.program != 1
        first = child_of(it.process.pid)
        os.kill(first, signal.SIGTERM)
        assert it.awaits(">") == "<SIGTERM>"
        if ends == LAST:
            os.kill(first, LAST)
            assert it.process.wait(TIMEOUT_S) == 7
        else:
            os.kill(child_of(first), ends)
            assert it.process.wait(TIMEOUT_S) == 128 + ends


def child_of(pid: int) -> int:
    """The newest child of a process: the witness is older than the program."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max(map(int, children))


@contextmanager
def in_terminal(*names: str) -> Iterator[Typist]:
    """A program that tells of signals, in an interactive shell's terminal."""
    env = {**environment(), "PS1": "shell> ", "TERM": "dumb"}
    with at_terminal("bash", "--norc", "--noprofile", "-i", env=env) as typist:
        typist.awaits("shell> ")
        script = Path(os.environ["PYTEST_HEARING"])
        typist.press(f"{' '.join(TRACE)} {sys.executable} {script} {' '.join(names)}\r")
        typist.awaits("<ready ")
        typist.awaits(">")
        yield typist


@pytest.fixture(autouse=True)
def _script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hearing.py"
    path.write_text(HEARING)
    monkeypatch.setenv("PYTEST_HEARING", str(path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # a kab that is killed leaves its folder


@pytest.mark.parametrize(
    ("keys", "name"), [(CTRL_C, "SIGINT"), (CTRL_BACKSLASH, "SIGQUIT"), (CTRL_Z, "SIGTSTP")]
)
def test_a_key_reaches_the_program_once(keys: str, name: str) -> None:
    with in_terminal(name, "SIGUSR1") as typist:
        for _ in range(10):
            typist.press(keys)
            typist.awaits(f"<{name}>")
            signal_job(typist, signal.SIGUSR1)
            assert name not in typist.awaits("<SIGUSR1>")
        signal_job(typist, LAST)
        typist.awaits("raced")
        typist.awaits("shell> ")
        typist.press("echo code $?\r")
        typist.awaits("code 7")


def signal_job(typist: Typist, number: signal.Signals) -> None:
    """Signal kab alone, the child of the shell."""
    os.kill(child_of(typist.pid), number)


def test_a_terminal_that_changes_its_size_tells_the_program_once() -> None:
    with in_terminal("SIGWINCH", "SIGUSR1") as typist:
        for columns in range(40, 60):
            typist.resizes(columns)
            typist.awaits("<SIGWINCH>")
            signal_job(typist, signal.SIGUSR1)
            assert "WINCH" not in typist.awaits("<SIGUSR1>")


def test_ctrl_c_ends_the_program_then_kab_reports_and_ends_likewise() -> None:
    with in_terminal() as typist:
        typist.press(CTRL_C)
        typist.awaits("KeyboardInterrupt")
        typist.awaits("raced")
        typist.awaits("shell> ")
        typist.press("echo code $?\r")
        typist.awaits("code 130")


def test_ctrl_z_stops_the_job_and_fg_continues_it() -> None:
    with in_terminal("SIGUSR1", "SIGCONT") as typist:
        for _ in range(3):
            typist.press(CTRL_Z)
            typist.awaits("Stopped")
            typist.awaits("shell> ")
            typist.press("fg\r")
            typist.awaits("<SIGCONT>")
            signal_job(typist, signal.SIGUSR1)
            assert "SIGCONT" not in typist.awaits("<SIGUSR1>")
        signal_job(typist, LAST)
        typist.awaits("raced")
        typist.awaits("shell> ")


def test_a_job_in_the_background_is_ended_by_the_shells_kill() -> None:
    with in_terminal("SIGUSR1", "SIGTERM") as typist:
        typist.press(CTRL_Z)
        typist.awaits("shell> ")
        typist.press("bg\r")
        typist.awaits("shell> ")
        typist.press("kill %1\r")
        typist.awaits("<SIGTERM>")
        signal_job(typist, signal.SIGUSR1)
        assert "SIGTERM" not in typist.awaits("<SIGUSR1>")
        signal_job(typist, LAST)
        typist.awaits("raced")


def test_a_program_that_leads_a_session_learns_of_a_terminal_that_closes(tmp_path: Path) -> None:
    """As the first command of `docker run -t`, or of an ssh connection."""
    told = tmp_path / "told"
    loop = "while :; do sleep 0.05; done"
    ends = f"trap 'echo HUP >>{told}; exit 0' HUP; echo ready; {loop}"
    with at_terminal(*TRACE, "sh", "-c", ends, env=environment()) as typist:
        typist.awaits("ready")
        typist.hangs_up()
        assert typist.ended() == 0
    assert told.read_text() == "HUP\n"


def test_a_shell_that_closes_takes_the_job_in_the_background_with_it() -> None:
    with in_terminal() as typist:
        typist.press(CTRL_Z)
        typist.awaits("shell> ")
        typist.press("bg\r")
        typist.awaits("shell> ")
        kab = os.pidfd_open(child_of(typist.pid))
        typist.hangs_up()
        typist.ended()
        assert select.select([kab], [], [], PATIENCE_S)[0], "kab didn't end"
        os.close(kab)


def test_gunicorn_is_told_once_of_each_signal(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def app(environ, start_response):\n    return []\n")
    gunicorn = (sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "app:app")
    process = subprocess.Popen(
        [*TRACE, *gunicorn],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    with process:
        assert process.stderr is not None
        told = []

        def awaits(text: str) -> None:
            for line in iter(process.stderr.readline, ""):  # type: ignore[union-attr]  # it is a pipe
                told.append(line)
                if text in line:
                    return
            pytest.fail(f"{text!r} isn't in {told}")

        try:
            awaits("Booting worker")
            process.send_signal(signal.SIGTTIN)
            awaits("Booting worker")
            os.killpg(process.pid, signal.SIGWINCH)
            process.send_signal(signal.SIGHUP)
            awaits("Hang up")
            awaits("Booting worker")
            process.send_signal(signal.SIGUSR1)
            awaits("Handling signal: usr1")
            process.send_signal(signal.SIGTERM)
            told += process.stderr.readlines()
            assert process.wait(TIMEOUT_S) == 0
        finally:
            process.kill()
    text = "".join(told)
    for name in ("ttin", "hup", "usr1", "term"):
        assert text.count(f"Handling signal: {name}") == 1, text
    assert "Traced: " in text
