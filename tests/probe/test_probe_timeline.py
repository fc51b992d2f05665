"""The time line: everything stands where it happened, whatever draws it."""

from __future__ import annotations

from math import log

import pytest
from support.probes import LADDER, Endpoint, record_of, worlds

from keepalive_bench.probe.analysis import analyse
from keepalive_bench.probe.report.drawing import drawn_lines
from keepalive_bench.probe.report.timeline import Timeline, timeline

_WORLDS = [name for name in worlds() if name not in {"closed", "refused"}]


def line_of(world: str) -> Timeline:
    found = timeline(worlds()[world])
    assert found is not None
    return found


def place_of(found: Timeline, idle_s: float) -> float:
    """Where a time stands, by the numbers on the axis alone."""
    (left, low), *_, (right, high) = ((at, float(words)) for at, words in found.ticks)
    if low == 0:
        return left + idle_s / high * (right - left)
    return left + log(idle_s / low) / log(high / low) * (right - left)


@pytest.mark.parametrize("world", _WORLDS)
def test_each_mark_stands_at_its_time_on_the_axis(world: str) -> None:
    found = line_of(world)
    assert len(found.ticks) > 2
    for lane in found.lanes:
        for mark in lane.marks:
            assert 0 <= mark.at <= 1
            assert mark.at == pytest.approx(place_of(found, mark.idle_s), abs=1e-6)
        assert lane.until == max(mark.at for mark in lane.marks)


@pytest.mark.parametrize("world", ["closed", "refused"])
def test_without_an_idle_connection_there_is_no_picture(world: str) -> None:
    assert timeline(worlds()[world]) is None


def test_connections_alike_are_one_lane_and_those_of_other_backends_another() -> None:
    assert [it.label for it in line_of("well").lanes] == ["watched × 5", "reused × 8"]
    backends = line_of("backends").lanes
    assert [it.label for it in backends] == ["watched × 3", "watched × 2", "reused × 8"]
    assert backends[0].note == "3 closed after 3.00 s"
    drop = line_of("silent drop").lanes
    assert [it.label for it in drop] == ["watched × 5", "reused × 8", "narrowed × 6"]


def test_reuses_are_answered_up_to_the_drop_and_die_from_there() -> None:
    (_, reused, _) = line_of("silent drop").lanes
    assert [mark.sign for mark in reused.marks] == [
        "answered" if idle_s < 6 else "died" for idle_s in LADDER
    ]
    (band,) = line_of("silent drop").bands
    assert place_of(line_of("silent drop"), 6.0) == pytest.approx(
        (band.begins + band.ends) / 2, abs=0.05
    )
    assert band.begins < place_of(line_of("silent drop"), 6.0) < band.ends


def test_the_race_window_is_a_round_trip_before_the_close() -> None:
    found = line_of("short")
    (band,) = found.bands
    assert band.kind == "window"
    assert band.begins == pytest.approx(place_of(found, 0.196 - 0.02), abs=1e-6)
    assert band.ends == pytest.approx(place_of(found, 0.204), abs=1e-6)


@pytest.mark.parametrize(
    ("endpoint", "is_logarithmic"),
    [
        (Endpoint((75.0,)), False),
        (Endpoint(), False),
        (Endpoint(drop_s=6.0), True),
        (Endpoint(drop_s=60.0), False),
        (Endpoint((3.0, 75.0)), True),
        (Endpoint((3.0,)), False),
    ],
)
def test_the_axis_is_logarithmic_where_what_decides_would_be_lost_at_its_left(
    endpoint: Endpoint, *, is_logarithmic: bool
) -> None:
    found = timeline(analyse(record_of(endpoint)))
    assert found is not None
    assert found.logarithmic == is_logarithmic


@pytest.mark.parametrize("plain_ascii", [False, True])
@pytest.mark.parametrize("world", _WORLDS)
def test_every_sign_that_is_drawn_is_explained(world: str, *, plain_ascii: bool) -> None:
    found = line_of(world)
    lines = [*drawn_lines(found, 80, plain_ascii=plain_ascii)]
    signs = "o>|x" if plain_ascii else "●→│✗"
    before = lines[0].index("  ") + 2
    drawn = {char for line in lines[: len(found.lanes)] for char in line[before:] if char in signs}
    key = lines[len(found.lanes) + len(found.bands) + 2 :]
    assert drawn == {
        char
        for line in key
        for char in signs
        if f"{char} " in f"{line} "[:2] or f"   {char} " in line
    }


def test_a_death_is_hidden_by_nothing() -> None:
    (line,) = (
        it for it in drawn_lines(line_of("silent drop"), 40, plain_ascii=True) if "reused" in it
    )
    assert line.count("x") - "reused x 8".count("x") >= 4


def test_where_there_is_no_room_nothing_is_drawn() -> None:
    assert [*drawn_lines(line_of("well"), 20, plain_ascii=False)] == []
