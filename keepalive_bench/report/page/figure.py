"""The frame of every chart: its place, its key, what it shows in words, and its data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.report.page.markup import element

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

ARM_COLOURS = 8


class Figure(NamedTuple):
    """One chart with all that belongs to it."""

    content: list[Element]
    data: object = None
    """What the script draws; `None`: nothing."""


def without(sentence: str) -> Figure:
    """What stands in the place of a chart that would be empty."""
    return Figure([element("p", sentence)])


def chart(name: str, shows: str, notes: Iterable[str], key: Iterable[tuple[str, str]]) -> Element:
    """The place where the script draws. `shows` stands for the picture where it isn't seen.

    The key is a list of classes and texts.
    """
    entries = [element("li", element("span", class_=f"key {sign}"), text) for sign, text in key]
    return element(
        "figure",
        element("ul", *entries, class_="keys"),
        element("div", id=name, class_="chart", role="img", aria_label=shows),
        element("figcaption", " ".join(notes)),
    )


def folded(summary: str, *content: Element) -> Element:
    """Something to open where it's wanted, with the keyboard too."""
    return element("details", element("summary", summary), *content)
