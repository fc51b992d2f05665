"""Results files that somebody has tampered with: refused in a sentence, or harmless."""

from __future__ import annotations

import copy
import io
import json
from itertools import cycle, islice, repeat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.exports import all_lines, everything, printed, stored
from support.runs import Script

from keepalive_bench import analyse
from keepalive_bench.errors import KabError, ResultsFileError
from keepalive_bench.plan.load import Load
from keepalive_bench.report.preamble import answers
from keepalive_bench.report.verbose import connection_line, exchange_line
from keepalive_bench.results import bounded, reader
from keepalive_bench.results.exchange import Ending, Phases
from keepalive_bench.results.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple["str | int", ...]
_DERIVED = {"comparisons", "verdict", "findings", "requirements"}
_LONGEST = 400
HOSTILE: tuple[Any, ...] = (
    *(None, True, "", "x", "-1", "\ud800\x1b[31m=@|`<b>\n", "9" * 5000),
    *(-1, 0, 1, 2, 255, 256, 65535, 2**31 - 1, 2**31, 2**63, 10**30, 10**400),
    *(-2.5, 2.5, 1e-300, 1e9, 1e300, float("nan"), float("inf"), float("-inf")),
    *([], {}, [None], [[]], ["x", "y"], {"a": 1}),
)
STORED = stored(everything())
DOCUMENT: dict[str, Any] = json.loads(STORED)


def places(value: Any, path: Path = ()) -> Iterator[Path]:  # noqa: ANN401  # whatever JSON can hold
    """The path to each value, of lists to the first ones."""
    yield path
    members: Any = ()
    if isinstance(value, dict | list):
        members = value.items() if isinstance(value, dict) else islice(enumerate(value), 4)
    for name, member in members:
        if not (path == () and name in _DERIVED):
            yield from places(member, (*path, name))


PLACES = [path for path in places(DOCUMENT) if path]


def shown(text: str) -> None:
    """All that `kab report` does with a file."""
    run = Run.of_lines(io.StringIO(text))
    analysis = analyse(run)
    for line in all_lines(run, analysis):
        line.encode("utf-8", "backslashreplace")
    printed(run, 80, plotted=True)
    for exchange in run.exchanges:
        exchange_line(run.plan, exchange)
    for arm in analysis.arms:
        for row, reason in arm.reasons.items():
            connection_line(run.connections, row, reason)


def changed(path: Path, value: object) -> str:
    document = copy.deepcopy(DOCUMENT)
    place: Any = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    text = json.dumps(document)
    # What Python can't hold as a number, a file can.
    return text.replace('"' + "9" * 5000 + '"', "9" * 5000)


def assert_shown_or_refused(text: str) -> None:
    try:
        shown(text)
    except KabError as error:
        said = str(error)
        assert "\n" not in said, said
        assert said.isprintable(), said
        assert len(said) < _LONGEST, said


def test_the_file_itself_is_shown() -> None:
    shown(json.dumps(DOCUMENT))


@pytest.mark.slow
@settings(max_examples=300, derandomize=True)
@given(st.sampled_from(PLACES), st.sampled_from(HOSTILE))
def test_a_value_that_was_changed_is_refused_or_shown(path: Path, value: object) -> None:
    assert_shown_or_refused(changed(path, value))


@pytest.mark.slow
@settings(max_examples=60, derandomize=True)
@given(st.sampled_from([path for path in PLACES if isinstance(path[-1], str)]))
@pytest.mark.slow
def test_a_member_that_is_missing_is_refused_or_has_a_default(path: Path) -> None:
    document = copy.deepcopy(DOCUMENT)
    place: Any = document
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    assert_shown_or_refused(json.dumps(document))


@settings(max_examples=60, derandomize=True)
@given(st.integers(0, len(STORED) - 3))
def test_a_file_that_was_cut_off_anywhere_is_refused(length: int) -> None:
    with pytest.raises(ResultsFileError, match="damaged"):
        Run.of_lines([STORED[:length]])


