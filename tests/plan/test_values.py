"""Values as text: how they are read, what is refused, and that what is written is read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.arms import Arm, arm_text, parse_arm
from keepalive_bench.plan.values import (
    Resolution,
    Route,
    parse_duration,
    parse_header,
    parse_pause,
    parse_rate,
    parse_resolution,
    parse_route,
    parse_time,
    parse_user,
    pause_text,
    rate_text,
    resolution_text,
    route_text,
    share_parser,
    share_text,
    time_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_PARSE_SHARE = share_parser("--precision")
READ: list[tuple[Callable[[str], object], str, object]] = [
    (parse_duration, "30s", 30),
    (parse_duration, "30", 30),
    (parse_duration, "1.5m", 90),
    (parse_duration, "2 min", 120),
    (parse_duration, "500ms", 0.5),
    (parse_duration, "1h", 3600),
    (parse_time, "500ms", 0.5),
    (parse_time, ".5", 0.5),
    (parse_time, "1e2", 100),
    (parse_time, " 7 ", 7),
    (parse_pause, "5s", (5, 5)),
    (parse_pause, "1s - 5s", (1, 5)),
    (parse_rate, "200/s", 200),
    (parse_rate, "12000 / min", 200),
    (parse_rate, "200", 200),
    (_PARSE_SHARE, "2%", 0.02),
    (_PARSE_SHARE, "0.02", 0.02),
    (_PARSE_SHARE, "0.5 %", 0.005),
    (parse_header, "X-Test: a:b ", ("X-Test", "a:b")),
    (parse_header, "X-Test:", ("X-Test", "")),
    (parse_user, "a:b:c", ("a", "b:c")),
    (parse_user, "a", ("a", None)),
    (parse_arm, "naive", Arm("naive", "naive")),
    (parse_arm, "a=pooled", Arm("pooled", "a")),
    (parse_route, "there.test::[::1]:8080", Route("there.test", 0, "::1", 8080)),
    (parse_resolution, "*:80:[::1],127.0.0.1", Resolution("*", 80, ("::1", "127.0.0.1"))),
    (parse_resolution, "[::1]:80:127.0.0.1", Resolution("::1", 80, ("127.0.0.1",))),
]
REFUSED: list[tuple[Callable[[str], object], str, str]] = [
    *((parse_duration, text, "--duration") for text in ("", "s", "-1s", "1e3", "nan", "1s2", "٣s")),
    *((parse_time, text, "isn't a duration: write 30s") for text in ("soon", "", "5h\n")),
    (parse_pause, "1s-", "--think-time"),
    *((parse_rate, text, "--rate") for text in ("", "5/d", "-5", "1e3")),
    *((_PARSE_SHARE, text, "--precision") for text in ("", "%", "-2%", "2x", "nan%")),
    *((_PARSE_SHARE, text, f"did you mean {text}%?") for text in ("2", "1.5", "95")),
    (parse_header, "s3kr1t", "A header has no colon"),
    (parse_arm, "=pooled", "empty label"),
    *((parse_route, text, "HOST1:PORT1") for text in ("a:80:b", "a:x:b:80", "a:80:b:99999")),
    *((parse_route, text, "HOST1:PORT1") for text in ("a:80:::1:80", f"a:{'9' * 5_000}:b:80")),
    *(
        (parse_resolution, text, "HOST:PORT:AD")
        for text in ("a:80", "a:80:localhost", "a::1.1.1.1")
    ),
]
SECONDS = st.floats(1e-9, 1e6).map(lambda value: round(value, 9))
HOSTS = st.sampled_from(["", "there.test", "127.0.0.1", "::1", "fe80::1%lo"])
PORTS = st.integers(0, 65535)


@pytest.mark.parametrize(("parse", "text", "value"), READ)
def test_a_text_is_read(parse: Callable[[str], Any], text: str, value: object) -> None:
    assert parse(text) == (pytest.approx(value) if isinstance(value, (int, float)) else value)


@pytest.mark.parametrize(("parse", "text", "said"), REFUSED)
def test_what_is_no_such_value_is_refused_in_one_sentence(
    parse: Callable[[str], object], text: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse(text)
    assert len(f"{caught.value}") < 200
    assert "s3kr1t" not in f"{caught.value}"


@given(SECONDS)
def test_a_time_is_read_back(seconds: float) -> None:
    text = time_text(seconds)
    assert parse_duration(text) == parse_time(text) == pytest.approx(seconds, abs=1e-9)


@given(SECONDS, SECONDS)
@example(5.0, 5.0)
def test_a_pause_is_read_back(one: float, other: float) -> None:
    pause = (min(one, other), max(one, other))
    assert parse_pause(pause_text(pause)) == pytest.approx(pause, abs=1e-9)


@given(st.integers(1, 10**9), st.sampled_from([1, 60, 3600]))
@example(100, 3600)
def test_a_rate_is_read_back_exactly_in_the_unit_that_it_was_given_in(count: int, per: int) -> None:
    assert parse_rate(rate_text(count / per)) == count / per


@given(st.integers(1, 500))
def test_a_share_is_read_back(thousandths: int) -> None:
    assert _PARSE_SHARE(share_text(thousandths / 1_000)) == pytest.approx(thousandths / 1_000)


@given(st.builds(Route, HOSTS, PORTS, HOSTS, PORTS))
def test_a_route_is_read_back(route: Route) -> None:
    assert parse_route(route_text(route)) == route


@given(
    st.builds(
        Resolution,
        st.sampled_from(["*", "there.test", "::1"]),
        st.integers(1, 65535),
        st.lists(st.sampled_from(["::1", "127.0.0.1"]), min_size=1).map(tuple),
    )
)
def test_a_resolution_is_read_back(resolution: Resolution) -> None:
    assert parse_resolution(resolution_text(resolution)) == resolution


@given(st.sampled_from(["pooled", "naive"]), st.sampled_from(["", "a", "b-2"]))
def test_an_arm_is_read_back(kind: str, label: str) -> None:
    assert parse_arm(arm_text(Arm(kind, label))) == Arm(kind, label)
