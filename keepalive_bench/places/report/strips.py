"""Small multiples: each place has a strip of dots for each arm, over an axis that all share.

A dot is a response, and a line the median; a place's own round trips are numbered above. It is
drawn here, so that who runs no script sees it, too, and the file grows by what is shown.
"""

from __future__ import annotations

from itertools import count
from math import floor, inf
from typing import TYPE_CHECKING

from keepalive_bench.places.place import QUANTILES_KEPT
from keepalive_bench.places.report.axis import axis_of
from keepalive_bench.report.page.markup import ARM_COLOURS, element, keys, no_chart, prose
from keepalive_bench.units import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from keepalive_bench.places.place import ArmThere, Place
    from keepalive_bench.places.report import Places
    from keepalive_bench.places.report.axis import Axis, Tick

_MOST_DOTS, _FEWEST_DOTS = 40_000, 24
"""On the page; and of an arm all the same."""
_MOST_TRIPS = 12
"""Where latencies are more round trips than that, these aren't what takes the time."""
_NEARLY = 0.25
"""What is as far from another round trip as that has taken it."""
_APART = 0.03
"""Numbers are no nearer to each other than this share of the axis."""
_ROW, _ABOVE, _AXIS = 18, 14, 20
"""Heights in pixels: of an arm's strip, of the numbers above, and of the axis."""
_WIDTH = 1000
"""Of a strip, in steps that a dot can be at."""
_GOLDEN = 0.618034
"""Dots beside each other lie at unlike heights, as multiples of it do within 1."""
_INSET = 3
"""How far inside of its strip a dot's middle is."""


