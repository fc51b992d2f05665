"""What a client is told to set: limits below what ends connections, and code that keeps them."""

from __future__ import annotations

from threading import Event, Thread
from typing import Any

import pytest

from keepalive_bench.connections.products import PRODUCTS, product_called
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.probing import Balancer
from keepalive_bench.probe.analysis.behind import balancer_idle_s, behind_of
from keepalive_bench.probe.analysis.closings import idle_timeout_of
from keepalive_bench.probe.analysis.products import Nearest, consistent_with
from keepalive_bench.probe.analysis.settings import (
    code_of,
    rounded_down,
    settings_of,
    window_of,
)
from keepalive_bench.probe.probed import IdleTimeout, Settings, SilentDrop
from keepalive_bench.probe.record import Asked, Ended, EndKind, Exchanged, Seen
from keepalive_bench.server import ServerProcess, ServerSettings

NO_DROP = SilentDrop(100.0, None, "", None, 0)
NOBODY = Nearest(None, "")


def closed_after(*times_s: float, kind: EndKind = "fin") -> IdleTimeout:
    """What connections that were closed after these times come to."""
    asked = Exchanged(0.0, None, 0.001, "GET", "/", 200)
    seen = [
        Seen(
            "watched",
            opened_s=0.0,
            exchanges=(asked,),
            carried=1,
            ended=Ended(kind, idle_s),
            watched_s=idle_s,
        )
        for idle_s in times_s
    ]
    return idle_timeout_of(seen, 130.0)


@pytest.mark.parametrize(
    ("seconds", "rounded"),
    [(74.98, 74), (130.0, 130), (10.0, 10), (9.98, 9.9), (4.0, 4), (0.98, 0.98), (0.104, 0.1)],
)
def test_a_limit_is_rounded_down_to_what_people_would_set(seconds: float, rounded: float) -> None:
    assert rounded_down(seconds) == rounded


def test_a_limit_shorter_than_a_hundredth_of_a_second_is_none() -> None:
    assert rounded_down(0.004) == 0


def test_the_window_of_the_race_is_a_round_trip_wide() -> None:
    """At 50 ms each way and 3 s, reuses after 2.89 to 3.00 s looked alive and died (measured)."""
    window = window_of(closed_after(3.0, 3.001), 0.1)
    assert window is not None
    assert window.begins_s == pytest.approx(2.9)
    assert window.ends_s == pytest.approx(3.001)


def test_the_clients_limit_is_below_the_window_and_what_timeouts_vary_by() -> None:
    timeout = closed_after(74.98, 75.01)
    assert settings_of(timeout, NO_DROP, window_of(timeout, 0.05)) == Settings(
        74.0, None, retries=True
    )


def test_a_path_that_forgets_wants_probes_before_it_does_and_a_limit_below_it() -> None:
    dropped = SilentDrop(5.8, 6.0, "silence", unacknowledged=True, deaths=3)
    never = idle_timeout_of([], 130.0)
    assert settings_of(never, dropped, None) == Settings(5.8, 2, retries=True)


def test_where_nothing_ends_there_is_nothing_to_set() -> None:
    never = idle_timeout_of([], 130.0)
    found = settings_of(never, NO_DROP, None)
    assert found == Settings(None, None, retries=False)
    assert code_of(found) == ""


def test_backends_with_different_timeouts_are_told_apart() -> None:
    timeout = closed_after(3.0, 3.01, 8.0, 8.01, 3.02)
    assert timeout.backends_differ
    assert [it.connections for it in timeout.closings] == [3, 2]


@pytest.mark.parametrize("times_s", [(1.05, 1.3, 1.31, 1.6, 1.9), (1.0, 1.0, 1.0, 1.1)])
def test_a_coarse_timer_is_one_backends(times_s: tuple[float, ...]) -> None:
    assert not closed_after(*times_s).backends_differ


