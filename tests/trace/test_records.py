"""How a process records: nothing is lost, and nothing of the program's is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from itertools import count
from typing import TYPE_CHECKING

import pytest
from support.pythons import (
    BEGIN,
    VERSIONS,
    environment,
    needed_python,
    only_process,
    read_whole,
    run,
    traced,
)

from keepalive_bench.trace.reading import read
from keepalive_bench.trace.tracer._kab_tracer import layout
from keepalive_bench.trace.tracer._kab_tracer.records import Records

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.trace.recording import Process

every_version = pytest.mark.parametrize("version", VERSIONS)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells what is open, and limits")

ADD = """
from _kab_tracer import layout
def add(first, after):
    for number in range(first, after):
        records.add(layout.CHILD, 0, number, 1.0)
"""


def pids(process: Process) -> list[int]:
    return [it.pid for it in process.children]


def add(records: Records, first: int, after: int) -> None:
    for number in range(first, after):
        records.add(layout.CHILD, 0, number, 1.0)


def test_records_are_there_as_soon_as_they_are_written(tmp_path: Path) -> None:
    records = Records(str(tmp_path), 0)
    add(records, 1, 5000)
    assert pids(only_process(tmp_path)) == list(range(1, 5000))


def test_a_process_tells_when_it_ended(tmp_path: Path) -> None:
    records = Records(str(tmp_path), 0)
    assert only_process(tmp_path).ended_s is None
    records.end()
    process = only_process(tmp_path)
    assert process.ended_s is not None
    assert process.ended_s > process.started_s


@pytest.mark.parametrize("text", ["a", "é" * 100, "x" * layout.LONGEST_TEXT, "\ud800"])
def test_texts_come_back_as_they_were(tmp_path: Path, text: str) -> None:
    records = Records(str(tmp_path), 0)
    records.note(text)
    (trouble,) = read(tmp_path).processes[0].troubles
    assert trouble == text.encode("utf-8", "backslashreplace").decode()


def test_a_text_is_cut_short(tmp_path: Path) -> None:
    records = Records(str(tmp_path), 0)
    records.note("x" * (layout.LONGEST_TEXT + 1))
    assert read(tmp_path).processes[0].troubles == ("x" * layout.LONGEST_TEXT,)


def test_a_text_is_written_once(tmp_path: Path) -> None:
    records = Records(str(tmp_path), 0)
    assert records.text("here") == records.text("here") != records.text("there")


def test_threads_that_record_at_once_lose_nothing(tmp_path: Path) -> None:
    records, those, each = Records(str(tmp_path), 0), 8, 20_000
    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [
            threading.Thread(target=add, args=(records, 1 + each * it, 1 + each * (it + 1)))
            for it in range(those)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switching)
    assert sorted(pids(only_process(tmp_path))) == list(range(1, 1 + each * those))


def test_a_signals_handler_may_record_in_the_middle_of_a_record(tmp_path: Path) -> None:
    records, calls = Records(str(tmp_path), 0), count(1_000_000)

    def handle(*_: object) -> None:
        call = next(calls)
        records.text(f"call {call}")
        records.add(layout.CHILD, 0, call, 1.0)

    handler = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        add(records, 1, 100_000)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    after = next(calls)
    assert after > 1_000_000
    expected = [*range(1, 100_000), *range(1_000_000, after)]
    assert sorted(pids(only_process(tmp_path))) == expected


def test_all_until_a_kill_is_there(tmp_path: Path) -> None:
    program = f"{BEGIN}{ADD}\nadd(1, 3000)\nprint('ready', flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    recorded = only_process(tmp_path)
    assert pids(recorded) == list(range(1, 3000))
    assert recorded.ended_s is None


def test_a_fork_goes_on_in_files_of_its_own(tmp_path: Path) -> None:
    program = f"""{BEGIN}{ADD}
import os
add(1, 10)
child = os.fork()
if not child:
    add(10, 20)
    os._exit(0)
os.waitpid(child, 0)
add(20, 30)
"""
    run(sys.executable, "-c", program, env=environment(tmp_path))
    parent, child = read_whole(tmp_path).processes
    assert (pids(parent), pids(child)) == ([*range(1, 10), *range(20, 30)], [*range(10, 20)])
    assert (child.parent, child.forked_from) == (parent.pid, parent.key)
    assert child.ended_s is not None


def test_so_does_a_fork_that_python_doesnt_know_of(tmp_path: Path) -> None:
    program = f"""{BEGIN}{ADD}
