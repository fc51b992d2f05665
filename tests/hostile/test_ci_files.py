"""A file that somebody gives to `kab report` or `kab compare` commands no CI system either."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest
from support.exports import all_lines, everything, printed, set_by_rich, stored, written
from support.orders import ORDERS, SECTION, SHORT_ORDERS, orders_in, without_annotations
from support.places import compared

from keepalive_bench import Run, analyse
from keepalive_bench.cli.exports import OF_CHANGES, OF_PLACES
from keepalive_bench.cli.renderers import Changes
from keepalive_bench.cli.report import check_requirements
from keepalive_bench.cli.session import report_of
from keepalive_bench.compare import compare_runs
from keepalive_bench.compare.change import Change, Source
from keepalive_bench.compare.report import annotation_lines as compare_annotations
from keepalive_bench.compare.report import terminal_parts
from keepalive_bench.errors import KabError
from keepalive_bench.places.report.dialects import annotation_lines as places_annotations
from keepalive_bench.places.report.terminal import terminal_parts as places_parts
from keepalive_bench.plan.document import plan_document
from keepalive_bench.report.github import annotation_lines
from keepalive_bench.report.verbose import connection_line, exchange_line
from keepalive_bench.results.exchange import Answer, Failure
from keepalive_bench.results.measured import Environment, LostProcess
from keepalive_bench.units import for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_Path = tuple["str | int", ...]
_READ = ("plan", "environment", "run_info", "warmup", "exchanges", "connections")
_ALL = f"{ORDERS}{SECTION}"
_TEXTS = (_ALL, ORDERS, SHORT_ORDERS, f"http://127.0.0.1:8000/{SHORT_ORDERS}", "::e::", "##")
"""What a place is given, the first that it takes: a URL has no blanks, a method no colon."""


def _texts(value: Any, path: _Path = ()) -> Iterator[_Path]:  # noqa: ANN401  # whatever JSON holds
    """The path to each text, and to each place that has none."""
    if isinstance(value, str | None):
        yield path
    elif isinstance(value, dict | list):
        for name, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(member, (*path, name))


def _whole() -> dict[str, Any]:
    """A file with all that one can have a text in."""
    document: dict[str, Any] = json.loads(stored(everything()))
    document["plan"]["parameters"]["rows"] = [[["a", "b"]]]
    document["plan"]["parameters"]["unique"] = ["c"]
    document["plan"] |= {
        "connect_to": [["a.test", 80, "b.test", 80]],
        "resolve": [["a.test", 80, ["127.0.0.1"]]],
        "processes": 2,
    }
    document["run_info"]["lost"] = [{"process": 1, "why": "it ended", "sent": {"pooled": 1}}]
    return document


@cache
def _hostile(*, backwards: bool) -> tuple[Run, set[str], list[str]]:
    """A run whose every text commands something, as far as a file can have that.

    With the names of those texts, and what was said where one was refused. Some exclude each
    other, and the first one stays: `backwards` begins at the end.
    """
    document, taken, said = _whole(), set[str](), list[str]()
    paths = [path for path in _texts(document) if path[0] in _READ and "columns" not in path]
    for path in reversed(paths) if backwards else paths:
        for text in _TEXTS:
            before = _put(document, path, text)
            try:
                check_requirements(Run.of_lines([json.dumps(document)], "run.json"), "run.json")
            except KabError as error:
                said.append(f"Error: {error}")
                _put(document, path, before)
            else:
                taken.add(str(next(name for name in reversed(path) if isinstance(name, str))))
                break
    return Run.of_lines([json.dumps(document)]), taken, said


def _put(document: dict[str, Any], path: _Path, value: object) -> object:
    """Put a value at its place; the one that was there."""
    place: Any = document
    for name in path[:-1]:
        place = place[name]
    before, place[path[-1]] = place[path[-1]], value
    return before


both_ways = pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])


def _source(run: Run) -> Source:
    return Source(f"{SHORT_ORDERS}.json", run, analyse(run), plan_document(run.plan))


def _change(base: Run, new: Run) -> Change:
    return compare_runs([_source(base)], _source(new), (), forced=True)


def test_every_text_that_comes_from_outside_is_among_them() -> None:
    _, taken, _ = _hostile(backwards=False)
    literals = {"kind", "framing"}
    for cls in (Answer, Failure, LostProcess, Environment):
        names = {name for name, it in get_type_hints(cls).items() if it in {str, str | None}}
        assert names - literals <= taken, cls
    assert {"url", "user_agent", "upload", "ciphers", "headers", "fields", "rows"} <= taken
    assert {"peers", "attempts", "unasked", "resolve", "connect_to", "counted"} <= taken


@both_ways
def test_what_is_refused_is_said_without_an_order(*, backwards: bool) -> None:
    _, _, said = _hostile(backwards=backwards)
    assert said
    assert not orders_in("\n".join(said))


@both_ways
def test_no_export_has_an_order(*, backwards: bool) -> None:
    run, _, _ = _hostile(backwards=backwards)
    assert not orders_in("".join(all_lines(run, analyse(run))))
    change = _change(everything(), run)
    for exporter in OF_CHANGES:
        assert exporter.of_changes is not None
        assert not orders_in("".join(exporter.of_changes(Changes([change]))))


@both_ways
def test_no_export_of_places_has_an_order(*, backwards: bool) -> None:
    run, _, _ = _hostile(backwards=backwards)
    found = compared({"eu": run, "us": everything()}, "reopened==0", "failed==0")
    for exporter in OF_PLACES:
        assert exporter.of_places is not None
        assert not orders_in("".join(exporter.of_places(found)))
    lines = [*places_annotations(found)]
    assert orders_in("\n".join(lines)) == lines
    assert not orders_in(without_annotations("\n".join(lines)))


@both_ways
@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_on_places_is_an_order(width: int, *, backwards: bool) -> None:
    run, _, _ = _hostile(backwards=backwards)
    found = compared({"eu": run, "us": everything()}, "reopened==0", "failed==0")
    shown = set_by_rich(places_parts(found, width, plain_ascii=True), width)
    assert not orders_in(shown)
    told = [found.sentence, *(it.text for it in found.requirements)]
    assert not orders_in("\n".join(told))


@both_ways
def test_annotations_are_the_only_commands(*, backwards: bool) -> None:
    run, _, _ = _hostile(backwards=backwards)
    lines = [*annotation_lines(report_of(run, strict=True))]
    lines += compare_annotations([_change(everything(), run), _change(run, everything())])
    assert lines
    assert orders_in("\n".join(lines)) == lines
    assert not orders_in(without_annotations("\n".join(lines)))


@both_ways
def test_what_kab_says_of_it_in_json_can_be_printed_as_it_is(*, backwards: bool) -> None:
    run, _, _ = _hostile(backwards=backwards)
    document = json.loads(written("json", run))
    told = [document["verdict"], *document["findings"]]
    assert not orders_in("\n".join(f"{it['text']}\n{it.get('advice', '')}" for it in told))


@both_ways
def test_json_has_each_text_to_the_letter(*, backwards: bool) -> None:
    run, _, _ = _hostile(backwards=backwards)
    text = written("json", run)
    document = json.loads(text)
    assert document["plan"] == json.loads(json.dumps(plan_document(run.plan)))
    answers = [answer._asdict() for answer in run.exchanges.answers.values]
    assert document["exchanges"]["answers"] == answers
    assert document["connections"]["unasked"] == [_ALL]
    assert stored(Run.of_lines([text])) == text


@both_ways
@pytest.mark.parametrize(
    "widths",
    [(40, 67, 80, 200), pytest.param(range(40, 201, 5), marks=pytest.mark.slow)],
    ids=["some", "many"],
)
@pytest.mark.parametrize("plain_ascii", [False, True], ids=["utf-8", "ascii"])
def test_no_line_of_a_report_is_an_order_at_any_width(
    widths: Iterable[int], *, plain_ascii: bool, backwards: bool
) -> None:
    run, _, _ = _hostile(backwards=backwards)
    change = _change(run, everything())
    for width in widths:
        report = printed(run, width, plain_ascii=plain_ascii)
        parts = terminal_parts(change, width, plain_ascii=plain_ascii)
        for shown in (report, set_by_rich(parts, width)):
            assert not orders_in(for_terminal(shown, plain_ascii=plain_ascii))


@both_ways
def test_no_line_of_a_response_or_connection_is_an_order(*, backwards: bool) -> None:
    run, _, _ = _hostile(backwards=backwards)
    lines = [exchange_line(run.plan, exchange) for exchange in run.exchanges]
    for arm in analyse(run).arms:
        lines += [connection_line(run.connections, *it) for it in arm.reasons.items()]
    assert not orders_in("\n".join(lines))
