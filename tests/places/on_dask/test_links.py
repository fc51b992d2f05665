"""Places behind links of 2, 20 and 80 ms, and one that drops: what the table says is physics."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from support import links
from support.command import Finished, environment
from support.dask_cluster import Cluster, until
from support.links import SCHEDULER, SERVER, star
from support.patience import PATIENCE_S

from keepalive_bench.server.settings import CERTIFICATE, KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from support.links import Site

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    pytest.mark.skipif(links.obstacle() is not None, reason=f"{links.obstacle()}"),
]
RTTS_S = {"near": 0.002, "far": 0.02, "overseas": 0.08, "lost": 0.002}
KAB = (sys.executable, "-m", "keepalive_bench")
_CONFIG = """\
daemon off; master_process off; pid {pid}; error_log stderr;
events {{ worker_connections 256; }}
http {{
    access_log off;
    server {{
        listen {server}:8080; listen {server}:8443 ssl;
        ssl_certificate {certificate}; ssl_certificate_key {key};
        ssl_protocols TLSv1.3; keepalive_requests 100000;
        location / {{ return 200 "a\\n"; }}
    }}
}}
"""
_SOON = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "15s"}
"""When Dask takes a connection for dead over which nothing arrives."""
WITHIN, NEAR = 0.05, 0.1
"""How exact ratios of latencies are; and latencies themselves, where others keep the cores busy."""
TRIPS = {"http": (1, 2), "https": (1, 3)}
"""Of a request on a kept connection, and on a new one (TCP, and TLS 1.3 over it)."""


class World:
    """The cluster, its sites by name, and what runs in the hub."""

    def __init__(self, cluster: Cluster, hub: Site, sites: dict[str, Site]) -> None:
        self.cluster, self.hub, self.sites = cluster, hub, sites

    def kab(self, *words: str) -> Finished:
        with self.started(*words) as process:
            out, err = process.communicate(timeout=3 * PATIENCE_S)
        return Finished(code=process.returncode, out=out, err=err)

    @contextmanager
    def started(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        command = [*self.hub.inside, *KAB, *words, "--dask", self.cluster.address]
        pipe = subprocess.PIPE
        env = environment()
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=env) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with star([*RTTS_S.values()]) as (hub, sites):
        by_name = dict(zip(RTTS_S, sites, strict=True))
        made = Cluster(tmp_path, _SOON, host=SCHEDULER, inside=hub.inside)
        try:
            made.start_scheduler()
            for name, site in by_name.items():
                made.start_worker(name, prefix=site.inside)
            made.joined(len(by_name))
            yield World(made, hub, by_name)
        finally:
            made.end()


@contextmanager
def served(hub: Site, folder: Path) -> Iterator[dict[str, str]]:
    """A server in the hub that takes little time itself; its URLs, by their schemes."""
    assert NGINX is not None
    config, pid = folder / "nginx.conf", folder / "nginx.pid"
    config.write_text(_CONFIG.format(pid=pid, server=SERVER, certificate=CERTIFICATE, key=KEY))
    command = [*hub.inside, NGINX, "-p", f"{folder}", "-c", f"{config}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            until(pid.exists, "nginx listens")
            yield {"http": f"http://{SERVER}:8080/", "https": f"https://{SERVER}:8443/"}
        finally:
            process.terminate()


def measured(world: World, words: Sequence[str], file: Path) -> dict[str, Any]:
    done = world.kab("run", *words, "--json", str(file))
    assert done.code == 3, done.text
    assert "Nothing was measured in lost." in done.text
    told: dict[str, Any] = json.loads(file.read_text())
    return {it["name"]: it for it in told["places"]}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_latencies_are_as_many_round_trips_as_protocols_take(
    world: World, tmp_path: Path, scheme: str
) -> None:
    world.sites["lost"].drop(SERVER)
    with served(world.hub, tmp_path) as urls:
        words = (urls[scheme], "-n", "20", "-t", "1", "-k")
        places = measured(world, words, tmp_path / "places.json")
    for name in ("far", "overseas"):
        reused_s, fresh_s = (
            places[name]["arms"][arm]["latency_s"]["p50"] for arm in ("pooled", "unpooled")
        )
        one, several = TRIPS[scheme]
        assert reused_s == pytest.approx(one * RTTS_S[name], rel=NEAR), name
        assert fresh_s / reused_s == pytest.approx(several / one, rel=WITHIN), name
    for name in ("near", "far", "overseas"):
        assert places[name]["saved_trips"] == TRIPS[scheme][1] - 1
        assert places[name]["round_trip_s"] == pytest.approx(RTTS_S[name], rel=0.5)
    assert places["lost"]["verdict"]["code"] == "not-measured"


def test_a_place_that_is_cut_off_is_lost_by_name(world: World, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with served(world.hub, tmp_path) as urls:
        words = ("run", urls["http"], "--duration", "3s", "-t", "1", "--keep-places", f"{kept}")
        with world.started(*words) as process:
            until(lambda: len(world.cluster.measuring()) == len(RTTS_S), "all measure")
            world.sites["lost"].cut()
            out, err = process.communicate(timeout=2 * PATIENCE_S)
    assert process.returncode == 3, err
    assert "lost is lost. Its worker died, or left the cluster." in " ".join(out.split())
    names = sorted(it.name for it in kept.iterdir())
    assert names == ["far.json.gz", "near.json.gz", "overseas.json.gz"]
