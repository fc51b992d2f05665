"""The header fields of a command of curl's: those that it sends, and those that it leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.cli.curl.options import OF_PLANS
from keepalive_bench.cli.reading import STDIN, read_file, standard_input
from keepalive_bench.plan.request import JSON, Header

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.cli.curl.command_line import Given

_COMPRESSED = "deflate, gzip, br, zstd"
_OF_HTTP_2 = (":authority", ":method", ":path", ":scheme")
_ALWAYS_SENT = {"host", "user-agent", "accept-encoding"}
"""Fields that kab sends where nobody says any, or urllib3 does."""
_SENT_WITH_BODY = {"content-type", "content-length"}


class HeaderFields(NamedTuple):
    """Header fields, in their order."""

    sent: tuple[Header, ...]
    unwanted: tuple[tuple[str, str], ...]
    """Flag and name of those that aren't to be sent, and that kab sends all the same."""


def header_fields(given: Iterable[Given], *, has_body: bool) -> HeaderFields:
    """What all options say of them, `-H` before the others, as in curl.

    Raises:
        UsageError: a file can't be read.
    """
    sent: list[Header] = []
    unwanted: list[tuple[str, str]] = []
    kept = _ALWAYS_SENT | (_SENT_WITH_BODY if has_body else set())
    implied: list[Header] = []
    for it in given:
        for line in _lines(it):
            name, colon, value = line.partition(":")
            if line.startswith(":"):  # curl sends none of them either
                unwanted += [(it.flag, name) for name in _OF_HTTP_2 if line.startswith(f"{name}:")]
            elif value.strip():
                sent.append((name.strip(), value.strip()))
            elif not colon and line.rstrip().endswith(";"):
                sent.append((line.rstrip()[:-1].strip(), ""))
            elif colon and name.strip().lower() in kept:
                unwanted.append((it.flag, name.strip()))
        implied += _implied(it)
        if it.option.to is OF_PLANS["user-agent"] and not it.value:
            unwanted.append((it.flag, "User-Agent"))
    names = {name.lower() for name, _ in sent}
    sent += [it for it in dict(implied).items() if it[0].lower() not in names]
    return HeaderFields(tuple(sent), tuple(unwanted))


def _lines(it: Given) -> Iterator[str]:
    if it.option.part != "header":
        return
    if not it.value.startswith("@"):
        yield it.value
        return
    name = it.value[1:]
    content = standard_input(it.flag) if name == STDIN else read_file(Path(name), it.flag).content
    yield from content.decode("utf-8", "surrogateescape").splitlines()


def _implied(it: Given) -> Iterator[Header]:
    if it.option.part == "compressed":
        yield "Accept-Encoding", _COMPRESSED
    elif it.option.part == "json":
        yield from (("Content-Type", JSON), ("Accept", JSON))
    elif it.option.part == "referer" and (url := it.value.partition(";auto")[0]):
        yield "Referer", url
