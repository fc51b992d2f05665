"""A page taken apart by Python's own parser."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

_EMPTY = {"meta", "link"}


class PageText(HTMLParser):
    """The elements of a page, and what is in them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self._open: list[str] = []
        self._goes_on = False
        self.feed(self.source)
        assert not self._open  # every element is closed

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._goes_on &= ("class", "whole") in attrs  # a part of a sentence
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        self._goes_on &= tag == "span"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in self.raw:
            self.raw[self._open[-1]].append(data)
        elif self._goes_on:
            self.texts[-1] += data
        elif data.strip():
            self.texts.append(data)
            self._goes_on = True

    @property
    def data(self) -> dict[str, Any]:
        """What the script reads."""
        charts: dict[str, Any] = json.loads(self.raw["script"][0])["charts"]
        return charts
