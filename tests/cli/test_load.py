"""The options of load, on a real server in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.command import COMMAND, called, environment
from support.patience import PATIENCE_S

from keepalive_bench.server import Behaviour, Fault, ServerProcess, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ServerProcess(ServerSettings(behaviour=Behaviour(delay_s=0.02))) as server:
        yield server.url


def results(target: Path, *arguments: str) -> dict[str, Any]:
    done = called("run", *arguments, "--json", str(target))
    assert done.code == 0, done.text
    document: dict[str, Any] = json.loads(target.read_text())
    return document


def test_a_rate_is_kept_and_every_arm_has_the_same_schedule(url: str, tmp_path: Path) -> None:
    options = ("-q", "6000/min", "-c", "8", "-n", "160", "--seed", "1")
    document = results(tmp_path / "run.json", url, *options)
    assert document["plan"]["rate"] == 100
    columns = document["exchanges"]["columns"]
    starts: dict[tuple[int, int], list[float]] = {}
    rows = zip(columns["arm"], columns["round"], columns["began_s"], strict=True)
    for arm, number, began_s in rows:
        starts.setdefault((arm, number), []).append(began_s)
    for block in starts.values():
        first = min(block)
        offsets = sorted(at - first for at in block)
        assert offsets == pytest.approx([place / 100 for place in range(80)], abs=1e-6)
    for arm in document["arms"].values():
        gaps = arm["latency_s"]["mean"] - arm["uncorrected_latency_s"]["mean"]
        assert gaps == pytest.approx(arm["phases_s"]["queued"]["per_request"], abs=1e-6)
        assert arm["late_starts"]["count"] <= arm["succeeded"] == 160


def test_the_parts_of_a_request_that_began_late_add_up_to_its_latency(url: str) -> None:
    """Every 5 ms one, of 20 ms each, by one thread: the last of 12 begins 165 ms late or more."""
    options = ("-q", "200/s", "-n", "12", "--arm", "pooled", "--verbose", "--seed", "1")
    lines = [line for line in called("run", url, *options).lines if line.startswith("pooled #")]
    assert len(lines) == 12
    for number, line in enumerate(lines):
        latency_s, *parts_s = seconds(line.partition("connection ")[2])
        assert sum(parts_s) == pytest.approx(latency_s, abs=0.02)
        assert line.index(" queued ") < line.index(" wait ")
        assert latency_s > 0.020 + number * (0.020 - 0.005)


def test_requests_that_fail_at_once_are_no_speed() -> None:
    """The pooled arm keeps the first connection; of the others, all but one die at once."""
    fault = Fault("close-on-request", connections="3-")
    with ServerProcess(ServerSettings(fault=fault)) as server:
        options = ("--arm", "pooled", "--arm", "unpooled", "-n", "20", "--keep-going")
        done = called("run", server.url, *options, "--warmup", "0", "--order", "sequential")
        assert server.stop().accepts == 1 + 20
    (row,) = [line.split() for line in done.lines if line.startswith("requests/s")]
    assert float(row[1].replace(",", "")) > 0
    assert row[2:4] == ["most", "failed"]
    assert next(line.split() for line in done.lines if line.startswith("failed")) == [
        *("failed", "0", "19")
    ]


def seconds(text: str) -> list[float]:
    """All durations in a text."""
    units = {"ms": 1e-3, "s": 1.0}
    return [float(number) * units[unit] for number, unit in re.findall(r"([\d.]+) (m?s)\b", text)]


def test_a_burst_opens_a_connection_for_each_thread_and_a_small_pool_throws_them_away(
    url: str, tmp_path: Path
) -> None:
    options = ("-c", "4", "-n", "24", "--maxsize", "1", "--traffic", "bursts")
    document = results(tmp_path / "run.json", url, *options, "--arm", "pooled")
    arm = document["arms"]["pooled"]
    # One is kept from burst to burst, and each of six bursts needs four; one fewer where a busy
    # machine keeps a thread back until another is done.
    assert 4 + 5 < arm["connections"] <= 4 + 5 * 3
    assert sum(arm["reasons"].values()) == arm["connections"]
    assert set(arm["reasons"]) == {"first-use", "pool-exhausted", "pool-full"}


def test_bursts_that_the_pool_can_hold_reuse_all_connections(url: str, tmp_path: Path) -> None:
    document = results(tmp_path / "run.json", url, "-c", "4", "-n", "24", "--traffic", "bursts")
    assert document["arms"]["pooled"]["connections"] == 4
    assert document["plan"]["rounds"] == 6


@pytest.mark.slow
def test_a_think_time_outlasts_an_idle_timeout_and_the_server_is_named(tmp_path: Path) -> None:
    with ServerProcess(ServerSettings(behaviour=Behaviour(idle_timeout_s=0.2))) as server:
        options = ("--think-time", "1s-1.1s", "-n", "3")
        document = results(tmp_path / "run.json", server.url, *options)
    assert document["arms"]["pooled"]["reasons"] == {"first-use": 1, "idle-timeout": 2}
    assert "idle-timeout" in {finding["code"] for finding in document["findings"]}
    assert document["arms"]["pooled"]["requests_per_second"] is None


@pytest.mark.parametrize(
    "options",
    [("--think-time", "60s"), ("-q", "1/h"), ("--traffic", "bursts", "--think-time", "1m")],
)
def test_ctrl_c_ends_a_wait_at_once(url: str, tmp_path: Path, options: tuple[str, ...]) -> None:
    target = tmp_path / "run.json"
    arguments = [*COMMAND, "run", url, "-n", "20", "--arm", "pooled", "-v", *options]
    with subprocess.Popen(
        [*arguments, "--json", str(target)], stdout=subprocess.PIPE, env=environment(), text=True
    ) as running:
        assert running.stdout is not None
        assert "pooled #0" in running.stdout.readline()
        pressed = time.monotonic()
        os.kill(running.pid, signal.SIGINT)
        running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 130
    assert time.monotonic() - pressed < 50  # the shortest of these waits takes a minute
    arm = json.loads(target.read_text())["arms"]["pooled"]
    assert (arm["succeeded"], arm["failed"], arm["not_sent"]) == (1, 0, 19)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-q", "fast"), "'fast' isn't a rate: write 200/s, 12000/min or 200 (--rate)."),
        (("-q", "0/s"), "rate must be from 0.0001 to 1,000,000 requests a second, not 0."),
        (("--think-time", "5x"), "write 30s, 2m, 1h or 500ms (--think-time)"),
        (("--think-time", "5s-1s"), "the shorter first"),
        (("-q", "5", "--think-time", "1s"), "give one of them"),
        (("--think-time", "1s", "-c", "2", "--precision", "5%"), "needs two arms that take turns"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(options: tuple[str, ...], said: str) -> None:
    done = called("run", "http://127.0.0.1:9/", *options)
    assert done.code == 2
    assert said in done.err.replace("\n", " ")
