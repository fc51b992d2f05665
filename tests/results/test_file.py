"""Run ⇄ file: everything measured comes back, and a file that is none says so."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving
from support.plans import run
from support.runs import HTML, REFUSED, Script

from keepalive_bench import Run, Variation, analyse
from keepalive_bench.errors import ResultsFileError
from keepalive_bench.plan.document import plan_document
from keepalive_bench.report.document import derived_document
from keepalive_bench.results import column_codec
from keepalive_bench.results.exchange import PHASES, Answer, Ending, Failure, Phases
from keepalive_bench.results.file import document_lines
from keepalive_bench.results.measured import WarmUp
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN_ROWS, PACKED_ROWS, TWO_CHUNKS = 400, 401, 1_300
REAL_TWO_CHUNKS = 70_000
EVERY_PHASE = Phases(*(1 / (3 + number) / 2**20 for number in range(len(PHASES))))


@pytest.fixture
def _packed_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns are packed, and parted into chunks, at sizes that are quickly written and read."""
    monkeypatch.setattr(column_codec, "PACK_FROM", PLAIN_ROWS)
    monkeypatch.setattr(column_codec, "_CHUNK", 1_000)


packed_early = pytest.mark.usefixtures("_packed_early")


def text_of(measured: Run) -> str:
    return "".join(document_lines(measured, derived_document(analyse(measured))))


def read(text: str) -> Run:
    return Run.of_lines(io.StringIO(text))


def made(exchanges: int) -> Run:
    """A run that has everything in it which a run can have, missing values above all."""
    script = Script("pooled", "unpooled", requests=max(1, exchanges))
    phases = cycle([Phases(), EVERY_PHASE, *(Phases(**{name: 2**-20 / 7}) for name in PHASES)])
    answers = cycle([HTML, None, Answer("HTTP/1.0", 'a "quoted" \x1b\U0001f600 type', "close")])
    arms = cycle(["pooled", "unpooled"])
    ending = Ending("data", 0.5, 0.25, "HTTP/1.1 408 \u2028")
    secured = {"tls_version": "TLSv1.3", "cipher": "X", "ended_s": 2.0, "ending": ending}
    connections = cycle(
        [
            None,
            script.open("pooled"),
            script.open("unpooled", 1, failed="[::1]:80", lost=0.1, **secured),
        ]
    )
    for number in range(exchanges):
        if number % 11 == 5:
            script.fail(next(arms), failure=Failure("other", "said \u2028 \x00 <b>"))
            continue
        status = None if number % 13 == 7 else 200 + number % 300
        row = next(connections)
        script.send(
            next(arms) if row is None else script.connections[row].arm,
            1 / (number + 3),
            on=row,
            status=status,
            body_bytes=number * 10**9,
            answer=next(answers),
            phases=next(phases),
        )
    return script.run(
        warmup={"pooled": WarmUp(requests=2, connections=1, failures=(REFUSED,))}, interrupted=True
    )


def assert_same(one: Run, other: Run) -> None:
    for table, again in ((one.exchanges, other.exchanges), (one.connections, other.connections)):
        assert isinstance(again, type(table))
        # Bytes, because what is missing is NaN, which equals nothing.
        assert {name: column.tobytes() for name, column in table.columns().items()} == {
            name: column.tobytes() for name, column in again.columns().items()
        }
    assert one.exchanges.failures.values == other.exchanges.failures.values
    assert one.exchanges.answers.values == other.exchanges.answers.values
    assert one.connections.peers.values == other.connections.peers.values
    assert one.connections.attempts.values == other.connections.attempts.values
    assert one.connections.handshakes.values == other.connections.handshakes.values
    assert (one.environment, one.run_info) == (other.environment, other.run_info)
    assert (one.warmup, one.counters) == (other.warmup, other.counters)
    assert plan_document(one.plan) == plan_document(other.plan)


def assert_analysed_alike(one: Run, other: Run) -> None:
    assert analyse(one)._replace(plan=other.plan) == analyse(other)


@packed_early
@pytest.mark.parametrize("exchanges", [0, PLAIN_ROWS, PACKED_ROWS, TWO_CHUNKS])
def test_a_run_comes_back_as_it_was(exchanges: int) -> None:
    measured = made(exchanges)
    again = read(text_of(measured))
    assert_same(measured, again)
    assert_analysed_alike(measured, again)


