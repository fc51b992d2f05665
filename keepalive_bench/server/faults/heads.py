"""Heads that are too much, or are not what they should be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from keepalive_bench.server.faults.steps import Kind, Parameter, When, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.server.faults.steps import Scene, Step

_LINE_SIZE = 60_000  # below the 65,536 bytes that Python's http.client allows a line
_INTERIM = {
    100: b"HTTP/1.1 100 Continue\r\n\r\n",
    102: b"HTTP/1.1 102 Processing\r\n\r\n",
    103: b"HTTP/1.1 103 Early Hints\r\nLink: </kab.css>; rel=preload\r\n\r\n",
}
HOSTILE_REASON = "\x1b[2J\x1b]0;kab\x07[bold red]kab[/][/] \x9b31m\xe9\x7f"
"""Escape sequences, a window's title, Rich's markup, C1 controls and bytes that aren't UTF-8."""
HOSTILE_VALUE = f"{HOSTILE_REASON}\r\n kab: folded\r\n\t[link=file:///kab]kab"
"""The same in three lines, as header values could once be folded (RFC 9112, section 5.2)."""


def _garbage_status(scene: Scene) -> Iterator[Step]:
    yield from replace(scene.response(), status_line=str(scene.value)).parts


def _malformed_header(scene: Scene) -> Iterator[Step]:
    response = scene.response()
    first, *others = response.parts
    line, separator, rest = first.partition(b"\r\n")
    yield line + separator + str(scene.value).encode("latin-1") + separator + rest
    yield from others


def _more_headers(scene: Scene, more: list[tuple[str, str]]) -> Iterator[Step]:
    response = scene.response()
    yield from replace(response, headers=(*response.headers, *more)).parts


def _long_header(scene: Scene) -> Iterator[Step]:
    return _more_headers(scene, [("X-Long", "x" * scene.count)])


def _many_headers(scene: Scene) -> Iterator[Step]:
    return _more_headers(scene, [(f"X-{number}", "x") for number in range(scene.count)])


def _big_head(scene: Scene) -> Iterator[Step]:
    full, rest = divmod(scene.count, _LINE_SIZE)
    sizes = [*[_LINE_SIZE] * full, rest]
    return _more_headers(scene, [(f"X-{number}", "x" * size) for number, size in enumerate(sizes)])


def _interim(scene: Scene) -> Iterator[Step]:
    # In one go with the answer, so that nothing depends on which arrives with what.
    first, *others = scene.response().parts
    yield _INTERIM[scene.count] + first
    yield from others


def _hostile_text(scene: Scene) -> Iterator[Step]:
    response = scene.response()
    version, status, _ = response.status_line.split(" ", 2)
    said = dict(response.headers)
    shown = ("Server", "Content-Type", "Connection", "Keep-Alive")
    hostile = [
        (name, f"{said[name]}, {HOSTILE_VALUE}" if name in said else HOSTILE_VALUE)
        for name in shown
    ]
    yield from replace(
        response,
        status_line=f"{version} {status} {HOSTILE_REASON}",
        headers=(*response.without(*shown), *hostile),
    ).parts


HEADS = {
    "garbage-status": Kind(
        when=When.REQUEST,
        line="TEXT in place of the status line.",
        act=_garbage_status,
        parameter=Parameter(name="TEXT", default="\x00\xff garbage"),
    ),
    "malformed-header": Kind(
        when=When.REQUEST,
        line="TEXT in place of the first header line; the others follow.",
        act=_malformed_header,
        parameter=Parameter(name="TEXT", default="no header at all"),
    ),
    "long-header": Kind(
        when=When.REQUEST,
        line="One more header line, with a value of BYTES.",
        act=_long_header,
        parameter=size(1024 * 1024),
    ),
    "many-headers": Kind(
        when=When.REQUEST,
        line="COUNT more header lines.",
        act=_many_headers,
        parameter=Parameter(name="COUNT", default=10_000, most=1_000_000),
    ),
    "big-head": Kind(
        when=When.REQUEST,
        line="BYTES of header values more, none above 60,000 (http.client takes these).",
        act=_big_head,
        parameter=size(1024 * 1024),
    ),
    "interim": Kind(
        when=When.REQUEST,
        line="A response of STATUS (100, 102 or 103), and the answer with it in one packet.",
        act=_interim,
        parameter=Parameter(name="STATUS", default=103, choices=tuple(_INTERIM)),
    ),
    "hostile-text": Kind(
        when=When.REQUEST,
        line="Escape sequences, markup, folded lines, odd bytes in the reason and four headers.",
        act=_hostile_text,
    ),
}