@pytest.mark.parametrize(
    ("times_s", "said", "told"),
    [
        ((74.99, 75.01), "nginx/1.22.1", ("nginx's default (75 s)",)),
        ((5.99, 6.0), "Node", ("Node's default (5,000 ms before 26)",)),
        ((30.0, 30.0), "nginx", ()),
    ],
)
def test_a_timeout_is_consistent_with_the_default_of_who_says_who_it_is(
    times_s: tuple[float, ...], said: str, told: tuple[str, ...]
) -> None:
    product = product_called(said.partition("/")[0])
    assert consistent_with(closed_after(*times_s), Nearest(product, said)) == told


def test_where_a_backends_name_shows_a_balancer_without_a_name_may_stand_in_front() -> None:
    gunicorn = Nearest(product_called("gunicorn"), "gunicorn")
    assert "AWS ALB's default (60 s)" in consistent_with(closed_after(60.0, 60.01), gunicorn)


def test_each_time_that_a_product_has_by_default_is_read_of_its_table() -> None:
    timeless = {it.name for it in PRODUCTS if it.idle_timeout and not it.idle_timeout.times}
    assert timeless == {"HAProxy", "CloudFront", "http.server", "Go", "kab serve"}


def test_a_known_balancer_needs_no_time_and_an_unknown_one_does() -> None:
    assert balancer_idle_s(Balancer("ALB")) == 60
    assert balancer_idle_s(Balancer("F5", 300.0)) == 300
    with pytest.raises(UsageError, match="'F5 TIME'"):
        balancer_idle_s(Balancer("F5"))


@pytest.mark.parametrize(("times_s", "safe"), [((5.0, 5.01), False), ((75.0, 75.01), True)])
def test_a_balancer_that_keeps_connections_for_longer_than_its_backend_makes_502s(
    times_s: tuple[float, ...],
    safe: bool,  # noqa: FBT001  # it is what is expected
) -> None:
    timeout = closed_after(*times_s)
    asked = Asked("http://a.test/", 130.0, 30.0, behind="ALB")
    found = behind_of(asked, "kept", timeout, NO_DROP, window_of(timeout, 0.001), NOBODY)
    assert found is not None
    assert found.safe is safe


def test_whether_a_balancer_is_safe_is_unknown_where_it_keeps_longer_than_was_looked() -> None:
    asked = Asked("http://a.test/", 130.0, 30.0, behind="F5 300s")
    found = behind_of(asked, "kept", idle_timeout_of([], 130.0), NO_DROP, None, NOBODY)
    assert found is not None
    assert found.safe is None


def test_the_code_keeps_connections_for_no_longer_than_the_limit() -> None:
    """Requests within it share a connection; one after it has another, by the server's count."""
    namespace: dict[str, Any] = {}
    exec(code_of(Settings(0.4, 1, retries=True)), namespace)  # noqa: S102  # it is to run as it is
    with ServerProcess(ServerSettings()) as server:
        client = namespace["Client"]()

        def accepts_of(count: int) -> int:
            before = server.stats()
            for _ in range(count):
                assert client.request("GET", server.url).status == 200
            return server.stats().accepts - before.accepts - 1  # whoever asks is counted, too

        assert accepts_of(2) == 1
        Event().wait(0.5)  # it is the time itself that is tested
        assert accepts_of(1) == 1


def test_the_code_may_be_used_by_several_threads() -> None:
    namespace: dict[str, Any] = {}
    exec(code_of(Settings(0.02, None, retries=True)), namespace)  # noqa: S102  # the same
    statuses: list[int] = []
    with ServerProcess(ServerSettings()) as server:
        client = namespace["Client"]()

        def ask() -> None:
            statuses.extend(client.request("GET", server.url).status for _ in range(50))

        threads = [Thread(target=ask) for _ in range(4)]
        for it in threads:
            it.start()
        for it in threads:
            it.join()
    assert statuses == [200] * 200