import ctypes, os
add(1, 10)
child = ctypes.CDLL(None).fork()
if not child:
    records.text("first")
    add(10, 20)
    os.kill(os.getpid(), 9)
os.waitpid(child, 0)
"""
    run(sys.executable, "-c", program, env=environment(tmp_path))
    parent, child = read_whole(tmp_path).processes
    assert (pids(parent), pids(child)) == ([*range(1, 10)], [*range(10, 20)])
    assert child.forked_from == parent.key


@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
def test_processes_of_multiprocessing_record(tmp_path: Path, start: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"""{BEGIN}{ADD}
import multiprocessing, sys
if __name__ == "__main__":
    process = multiprocessing.get_context(sys.argv[1]).Process(target=add, args=(1, 10))
    process.start()
    process.join()
""")
    folder = tmp_path / "records"
    folder.mkdir()
    run(sys.executable, str(program), start, env=environment(folder))
    recorded = [it for it in read_whole(folder).processes if pids(it)[:2] == [1, 2]]
    assert [pids(it) for it in recorded] == [list(range(1, 10))]
    assert recorded[0].ended_s is not None


def test_what_was_recorded_before_exec_stays(tmp_path: Path) -> None:
    program = f"""{BEGIN}{ADD}
import os, sys
add(1, 10)
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
"""
    after = f"{BEGIN}{ADD}\nadd(10, 20)"
    run(sys.executable, "-c", program, after, env=environment(tmp_path))
    first, second = read_whole(tmp_path).processes
    assert (pids(first)[:-1], pids(second)) == ([*range(1, 10)], [*range(10, 20)])
    assert first.pid == second.pid == pids(first)[-1]
    assert first.ended_s is not None


@linux
@every_version
def test_a_program_that_closes_all_files_keeps_its_own(tmp_path: Path, version: str) -> None:
    program = f"""{BEGIN}{ADD}
import os, sys
path = sys.argv[1]
os.closerange(3, 1024)
files = [os.open(path, os.O_RDWR | os.O_CREAT, 0o600) for _ in range(100)]
add(1, 100_000)
class Last:
    def __del__(self, os=os, files=files):
        for file in files:
            os.fstat(file)
            os.write(file, b"whole")
        os.write(1, b"still there")
import builtins
builtins.last = Last()
"""
    python, written = needed_python(version), tmp_path / "written"
    folder = tmp_path / "records"
    folder.mkdir()
    printed = run(python, "-c", program, str(written), env=environment(folder))
    assert printed == "still there"
    assert written.read_text() == "whole"
    assert pids(only_process(folder)) == list(range(1, 100_000))


@linux
@every_version
def test_no_file_is_closed_as_python_ends(tmp_path: Path, version: str) -> None:
    # What closes one by number shows in a file that only C has by number.
    program = f"""{BEGIN}{ADD}
import ctypes, os, sys
c = ctypes.CDLL(None)
os.closerange(3, 1024)
files = [os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600) for _ in range(100)]
add(1, 10_000)
c.fdopen.restype = ctypes.c_void_p
for file in files:
    stream = c.fdopen(file, b"a")
    assert stream
    assert c.fputs(b"x", ctypes.c_void_p(stream)) >= 0
"""
    written = tmp_path / "written"
    folder = tmp_path / "records"
    folder.mkdir()
    run(needed_python(version), "-c", program, str(written), env=environment(folder))
    assert written.read_text() == "x" * 100  # C writes at exit, after Python's end


@linux
@every_version
def test_no_file_of_the_tracers_is_open(tmp_path: Path, version: str) -> None:
    count = "import os; print(len(os.listdir('/proc/self/fd')))"
    python = needed_python(version)
    before = run(python, "-c", count, env={**os.environ})
    program = f"{BEGIN}{ADD}\nadd(1, 10_000)\n{count}"
    assert run(python, "-c", program, env=environment(tmp_path)) == before


@linux
@every_version
@pytest.mark.parametrize("action", ["SIG_DFL", "SIG_IGN"])
def test_a_limit_of_files_lengths_ends_recording_alone(
    tmp_path: Path, version: str, action: str
) -> None:
    program = f"""{BEGIN}{ADD}
