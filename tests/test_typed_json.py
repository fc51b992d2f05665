"""JSON by the types: what is written is valid and comes back, anything else is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from jsonschema import Draft202012Validator

from keepalive_bench.typed_json import (
    DERIVED,
    MOMENT,
    Count,
    FaultError,
    Seconds,
    Word,
    above,
    below,
    fewest,
    from_json,
    one_of,
    pattern,
    schema_of,
    to_json,
)


class Point(NamedTuple):
    x: float
    y: float | None = None


@dataclass(frozen=True, kw_only=True)
class Everything:
    count: Count
    time_s: Seconds | None
    rate: Annotated[float, above(0), below(100)]
    on: bool
    word: Literal["a", "b", 3] | None
    other: Annotated[str, one_of("x", "y")]
    began: Annotated[str, MOMENT]
    either: float | str
    point: Point
    points: Annotated[tuple[Point, ...], fewest(1)]
    maybe: Point | None
    one: Annotated[str, one_of("x")] | float | None
    pair: tuple[str, int]
    names: dict[Annotated[str, pattern("^[a-z]+$")], Count]
    listed: tuple[Word, ...] = ()
    late: int = 7

    @property
    def total(self) -> Annotated[int, DERIVED]:
        return len(self.points)

    @property
    def hidden(self) -> int:
        return 1


VALUE = Everything(
    count=1,
    time_s=None,
    rate=0.5,
    on=True,
    word=3,
    other="x",
    began="2026-01-02T03:04:05.678+00:00",
    either="many",
    point=Point(1.5, 2),
    points=(Point(1), Point(2.0, 3.0)),
    maybe=None,
    one=None,
    pair=("a", 1),
    names={"a": 1},
    listed=("a-b",),
)
DOCUMENT: dict[str, Any] = json.loads(json.dumps(to_json(VALUE)))
VALIDATOR = Draft202012Validator(schema_of(Everything))


def test_what_is_written_is_valid_and_comes_back() -> None:
    Draft202012Validator.check_schema(VALIDATOR.schema)
    assert not list(VALIDATOR.iter_errors(DOCUMENT))
    assert from_json(Everything, DOCUMENT) == VALUE


def test_a_derived_property_is_written_and_not_read() -> None:
    assert DOCUMENT["total"] == 2
    assert "hidden" not in DOCUMENT
    assert from_json(Everything, DOCUMENT | {"total": "?"}) == VALUE


def test_what_may_be_left_out_is_what_has_a_default() -> None:
    short = {name: value for name, value in DOCUMENT.items() if name not in {"listed", "late"}}
    assert from_json(Everything, short).listed == ()
    with pytest.raises(FaultError, match=r"^run\.count is missing$"):
        from_json(
            Everything, {name: value for name, value in DOCUMENT.items() if name != "count"}, "run"
        )


def test_members_that_the_type_does_not_know_are_left_aside() -> None:
    assert from_json(Everything, DOCUMENT | {"more": 1}) == VALUE
    assert list(VALIDATOR.iter_errors(DOCUMENT | {"more": 1}))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("count", -1, "count can't be -1"),
        ("count", True, "count can't be true"),
        ("count", 1.0, "count can't be 1.0"),
        ("time_s", 1e10, "time_s can't be 10000000000.0"),
        ("time_s", float("nan"), "time_s can't be nan"),
        ("time_s", 10**400, "time_s can't be "),
        ("rate", 0, "rate can't be 0"),
        ("rate", 100, "rate can't be 100"),
        ("rate", None, "rate can't be null"),
        ("on", 1, "on can't be 1"),
        ("word", 3.0, "word can't be 3.0"),
        ("other", "z", "other can't be 'z'"),
        ("began", "2026-02-30T03:04:05.678+00:00", "began can't be '2026-02-30T"),
        ("began", "now", "began can't be 'now'"),
        ("either", [], r"either can't be \[\]"),
        ("point", 7, "point can't be 7"),
        ("points", [], r"points can't be \[\]"),
        ("points", {}, r"points can't be \{\}"),
        ("points", [{"x": 1}, {"x": "?"}], r"points\[1\]\.x can't be '\?'"),
        ("maybe", {"y": 1}, r"maybe\.x is missing"),
        ("pair", ["a", 1, 2], r"pair can't be \['a', 1, 2\]"),
        ("pair", ["a", "b"], r"pair\[1\] can't be 'b'"),
        ("names", {"A": 1}, "a name in names can't be 'A'"),
        ("names", {"a\n": 1}, r"a name in names can't be 'a\\n'"),
        ("names", {"a": -1}, r"names\.a can't be -1"),
        ("names", [], r"names can't be \[\]"),
        ("listed", ["\u202e"], r"listed\[0\] can't be '\\u202e'"),
    ],
)
def test_a_fault_is_said_with_its_place(name: str, value: object, said: str) -> None:
    with pytest.raises(FaultError, match=f"^{said}") as caught:
        from_json(Everything, DOCUMENT | {name: value})
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


def test_the_whole_can_be_wrong() -> None:
    with pytest.raises(FaultError, match=r"^the whole can't be \[\]$"):
        from_json(Everything, [])


def test_a_type_that_is_not_stored_is_refused() -> None:
    for use in (schema_of, lambda type_: from_json(type_, 1)):
        with pytest.raises(TypeError, match="is not stored"):
            use(bytes)
