"""The tables of docs/curl.md, from the table of curl's options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from documents.tables import PagePart, table

from keepalive_bench.cli.curl.options import CURL_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.cli.curl.options import CurlOption

_PAGE = "curl.md"
_OF_URL = {"url", "get", "url-query", "globoff", "path-as-is", "proto-default"}
_AS_IT_IS = {"nothing", "noproxy"}
"""What kab does anyway."""
_MADE_OF = {"referer": "header", "compressed": "header", "json": "data", "head": "method"}


def parts() -> Iterator[PagePart]:
    """What is taken over, left out, and refused."""
    by_option: dict[str, list[str]] = {}
    left: dict[str, list[str]] = {}
    refused: dict[str, list[str]] = {}
    for it in CURL_OPTIONS:
        spelled = ", ".join(f"`{flag}`" for flag in it.flags)
        if it.why_not:
            (refused if it.refused else left).setdefault(it.why_not, []).append(spelled)
        elif it.part not in _AS_IT_IS:
            by_option.setdefault(_becomes(it), []).append(spelled)
    yield table(_PAGE, "taken", ("of kab", "of curl"), _rows(by_option))
    yield table(_PAGE, "left", ("why", "of curl"), _rows(left))
    yield table(_PAGE, "refused", ("why", "of curl"), _rows(refused))


def _becomes(option: CurlOption) -> str:
    if option.to is not None:
        return f"`--{option.to.name}`"
    if option.part in _OF_URL:
        return "the URL"
    name = f"{option.part}".partition("-")[0]
    return f"`--{_MADE_OF.get(name, name)}`"


def _rows(found: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    return ((why, ", ".join(spellings)) for why, spellings in found.items())
