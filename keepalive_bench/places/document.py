"""Several places, for programs: JSON (docs/places.md is the contract), CSV and OpenMetrics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import keepalive_bench
from keepalive_bench.places.differences import Difference
from keepalive_bench.places.metrics import TOTAL_METRICS, Totals
from keepalive_bench.places.place import LostPlace
from keepalive_bench.plan.document import plan_document
from keepalive_bench.report.document import requirement_document
from keepalive_bench.report.openmetrics import (
    Family,
    Sample,
    estimate_samples,
    exposition_lines,
    status_samples,
)
from keepalive_bench.report.rows_csv import table_lines
from keepalive_bench.report.schema import (
    array_of,
    members,
    requirement_schema,
    results_schema,
    schema_head,
)
from keepalive_bench.requirements.selection import selection
from keepalive_bench.typed_json import (
    Count,
    Document,
    Schema,
    Seconds,
    object_schema,
    schema_of,
    to_json,
)
from keepalive_bench.units import json_in_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis import Checked
    from keepalive_bench.places.place import Place
    from keepalive_bench.places.report import Places

KIND, SCHEMA_VERSION = "places", 1
OF_RUNS = (
    *("run_info", "warmup", "arms", "comparisons", "verdict", "findings"),
    *("sweep", "recommendation"),
)
"""What the results file says of a run, too."""
COLUMNS: dict[str, tuple[str, str]] = {
    "place": ("What the place is called", ""),
    "source": ("The file that held its run, or the worker that measured", ""),
    "lost": ("Why there is no result", "there is one"),
    "started_at": ("Date and time of its run's start", "lost"),
    "verdict": ("The verdict's code", "lost"),
    "round_trip_s": ("The network's shortest round trip", "unknown"),
    "saved_trips": (
        "How many round trips a reuse saves",
        "unknown, or the saving isn't about as long as they are",
    ),
    "saving_s": (
        "How much less the first arm's median latency is than the next one's",
        "nothing to compare",
    ),
    "saving_low_s": ("The low end of its interval", "too few requests"),
    "saving_high_s": ("The high end", "too few requests"),
    "arm": ("The label", "lost"),
    "sent": ("Requests that were sent", "lost"),
    "failed": ("Those of them that failed", "lost"),
    "connections": ("Connections opened", "lost"),
    "reopened": ("Those opened again", "lost"),
    "latency_p50_s": ("The median latency", "nothing was answered"),
    "requests_per_second": ("Requests per second", "unknown"),
}
"""What each column means, and when it is empty."""


class OwnMembers(NamedTuple):
    """What the document says of a place, besides what the results file says of its run."""

    name: str
    """What the place is called."""
    source: str
    """The file that held its run, or the worker that measured."""
    round_trip_s: Seconds | None
    """The network's shortest round trip, as the system measured it in TCP's handshakes, or what a
    handshake typically took; `None`: neither is known."""
    saved_trips: Count | None
    """How many round trips a reuse saves, where the saving is about as long as they are."""
    facts: dict[str, tuple[str, ...]]
    """Who answered, and how: each `server`, `via`, `address`, version of `TLS` and `HTTP`,
    `status`, `failure`, and `reason` for which the first arm opened connections again."""


def json_lines(found: Places) -> Iterator[str]:
    """The file's lines, one for each place."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "kab": keepalive_bench.__version__,
        "sentence": found.sentence,
        "totals": to_json(found.totals),
        "lost": [to_json(it) for it in found.lost],
        "differences": [to_json(it) for it in found.differences],
        "requirements": [requirement(it) for it in found.requirements],
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    yield f'{json_in_log(text).removesuffix("}").rstrip()},\n  "places": ['
    before = "\n    "
    for it in found.places:
        line = json.dumps(_place(it), ensure_ascii=False, allow_nan=False)
        yield f"{before}{json_in_log(line)}"
        before = ",\n    "
    yield "\n  ]\n}\n" if found.places else "]\n}\n"


