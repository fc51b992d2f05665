"""The arm that makes a new pool manager for each request, certificates and all."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving, settings
from support.plans import failure, plan, run

from keepalive_bench import Arm, analyse
from keepalive_bench.net.arms import arm_context, open_arm
from keepalive_bench.results.columns import ConnectionColumns
from keepalive_bench.server import CERTIFICATE, ServerProcess

if TYPE_CHECKING:
    from keepalive_bench.net.transport import HttpTransport

NAIVE = Arm("naive")


def opened(url: str, arm: Arm = NAIVE, **options: Any) -> HttpTransport:  # noqa: ANN401  # of any part of a plan
    shared = arm_context(plan(url, **options), "kab/test", time.perf_counter_ns)
    return open_arm(arm, shared, ConnectionColumns((arm.label,)))


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize(("concurrency", "tls"), [(1, False), (4, True)])
def test_each_request_has_a_manager_and_a_connection_of_its_own(
    concurrency: int, *, tls: bool
) -> None:
    with serving(tls=tls) as server:
        options: dict[str, Any] = {"ca_file": CERTIFICATE, "concurrency": concurrency}
        found = run(server.url, arms=(NAIVE,), requests=20, warmup=0, **options)
        assert server.stop().accepts == len(found.connections) == 20
    (arm,) = analyse(found).arms
    assert arm.counters == (20, 20)
    assert (arm.failed, arm.reuse) == (0, 0.0)
    assert {connection.exchanges for connection in found.connections} == {1}
    assert set(arm.reason_counts) == {"first-use", "by-design"}
    assert {ending.kind for it in found.connections if (ending := it.ending)} == {"retired"}


def test_the_certificates_are_loaded_again_for_each_request(tmp_path: Path) -> None:
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(CERTIFICATE.read_bytes())
    with serving(tls=True) as server:
        arms = [opened(server.url, Arm(kind), ca_file=trusted) for kind in ("unpooled", "naive")]
        assert [arm.exchange("/").failure for arm in arms] == [None, None]
        trusted.unlink()
        unpooled, naive = (arm.exchange("/").failure for arm in arms)
        for arm in arms:
            arm.close()
    assert unpooled is None
    assert naive is not None
    assert "No such file" in naive.message


def test_the_servers_certificate_is_checked_as_in_other_arms() -> None:
    with serving(tls=True) as server:
        assert failure(server.url, "naive") == "tls-untrusted"
        assert failure(server.url, "naive", verify=False) is None


@pytest.mark.parametrize(
    "options",
    [
        {"ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256", "maximum": "1.2"},
        {"minimum": "1.3"},
    ],
    ids=["ciphers, at most 1.2", "at least 1.3"],
)
def test_handshakes_settle_on_what_other_arms_settle_on(options: dict[str, Any]) -> None:
    arms = (Arm("unpooled"), NAIVE)
    with serving(tls=True) as server:
        found = run(server.url, arms=arms, requests=2, ca_file=CERTIFICATE, **options)
    assert len(found.connections) == 4
    assert len(found.connections.handshakes.values) == 1
    version, cipher, _ = found.connections.handshakes.values[0]
    assert version == f"TLSv{options.get('maximum', '1.3')}"
    assert options.get("ciphers", cipher) == cipher


def test_nothing_is_left_of_a_manager() -> None:
    with ServerProcess(settings(tls=True)) as server:
        transport = opened(server.url, ca_file=CERTIFICATE)
        assert transport.exchange("/").failure is None
        gc.collect()
        gc.disable()
        try:
            files, objects = open_files(), len(gc.get_objects())
            for _ in range(20):
                assert transport.exchange("/").failure is None
            assert open_files() == files
            assert len(gc.get_objects()) < objects + 20
        finally:
            gc.enable()
        transport.close()
