"""Bodies, there and back: uploads, cut responses, statuses that count as success."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving
from support.command import environment
from support.misbehaving import Peer, misbehaving
from support.plans import exchange, failure, plan, run
from support.processes import PEAK_BYTES, linux

from keepalive_bench import Request, analyse, benchmark
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.request import FORM, JSON
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from pathlib import Path

_UPLOAD_MB = 200
_UPLOADER = f"""{PEAK_BYTES}
import sys
from pathlib import Path
from keepalive_bench import Experiment, Plan, Request, Target, benchmark
request = Request(method="PUT", upload=Path(sys.argv[2]))
def uploaded(size):
    with open(sys.argv[2], "wb") as file:
        file.truncate(size)
    run = benchmark(Plan(Target(sys.argv[1]), request, experiment=Experiment(requests=1, warmup=0)))
    assert [it.outcome.status for it in run.exchanges] == [200, 200], run.exchanges.failures.values
    return peak_bytes()
small = uploaded(1000)
print(uploaded(int(sys.argv[3])) - small)
"""


@pytest.mark.parametrize(
    ("content", "tls"),
    [(b"", False), (b"abc", True), (bytes(range(256)) * 1000, False)],
    ids=["empty", "over TLS", "large"],
)
def test_a_file_is_uploaded_as_it_is_with_its_length_known(
    tmp_path: Path, content: bytes, *, tls: bool
) -> None:
    record, file = tmp_path / "requests", tmp_path / "file"
    file.write_bytes(content)
    with serving(record=record, tls=tls) as server:
        options: dict[str, Any] = {"method": "PUT", "upload": file, "ca_file": CERTIFICATE}
        measured = run(server.url, requests=3, warmup=0, **options)
    assert {it.outcome.status for it in measured.exchanges} == {200}
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert len(lines) == 6
    for line in lines:
        headers = {name.lower(): value for name, value in line["headers"]}
        assert headers["content-length"] == str(len(content))
        assert not {"transfer-encoding", "content-type", "expect"} & headers.keys()
        assert line["body"].encode("latin-1") == content


def test_a_file_that_is_no_regular_one_has_no_length_and_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UsageError, match="--upload-file"):
            run("http://127.0.0.1:1/", upload=path)


def test_an_upload_that_nobody_reads_ends_with_its_time(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with file.open("wb") as made:
        made.truncate(100_000_000)

    def script(peer: Peer) -> None:
        peer.pause(5)

    with misbehaving(script) as server:
        outcome = exchange(server.url, method="PUT", upload=file, timeout_s=0.3).outcome
    assert outcome.failure is not None
    assert outcome.failure.kind == "deadline"
    assert 0.3 <= outcome.latency_s < 3


@pytest.mark.slow
@linux
def test_a_big_upload_costs_no_memory(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        while head := peer.read_request():
            length = int(head.lower().partition(b"content-length: ")[2].split()[0])
            while length:
                length -= len(peer._file.read(min(length, 1 << 20)))
            peer.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with misbehaving(script) as server:
        size = _UPLOAD_MB << 20
        command = [sys.executable, "-c", _UPLOADER, server.url, str(tmp_path / "file"), str(size)]
        done = subprocess.run(command, capture_output=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert int(done.stdout) < 10 << 20


@pytest.mark.parametrize(("content_type", "accept"), [(FORM, None), (JSON, JSON)])
def test_a_body_says_its_type_and_json_asks_for_json_as_curl_does(
    tmp_path: Path, content_type: str, accept: str | None
) -> None:
    record = tmp_path / "requests"
    with serving(record=record) as server:
        body = {"method": "POST", "body": b"{}", "content_type": content_type}
        run(server.url, requests=1, warmup=0, **body)
    for line in record.read_text().splitlines():
        headers = {name.lower(): value for name, value in json.loads(line)["headers"]}
        assert headers["content-type"] == content_type
        assert headers.get("accept") == accept


@pytest.mark.parametrize(
    ("most", "chunked"), [(0, False), (1, True), (1000, False), (100_000, True)]
)
def test_a_body_is_read_so_far_and_then_its_connection_is_closed(
    most: int, *, chunked: bool
) -> None:
    with serving(body_size=3_000_000, chunked=chunked) as server:
        measured = run(server.url, max_body=most, requests=5, warmup=0)
        arms = analyse(measured).arms
        assert server.stop().accepts == 10
    assert {it.outcome.body_bytes for it in measured.exchanges} == {most}
    assert [(arm.failed, arm.connections, arm.reuse) for arm in arms] == [(0, 5, 0)] * 2
    (finding,) = (it for it in analyse(measured).findings if it.code == "bodies-cut")
    assert finding.evidence == {"max_body": most, "exchanges": 10}


def test_a_body_within_the_limit_is_read_to_its_end_and_nothing_is_said() -> None:
    with serving(body_size=1000) as server:
        measured = run(server.url, max_body=1001, requests=5)
    pooled = analyse(measured).arms[0]
    assert (pooled.connections, pooled.reuse) == (1, 1.0)
    assert not [it for it in analyse(measured).findings if it.code == "bodies-cut"]


def test_an_answer_without_a_body_is_not_cut() -> None:
    with serving(status=204) as server:
        measured = run(server.url, max_body=100, requests=5)
    assert analyse(measured).arms[0].connections == 1


@pytest.mark.parametrize(
    ("status", "expected", "kind_of_failure"),
    [
        (200, (), None),
        (204, ("2xx",), None),
        (404, ("2xx", "404"), None),
        (404, ("2xx",), "unexpected-status"),
        (201, ("200",), "unexpected-status"),
        (302, ("200", "4xx"), "unexpected-status"),
    ],
)
def test_other_statuses_than_those_expected_are_failures(
    status: int, expected: tuple[str, ...], kind_of_failure: str | None
) -> None:
    with serving(status=status) as server:
        assert failure(server.url, expect_status=expected) == kind_of_failure


def test_an_unexpected_answer_leaves_its_connection_usable() -> None:
    with serving(status=404) as server:
        wanted = plan(server.url, expect_status=("200",), requests=8, keep_going=True)
        pooled = analyse(benchmark(wanted)).arms[0]
    assert (pooled.failed, pooled.succeeded, pooled.connections) == (8, 0, 1)
    assert pooled.status_codes == {404: 8}


@pytest.mark.parametrize("status", ["", "2000", "6xx", "2x", "099"])
def test_what_is_no_status_is_refused(status: str) -> None:
    with pytest.raises(UsageError, match="isn't a status"):
        Request(expect_status=(status,))