import resource, signal
signal.signal(signal.SIGXFSZ, signal.{action})
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
add(1, 60_000)
print("on")
"""
    assert run(needed_python(version), "-c", program, env=environment(tmp_path)) == "on\n"
    (process,) = read(tmp_path).processes
    assert pids(process) == list(range(1, 1 + len(process.children)))
    assert process.lost == 59_999 - len(process.children) > 0
    assert process.troubles == ("records lost: File too large",)


def test_recording_ends_at_its_limit_and_the_program_does_not(tmp_path: Path) -> None:
    program = f"{BEGIN}{ADD}\nadd(1, 60_000)\nprint('on')"
    most = 1_000_000
    env = environment(tmp_path, _KAB_TRACE_LIMIT=str(most))
    assert run(sys.executable, "-c", program, env=env) == "on\n"
    (process,) = read(tmp_path).processes
    assert process.lost == 59_999 - len(process.children) > 0
    assert process.troubles == ("records lost: their limit is reached",)
    assert sum(it.stat().st_size for it in tmp_path.glob("*.kab")) <= most


def test_the_limit_holds_for_all_processes_together(tmp_path: Path) -> None:
    program = """
        import os
        for _ in range(100):
            child = os.fork()
            if not child:
                os._exit(0)
            os.waitpid(child, 0)
    """
    most = 50 * layout.FIRST_SLOTS * layout.SLOT_BYTES
    run(
        *(sys.executable, "-c", program.replace("\n        ", "\n")),
        env=environment(tmp_path, _KAB_TRACE_LIMIT=str(most)),
    )
    recording = read(tmp_path)
    assert sum(it.stat().st_size for it in tmp_path.glob("*.kab")) <= most
    told = {it.pid for it in recording.processes[0].children}
    assert len(told) + len(recording.processes) == 101


def test_where_the_folder_is_gone_the_program_runs(tmp_path: Path) -> None:
    assert traced(tmp_path / "gone", "print('on')") == "on\n"


def test_a_folder_that_goes_away_is_told_as_a_loss(tmp_path: Path) -> None:
    program = f"""{BEGIN}{ADD}
import os, sys
os.rename(sys.argv[1], sys.argv[1] + "-moved")
add(1, 60_000)
print("on")
"""
    folder = tmp_path / "records"
    folder.mkdir()
    assert run(sys.executable, "-c", program, str(folder), env=environment(folder)) == "on\n"
    (process,) = read(tmp_path / "records-moved").processes
    assert process.lost == 59_999 - len(process.children) > 0
    assert process.troubles == ("records lost: No such file or directory",)


@linux
def test_records_go_on_where_there_were_no_files_to_open_for_a_while(tmp_path: Path) -> None:
    program = f"""{BEGIN}{ADD}
import os, time
taken = []
try:
    while True:
        taken.append(os.dup(1))
except OSError:
    pass
add(1, 10_000)
for file in taken:
    os.close(file)
time.sleep(0.11)
add(10_000, 10_010)
"""
    run(sys.executable, "-c", program, env=environment(tmp_path))
    (process,) = read(tmp_path).processes
    assert pids(process)[-10:] == list(range(10_000, 10_010))
    assert process.lost == 10_009 - len(process.children) > 0
    assert process.troubles == ("records lost: Too many open files",)


@linux
def test_a_connection_that_failed_when_there_was_no_room_may_be_opened_later(
    tmp_path: Path,
) -> None:
    program = f"""{BEGIN}{ADD}
import os, time
from _kab_tracer.lives import Connection, Tracer
connection = Connection(Tracer(records))
taken = []
try:
    while True:
        taken.append(os.dup(1))
except OSError as error:
    add(1, 10_000)
    connection.failed("http://127.0.0.1:80", error)
for file in taken:
    os.close(file)