def test_members_that_a_newer_kab_added_are_left_aside() -> None:
    document = copy.deepcopy(DOCUMENT)
    for place in (
        document,
        document["plan"],
        document["environment"],
        document["run_info"],
        document["exchanges"],
        document["exchanges"]["columns"],
        document["exchanges"]["answers"][0],
        document["exchanges"]["failures"][0],
        document["arms"]["pooled"]["urllib3"],
    ):
        place["added_later"] = [1]
    assert stored(Run.of_lines([json.dumps(document)])) == STORED


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"plan": DOCUMENT["plan"] | {"requests": "x"}}, "plan.requests can't be 'x'"),
        ({"run_info": DOCUMENT["run_info"] | {"wall_s": True}}, "run_info.wall_s can't be true"),
        ({"run_info": DOCUMENT["run_info"] | {"wall_s": 1e300}}, "run_info.wall_s can't be 1e+300"),
        ({"run_info": DOCUMENT["run_info"] | {"started_at": "now"}}, "started_at can't be 'now'"),
        ({"plan": {}}, "is missing"),
        ({"exchanges": DOCUMENT["exchanges"] | {"arms": ["x"]}}, "arms of exchanges are not those"),
    ],
)
def test_the_sentence_says_what_is_wrong_and_where(damage: dict[str, Any], said: str) -> None:
    with pytest.raises(ResultsFileError) as caught:
        Run.of_lines([json.dumps(DOCUMENT | damage)], "run.json")
    assert str(caught.value).startswith("run.json isn't a kab results file, or is damaged: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "moment",
    [
        "2026-02-30T03:04:05.678+00:00",
        "2026-01-02\u202e03:04:05.678+00:00",
        "2026-01-02T03:04:05.678+01:00",
        "2026-01-02T03:04:05.678+00:00\n",
        "\u0662026-01-02T03:04:05.678+00:00",
    ],
)
def test_a_moment_is_one_that_kab_writes(moment: str) -> None:
    run_info = DOCUMENT["run_info"] | {"started_at": moment}
    with pytest.raises(ResultsFileError, match=r"run_info\.started_at can't be '") as caught:
        Run.of_lines([json.dumps(DOCUMENT | {"run_info": run_info})])
    assert str(caught.value).isprintable()


def test_the_version_of_http_is_text() -> None:
    document = copy.deepcopy(DOCUMENT)
    for answer in document["exchanges"]["answers"]:
        answer["http_version"] = "HTTP/1.1\x1b]0;title\x07\u202e"
    analysis = analyse(Run.of_lines([json.dumps(document)]))
    for line in answers(analysis):
        assert line.isprintable()
        assert "HTTP/1.1\\x1b]0;title\\x07\\u202e" in line


def test_of_an_open_load_each_answer_says_how_late_it_was() -> None:
    script = Script("pooled", requests=2, load=Load(rate=5.0))
    script.send("pooled", 0.01, on=script.open("pooled"), queued_s=0.002)
    script.fail("pooled")
    text = stored(script.run())
    assert stored(Run.of_lines([text])) == text
    document = json.loads(text)
    document["exchanges"]["columns"]["queued_s"] = [None, None]
    with pytest.raises(ResultsFileError, match="an answer has no queued_s, though the plan has a"):
        Run.of_lines([json.dumps(document)])


def test_an_exchange_without_an_answer_and_without_a_failure_is_shown() -> None:
    script = Script("pooled", requests=3)
    row = script.open("pooled", ended_s=2.0, ending=Ending("fin", 0.1))
    script.send("pooled", 0.3, on=row)
    script.send("pooled", 0.3, on=row, status=None, answer=None)
    script.send("pooled", 0.3, on=script.open("pooled"))
    shown(stored(script.run()))


def test_the_phases_of_an_exchange_are_no_longer_than_it_is() -> None:
    script = Script("pooled")
    row = script.open("pooled")
    thirds = 0.3 / 3  # what isn't kept exactly, so that they add up to more by a rounding
    script.send("pooled", 0.3, on=row, phases=Phases(send=thirds, wait=thirds, receive=thirds))
    text = stored(script.run())
    assert stored(Run.of_lines([text])) == text
    document = json.loads(text)
    document["exchanges"]["columns"]["wait_s"] = [0.11]
    with pytest.raises(ResultsFileError, match="phases that took longer than it did"):
        Run.of_lines([json.dumps(document)])


def test_a_newer_file_is_said_to_need_a_newer_kab() -> None:
    with pytest.raises(ResultsFileError) as caught:
        Run.of_lines([json.dumps(DOCUMENT | {"schema_version": 2})], "run.json")
    assert str(caught.value) == (
        "run.json has schema version 2; this kab reads version 1. A newer kab wrote it: update kab."
    )


def test_a_text_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_CHARACTERS", 10_000)
    with pytest.raises(ResultsFileError, match="larger than"):
        Run.of_lines(repeat("[" * 100))


def test_packed_columns_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_PACKED_BYTES", 10_000)
    endless = cycle(['{"chunks": [\n', *['"base64:AAAA",\n'] * 1000])
    with pytest.raises(ResultsFileError, match="larger than"):
        Run.of_lines(endless)


def test_many_small_parts_are_refused_before_they_take_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounded, "_MOST_PARTS", 1000)
    with pytest.raises(ResultsFileError, match="more parts than"):
        Run.of_lines(["[" + "[]," * 1000])


def test_pieces_of_a_long_line_are_put_together() -> None:
    text = json.dumps(DOCUMENT)
    pieces = [text[start : start + 7] for start in range(0, len(text), 7)]
    assert stored(Run.of_lines(pieces)) == STORED
