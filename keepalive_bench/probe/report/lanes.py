"""The time line for the page: drawn here, so that who runs no script sees it, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.probe.report.timeline import BANDS, SIGNS, explained, scale_words
from keepalive_bench.report.page.markup import element, keys, prose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from keepalive_bench.probe.report.timeline import Lane, Mark, Sign, Timeline

_HEIGHT, _AXIS = 28, 20
"""In pixels: of a lane, and of the axis."""
_MIDDLE = _HEIGHT // 2
_PATHS: dict[Sign, str] = {
    "answered": "M0 0h0",
    "died": "M-4 -4L4 4M4 -4L-4 4",
    "closed": "M0 -9V9",
    "open": "M-5 -5L0 0L-5 5",
}


def lanes(it: Timeline) -> Element:
    """The picture, what its signs mean, and all of it in words."""
    signs = ((f"sign-{sign}", SIGNS[sign]) for sign in it.signs)
    bands = ((f"band-{band.kind}", f"{BANDS[band.kind]}: {band.text}") for band in it.bands)
    rows = (_lane(lane) for lane in it.lanes)
    return element(
        "figure",
        keys([*signs, *bands]),
        element("div", _grid(it), _scale(it), element("ol", *rows), class_="strips lanes"),
        element("figcaption", *prose(explained(it))),
    )


def _lane(lane: Lane) -> Element:
    bar = element("line", x1="0", x2=_at(lane.until), y1=f"{_MIDDLE}", y2=f"{_MIDDLE}")
    bar.set("class", "bar")
    title = element("title", f"Time line of {lane.label}")
    ordered = sorted(lane.drawn, key=lambda mark: mark.sign == "died")  # nothing hides a death
    picture = element(
        "svg", title, bar, *map(_mark, ordered), width="100%", height=f"{_HEIGHT}", role="img"
    )
    return element(
        "li",
        element("div", element("strong", lane.label), class_="where"),
        picture,
        element("div", *prose(lane.note), class_="note"),
        class_="strip",
    )


def _mark(mark: Mark) -> Element:
    """A sign of a fixed size, at a place that depends on the page's width."""
    path = element("path", d=_PATHS[mark.sign], class_=f"sign-{mark.sign}")
    return element("svg", path, x=_at(mark.at), y=f"{_MIDDLE}")


def _scale(it: Timeline) -> Element:
    """The axis's numbers, above all lanes."""
    texts = (element("text", words, x=_at(at), y="14") for at, words in it.ticks)
    return element(
        "div",
        element("div", scale_words(it), class_="where"),
        element("svg", *texts, width="100%", height=f"{_AXIS}", aria_hidden="true"),
        element("div", class_="note"),
        class_="strip scale",
    )


def _grid(it: Timeline) -> Element:
    """What goes through all lanes: bands, and the axis's ticks as lines."""
    return element("svg", *_bands(it), *_ticks(it), class_="grid", aria_hidden="true")


def _bands(it: Timeline) -> Iterator[Element]:
    for band in it.bands:
        yield element(
            "rect",
            x=_at(band.begins),
            y="0",
            width=_at(band.ends - band.begins),
            height="100%",
            class_=f"band-{band.kind}",
        )


def _ticks(it: Timeline) -> Iterator[Element]:
    for at, _ in it.ticks:
        yield element("line", x1=_at(at), x2=_at(at), y1="0", y2="100%")


def _at(share: float) -> str:
    return f"{100 * share:.3f}%"
