"""A probe for programs: JSON by its schema and read back; CSV, OpenMetrics as others read them."""

from __future__ import annotations

import csv
import io
import json
from itertools import repeat
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from support.orders import orders_in
from support.probes import report_on, worlds

from keepalive_bench.errors import OtherDocumentError, ResultsFileError
from keepalive_bench.probe import document
from keepalive_bench.probe.analysis import analyse
from keepalive_bench.probe.document import json_lines, probe_schema, read_probe
from keepalive_bench.probe.exporting import csv_lines, openmetrics_lines
from keepalive_bench.probe.metrics import PROBE_METRICS
from keepalive_bench.stats.intervals import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.probe.probed import Probed

every_world = pytest.mark.parametrize("probed", worlds().values(), ids=worlds())
_REQUIRED = ("idle_timeout>=60s", "silent_drop>=350s")


def written(probed: Probed) -> str:
    return "".join(json_lines(report_on(probed, *_REQUIRED)))


def read(probed: Probed) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(written(probed))
    return whole


@every_world
def test_what_is_written_is_valid(probed: Probed) -> None:
    jsonschema.validate(read(probed), probe_schema(), jsonschema.Draft202012Validator)


def test_the_schema_is_one_and_knows_all_members_and_no_others() -> None:
    schema = probe_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert {*read(worlds()["everything"])} == {*schema["properties"]}
    assert schema["additionalProperties"] is False


def test_the_answer_and_its_numbers_are_members() -> None:
    whole = read(worlds()["well"])
    assert (whole["schema_version"], whole["kind"]) == (1, "probe")
    assert whole["sentence"].startswith("Keeps idle connections for 75.0 s")
    assert whole["idle_timeout"]["least_s"] == pytest.approx(75.0, abs=0.01)
    assert (whole["opened"], whole["requests"]) == (13, 20)
    assert [it["status"] for it in whole["requirements"]] == ["met", "undecided"]


def test_each_connection_is_a_line() -> None:
    whole = worlds()["well"]
    *_, before, last, end, brace = written(whole).splitlines()
    assert json.loads(before.rstrip(","))["part"] == json.loads(last)["part"] == "reused"
    assert (end, brace) == ("  ]", "}")


@every_world
def test_what_was_seen_is_read_back_and_comes_to_the_same(probed: Probed) -> None:
    record = read_probe([written(probed)])
    assert record == probed.record
    assert analyse(record) == analyse(probed.record)


def test_nothing_that_is_derived_is_trusted() -> None:
    whole = read(worlds()["well"])
    for name in whole.keys() - {"schema_version", "kind", "asked", "info", "connections"}:
        whole[name] = "a lie"
    assert read_probe([json.dumps(whole)]) == worlds()["well"].record


def spoiled(change: Callable[[Any], object]) -> str:
    whole = read(worlds()["everything"])
    change(whole)
    return json.dumps(whole)


def refused(text: str) -> str:
    with pytest.raises(ResultsFileError) as caught:
        read_probe([text], "probe.json")
    assert str(caught.value).startswith("probe.json ")
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda it: it.pop("asked"), "asked is missing"),
        (lambda it: it["asked"].update(max_idle_s=-1), "asked.max_idle_s can't be -1"),
        (lambda it: it["asked"].update(max_idle_s=1e300), "asked.max_idle_s can't be 1e+300"),
        (lambda it: it["asked"].update(server="\x1b[31m"), "knows no server called"),
        (lambda it: it["asked"].update(behind="(&)"), "names no balancer"),
        (lambda it: it["asked"].update(behind="nobody"), "doesn't know a default"),
        (lambda it: it["info"].update(started_at="now"), "info.started_at can't be 'now'"),
        (lambda it: it["connections"].__setitem__(0, []), "connections[0] can't be []"),
        (lambda it: it["connections"][0].update(part="x"), "connections[0].part can't be 'x'"),
        (lambda it: it["connections"][0].update(opened_s=None), "was never open, and was used"),
        (lambda it: it["connections"][0].update(carried=0), "carried fewer responses"),
        (lambda it: it["connections"][0].update(opened_s=99), "in another order"),
        (
            lambda it: it["connections"][0]["exchanges"][0].update(status=None),
            "a response and a failure, or neither",
        ),
        (lambda it: it.update(connections=it["connections"] * 99), "more connections than"),
    ],
)
def test_a_damaged_file_is_refused_with_what_is_wrong(
    change: Callable[[Any], object], why: str
) -> None:
    assert why in refused(spoiled(change))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "ends too early"),
        ("[]", "it isn't a JSON object"),
        ("{}", "it is of no kind"),
        ('{"kind": "probe"}', "it has no schema_version"),
        ('{"kind": "trace", "schema_version": 1}', "it is of the kind 'trace'"),
        ('{"kind": "probe", "schema_version": 2}', "A newer kab wrote it"),
        ('{"kind": "probe", "schema_version": 1}', "asked is missing"),
        ('{"kind": "probe", "schema_version": NaN}', "NaN isn't a JSON number"),
        ("[" * 200_000, "nested too deep"),
        (f'{{"kind": {"9" * 5000}}}', "a number of 5,000 digits"),
    ],
)
def test_another_file_is_refused(text: str, why: str) -> None:
    assert why in refused(text)


