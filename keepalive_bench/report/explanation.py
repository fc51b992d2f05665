"""What an explanation is made of, before it is set."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

Rows = tuple[tuple[str, str], ...]


class Section(NamedTuple):
    """Paragraphs below a heading, or terms with what is said of each, or lines as they are."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    rows: Rows = ()
    lines: tuple[str, ...] = ()


class Explanation(NamedTuple):
    """What there is to know of one thing."""

    name: str
    title: str
    sections: tuple[Section, ...]


def filled(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Those of them that say anything."""
    return tuple(it for it in sections if it.paragraphs or it.rows or it.lines)
