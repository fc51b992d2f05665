"""`kab trace --json`: by its schema, and as other programs read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from support.usages import PROGRAMS, mixed, report_of

from keepalive_bench import trace
from keepalive_bench.trace.document import json_lines
from keepalive_bench.trace.metrics import ORIGIN_METRICS
from keepalive_bench.trace.usage import Usage
from keepalive_bench.typed_json import from_json

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = json.loads(Path(trace.__file__).with_name("trace.schema.json").read_text("utf-8"))
_REQUIRED = ("reuse>=90%", "x.test: avoidable==0", "latency_reused.p50<=1s")


def document(text: str) -> dict[str, Any]:
    # As the command writes files.
    found: dict[str, Any] = json.loads(text.encode("utf-8", "backslashreplace"))
    return found


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_what_is_written_is_valid(program: Callable[[], Usage]) -> None:
    text = "".join(json_lines(report_of(program(), *_REQUIRED)))
    jsonschema.validate(document(text), SCHEMA, jsonschema.Draft202012Validator)


def test_the_schema_knows_all_members_and_no_others() -> None:
    text = "".join(json_lines(report_of(mixed(), *_REQUIRED)))
    assert list(document(text)) == list(SCHEMA["properties"])
    assert SCHEMA["additionalProperties"] is False


def test_a_usage_can_be_read_back() -> None:
    text = "".join(json_lines(report_of(mixed())))
    assert from_json(Usage, document(text)) == mixed()


def test_each_connection_has_a_line_of_its_own() -> None:
    lines = "".join(json_lines(report_of(mixed()))).splitlines()
    of_connections = [line for line in lines if line.startswith('    {"process"')]
    assert len(of_connections) == len(mixed().connections)


def test_nothing_in_a_log_is_a_command() -> None:
    text = "".join(json_lines(report_of(PROGRAMS["hostile"]())))
    assert "##" not in text
    assert not any(line.startswith("::") for line in text.splitlines())
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_requirement_tells_its_selector_and_how_it_stands() -> None:
    found = document("".join(json_lines(report_of(mixed(), *_REQUIRED))))["requirements"]
    assert [(it["selector"], it["name"], it["status"]) for it in found] == [
        ("", "reuse", "missed"),
        ("x.test", "avoidable", "missed"),
        ("", "latency_reused.p50_s", "met"),
    ]
    assert found[0]["because"] == ["pool-full", "unread-response", "unread-response", "new-client"]


def test_all_that_a_requirement_can_be_about_is_a_member_but_for_counts_by_reason() -> None:
    (origin, *_) = document("".join(json_lines(report_of(mixed()))))["origins"]
    for metric in ORIGIN_METRICS:
        if metric.keys:
            continue
        place = origin
        for step in metric.path.split("."):
            place = place[step]
        assert place == metric.of(mixed().origins[0])
