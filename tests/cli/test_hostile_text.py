"""What a server says is text, never a command to the terminal or to Rich."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from support.command import Finished, called
from support.scripted_server import answering, response

if TYPE_CHECKING:
    from pathlib import Path

_HARMLESS = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]*")
_FIELDS = (b"Content-Type", b"Keep-Alive", b"Connection", b"X-Other")
_RUN = ("-n", "3", "--verbose", "--arm", "pooled", "--arm", "unpooled")


def _run(answer: bytes, *arguments: str) -> Finished:
    with answering(answer) as server:
        return called("run", server.url, *_RUN, *arguments)


@pytest.mark.parametrize(
    "value",
    [
        b"\x1b[31mred\x1b[2J",
        b"\x9b31m",
        b"\x1b]0;title\x07",
        "\u202egnp.exe".encode(),
        "naïve ☃".encode(),
        b"\xff\xfe",
        b"a\x00b",
        b"a\x7f\x08\x08b",
        b"a\r\n b",
        b"a\rb",
        b"a\x85b",
    ],
)
def test_what_would_move_the_terminal_is_escaped(value: bytes) -> None:
    done = _run(response(*(b"%b: %b" % (field, value) for field in _FIELDS)))
    assert done.code in {0, 1}
    assert _HARMLESS.fullmatch(done.text), repr(done.text)


@pytest.mark.parametrize("markup", ["[red]", "[/]", "[bold]x[/bold]", ":smile:", "[link=x]y"])
def test_markup_is_text(markup: str) -> None:
    done = _run(response(b"Content-Type: " + markup.encode()))
    assert done.code == 0
    verbose = [line for line in done.lines if "#" in line]
    assert all(markup in line for line in verbose)
    assert f", {markup}, " in " ".join(done.out.split())  # in the report's own line too


@pytest.mark.parametrize(
    "status_line",
    [
        b"HTTP/1.1 200 \x1b[31mfine",
        b"HTTP/1.1 200 \xe2\x80\xae",
        b"HTTP/1.1 2\x1b[31m00 OK",
        b"\x1b[31mHTTP/1.1 200 OK",
        b"[red]HTTP/1.1 200 OK",
        b"\x00" * 300,
    ],
)
def test_a_hostile_status_line_is_escaped(status_line: bytes) -> None:
    done = _run(response(status_line=status_line))
    assert done.code in {0, 1}
    assert "Traceback" not in done.err
    assert _HARMLESS.fullmatch(done.text), repr(done.text)


def test_hostile_text_in_findings_is_escaped() -> None:
    bad = response(status_line=b"\x1b[31m[red]")
    with answering(response(), bad) as server:
        done = called("run", server.url, "-n", "4", "--arm", "pooled", "--warmup", "0")
    assert done.code == 3
    assert "malformed-response" in done.out
    assert "[red]" in done.out
    assert _HARMLESS.fullmatch(done.text), repr(done.text)


def test_a_header_that_never_ends_is_not_shown_in_full() -> None:
    done = _run(response(b"Content-Type: " + b"x" * 60_000))
    assert done.code == 0
    assert max(map(len, done.lines)) < 1000


def test_hostile_text_is_data_in_the_results_file(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    _run(response(b'Content-Type: a"\x1b[31m\\'), "--json", str(target))
    answers = json.loads(target.read_text())["exchanges"]["answers"]
    assert [answer["content_type"] for answer in answers] == ['a"\x1b[31m\\']
