"""The interval of each ratio as a picture: what surely lies above 1×, or may lie within the margin.

A forest plot: S. Lewis and M. Clarke, "Forest plots: trying to see the wood and the trees", BMJ 322
(2001). It is drawn here, so that who runs no script sees it, too.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.report.page.markup import element, prose
from keepalive_bench.report.run_tables import confidence, ratio_names
from keepalive_bench.units import times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from keepalive_bench.analysis import Analysis

_TICKS = (
    *(1, 2, 0.5, 5, 0.2, 10, 0.1, 100, 0.01, 1_000, 0.001, 1.5, 3, 20, 50),
    *(1.2, 0.8, 1.1, 0.9, 1.05, 0.95, 0.7),
)
"""The most wanted first."""
_APART = 0.09
"""Ticks are no nearer to each other than this share of the axis."""
_BESIDE = 0.06
"""How much of the axis is left free at either end."""
_ROW, _AXIS = 28, 20
"""Heights in pixels."""


class Ratio(NamedTuple):
    """A row of the picture."""

    name: str
    estimate: float
    low: float
    high: float
    is_leading: bool
    """Whether the verdict is about it."""


class Axis(NamedTuple):
    """A logarithmic axis: twice as fast is as far from 1× as half as fast."""

    low: float
    high: float

    def share(self, ratio: float) -> float:
        """How far from the left a ratio lies."""
        return log(ratio / self.low) / log(self.high / self.low)

    def at(self, ratio: float) -> str:
        """The same as an attribute."""
        return f"{100 * self.share(ratio):.2f}%"


def forest(analysis: Analysis) -> list[Element]:
    """Estimates with their intervals beside 1× and the margin; nothing where no interval is known.

    A table, whose picture has nothing that isn't in words beside it.
    """
    ratios = tuple(_ratios(analysis))
    if not ratios:
        return []
    margin = analysis.plan.decision_rule.margin
    band = (1 / (1 + margin), 1 + margin)
    axis = _axis(ratios, band)
    rows = (
        element(
            "tr",
            element("th", it.name, scope="row"),
            element("td", _picture(it, axis, band)),
            element("td", f"{times(it.estimate)} [{it.low:.2f} … {it.high:.2f}]"),
            class_="leading" if it.is_leading else "other",
        )
        for it in ratios
    )
    foot = element(
        "tr", element("td"), element("td", _ticks(axis)), element("td"), aria_hidden="true"
    )
    table = element(
        "table",
        element("caption", f"How many times faster, with the {confidence(analysis)}"),
        element("tbody", *rows),
        element("tfoot", foot),
        class_="forest",
    )
    note = (
        f"Right of 1×, {analysis.first.label} is faster. Within the shaded band, a difference is "
        f"too small to matter (--margin {100 * margin:g}%)."
    )
    return [table, element("p", *prose(note), class_="remark")]


def _ratios(analysis: Analysis) -> Iterator[Ratio]:
    names = ratio_names(analysis) if analysis.comparisons else {}
    for comparison in analysis.comparisons:
        whose = f"vs. {comparison.against}: " if len(analysis.comparisons) > 1 else ""
        for path in sorted(names, key=lambda it: it != comparison.leads):
            estimate, low, high = getattr(comparison, path)
            is_known = None not in (estimate, low, high) and min(estimate, low) > 0
            if is_known and comparison.incomparable is None:
                name = f"{whose}{names[path]}"
                yield Ratio(name, estimate, low, high, path == comparison.leads)


def _axis(ratios: Sequence[Ratio], band: tuple[float, float]) -> Axis:
    low = min(band[0], *(it.low for it in ratios))
    high = max(band[1], *(it.high for it in ratios))
    beside = (high / low) ** _BESIDE
    return Axis(low / beside, high * beside)


def _picture(it: Ratio, axis: Axis, band: tuple[float, float]) -> Element:
    low, high, middle = axis.at(it.low), axis.at(it.high), f"{_ROW / 2:g}"
    width = f"{100 * (axis.share(band[1]) - axis.share(band[0])):.2f}%"
    cap = {"y1": f"{_ROW / 2 - 5:g}", "y2": f"{_ROW / 2 + 5:g}"}
    return _svg(
        _ROW,
        element("rect", x=axis.at(band[0]), width=width, height=f"{_ROW}", class_="band"),
        element("line", x1=axis.at(1), x2=axis.at(1), y1="0", y2=f"{_ROW}", class_="one"),
        element("line", x1=low, x2=high, y1=middle, y2=middle, class_="ci"),
        element("line", x1=low, x2=low, class_="ci", **cap),
        element("line", x1=high, x2=high, class_="ci", **cap),
        element("circle", cx=axis.at(it.estimate), cy=middle, r="5", class_="estimate"),
    )


def _ticks(axis: Axis) -> Element:
    chosen: list[float] = []
    for ratio in _TICKS:
        is_free = all(abs(axis.share(ratio) - axis.share(it)) >= _APART for it in chosen)
        if axis.low < ratio < axis.high and is_free:
            chosen.append(ratio)
    texts = (element("text", f"{it:.3g}×", x=axis.at(it), y="14") for it in chosen)
    return _svg(_AXIS, *texts)


def _svg(height: int, *content: Element) -> Element:
    return element("svg", *content, width="100%", height=f"{height}", aria_hidden="true")
