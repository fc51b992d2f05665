from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text
from support.orders import orders_in

from keepalive_bench.units import (
    duration,
    interval,
    json_in_log,
    plural,
    printable,
    quoted,
    rate,
    size,
    times,
)

_NEAR = 25
"""Terminals that narrow may fold an address."""
_PIECES = ("::", ":", "##", "#", "[", "]", "vso[", "teamcity[", " ", "a", "1f", "p" * 30, "\n", "'")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.0, "0.000 ms"),
        (0.000_310, "0.310 ms"),
        (0.000_999_6, "1.00 ms"),
        (0.009_996, "10.0 ms"),
        (0.099_96, "100 ms"),
        (0.9994, "999 ms"),
        (0.9995, "1.00 s"),
        (1.449, "1.45 s"),
        (9.996, "10.0 s"),
        (123.4, "123 s"),
        (-0.0415, "-41.5 ms"),
        (-1e-9, "0.000 ms"),
    ],
)
def test_a_duration_has_three_digits_that_count(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("ends", "beside", "text"),
    [
        ((0.0412, 0.0419), 0.0415, "[41.2 … 41.9]"),
        ((0.9, 1.1), 1.0, "[900 ms … 1.10 s]"),
        ((-2.08, 2.1), 0.008_32, "[-2.08 s … 2.10 s]"),
        ((0.9, 0.95), 1.0, "[900 ms … 950 ms]"),
    ],
)
def test_an_interval_leaves_out_the_unit_of_what_it_stands_beside_and_no_other(
    ends: tuple[float, float], beside: float, text: str
) -> None:
    assert interval(*ends, beside=beside) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (5 * 1024**5, "5120.0 TiB"),
    ],
)
def test_a_size_is_in_binary_units(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("per_second", "text"),
    [
        (None, "–"),
        (0.0333, "0.033"),
        (0.9996, "1.0"),
        (999.94, "999.9"),
        (999.96, "1,000"),
    ],
)
def test_a_rate_has_no_more_digits_than_it_bears(per_second: float | None, text: str) -> None:
    assert rate(per_second) == text


def test_a_ratio_has_two_decimals() -> None:
    assert (times(2.967), times(None)) == ("2.97×", "–")


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 requests"), (1, "1 request"), (1234, "1,234 requests")]
)
def test_a_count_agrees_with_its_noun(count: int, text: str) -> None:
    assert plural(count, "request") == text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain, naïve ☃", "plain, naïve ☃"),
        ("\x1b[31m", r"\x1b[31m"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\u202eabc\u2066", r"\u202eabc\u2066"),
        ("\udcff", r"\udcff"),
        ("\u200b\ufeff", r"\u200b\ufeff"),
    ],
)
def test_what_does_not_print_is_escaped(raw: str, shown: str) -> None:
    assert printable(raw) == shown


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("::error::boom", r":\x3aerror:\x3aboom"),
        ("close, ::stop-commands::x", r"close, :\x3astop-commands:\x3ax"),
        (":::", r":\x3a:"),
        ("##[error]", r"#\x23[error]"),
        ("###[error]", r"#\x23#[error]"),
        ("#1 # [x]", "#1 # [x]"),
        ("[::1]::error::", r"[::1]:\x3aerror:\x3a"),
        (f"{'p' * 40}[::1]", rf"{'p' * 40}[:\x3a1]"),
    ],
)
def test_what_a_ci_system_would_carry_out_is_broken_up(raw: str, shown: str) -> None:
    assert printable(raw) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("http://[::1]:8080/a", "[fe80::1%eth0]:443", "(https://[2001:db8::1]/)", "'::1'"),
        *("2001:db8::5: refused", "[::ffff:127.0.0.1]:80: Connection refused; [::]:80: No route"),
    ],
)
def test_an_address_stays_readable(text: str) -> None:
    assert printable(text) == text


def _wrapped(text: str, width: int) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
    console.print(Text(text, overflow="fold"))
    return stream.getvalue()


@given(st.lists(st.sampled_from(_PIECES)).map("".join), st.integers(1, 200), st.integers(0, 200))
def test_no_wrapping_and_no_cut_makes_an_order(text: str, width: int, length: int) -> None:
    shown = printable(text)
    assert printable(shown) == shown
    for part in (shown, shown[:length], f"x ({shown[:length]}…)"):
        assert not orders_in(_wrapped(part, width)) or (width <= _NEAR and "::" in part)


@given(st.lists(st.sampled_from(_PIECES)).map("".join), st.integers(1, 200))
def test_where_there_is_no_address_no_width_is_too_narrow(text: str, width: int) -> None:
    shown = printable(text.replace("[", "").replace("'", "").replace("1f", "x").replace("a", "x"))
    assert "::" not in shown
    assert not orders_in(_wrapped(shown, width))


_CONTROLS = ("\x85", "\u2028", "\x7f", "\x9b", "\u202e", "\u2066", "\u200f")


@given(st.text() | st.lists(st.sampled_from((*_PIECES, *_CONTROLS))).map("".join))
def test_json_in_a_log_gives_no_order_and_has_the_same_values(text: str) -> None:
    value = {text: [text, "##[error]"]}
    for ensure_ascii in (False, True):
        logged = json_in_log(json.dumps(value, indent=1, ensure_ascii=ensure_ascii))
        assert not orders_in(logged)
        assert not set(_CONTROLS) & set(logged)
        assert json.loads(logged) == value


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("\x1b[31m", r"'\x1b[31m'"),
        ("/home/me@work/run.json", "'/home/me@work/run.json'"),
        ("http://joe:hunter2@h/", "'http://***@h/'"),
        ("http://joe:a/b#c?d e@h/", "'http://***@h/'"),
        ("x" * 80, "'" + "x" * 80 + "'"),
    ],
)
def test_input_is_quoted_without_its_passwords(given: str, said: str) -> None:
    assert quoted(given) == said


@pytest.mark.parametrize("char", ["x", "\n", "\U000e0001"])
def test_of_long_input_there_are_the_beginning_and_the_end(char: str) -> None:
    said = quoted(f"begins{char * 10_000}ends")
    assert said.startswith("'begins")
    assert said.endswith("ends'")
    assert len(said) <= 2 + 80
    assert said.isprintable()