@pytest.mark.slow
def test_a_run_of_more_than_a_chunk_s_real_size_comes_back_as_it_was() -> None:
    measured = made(REAL_TWO_CHUNKS)
    again = read(text_of(measured))
    assert_same(measured, again)
    assert_analysed_alike(measured, again)


def test_a_measured_run_comes_back_as_it_was() -> None:
    with serving(tls=True) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        measured = run(url, requests=30, ca_file=CERTIFICATE)
    again = read(text_of(measured))
    assert_same(measured, again)
    assert_analysed_alike(measured, again)


@packed_early
@pytest.mark.parametrize("exchanges", [50, PACKED_ROWS])
def test_a_run_that_was_read_is_written_again_as_it_was(exchanges: int) -> None:
    text = text_of(made(exchanges))
    assert text_of(read(text)) == text


@packed_early
@pytest.mark.parametrize(
    ("exchanges", "options"),
    [(50, {"ensure_ascii": False}), (PACKED_ROWS, {"indent": 4}), (TWO_CHUNKS, {"indent": None})],
)
def test_a_file_that_another_program_has_laid_out_anew_is_read_all_the_same(
    exchanges: int, options: dict[str, Any]
) -> None:
    measured = made(exchanges)
    assert_same(measured, read(json.dumps(json.loads(text_of(measured)), **options)))


def test_few_exchanges_are_written_so_that_jq_can_read_them() -> None:
    document = json.loads(text_of(made(20)))["exchanges"]
    assert document["encoding"] == "plain"
    assert document["columns"]["latency_s"][:2] == [1 / 3, 1 / 4]
    assert document["columns"]["status"][:2] == [200, 201]
    assert document["columns"]["pool_wait_s"][:2] == [None, 3.1789145e-07]
    assert document["columns"]["connection"][:3] == [None, 0, 1]


def test_many_are_packed_in_strings_that_any_program_can_unpack() -> None:
    measured = made(column_codec.PACK_FROM + 1)
    column = json.loads(text_of(measured))["exchanges"]["columns"]["latency_s"]
    assert column["type"] == "f8"
    raw = base64.b64decode(column["chunks"][0].removeprefix("base64:"))
    assert len(raw) == 8 * (column_codec.PACK_FROM + 1)
    assert raw[:8] == bytes.fromhex("555555555555d53f")  # 1/3, IEEE 754, little-endian


def test_a_parameter_that_looks_like_a_packed_column_is_none() -> None:
    values = ("base64:AAAA", "base64:?")
    script = Script("pooled", requests=1)
    request = replace(script.plan.request, variation=Variation(fields=(("q", values),)))
    measured = script.run()._replace(plan=replace(script.plan, request=request))
    assert read(text_of(measured)).plan.request.variation.fields == (("q", values),)


NO_RESULTS = {
    "nothing": "",
    "no JSON": "{",
    "a list": "[]",
    "another document": '{"a": 1}',
    "nested too deep": "[" * 100_000,
    "an endless number": '{"schema_version": ' + "1" * 5000 + "}",
}


@pytest.mark.parametrize("text", NO_RESULTS.values(), ids=NO_RESULTS)
def test_what_is_no_results_file_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ResultsFileError, match="isn't a kab results file"):
        read(text)


@pytest.mark.parametrize("version", [0, "1"])
def test_another_version_is_named(version: object) -> None:
    document = json.loads(text_of(made(5))) | {"schema_version": version}
    with pytest.raises(ResultsFileError, match=f"schema version {version!r}; this kab reads"):
        read(json.dumps(document))


@packed_early
@pytest.mark.parametrize("part", [0.5, 0.999])
def test_a_packed_file_that_was_cut_off_is_damaged(part: float) -> None:
    text = text_of(made(PACKED_ROWS))
    with pytest.raises(ResultsFileError):
        read(text[: int(len(text) * part)])


def test_every_part_of_a_file_that_is_measured_is_needed() -> None:
    document = json.loads(text_of(made(5)))
    measured = {"plan", "environment", "run_info", "warmup", "exchanges", "connections", "arms"}
    for name in measured:
        with pytest.raises(ResultsFileError):
            read(json.dumps({key: value for key, value in document.items() if key != name}))


