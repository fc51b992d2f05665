"""The race between a request and a close, over a link whose round trip is known."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from support.command import COMMAND, TIMEOUT_S, environment
from support.links import SERVER, obstacle, star

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.links import Site

_ROUND_TRIP_S, _CLOSES_S, _NEAR_S = 0.1, 3.0, 0.015
_BEFORE_S, _WITHIN_S = 2.80, 2.95
_REUSES = f"""
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from keepalive_bench.net.wire import NoResponseError
from keepalive_bench.net.wire_opener import WayOfTls, WireOpener
from keepalive_bench.plan.network import Network, Tls
from keepalive_bench.plan.target import Target

opener = WireOpener(Target(sys.argv[1]), Network(), Tls(), time.monotonic_ns)

def asked(wire):
    message = b"GET / HTTP/1.1\\r\\nHost: a.test\\r\\n\\r\\n"
    return next(wire.exchange(message, ["GET"], time.monotonic_ns() + 5_000_000_000))

def reused(idle_s):
    wire = opener.open(WayOfTls())
    until = asked(wire).ended_ns + round(idle_s * 1e9)
    end = wire.watch(until)
    if end is not None:
        return f"ended: {{end.kind}}"
    try:
        return f"answered: {{asked(wire).status}}"
    except NoResponseError as error:
        return f"died: {{error.failure.kind}}"
    finally:
        wire.close()

times = [{_BEFORE_S}, {_WITHIN_S}] * 3
with ThreadPoolExecutor(len(times)) as pool:
    json.dump(list(zip(times, pool.map(reused, times))), sys.stdout)
"""
"""Opens connections, leaves each idle for so long, and uses it again; what came of each."""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(obstacle() is not None, reason=obstacle() or ""),
]


def test_the_window_is_where_requests_die_though_no_end_was_seen(tmp_path: Path) -> None:
    file = tmp_path / "probe.json"
    with star([_ROUND_TRIP_S]) as (hub, (far,)), served(hub) as url:
        words = (*COMMAND, *f"probe {url} --max-idle 4s --quiet --json {file}".split())
        with started(far, *words) as probe, started(far, sys.executable, "-c", _REUSES, url) as own:
            _, remarks = probe.communicate(timeout=TIMEOUT_S)
            told, trouble = own.communicate(timeout=TIMEOUT_S)
    assert (probe.returncode, remarks) == (0, "")
    assert (own.returncode, trouble) == (0, "")
    found = json.loads(file.read_text("utf-8"))
    window = found["window"]
    assert window["begins_s"] == pytest.approx(_CLOSES_S - _ROUND_TRIP_S, abs=_NEAR_S)
    assert window["ends_s"] == pytest.approx(_CLOSES_S, abs=_NEAR_S)
    assert window["round_trip_s"] == pytest.approx(_ROUND_TRIP_S, abs=_NEAR_S)
    assert_only_within_the_window_they_die(json.loads(told), window)
    assert found["settings"]["idle_limit_s"] <= window["begins_s"]


def assert_only_within_the_window_they_die(reuses: list[Any], window: dict[str, float]) -> None:
    assert _BEFORE_S < window["begins_s"] < _WITHIN_S < window["ends_s"]
    for idle_s, came in reuses:
        if idle_s == _BEFORE_S:
            assert came == "answered: 200"
        else:
            assert came in {"died: reset", "died: closed-before-response"}


@contextmanager
def served(hub: Site) -> Iterator[str]:
    """A server that closes idle connections."""
    words = f"serve --host {SERVER} --allow-remote --idle-timeout {_CLOSES_S}s"
    with started(hub, *COMMAND, *words.split()) as process:
        assert process.stdout is not None
        yield f"{process.stdout.readline().removeprefix('Serving ').strip().strip('/.')}/"


@contextmanager
def started(site: Site, *command: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*site.inside, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
