"""`--csv`: RFC 4180, the numbers of the results file, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc

import pytest
from support.exports import everything, stored, written
from support.runs import Script

from keepalive_bench import Failure, Run, analyse
from keepalive_bench.report.rows_csv import csv_lines
from keepalive_bench.results.exchange import PHASES, QUEUED

ROWS = 100_000


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_lines_end_as_the_rfc_has_it_and_all_have_as_many_fields() -> None:
    text = written("csv", everything())
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n") == 1 + 22
    assert {len(row) for row in csv.reader(io.StringIO(text, newline=""), strict=True)} == {23}


def test_the_numbers_are_those_of_the_results_file() -> None:
    document = json.loads(stored(everything()))
    columns = document["exchanges"]["columns"]
    found = rows(written("csv", everything()))
    names = ["index", "round", "connection", "status", "body_bytes", "began_s", "latency_s"]
    for name in (*names, *(f"{phase}_s" for phase in (*PHASES, QUEUED))):
        values = [json.loads(row[name]) if row[name] else None for row in found]
        assert values == columns[name], name
    labels = document["exchanges"]["arms"]
    assert [row["arm"] for row in found] == [labels[number] for number in columns["arm"]]


def test_the_reasons_are_those_of_the_connections_that_a_request_opened() -> None:
    document = json.loads(stored(everything()))["connections"]
    reasons = [document["reasons"][number] for number in document["columns"]["reason"]]
    opened = [row for row in rows(written("csv", everything())) if row["reused"] == "false"]
    assert [
        row["reason"] for row in sorted(opened, key=lambda it: int(it["connection"]))
    ] == reasons
    slots = document["columns"]["slot"]
    assert all(int(row["slot"]) == slots[int(row["connection"])] for row in opened)


def test_each_request_says_whether_the_session_was_really_resumed() -> None:
    script = Script("unpooled", requests=4)
    script.send("unpooled", 0.01, on=script.open("unpooled"))
    for resumed in (False, True):
        row = script.open("unpooled")
        script.connections.secured(row, "TLSv1.2", "AES", resumed=resumed)
        script.send("unpooled", 0.01, on=row)
    script.send("unpooled", 0.01, on=row)
    run = script.run()
    found = rows("".join(csv_lines(run, analyse(run))))
    assert [row["resumed"] for row in found] == ["", "false", "true", ""]


def test_reused_adds_up_to_the_share_that_the_report_says() -> None:
    found = rows(written("csv", everything()))
    for arm in analyse(everything()).arms:
        own = [row for row in found if row["arm"] == arm.label]
        assert sum(row["reused"] == "true" for row in own) / arm.could_reuse == arm.reuse


def test_a_request_without_a_connection_has_empty_fields_and_no_zeros() -> None:
    refused = next(row for row in rows(written("csv", everything())) if row["failure"] != "")
    assert refused["failure"] == "other"
    without = [row for row in rows(written("csv", everything())) if row["connection"] == ""]
    assert [(row["failure"], row["message"]) for row in without] == [
        ("connect-refused", "Connection refused")
    ]
    for name in ("slot", "reused", "reason", "status", *(f"{phase}_s" for phase in PHASES)):
        assert without[0][name] == "", name


def failing(message: str) -> Run:
    script = Script("pooled", requests=1)
    script.fail("pooled", failure=Failure("other", message))
    return script.run()


@pytest.mark.parametrize("message", ["+1", "-1", "@SUM(A1)", " =1+1"])
def test_a_message_is_no_formula(message: str) -> None:
    (row,) = rows(written("csv", failing(message)))
    assert row["message"].startswith("'")
    assert row["message"].isprintable()


def test_tabs_and_line_ends_in_front_of_a_formula_are_no_way_around() -> None:
    for message in ("\t=1+1", "\r=1+1", "\n=1+1"):
        (row,) = rows(written("csv", failing(message)))
        assert row["message"].startswith("\\")


def test_quotes_and_commas_come_back_as_they_were() -> None:
    (row,) = rows(written("csv", failing('said "no", twice')))
    assert row["message"] == 'said "no", twice'


@pytest.mark.slow
def test_many_rows_take_no_memory_of_their_own() -> None:
    script = Script("pooled", requests=ROWS)
    connection = script.open("pooled")
    for _ in range(1000):
        script.send("pooled", 0.01, on=connection)
    short = script.run()
    analysis = analyse(short)
    for column in short.exchanges.columns().values():
        column.extend(column * (ROWS // 1000 - 1))
    long = short._replace()
    lines = csv_lines(long, analysis)
    next(lines)
    tracemalloc.start()
    try:
        assert sum(1 for _ in lines) == ROWS
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
