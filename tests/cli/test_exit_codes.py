"""Exit codes, the first that applies: 130 interrupted, 2 usage, 1 nothing, 3 partly, 0 measured."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.command import COMMAND, called, kab, next_line, started
from support.patience import PATIENCE_S
from support.scripted_server import answering, response

if TYPE_CHECKING:
    from keepalive_bench.server import ServerProcess


def test_0_when_all_was_measured(server: ServerProcess) -> None:
    before = server.stats()
    done = called("run", server.url, "-n", "5")
    after = server.stats()
    assert (done.code, done.err) == (0, "")
    assert after.accepts - before.accepts == 1 + 5 + 2 + 1  # pooled, unpooled, warm-ups, this
    assert after.requests - before.requests == 5 + 5 + 2 + 1


def test_0_when_every_answer_is_an_error_for_that_is_an_answer() -> None:
    with answering(response(status_line=b"HTTP/1.1 404 Not Found")) as server:
        done = called("run", server.url, "-n", "2")
    assert done.code == 0
    assert "Most responses were errors (404 in 4 of 4)" in " ".join(done.out.split())


def test_1_and_a_sentence_when_the_connection_is_refused(refusing_url: str) -> None:
    done = kab("run", refusing_url)
    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert "connect-refused" in done.err
    assert refusing_url in done.err


def test_1_and_a_sentence_when_the_host_does_not_resolve() -> None:
    # RFC 6761, section 6.4: names under .invalid never resolve.
    done = called("run", "http://no-such-host.invalid/", "--warmup", "0", "-n", "1")
    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert "no-such-host.invalid" in done.err
    assert "host" in done.err.replace("no-such-host", "")


def test_1_and_which_option_helps_when_the_certificate_is_not_trusted(
    tls_server: ServerProcess,
) -> None:
    done = called("run", tls_server.url)
    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert "--cacert" in done.err
    assert "-k" in done.err


def test_0_with_the_option_that_helps(tls_server: ServerProcess) -> None:
    done = called("run", tls_server.url, "-n", "1", "--cacert", str(tls_server.certificate))
    assert (done.code, done.err) == (0, "")


def test_1_and_a_sentence_when_plain_http_meets_tls(tls_server: ServerProcess) -> None:
    done = called("run", tls_server.url.replace("https:", "http:"), "-n", "1")
    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1


def test_1_and_a_sentence_when_tls_meets_plain_http(server: ServerProcess) -> None:
    done = called("run", server.url.replace("http:", "https:"), "-n", "1")
    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert "speak TLS" in done.err


def test_1_keeps_standard_output_to_json_and_says_the_sentence_beside_it(
    refusing_url: str,
) -> None:
    done = called("run", refusing_url, "--json", "-")
    assert done.code == 1
    assert json.loads(done.out)["arms"]["pooled"]["succeeded"] == 0
    assert done.err.count("\n") == 1
    assert "connect-refused" in done.err


@pytest.mark.parametrize(
    ("options", "failed", "not_sent"),
    [(["-n", "4"], 3, 0), (["-n", "8"], 7, 0)],
)
def test_3_when_some_requests_failed_and_the_results_are_shown_and_written(
    options: list[str], failed: int, not_sent: int
) -> None:
    arm = ("--arm", "pooled", "--warmup", "0")
    with answering(response(), b"") as server:
        shown = called("run", server.url, *arm, *options)
    with answering(response(), b"") as server:
        written = called("run", server.url, *arm, *options, "--json", "-")
    assert (shown.code, written.code) == (3, 3)
    assert "latency mean" in shown.out
    summary = json.loads(written.out)["arms"]["pooled"]
    assert (summary["succeeded"], summary["failed"]) == (1, failed)
    assert summary["not_sent"] == not_sent


def test_3_when_one_arm_was_stopped_and_the_other_was_measured() -> None:
    arms = ("--arm", "first=pooled", "--arm", "second=pooled", "--order", "sequential")
    good = (response(),) * 6
    with answering(*good, b"") as server:
        done = called("run", server.url, *arms, "-n", "6", "--warmup", "0", "--json", "-")
    assert done.code == 3
    second = json.loads(done.out)["arms"]["second"]
    assert (second["succeeded"], second["failed"], second["not_sent"]) == (0, 5, 1)


def test_a_failed_warm_up_is_no_error_by_itself() -> None:
    with answering(b"", response()) as server:
        done = called("run", server.url, "--arm", "pooled", "-n", "2")
    assert done.code == 0
    assert "1 warm-up request of pooled failed" in done.out


def test_a_full_disk_gets_a_sentence(server: ServerProcess) -> None:
    done = called("run", server.url, "-n", "1", "--json", "/dev/full")
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "No space left" in done.err


def test_a_full_disk_behind_standard_output_gets_a_sentence(server: ServerProcess) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "run", server.url, "-n", "1", "--quiet"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


def test_a_reader_who_has_gone_gets_no_traceback(server: ServerProcess) -> None:
    with started("run", server.url, "-n", "20", "--verbose") as process:
        next_line(process)
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        complaint = process.stderr.read()
        assert process.wait(PATIENCE_S) == 1
    assert not complaint


def _with_closed(stream: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    shell = ["sh", "-c", f'exec "$@" {stream}>&-', "sh"]
    return subprocess.run(
        [*shell, *COMMAND, *arguments], capture_output=True, check=False, text=True
    )


def test_a_closed_standard_output_gets_no_traceback(server: ServerProcess) -> None:
    done = _with_closed(1, "run", server.url, "-n", "2", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_standard_error_does_not_send_remarks_among_the_json(
    server: ServerProcess,
) -> None:
    done = _with_closed(2, "run", server.url, "-n", "2", "-d", "x", "--json", "-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["arms"]["pooled"]["succeeded"] == 2
