"""Places at the ends of real links: the round trips that are told are those of the links."""

from __future__ import annotations

import json
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from support.command import COMMAND, called, environment
from support.patience import PATIENCE_S

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
LINKS_S = {"near": 0.002, "mid": 0.02, "far": 0.08}
TRIPS = {"http": 1, "1.3": 2, "1.2": 3}
"""That a reuse saves: RFC 9293, section 3.5; RFC 8446, section 2; RFC 5246, section 7.3."""
OFF = 0.05
"""What a ratio of medians may be off."""
REQUESTS = "20"


def measure_all(folder: Path) -> None:
    """A file for each link and each protocol: `near-http.json`, `far-1.3.json`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        wan, link, server = (import_module(it) for it in ("wan", "link", "wan_server"))
        program = import_module("nginx").nginx_program()
    reason = wan.obstacle() if program else "nginx is not installed"
    if reason is not None:
        pytest.skip(f"there can be no link here: {reason}")
    for name, round_trip_s in LINKS_S.items():
        with wan.wan(link.Link(rtt_s=round_trip_s)) as ends, server.nginx_in(ends.server):
            for endpoint in server.ENDPOINTS:
                file = folder / f"{name}-{endpoint.tls or 'http'}.json"
                _measure(ends.client, endpoint.url(wan.SERVER_ADDRESS), file)


def _measure(inside: Any, url: str, file: Path) -> None:  # noqa: ANN401  # the benchmarks' Namespace
    options = [url, "-n", REQUESTS, "--seed", "1", "--json", str(file)]
    options += ["--insecure"] if url.startswith("https") else []
    command = inside.command(*COMMAND, "run", *options)
    done = subprocess.run(
        command, env=environment(), capture_output=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr


def places(folder: Path, protocol: str) -> dict[str, Any]:
    files = [f"{name}={folder / f'{name}-{protocol}.json'}" for name in LINKS_S]
    found: dict[str, Any] = json.loads(called("places", *files, "--json", "-").out)
    return found


@pytest.mark.slow
def test_what_reuse_is_worth_is_the_round_trips_of_the_protocol_everywhere(tmp_path: Path) -> None:
    measure_all(tmp_path)  # once: the tests of a file can be spread over several processes
    for protocol, trips in TRIPS.items():
        found = places(tmp_path, protocol)
        # A busy machine may leave it open how much is saved of 2 ms.
        assert f"is worth {trips} round trip{'s' if trips > 1 else ''}" in found["sentence"]
        assert [it["name"] for it in found["places"]] == [*LINKS_S]
        for it in found["places"]:
            assert it["saved_trips"] == trips
            assert it["round_trip_s"] == pytest.approx(LINKS_S[it["name"]], rel=0.1)
        for it in found["places"][1:]:
            pooled, unpooled = (it["arms"][arm]["latency_s"]["p50"] for arm in it["arms"])
            assert unpooled / pooled == pytest.approx(1 + trips, rel=OFF), (protocol, it["name"])