def test_a_run_s_results_are_another_document() -> None:
    with pytest.raises(OtherDocumentError):
        read_probe(['{"schema_version": 1}'])


def test_a_text_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MOST_CHARACTERS", 10_000)
    with pytest.raises(ResultsFileError, match="larger than"):
        read_probe(repeat("[" * 100))


def test_csv_has_a_row_for_each_connection() -> None:
    found = worlds()["silent drop"]
    rows = [*csv.DictReader(io.StringIO("".join(csv_lines(report_on(found)))))]
    assert len(rows) == len(found.record.connections)
    assert (rows[0]["part"], rows[0]["end"], rows[0]["failure"]) == ("watched", "", "")
    assert float(rows[0]["idle_s"]) > 130
    died = [it for it in rows if it["failure"] == "read-timeout"]
    assert min(float(it["reused_after_s"]) for it in died) == pytest.approx(6.05)
    assert {it["answered"] for it in died} == {"1"}


@every_world
def test_every_row_has_as_many_cells_as_the_header_and_no_cell_is_a_formula(probed: Probed) -> None:
    header, *others = csv.reader(io.StringIO("".join(csv_lines(report_on(probed)))))
    assert {len(row) for row in others} <= {len(header)}
    assert not any(cell.startswith(("=", "+", "@", "-")) for row in others for cell in row)


def samples(probed: Probed) -> dict[tuple[str, str], float]:
    text = "".join(openmetrics_lines(report_on(probed, *_REQUIRED)))
    families = text_string_to_metric_families(text)
    return {
        (it.name, it.labels.get("bound", "")): it.value
        for family in families
        for it in family.samples
        if it.name not in {"kab_requirement", "kab_probe_persistence"}
    }


def test_openmetrics_has_each_number_with_the_ends_that_are_known() -> None:
    found = samples(worlds()["well"])
    assert found["kab_probe_idle_timeout_seconds", "estimate"] == pytest.approx(75.0, abs=0.01)
    assert found["kab_probe_silent_drop_seconds", "low"] == 65.0
    assert ("kab_probe_silent_drop_seconds", "high") not in found
    assert ("kab_probe_lifetime_seconds", "low") not in found
    assert found["kab_probe_requests", "estimate"] == 20


@every_world
def test_all_of_it_is_openmetrics(probed: Probed) -> None:
    text = "".join(openmetrics_lines(report_on(probed, *_REQUIRED)))
    assert [*openmetrics.text_string_to_metric_families(text)]  # type: ignore[no-untyped-call]  # it has no types
    assert text.endswith("# EOF\n")
    named = {
        it.path: it.of(probed)
        for it in PROBE_METRICS
        if it.unit == "seconds" and isinstance(it.of(probed), Estimate)
    }
    for name, value in named.items():
        assert isinstance(value, Estimate)
        known = value.low is not None or value.high is not None
        assert (f"kab_probe_{name}_seconds" in text) == known


@pytest.mark.parametrize("lines", [json_lines, csv_lines, openmetrics_lines])
def test_nothing_in_them_is_an_order(lines: Any) -> None:  # noqa: ANN401  # each takes a report
    text = "".join(lines(report_on(worlds()["hostile"])))
    assert not orders_in(text)
    assert "\x1b" not in text
    assert "\u202e" not in text
