"""What is watched beside a measurement, against loads that the test itself makes."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from keepalive_bench.engine import system_monitor as module
from keepalive_bench.engine.benchmark import describe_environment
from keepalive_bench.engine.system_monitor import Reading, SystemMonitor, read_processors

if TYPE_CHECKING:
    from collections.abc import Iterator

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it")
SWITCH_S = sys.getswitchinterval()


@contextmanager
def spinning() -> Iterator[None]:
    """A thread that never lets go of the interpreter but when it has to."""
    done = Event()

    def spin() -> None:
        while not done.is_set():
            pass

    thread = Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def watched(concurrency: int, seconds: float) -> SystemMonitor:
    system_monitor = SystemMonitor(concurrency)
    with system_monitor:
        time.sleep(seconds)
    return system_monitor


def test_a_thread_that_holds_the_interpreter_is_waited_for_as_long_as_it_may_hold_it() -> None:
    with spinning():
        # A spinning thread gives way after the switch interval, at the earliest.
        waited = watched_beside_spinner()
    assert waited >= 0.5 * SWITCH_S


def watched_beside_spinner() -> float:
    system_monitor = SystemMonitor(2)
    system_monitor._idle_s = (
        0.0  # what an idle interpreter shows can't be measured beside a spinner
    )
    with system_monitor:
        time.sleep(1.0)
    assert system_monitor.gil_wait_s is not None
    return system_monitor.gil_wait_s


def test_of_one_request_at_a_time_and_of_a_short_run_no_wait_is_told() -> None:
    assert watched(1, 0.15).gil_wait_s is None
    assert watched(2, 0.0).gil_wait_s is None


def test_its_thread_ends_with_the_measurement() -> None:
    system_monitor = watched(2, 0.01)
    assert not system_monitor._thread.is_alive()


@linux
@pytest.mark.slow
def test_processes_that_spin_are_seen_and_this_one_is_not() -> None:
    """Half a run with as many spinning processes as processors, half without."""
    count = describe_environment().cpu_count
    system_monitor = SystemMonitor(1)
    with system_monitor, ExitStack() as stack:
        spinners = [
            stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            for _ in range(count)
        ]
        time.sleep(1.5)
        for spinner in spinners:
            spinner.kill()
        with spinning():
            time.sleep(1.5)
    assert system_monitor.others is not None
    least, most = system_monitor.others
    assert most > 0.6
    assert 0 <= least < most


class Readings:
    """What processors spent, as a script says it."""

    def __init__(self, others: list[float]) -> None:
        self.others = iter(others)
        self.total = 0.0

    def __call__(self, _: object) -> Reading | None:
        self.total += 2.0
        return Reading(self.total, next(self.others))


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([0.0], None),
        ([0.0, 1.0], None),
        ([0.0, 1.0, 2.0], (0.5, 0.5)),
        ([0, 0.2, 0.4, 2.4, 4.4, 5.4, 6.4], (0.1, 1.0)),
        ([0, -0.1, -0.2], (0.0, 0.0)),
    ],
    ids=["one", "two", "too few for thirds", "thirds", "coarse clocks"],
)
def test_shares_are_of_the_calmest_and_the_busiest_third(
    monkeypatch: pytest.MonkeyPatch, others: list[float], expected: tuple[float, float] | None
) -> None:
    monkeypatch.setattr(module, "read_processors", Readings(others))
    system_monitor = SystemMonitor(1)
    for _ in others:
        system_monitor._note_processors()
    assert system_monitor.others == (expected if expected is None else pytest.approx(expected))


@linux
def test_the_processors_time_is_that_of_all_of_them() -> None:
    def look() -> tuple[float, float, float]:
        began, reading, ended = time.perf_counter(), read_processors(), time.perf_counter()
        assert reading is not None
        return began, reading.total_s, ended

    before = look()
    time.sleep(0.5)
    after = look()
    count = describe_environment().cpu_count
    least, most = count * (after[0] - before[2]), count * (after[2] - before[0])
    clock_s = 0.2 * count * 0.5  # the system counts in ticks, of each processor by itself
    assert least - clock_s <= after[1] - before[1] <= most + clock_s


def test_where_the_system_does_not_tell_nothing_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "_STAT", tmp_path / "missing")
    assert read_processors() is None
    assert watched(1, 0.01).others is None


@linux
def test_the_ports_are_those_of_the_systems_range() -> None:
    lowest, highest = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert describe_environment().ephemeral_ports == int(highest) - int(lowest) + 1