def _place(place: Place) -> Document:
    own = OwnMembers(place.name, place.source, place.round_trip_s, place.saved_trips, place.facts)
    return {
        **own._asdict(),
        "plan": plan_document(place.plan),
        "environment": to_json(place.environment),
        **{name: place.document[name] for name in OF_RUNS},
    }


def requirement(checked: Checked) -> Document:
    """A requirement, which place it is about, and how it stands."""
    return {
        "selector": selection(checked.requirement.text).selector,
        **requirement_document(checked),
    }


def places_schema() -> Schema:
    """What `kab places --json FILE` writes."""
    of_run: dict[str, Any] = results_schema()["properties"]
    checked: Any = requirement_schema()["properties"]
    parts = ("plan", "environment", *OF_RUNS)
    place = object_schema(members(OwnMembers) | {name: of_run[name] for name in parts})
    return {
        **schema_head(KIND, SCHEMA_VERSION, "Runs at several places", "docs/places.md"),
        **object_schema(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "kind": {"const": KIND},
                "kab": schema_of(str),
                "sentence": schema_of(str),
                "totals": schema_of(Totals),
                "lost": array_of(schema_of(LostPlace)),
                "differences": array_of(schema_of(Difference)),
                "requirements": array_of(object_schema({"selector": schema_of(str), **checked})),
                "places": array_of(place),
            }
        ),
    }


def csv_lines(found: Places) -> Iterator[str]:
    """The header, and a line for each arm of each place; one for each that is lost."""
    yield from table_lines(COLUMNS, _rows(found))


def _rows(found: Places) -> Iterator[tuple[str | float | None, ...]]:
    for it in found.places:
        head = (it.name, it.source, None, it.run_info.started_at, it.verdict.code)
        for arm in it.arms:
            yield (
                *(*head, it.round_trip_s, it.saved_trips, *it.saving_s, arm.label, arm.sent),
                *(arm.failed, arm.connections, arm.reopened, arm.latency_s),
                arm.requests_per_second,
            )
    for gone in found.lost:
        yield (gone.name, gone.source, gone.why, *(None,) * (len(COLUMNS) - 3))


def openmetrics_lines(found: Places) -> Iterator[str]:
    """The file's lines. What is not known is left out."""
    return exposition_lines(_families(found), {})


def _families(found: Places) -> Iterator[Family]:
    own = [(it, {"place": it.name}) for it in found.places]
    for metric in TOTAL_METRICS:
        value = metric.of(found.totals)
        name = f"kab_places_{metric.path.removeprefix('total.')}"
        number = value if isinstance(value, int | float) else None
        yield Family(name, f"{metric.meaning}.", [Sample(number, {})])
    missing = [Sample(0, labels) for _, labels in own]
    missing += [Sample(1, {"place": it.name}) for it in found.lost]
    yield Family("kab_place_lost", "Whether there is no result of a place.", missing)
    trips = [Sample(it.round_trip_s, labels) for it, labels in own]
    yield Family("kab_place_round_trip_seconds", "The network's shortest round trip.", trips)
    codes = [Sample(1, {**labels, "code": it.verdict.code}) for it, labels in own]
    yield Family("kab_place_verdict", "The verdict's code.", codes)
    savings = [sample for it, labels in own for sample in estimate_samples(labels, it.saving_s)]
    words = "How much less the first arm's median latency is, with the ends of its interval."
    yield Family("kab_place_saving_seconds", words, savings)
    arms = [(arm, {**labels, "arm": arm.label}) for it, labels in own for arm in it.arms]
    latencies = [Sample(arm.latency_s, labels) for arm, labels in arms]
    yield Family("kab_place_latency_median_seconds", "The median latency.", latencies)
    counts = {"sent": "Requests that were sent.", "failed": "Those of them that failed."}
    counts |= {"connections": "Connections opened.", "reopened": "Those opened again."}
    for name, said in counts.items():
        samples = [Sample(getattr(arm, name), labels) for arm, labels in arms]
        yield Family(f"kab_place_{name}", said, samples)
    yield Family(
        "kab_requirement", "Requirements, 1 by status.", status_samples({}, found.requirements)
    )