def test_a_file_that_was_written_before_members_were_added_is_read() -> None:
    measured = made(20)
    document = json.loads(text_of(measured))
    for name in ("count_by", "server", "tcp_keepalive_time"):
        del document["plan"][name]
    places = ("location", "server", "via")
    for name in (*places, "asks_for", "new_session", "retry_after", "complaint"):
        for answer in document["exchanges"]["answers"]:
            del answer[name]
    del document["exchanges"]["counted"], document["exchanges"]["columns"]["counted"]
    del document["connections"]["columns"]["retransmissions"]
    assert_same(measured, read(json.dumps(document)))


def columns(document: dict[str, Any]) -> Any:  # noqa: ANN401
    return document["exchanges"]["columns"]


DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a column is missing": lambda it: columns(it).pop("status"),
    "a column is short": lambda it: columns(it)["status"].pop(),
    "a column is no list": lambda it: columns(it).update(status=7),
    "a number is a word": lambda it: columns(it)["status"].__setitem__(0, "ok"),
    "a number is too large": lambda it: columns(it)["status"].__setitem__(0, 10**6),
    "an arm is unknown": lambda it: columns(it)["arm"].__setitem__(0, 9),
    "a connection is unknown": lambda it: columns(it)["connection"].__setitem__(0, 9),
    "a connection is below none": lambda it: columns(it)["connection"].__setitem__(0, -7),
    "a cipher is unknown": lambda it: it["connections"]["columns"]["cipher"].__setitem__(0, 9),
    "a connection is another arm's": lambda it: columns(it)["arm"].__setitem__(1, 1),
    "an index is beyond the last": lambda it: columns(it)["index"].__setitem__(0, 999),
    "there are more exchanges than requests": lambda it: it["plan"].update(requests=2),
    "requests are of other arms": lambda it: it["run_info"].update(requests={"a": 1}),
    "the count is wrong": lambda it: it["exchanges"].update(count=7),
    "the encoding is unknown": lambda it: it["exchanges"].update(encoding="zip"),
    "a failure has no kind": lambda it: it["exchanges"]["failures"][0].pop("kind"),
    "no arm": lambda it: it["plan"].update(arms=[]),
    "an unknown kind of arm": lambda it: it["plan"]["arms"][0].update(kind="other"),
    "a URL that is none": lambda it: it["plan"].update(url="ftp:"),
    "a plan that is none": lambda it: it.update(plan=[]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_said_to_be_one(damage: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(text_of(made(20)))
    damage(document)
    with pytest.raises(ResultsFileError, match="damaged"):
        read(json.dumps(document))


PACKED_DAMAGES: dict[str, Callable[[list[Any]], object]] = {
    "no chunk": lambda it: it.clear(),
    "a number": lambda it: it.__setitem__(0, 7),
    "null": lambda it: it.__setitem__(0, None),
    "no base64": lambda it: it.__setitem__(0, "base64:***"),
    "no mark": lambda it: it.__setitem__(0, it[0].removeprefix("base64:")),
    "half a number": lambda it: it.__setitem__(0, "base64:AAAA"),
}


@packed_early
@pytest.mark.parametrize(
    ("damage", "indent"),
    [(damage, 2) for damage in PACKED_DAMAGES.values()]
    + [(PACKED_DAMAGES[name], None) for name in ("no base64", "half a number")],
    ids=[*PACKED_DAMAGES, "no base64, on one line", "half a number, on one line"],
)
def test_a_damaged_packed_column_is_said_to_be_one(
    damage: Callable[[list[Any]], object], indent: int | None
) -> None:
    document = json.loads(text_of(made(PACKED_ROWS)))
    damage(columns(document)["latency_s"]["chunks"])
    with pytest.raises(ResultsFileError, match="damaged"):
        read(json.dumps(document, indent=indent))


def test_bytes_that_are_no_text_are_no_results_file() -> None:
    with pytest.raises(ResultsFileError):
        Run.of_lines(line.decode() for line in [b"\xff\xfe"])


@packed_early
@pytest.mark.parametrize("rows", [4, PACKED_ROWS + 3])
def test_resumed_sessions_and_round_trips_come_back(rows: int) -> None:
    script = Script("unpooled", requests=rows)
    for number in range(rows):
        tls: dict[str, Any] = {"tls_version": "TLSv1.3", "cipher": "X", "resumed": number % 2 == 1}
        script.open("unpooled", **tls if number % 4 else {}, min_rtt=0.25 if number % 3 else None)
    found = script.run()
    assert list(read(text_of(found)).connections) == list(found.connections)
