"""The data of a command of curl's, as it would be sent: as a body, or in the URL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from keepalive_bench.cli.reading import STDIN, read_file, standard_input
from keepalive_bench.plan.values import LARGEST_BODY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from keepalive_bench.cli.curl.command_line import Given
    from keepalive_bench.cli.curl.options import Part

_LINE_ENDS = b"\r\n\0"
"""What curl takes out of a file that `--data` names."""


def body_of(given: Iterable[Given]) -> bytes | None:
    """All data of a command, joined as curl joins them; `None`: there is none.

    Raises:
        UsageError: a file can't be read.
    """
    body = None
    for it in given:
        if it.option.part == "json":
            body = (body or b"") + _content(it.value, it.flag)
        elif it.option.part in _PIECES:
            piece = _PIECES[it.option.part](it.value, it.flag)
            body = piece if body is None else body + b"&" + piece
    return body


def query_of(given: Iterable[Given]) -> list[bytes]:
    """What `--url-query` adds to the URL.

    Raises:
        UsageError: a file can't be read.
    """
    return [
        _as_bytes(it.value[1:]) if it.value.startswith("+") else _encoded(it.value, it.flag)
        for it in given
        if it.option.part == "url-query"
    ]


def _as_bytes(text: str, _flag: str = "") -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _content(text: str, flag: str) -> bytes:
    """What is said, or what is in the file that `@FILE` names."""
    return _of_file(text[1:], flag) if text.startswith("@") else _as_bytes(text)


def _of_file(name: str, flag: str) -> bytes:
    if name == STDIN:
        return standard_input(flag)
    return read_file(Path(name), flag, LARGEST_BODY).content


def _on_one_line(text: str, flag: str) -> bytes:
    content = _content(text, flag)
    return content.translate(None, _LINE_ENDS) if text.startswith("@") else content


def _encoded(text: str, flag: str) -> bytes:
    """`content`, `=content`, `name=content`, `@file` or `name@file`, what isn't a name encoded."""
    sign = "=" if "=" in text else "@"
    name, is_named, value = text.partition(sign) if sign in text else ("", "", text)
    content = _of_file(value, flag) if is_named == "@" else _as_bytes(value)
    encoded = quote_plus(content).encode()
    return _as_bytes(name) + b"=" + encoded if name else encoded


_PIECES: dict[Part | None, Callable[[str, str], bytes]] = {
    "data": _on_one_line,
    "data-raw": _as_bytes,
    "data-binary": _content,
    "data-urlencode": _encoded,
}
