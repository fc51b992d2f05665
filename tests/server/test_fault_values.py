"""Which faults there are, and how they are told what exactly to do, and where."""

from __future__ import annotations

import pytest

from keepalive_bench.errors import UsageError
from keepalive_bench.server import FAULTS, Fault
from keepalive_bench.server.faults import selection


def test_every_fault_is_described_in_one_short_line_that_names_its_parameter() -> None:
    lines = {name: kind.line for name, kind in FAULTS.items()}
    parameters = {name: kind.parameter for name, kind in FAULTS.items() if kind.parameter}
    assert all(line.endswith(".") and line.isascii() for line in lines.values())
    assert max(map(len, lines.values())) <= 90
    assert [name for name, it in parameters.items() if it.name not in lines[name]] == []


def test_every_default_is_allowed_and_stands_where_nothing_is_said() -> None:
    defaults = {
        name: kind.parameter.default if kind.parameter else None for name, kind in FAULTS.items()
    }
    assert {name: Fault.parse(name).exactly for name in FAULTS} == defaults
    assert {name: Fault(name, value).exactly for name, value in defaults.items()} == defaults


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("drip=0.25", 0.25),
        ("many-headers=101", 101),
        ("garbage-status=HTTP/1.1=\x1b\xff", "HTTP/1.1=\x1b\xff"),
        ("garbage-status=", ""),
    ],
)
def test_a_parameter_is_read_as_what_it_is(text: str, value: object) -> None:
    assert Fault.parse(text).exactly == value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\x1b[31m=3", r"There is no fault '\\x1b\[31m'"),
        ("drip=fast", "'fast' isn't a valid SECONDS for the fault drip"),
        ("drip=-1", "The fault drip can't take '-1.0'"),
        ("drip=nan", "can't take 'nan'"),
        ("drip=1e300", r"take '1e\+300': SECONDS must be 0 to 1,000,000\."),
        (f"long-header={10**12}", "BYTES must be 0 to 268,435,456"),
        (f"big-head={'9' * 5_000}", "isn't a valid BYTES"),
        ("many-headers=1.5", "'1.5' isn't a valid COUNT"),
        ("interim=101", r"can't take '101'\."),
        ("garbage-status=€", r"can't take '€'\."),
        ("nagle=1", "The fault nagle has no parameter"),
    ],
)
def test_an_impossible_fault_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Fault.parse(text)


@pytest.mark.parametrize(("name", "value"), [("nagle", 1), ("drip", "1")])
def test_a_parameter_of_another_type_is_refused(name: str, value: float | str) -> None:
    with pytest.raises(UsageError, match="can't take"):
        Fault(name, value)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("*", [1, 2, 3, 4, 5, 6, 7]),
        ("3", [3]),
        ("3-", [3, 4, 5, 6, 7]),
        ("2-4", [2, 3, 4]),
        ("*/3", [3, 6]),
    ],
)
def test_numbers_can_be_chosen(text: str, chosen: list[int]) -> None:
    assert [number for number in range(8) if number in selection(text)] == chosen


@pytest.mark.parametrize("text", ["", "0", "1,2", "*/0", "3 "])
def test_what_chooses_no_numbers_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="isn't a list of numbers"):
        Fault("drip", requests=text)
    with pytest.raises(UsageError, match="isn't a list of numbers"):
        Fault("drip", connections=text)


@pytest.mark.parametrize("name", ["answer-first", "reset-in-handshake"])
def test_a_fault_before_all_requests_can_choose_none(name: str) -> None:
    with pytest.raises(UsageError, match="comes before any request"):
        Fault(name, requests="1")