def strips(found: Places) -> list[Element]:
    """How latencies spread at each place, the nearest first."""
    arms = [arm for it in found.places for arm in it.arms]
    spreads = [it.spread_s for it in arms if it.spread_s]
    if not spreads:
        return no_chart("Nothing was answered, so there are no latencies.").content
    round_trips = [it.round_trip_s for it in found.places if it.round_trip_s and _trips(it)]
    axis = axis_of(spreads, min(round_trips, default=inf))
    most = max(_MOST_DOTS // len(spreads), _FEWEST_DOTS)
    labels = dict.fromkeys(it.label for it in arms)
    colours = {label: number % ARM_COLOURS for number, label in enumerate(labels)}
    rows = (_strip(it, axis, colours, most) for it in found.places)
    key = [
        *((f"arm-{colour} shape-round", label) for label, colour in colours.items()),
        ("shape-line", "median"),
        *([("shape-trip", "round trips of the place: 1, 2, 3…")] if round_trips else []),
    ]
    return [
        element(
            "figure",
            keys(key),
            element("div", _grid(axis), _scale(axis), element("ol", *rows), class_="strips"),
            element("figcaption", *prose(" ".join(_notes(arms, axis, most)))),
            class_="long",
        )
    ]


def _notes(arms: Sequence[ArmThere], axis: Axis, most: int) -> Iterator[str]:
    yield "Each dot is a response."
    if any(min(len(it.spread_s), most) < it.sent - it.failed for it in arms):
        yield f"Of more than {min(most, QUANTILES_KEPT)}, that many stand for all."
    if axis.logarithmic:
        yield "Logarithmic scale."
    slowest_s = max(it.spread_s[-1] for it in arms if it.spread_s)
    if slowest_s > axis.high_s:
        yield f"What took longer lies at the right edge: up to {duration(slowest_s)}."


def _strip(place: Place, axis: Axis, colours: Mapping[str, int], most: int) -> Element:
    """One place: its name, its picture, and beside each arm's dots which it is, and its median."""
    height = _ABOVE + _ROW * len(place.arms)
    trip_s = place.round_trip_s
    where = [element("strong", place.name)]
    if trip_s is not None:
        where.append(element("span", *prose(f"round trip {duration(trip_s)}"), class_="remark"))
    if place.is_measured:
        content = [
            *_numbered(place, axis, height),
            *(
                part
                for row, arm in enumerate(place.arms)
                for part in _dotted(arm, axis, colours[arm.label], _ABOVE + _ROW * row, most)
            ),
        ]
    else:
        content = [element("text", "nothing was answered", y=f"{_ABOVE + _ROW}", class_="nothing")]
    picture = _svg(height, element("title", _in_words(place)), *content, role="img")
    medians = (
        element(
            "p",
            element("span", class_=f"sign arm-{colours[it.label]}"),
            element("span", it.label, class_="label"),
            element("span", duration(it.latency_s)),
        )
        for it in place.arms
    )
    return element(
        "li",
        element("div", *where, class_="where"),
        picture,
        element("div", *medians, class_="medians", aria_hidden="true"),
        class_="strip",
    )


def _dotted(arm: ArmThere, axis: Axis, colour: int, top: int, most: int) -> Iterator[Element]:
    """The dots of an arm, and its median."""
    if not arm.spread_s:
        return
    yield _svg(
        _ROW,
        element("path", d="".join(_dots(_thinned(arm.spread_s, most), axis))),
        y=f"{top}",
        viewBox=f"0 0 {_WIDTH} {_ROW}",
        preserveAspectRatio="none",
        class_=f"dots arm-{colour}",
    )
    if arm.latency_s is not None:
        yield _upright(axis, arm.latency_s, top, top + _ROW, "median")


def _thinned(values: Sequence[float], most: int) -> Sequence[float]:
    """So many of sorted values, the first and the last among them."""
    if len(values) <= most:
        return values
    last = len(values) - 1
    return [values[round(number * last / (most - 1))] for number in range(most)]


def _dots(values: Sequence[float], axis: Axis) -> Iterator[str]:
    """A path with a dot for each; those that would lie on each other are one."""
    heights = (_INSET + round(number * _GOLDEN % 1 * (_ROW - 2 * _INSET)) for number in count())
    shares = (round(_WIDTH * axis.share(it)) for it in values)
    for x, y in sorted(set(zip(shares, heights, strict=False))):  # the heights are endless
        yield f"M{x} {y}h0"


def _trips(place: Place) -> int:
    """How many of its round trips the median of its slowest arm has, if that says something."""
    if not place.round_trip_s:
        return 0
    slowest_s = max((arm.latency_s or 0.0 for arm in place.arms), default=0.0)
    trips = floor(slowest_s / place.round_trip_s + _NEARLY)
    return trips if trips <= _MOST_TRIPS else 0


def _numbered(place: Place, axis: Axis, height: int) -> Iterator[Element]:
    """A line for each round trip, with its number where there is room for it."""
    free = 0.0
    for number in range(1, _trips(place) + 1):
        latency_s = number * (place.round_trip_s or 0.0)
        if not axis.low_s < latency_s < axis.high_s:
            continue
        yield _upright(axis, latency_s, _ABOVE, height, "trip")
        if axis.share(latency_s) >= free:
            yield element("text", f"{number}", x=_at(axis, latency_s), y=f"{_ABOVE - 3}")
            free = axis.share(latency_s) + _APART


def _in_words(place: Place) -> str:
    """What its picture shows."""
    said = (
        f"{arm.label} from {duration(arm.spread_s[0])} to {duration(arm.spread_s[-1])}, median "
        f"{duration(arm.latency_s)}"
        if arm.spread_s
        else f"{arm.label} has no response"
        for arm in place.arms
    )
    return f"Latencies in {place.name}: {'; '.join(said)}."


def _scale(axis: Axis) -> Element:
    """The axis's numbers, above all places, where they stay while one scrolls."""
    texts = (
        element("text", it.words, x=_at(axis, it.latency_s), y="14", class_=_style(it))
        for it in axis.ticks()
    )
    return element(
        "div",
        element("div", "latency, ms", class_="where"),
        _svg(_AXIS, *texts, aria_hidden="true"),
        element("div", "median", class_="medians", aria_hidden="true"),
        class_="strip scale",
    )


def _grid(axis: Axis) -> Element:
    """The axis's ticks as lines behind all places."""
    lines = (
        element("line", x1=at, x2=at, y1="0", y2="100%", class_=_style(it))
        for it in axis.ticks()
        if (at := _at(axis, it.latency_s))
    )
    return element("svg", *lines, class_="grid", aria_hidden="true")


def _style(tick: Tick) -> str:
    return "minor" if tick.is_minor else "major"


def _upright(axis: Axis, latency_s: float, top: int, bottom: int, style: str) -> Element:
    at = _at(axis, latency_s)
    return element("line", x1=at, x2=at, y1=f"{top}", y2=f"{bottom}", class_=style)


def _at(axis: Axis, latency_s: float) -> str:
    return f"{100 * axis.share(latency_s):.2f}%"


def _svg(height: int, *content: Element, **attributes: str) -> Element:
    return element("svg", *content, width="100%", height=f"{height}", **attributes)
