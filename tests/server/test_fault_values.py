from __future__ import annotations

import pytest
from server.wire import served

from keepalive_bench.errors import UsageError
from keepalive_bench.server import FAULTS, Fault
from keepalive_bench.server.faults import selection


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_can_be_had_by_its_name_and_is_described_in_a_line(name: str) -> None:
    assert Fault.parse(name) == Fault(name)
    line = FAULTS[name].line
    assert line.endswith(".")
    assert line.isascii()
    assert len(line) <= 90


@pytest.mark.parametrize("name", FAULTS)
def test_a_parameter_is_said_in_the_description(name: str) -> None:
    parameter = FAULTS[name].parameter
    if parameter is None:
        assert Fault(name).exactly is None
    else:
        assert parameter.name in FAULTS[name].line
        assert Fault(name, parameter.default).exactly == Fault(name).exactly


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("drip=0.25", 0.25),
        ("drip=2", 2.0),
        ("many-headers=101", 101),
        ("interim=102", 102),
        ("garbage-status=HTTP/1.1=\x1b\xff", "HTTP/1.1=\x1b\xff"),
        ("garbage-status=", ""),
    ],
)
def test_a_parameter_is_read_as_what_it_is(text: str, value: object) -> None:
    assert Fault.parse(text).exactly == value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nonsense", "There is no fault 'nonsense'"),
        ("\x1b[31m=3", r"There is no fault '\\x1b\[31m'"),
        ("drip=fast", "'fast' is no SECONDS for the fault drip"),
        ("drip=-1", "The fault drip can't be had with '-1.0'"),
        ("drip=nan", "can't be had with 'nan'"),
        ("drip=inf", "can't be had with 'inf'"),
        ("drip=1e300", r"with '1e\+300': SECONDS must be 0 to 1,000,000\."),
        (f"long-header={10**12}", "BYTES must be 0 to 268,435,456"),
        (f"big-head={'9' * 4_000}", "BYTES must be 0 to 268,435,456"),
        (f"big-head={'9' * 5_000}", "is no BYTES"),
        (f"many-headers={10**9}", "COUNT must be 0 to 1,000,000"),
        ("many-headers=1.5", "'1.5' is no COUNT"),
        ("interim=101", "can't be had with '101'"),
        ("garbage-status=€", "can't be had with '€'"),
        ("nagle=1", "The fault nagle has no parameter"),
    ],
)
def test_an_impossible_fault_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Fault.parse(text)


@pytest.mark.parametrize(("name", "value"), [("nagle", 1), ("drip", "1"), ("many-headers", 1.5)])
def test_a_parameter_of_another_type_is_refused(name: str, value: float | str) -> None:
    with pytest.raises(UsageError, match="can't be had with"):
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
    assert list(filter(selection(text), range(8))) == chosen


@pytest.mark.parametrize("text", ["", "0", "-3", "1,2", "*/0", "3 ", "x", "٣"])
def test_what_chooses_no_numbers_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no numbers"):
        Fault("drip", requests=text)
    with pytest.raises(UsageError, match="names no numbers"):
        Fault("drip", connections=text)


@pytest.mark.parametrize("name", ["answer-first", "reset-in-handshake"])
def test_a_fault_before_all_requests_can_choose_none(name: str) -> None:
    with pytest.raises(UsageError, match="precedes all requests"):
        Fault(name, requests="1")


def test_a_fault_strikes_on_the_requests_chosen_only() -> None:
    with served(fault=Fault("interim", requests="*/2")) as (server, wire):
        assert [wire.ask().status for _ in range(2)] == [200, 103]
        assert [wire.reply().status, wire.ask().status] == [200, 200]
        assert server.stats.faults == 1
