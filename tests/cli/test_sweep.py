"""`kab sweep`, as its users call it."""

from __future__ import annotations

import json
import re
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest
from support.command import called, ended, started
from support.misbehaving import ANSWER, Peer, misbehaving
from support.patience import PATIENCE_S

from keepalive_bench import analyse
from keepalive_bench.cli import session
from keepalive_bench.server import Behaviour, ServerProcess, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from keepalive_bench import Run
    from keepalive_bench.analysis import Analysis

_SLOW = ServerSettings(behaviour=Behaviour(delay_s=0.03))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ServerProcess(_SLOW) as server:
        yield server.url


def rows(text: str) -> dict[str, list[str]]:
    """The rows of the first table, by their value."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        first, *cells = re.split(r"  +", line.strip())
        if first.isdigit():
            found.setdefault(first, cells)
    return found


def test_the_report_has_a_row_for_each_value_and_one_sentence(url: str) -> None:
    done = called("sweep", url, "--maxsize", "1,4,8", "-c", "4", "-n", "12")
    assert (done.code, done.err) == (0, "")
    found = {value: cells[:5] for value, cells in rows(done.out).items()}
    small = found.pop("1")
    assert found == {value: ["12", "4", "4", "100 %", "0"] for value in ("4", "8")}
    # Three bursts open ten, but for a thread that a busy machine keeps until another is done.
    assert 6 < int(small[1]) == int(small[4]) + 1 <= 10
    assert "traffic in bursts" in done.out
    text = " ".join(done.out.split())
    assert "maxsize 4 is the smallest that reuses every connection of 4 threads in bursts" in text


def test_every_export_is_written_and_a_stored_sweep_is_shown_the_same(
    url: str, tmp_path: Path
) -> None:
    names = ("json", "csv", "markdown", "junit", "openmetrics", "html")
    files = [word for name in names for word in (f"--{name}", str(tmp_path / name))]
    demands = ["--require", "recommendation.maxsize<=4", "--require", "recommendation.maxsize<4"]
    done = called("sweep", url, "--maxsize", "1,4", "-c", "4", "-n", "8", *files, *demands)
    assert done.code == 4
    assert all((tmp_path / name).stat().st_size for name in names)
    document = json.loads((tmp_path / "json").read_text("utf-8"))
    assert document["recommendation"]["maxsize"] == 4
    assert [it["status"] for it in document["requirements"]] == ["met", "missed"]
    assert "kab_recommended{" in (tmp_path / "openmetrics").read_text("utf-8")
    assert "What each value does" in (tmp_path / "markdown").read_text("utf-8")
    again = called("report", str(tmp_path / "json"), "--json", str(tmp_path / "again"))
    assert (again.code, again.out) == (4, done.out)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "json").read_bytes()


@pytest.mark.slow
def test_both_kinds_of_traffic_are_shown_one_after_the_other(url: str) -> None:
    done = called("sweep", url, "--maxsize", "1,2", "-c", "2", "-n", "20", "--traffic", "both")
    assert done.code == 0
    sentences = [line for line in done.lines if "is the smallest" in line]
    assert sentences[0].startswith("maxsize 2 is the smallest that reuses every connection of 2 ")
    assert done.out.index("traffic in bursts") < done.out.index("steady traffic")


def test_ctrl_c_after_the_first_of_both_is_the_end(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressing(run: Run) -> Analysis:
        signal.raise_signal(signal.SIGINT)
        return analyse(run)

    monkeypatch.setattr(session, "analyse", pressing)
    done = called("sweep", url, "--maxsize", "1,2", "-c", "2", "-n", "8", "--traffic", "both")
    assert done.code == 130
    assert "traffic in bursts" in done.out
    assert "steady traffic" not in done.out


@pytest.mark.slow
def test_of_both_kinds_of_traffic_each_has_files_of_its_own(url: str, tmp_path: Path) -> None:
    options = ["--maxsize", "1,2", "-c", "2", "-n", "20", "--traffic", "both"]
    targets = ["--json", str(tmp_path / "run.v2.json.gz"), "--csv", str(tmp_path / "rows")]
    done = called("sweep", url, *options, *targets)
    assert (done.code, done.err) == (0, "")
    named = {
        f"{name}" for it in ("bursts", "steady") for name in (f"run.v2-{it}.json.gz", f"rows-{it}")
    }
    assert {path.name for path in tmp_path.iterdir()} == named
    for traffic in ("bursts", "steady"):
        again = called("report", str(tmp_path / f"run.v2-{traffic}.json.gz"), "--json", "-")
        assert json.loads(again.out)["sweep"]["traffic"] == traffic
        assert len((tmp_path / f"rows-{traffic}").read_text("utf-8").splitlines()) == 1 + 2 * 20


def test_without_values_sizes_are_doubled_up_to_twice_the_concurrency(url: str) -> None:
    done = called("sweep", url, "-c", "3", "-n", "6")
    assert list(rows(done.out)) == ["1", "2", "3", "6"]


def test_its_report_has_the_option_that_shows_what_it_leaves_out(url: str) -> None:
    # "2 more with -v" stood below the findings of a sweep, which had no -v.
    done = called("sweep", url, "--maxsize", "1,2", "-c", "2", "-n", "4", "-v")
    assert (done.code, " with -v" in done.out) == (0, False)
    assert "; seed " in done.out
    assert done.out.count("\nconnection ") >= 3


def test_bodies_of_each_size_are_posted(url: str) -> None:
    done = called("sweep", url, "--data-size", "0,1kB", "-c", "1", "-n", "10")
    assert done.code == 0
    assert any(line.startswith("POST ") for line in done.lines)
    assert "22 POST requests will be sent" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--maxsize", "4"], "none has"),
        (["--maxsize", "1,2", "--concurrency", "1,2"], "maxsize and concurrency have"),
        (["--maxsize", "1,x"], "can't be 'x'"),
        (["--maxsize", "1,2,1"], "'1' twice"),
        (["--maxsize", "0,2"], "maxsize must be from 1"),
        (["--data-size", "1kB,2kB", "-d", "x"], "makes the body itself"),
        (["--data-size", "1kB", "--maxsize", "1,2"], "one body goes with --data"),
        (["--traffic", "both", "--json", "-"], "standard output can't be all of them"),
        (["--traffic", "both", "--csv", "/dev/null"], "/dev/null can't be all of them"),
        (["--require", "recommendation.maxsiz<=3"], "recommendation.maxsize"),
    ],
)
def test_what_makes_no_sense_is_one_sentence_and_sends_nothing(
    options: list[str], said: str
) -> None:
    done = called("sweep", "http://127.0.0.1:9/", *options)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: ")
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_a_server_that_is_not_there_is_exit_code_1() -> None:
    done = called("sweep", "http://127.0.0.1:9/", "--maxsize", "1,2", "-c", "2", "-n", "10")
    assert done.code == 1
    assert "Traceback" not in done.text


def test_answers_that_were_not_expected_are_exit_code_1(url: str) -> None:
    options = ["--maxsize", "1,2", "-c", "2", "-n", "20", "--expect-status", "404"]
    assert called("sweep", url, *options).code == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            ["1,4", "-c", "4", "-n", "7"],
            "Too few requests: a connection can't be reused before each thread sends a second one.",
        ),
        (["1,4", "-c", "4", "-n", "8"], "maxsize 4 is the smallest that reuses every connection"),
        (
            ["1,2", "-c", "16", "-n", "48"],
            "None of these values is enough for 16 threads in bursts: ",
        ),
    ],
)
def test_what_a_server_that_keeps_all_connections_open_lets_be_said(
    url: str, options: list[str], expected: str
) -> None:
    done = called("sweep", url, "--maxsize", *options)
    assert done.code == 0
    assert expected in " ".join(done.out.split())


def test_where_the_server_keeps_no_connection_no_size_is_recommended() -> None:
    with ServerProcess(ServerSettings(behaviour=Behaviour(close_after=1))) as server:
        done = called("sweep", server.url, "--maxsize", "1,2", "-c", "2", "-n", "20")
    assert "No maxsize helps here" in " ".join(done.out.split())


def test_what_several_values_have_in_common_is_said_once() -> None:
    with ServerProcess(ServerSettings(behaviour=Behaviour(close_after=1))) as server:
        options = ["--maxsize", "1,2,4", "-c", "2", "-n", "20"]
        done = called("sweep", server.url, *options, env={"COLUMNS": "400"})
        assert server.stop().accepts == 3 * (20 + 1)
    assert [line for line in done.lines if "Connection: close" in line and line[0] == "!"] == [
        (
            "! The server sent Connection: close after every request (maxsize 1, 20 times; 18 "
            "reopened). Likewise, with other figures: maxsize 2 and 4. Keep-alive is off there, or "
            "limited to one request. kab serve answered: see its --connection-close; if a proxy "
            "stands in front of it, look there first. [server-close]"
        )
    ]


class InPairs:
    """A script: answer two requests at once, so that each burst of two needs two connections."""

    def __init__(self, bursts: int) -> None:
        self._left = bursts
        self.reached = threading.Event()
        self._pair = threading.Barrier(2, action=self._count)

    def __call__(self, peer: Peer) -> None:
        while peer.read_request():
            self._pair.wait()
            peer.socket.sendall(ANSWER)

    def let_go(self) -> None:
        """Of a request whose other half will never come."""
        self._pair.abort()

    def _count(self) -> None:
        self._left -= 1
        if not self._left:
            self.reached.set()


def test_what_was_measured_is_kept_when_it_is_interrupted(tmp_path: Path) -> None:
    target, pairs = tmp_path / "run.json", InPairs(100)
    options = ["--maxsize", "1,2", "-c", "2", "-n", "100000", "--json", str(target), "-z", "1h"]
    with (
        misbehaving(pairs) as server,
        started("sweep", server.url, *options, "--warmup", "0") as process,
    ):
        assert pairs.reached.wait(PATIENCE_S)
        process.send_signal(signal.SIGINT)
        done = ended(process)
        pairs.let_go()
    assert done.code == 130
    document: dict[str, Any] = json.loads(target.read_text("utf-8"))
    assert document["run_info"]["interrupted"]
    sent = [arm["succeeded"] for arm in document["arms"].values()]
    assert min(sent) > 2
    assert document["recommendation"]["maxsize"] == 2
    assert "is the smallest" in done.out


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 200])
def test_no_line_of_the_report_is_wider_than_the_terminal(url: str, columns: int) -> None:
    done = called("sweep", url, "-c", "8", "-n", "80", env={"COLUMNS": f"{columns}"})
    assert done.code == 0
    assert max(map(len, done.lines)) <= columns
    headings = [line for line in done.lines if line.startswith("maxsize ") and "   " in line]
    assert len(headings) > 1 if columns == 80 else len(headings) == 1
