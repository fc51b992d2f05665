from __future__ import annotations

import io
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from server.wire import TIMEOUT_S, settings

from keepalive_bench.errors import KabError, UsageError
from keepalive_bench.server import ServerProcess, ServerSettings, Stats, process, serve_forever

ROOT = Path(__file__).parents[2]
SERVE = """
import sys
from keepalive_bench.server import ServerSettings, serve_forever
serve_forever(ServerSettings(), sys.stdout)
"""
PARENT = """
import signal
from keepalive_bench.server import ServerProcess
print(ServerProcess().pid, flush=True)
signal.pause()
"""


def started(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_line(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline().rstrip()


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_cleanly_and_it_tells_its_counts(which: signal.Signals) -> None:
    with started(SERVE) as program:
        assert first_line(program).startswith("Serving http://127.0.0.1:")
        program.send_signal(which)
        output, errors = program.communicate(timeout=TIMEOUT_S)
    assert (output, errors) == ("accepts 0, handshakes 0, requests 0\n", "")
    assert program.returncode == 0


def test_serving_in_this_process_leaves_the_signal_handlers_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = [signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)]
    output = io.StringIO()

    def interrupt(stream: io.StringIO, line: str) -> None:
        stream.write(f"{line}\n")
        if line.startswith("Serving"):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(process, "_say", interrupt)
    assert serve_forever(ServerSettings(), output) == Stats()
    assert output.getvalue().endswith("accepts 0, handshakes 0, requests 0\n")
    assert [signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_server_process_serves_and_tells_what_asking_it_costs() -> None:
    with ServerProcess() as server:
        assert server.url == f"http://{server.host}:{server.port}"
        assert server.stats() == Stats(accepts=1, requests=1, stats_requests=1)
        assert server.stats() == Stats(accepts=2, requests=2, stats_requests=2)
        final = server.stop()
    assert final == Stats(accepts=2, requests=2, stats_requests=2)
    assert server.stop() == final


def test_a_server_process_behaves_as_told(tmp_path: Path) -> None:
    options = settings(tls=True, host="::1", close_after=1, record=tmp_path / "record.jsonl")
    with ServerProcess(options) as server:
        assert server.url == f"https://[::1]:{server.port}"
        assert server.stats() == Stats(accepts=1, handshakes=1, requests=1, stats_requests=1)
        assert server.certificate.read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert "GET /stats" in (tmp_path / "record.jsonl").read_text()


def test_headers_of_a_megabyte_reach_the_server_process() -> None:
    with ServerProcess(settings(headers=(("X-Long", "x" * 1024 * 1024),))) as server:
        assert server.stats().requests == 1


def test_what_a_server_process_refuses_is_a_usage_error_here() -> None:
    with pytest.raises(UsageError, match=r"Other machines could reach '0\.0\.0\.0'"):
        ServerProcess(settings(host="0.0.0.0"))  # noqa: S104


def test_a_file_of_the_users_is_not_taken_for_a_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "socket.py").write_text("raise SystemExit('this is not the socket you want')")
    monkeypatch.chdir(tmp_path)
    with ServerProcess() as server:
        assert server.stats().accepts == 1


def test_a_ctrl_c_does_not_reach_the_server_process() -> None:
    with ServerProcess() as server:
        os.kill(server.pid, signal.SIGINT)
        assert os.getsid(server.pid) != os.getsid(0)
        assert server.stats().accepts == 1


def test_sigterm_ends_the_server_process_and_its_counts_are_not_lost() -> None:
    with ServerProcess() as server:
        server.stats()
        os.kill(server.pid, signal.SIGTERM)
        os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
        assert server.stop() == Stats(accepts=1, requests=1, stats_requests=1)


def test_a_server_process_that_was_killed_is_reported() -> None:
    server = ServerProcess()
    os.kill(server.pid, signal.SIGKILL)
    with pytest.raises(KabError, match=r"ended by itself \(exit code -9\)"):
        server.stop()


def test_a_server_process_that_was_killed_hides_no_other_error() -> None:
    def kill_and_fail() -> None:
        with ServerProcess() as server:
            os.kill(server.pid, signal.SIGKILL)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        kill_and_fail()


def test_a_server_process_that_cannot_start_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(KabError, match=r"ended by itself \(exit code 1\)"):
        ServerProcess()


def test_the_server_process_dies_with_a_parent_that_was_killed() -> None:
    with started(PARENT) as parent:
        child = int(first_line(parent))
        # A descriptor of a process becomes readable when the process ends, whoever its parent.
        descriptor = os.pidfd_open(child)
        parent.kill()
        ended, _, _ = select.select([descriptor], [], [], TIMEOUT_S)
        os.close(descriptor)
        _, errors = parent.communicate(timeout=TIMEOUT_S)
    assert ended, "the child outlived its parent"
    assert errors == ""


def test_a_child_without_any_words_from_its_parent_ends() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "keepalive_bench.server.process"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=TIMEOUT_S,
    )
    assert (ended.stdout, ended.stderr) == (b"", b"")


def test_a_child_whose_parent_is_gone_before_it_serves_ends_without_a_word() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    ended = subprocess.run(
        [sys.executable, "-m", "keepalive_bench.server.process"],
        cwd=ROOT,
        input=f"{ServerSettings().to_json()}\n".encode(),
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
        timeout=TIMEOUT_S,
    )
    os.close(theirs)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_child_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keepalive_bench.server.child._TIMEOUT_S", 0.2)
    server = ServerProcess()
    os.kill(server.pid, signal.SIGSTOP)
    with pytest.raises(KabError, match="exit code -9"):
        server.stop()


def test_starting_a_server_process_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with ServerProcess():
        pass
    assert threading.active_count() == before