time.sleep(0.11)
connection.connected("http://127.0.0.1:80", is_all=True)
"""
    run(sys.executable, "-c", program, env=environment(tmp_path))
    (process,) = read(tmp_path).processes
    (connection,) = process.connections()
    assert (connection.failure, connection.ending) == (None, "collected")


def on_a_small_disk(folder: Path, program: str, options: str) -> str:
    """What a program prints whose records go to a file system of its own, which is copied then."""
    mounted, copied = folder / "disk", folder / "copy"
    mounted.mkdir()
    copied.mkdir()
    script = """
        mount -t tmpfs -o size=700k none "$1" && mount -o "remount,$2" "$1" || exit 77
        "$3" -c "$4"
        cp "$1"/* "$5" 2>/dev/null
        rm -f "$1"/*; df --output=used "$1" | tail -1
    """
    done = subprocess.run(
        [
            *("unshare", "--mount", "sh", "-c", script, "sh", str(mounted), options),
            *(sys.executable, program, str(copied)),
        ],
        env=environment(mounted),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("nothing can be mounted here")
    assert done.stderr == ""
    return done.stdout


@as_root
@linux
def test_a_full_disk_ends_recording_and_not_the_program(tmp_path: Path) -> None:
    program = f"""{BEGIN}{ADD}
import shutil
add(1, 60_000)
print(shutil.disk_usage(records.folder).free > 0)
"""
    assert on_a_small_disk(tmp_path, program, "rw").startswith("True\n")
    (process,) = read(tmp_path / "copy").processes
    assert pids(process) == list(range(1, 1 + len(process.children)))
    assert process.lost == 59_999 - len(process.children) > 0
    assert process.troubles == ("records lost: No space left on device",)


@as_root
@linux
def test_a_disk_that_can_only_be_read_is_nobodys_trouble(tmp_path: Path) -> None:
    assert on_a_small_disk(tmp_path, "print('on')", "ro").startswith("on\n")


@as_root
@pytest.mark.usefixtures("uncovered")
def test_a_program_that_becomes_another_user_goes_on_recording(tmp_path: Path) -> None:
    program = f"{BEGIN}{ADD}\nimport os\nos.setuid(65534)\nadd(1, 60_000)"
    run(sys.executable, "-c", program, env=environment(tmp_path))
    assert pids(only_process(tmp_path)) == list(range(1, 60_000))


@as_root
@pytest.mark.usefixtures("uncovered")
def test_so_does_one_that_changes_its_root(tmp_path: Path) -> None:
    program = f"{BEGIN}{ADD}\nimport os\nos.chroot({str(tmp_path)!r})\nadd(1, 60_000)"
    run(sys.executable, "-c", program, env=environment(tmp_path))
    assert pids(only_process(tmp_path)) == list(range(1, 60_000))


@as_root
@pytest.mark.usefixtures("uncovered")
def test_what_it_forks_then_is_told_of_by_its_parent(tmp_path: Path) -> None:
    program = f"""{BEGIN}{ADD}
import os
os.setuid(65534)
child = os.fork()
if not child:
    add(1, 10)
    os._exit(0)
os.waitpid(child, 0)
print(child)
"""
    child = int(run(sys.executable, "-c", program, env=environment(tmp_path)))
    (process,) = read_whole(tmp_path).processes
    (told,) = process.children
    assert (told.pid, told.is_python, told.is_shut_out) == (child, True, True)


@as_root
@pytest.mark.usefixtures("uncovered")
def test_records_of_a_first_file_go_on_where_c_changes_the_user(tmp_path: Path) -> None:
    program = f"{BEGIN}{ADD}\nimport ctypes\nctypes.CDLL(None).setuid(65534)\nadd(1, 10_000)"
    tmp_path.chmod(0o700)
    run(sys.executable, "-c", program, env=environment(tmp_path))
    (process,) = read(tmp_path).processes
    assert process.lost == 9_999 - len(process.children)
    assert len(process.children) > 4_000
    assert process.troubles == ("records lost: Permission denied",)


def test_an_error_of_the_tracers_is_told_without_what_it_says(tmp_path: Path) -> None:
    records = Records(str(tmp_path), 0)
    try:
        raise ValueError("secret")  # noqa: TRY301  # with a traceback, as one is caught
    except ValueError as error:
        records.trouble(error)
        records.trouble(error)
    (process,) = read(tmp_path).processes
    assert process.errors == 2
    (trouble,) = process.troubles
    assert trouble.startswith("ValueError at test_records.py:")


def test_no_clock_is_where_freezegun_would_replace_it() -> None:
    clocks = {time.time, time.time_ns, time.perf_counter, time.monotonic}
    package = Records.__module__.rpartition(".")[0]
    for name, module in list(sys.modules.items()):
        if name.startswith(package):
            assert not [it for it in vars(module).values() if callable(it) and it in clocks]
