"""Places for programs: JSON by its schema, CSV and OpenMetrics as others read them."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from support.orders import orders_in
from support.places import GONE, worlds

from keepalive_bench.places.document import (
    csv_lines,
    json_lines,
    openmetrics_lines,
    places_schema,
)
from keepalive_bench.places.metrics import TOTAL_METRICS

if TYPE_CHECKING:
    from keepalive_bench.places.report import Places

every_world = pytest.mark.parametrize("found", worlds().values(), ids=worlds())


def document(found: Places) -> dict[str, Any]:
    text = "".join(json_lines(found)).encode("utf-8", "backslashreplace")  # as it is written
    read: dict[str, Any] = json.loads(text)
    return read


def rows(found: Places) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO("".join(csv_lines(found))))]


def samples(found: Places) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families("".join(openmetrics_lines(found)))
    read = [it for family in families for it in family.samples]
    by_key = {(it.name, frozenset(it.labels.items())): it.value for it in read}
    assert len(by_key) == len(read)
    return by_key


@every_world
def test_what_is_written_is_valid(found: Places) -> None:
    jsonschema.validate(document(found), places_schema(), jsonschema.Draft202012Validator)


def test_the_schema_is_one_and_knows_all_members_and_no_others() -> None:
    schema = places_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    whole = document(worlds()["lost"])
    assert {*whole} == {*schema["properties"]}
    assert schema["additionalProperties"] is False
    of_place = schema["properties"]["places"]["items"]
    assert {*whole["places"][0]} == {*of_place["properties"]}
    assert of_place["additionalProperties"] is False


def test_each_place_is_a_line_with_what_the_results_file_says_of_it() -> None:
    found = worlds()["plain"]
    lines = "".join(json_lines(found)).splitlines()
    assert [json.loads(it.rstrip(","))["name"] for it in lines[-4:-2]] == ["eu", "us"]
    place = document(found)["places"][1]
    assert (place["source"], place["saved_trips"]) == ("us.json", 2)
    assert place["round_trip_s"] == pytest.approx(0.08)
    assert place["arms"]["pooled"]["connections"] == 6
    assert place["plan"]["url"] == "https://api.example.com/"
    assert "exchanges" not in place


def test_what_is_lost_what_differs_and_what_is_required_are_there() -> None:
    whole = document(worlds()["lost"])
    assert whole["lost"] == [{"name": "gone", "source": "gone.json", "why": GONE.why}]
    assert {it["kind"]: it["places"] for it in whole["differences"]}["reason"] == {
        "server-close": ["us"]
    }
    standing = [(it["selector"], it["name"], it["status"]) for it in whole["requirements"]]
    assert standing == [
        ("", "arms.pooled.latency_s.p95", "missed"),
        ("eu", "arms.pooled.reopened", "met"),
        ("", "arms.pooled.latency_s.p99", "missed"),
        ("", "total.lost", "missed"),
    ]


def test_all_that_can_be_required_of_the_whole_is_a_member() -> None:
    for found in worlds().values():
        whole = document(found)
        for metric in TOTAL_METRICS:
            assert whole["totals"][metric.path.removeprefix("total.")] == metric.of(found.totals)


def test_csv_has_a_row_for_each_arm_of_each_place_and_for_each_that_is_lost() -> None:
    first, *others, last = rows(worlds()["lost"])
    assert (first["place"], first["arm"], first["sent"]) == ("eu", "pooled", "60")
    assert (first["connections"], first["verdict"]) == ("1", "faster")
    assert float(first["round_trip_s"]) == pytest.approx(0.02)
    assert float(first["saving_s"]) == pytest.approx(0.02, rel=0.01)
    assert [(it["place"], it["arm"]) for it in others] == [
        ("eu", "unpooled"),
        ("us", "pooled"),
        ("us", "unpooled"),
    ]
    assert {name: it for name, it in last.items() if it} == {
        "place": "gone",
        "source": "gone.json",
        "lost": GONE.why,
    }


@every_world
def test_every_row_has_as_many_cells_as_the_header(found: Places) -> None:
    header, *others = csv.reader(io.StringIO("".join(csv_lines(found))))
    assert {len(row) for row in others} == {len(header)}


@pytest.mark.parametrize("cell", ["place", "source", "lost"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert not any(row[cell].startswith(("=", "+", "@", "-")) for row in rows(worlds()["hostile"]))


def test_openmetrics_has_the_numbers_of_each_place_and_of_the_whole() -> None:
    found = samples(worlds()["lost"])

    def value(name: str, **labels: str) -> float | None:
        return found.get((name, frozenset(labels.items())))

    assert value("kab_places_connections") == 127
    assert value("kab_places_lost") == value("kab_place_lost", place="gone") == 1
    assert value("kab_place_lost", place="eu") == 0
    assert value("kab_place_connections", place="us", arm="pooled") == 6
    assert value("kab_place_reopened", place="us", arm="pooled") == 5
    assert value("kab_place_verdict", place="eu", code="faster") == 1
    assert value("kab_place_round_trip_seconds", place="eu") == pytest.approx(0.02)
    low = value("kab_place_saving_seconds", place="us", bound="low")
    assert low is not None
    assert low <= 0.16 * 1.01
    assert value("kab_requirement", requirement="total.lost==0", status="missed") == 1


@every_world
def test_what_isn_t_known_is_no_sample_and_all_of_it_is_openmetrics(found: Places) -> None:
    assert all(value == value for value in samples(found).values())  # noqa: PLR0124  # NaN isn't itself
    text = "".join(openmetrics_lines(found))
    assert [*openmetrics.text_string_to_metric_families(text)]  # type: ignore[no-untyped-call]  # it has no types
    assert text.endswith("# EOF\n")


@pytest.mark.parametrize("lines", [json_lines, csv_lines, openmetrics_lines])
def test_nothing_in_them_is_an_order(lines: Any) -> None:  # noqa: ANN401  # each takes places
    text = "".join(lines(worlds()["hostile"]))
    assert not orders_in(text)
    assert "\x1b" not in text
    assert "\u202e" not in text
