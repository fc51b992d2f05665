"""HTML as a tree of elements, so that no text can become markup; and the frame of every chart."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from keepalive_bench.report import Chart
from keepalive_bench.units import json_in_log, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.report import TextTable

Content = Element | str
ARM_COLOURS = 8
_PHONE = 42
"""Characters that a phone has room for beside each other."""
_WHOLE = r"(--[a-z][a-z-]+|[\d.,]+ (?:% CI|%|[mµn]?s|h|[KMG]?i?B)(?!\w))"
"""What no line may end in the middle of: options, and numbers with their units."""


def element(tag: str, *content: Content, **attributes: str) -> Element:
    """An element with its attributes (`class_` is `class`, `aria_label` is `aria-label`)."""
    made = Element(
        tag,
        {name.strip("_").replace("_", "-"): printable(it) for name, it in attributes.items()},
    )
    for part in content:
        if not isinstance(part, str):
            made.append(part)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + printable(part)
        else:
            made.text = (made.text or "") + printable(part)
    return made


def prose(sentences: str) -> Iterator[Content]:
    """Sentences as an element's content: what belongs together stays on a line."""
    for number, part in enumerate(re.split(_WHOLE, sentences)):
        yield element("span", part, class_="whole") if number % 2 else part


def verbatim(tag: str, content: str, **attributes: str) -> Element:
    """A `script` or `style` element: its content is the project's own, and isn't escaped."""
    made = element(tag, **attributes)
    made.text = content
    return made


def data_block(name: str, values: object) -> Element:
    """Data for a script to read. Whatever is in them, they can't end the element."""
    text = json_in_log(json.dumps(values, separators=(",", ":"), allow_nan=False))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return verbatim("script", text, type="application/json", id=name)


def _table(
    caption: str, headings: Iterable[str], rows: Iterable[tuple[str, ...]], kind: str
) -> Element:
    """A table whose rows begin with their heading, in a box that scrolls where it is too wide.

    Where a phone has no room for the columns, each cell has its heading above it there.
    """
    (of_names, *of_cells), rows = headings, list(rows)
    is_stacked = kind == "words" or _is_wide(of_cells, rows)
    style = f"{kind} stacked" if is_stacked else kind
    made = element("table", element("caption", caption), class_=style)
    head = SubElement(SubElement(made, "thead"), "tr")
    head.extend(element("th", heading, scope="col") for heading in (of_names, *of_cells))
    body = SubElement(made, "tbody")
    for first, *cells in rows:
        indent = {"class": "part"} if first.startswith(" ") else {}
        row = element("tr", element("th", first.strip(), scope="row", **indent))
        for heading, cell in zip(of_cells, cells, strict=True):
            row.append(element("td", cell, **({"data-heading": heading} if is_stacked else {})))
        body.append(row)
    # What scrolls has to be reachable with the keyboard.
    return element("div", made, class_="wide", role="region", aria_label=caption, tabindex="0")


def _is_wide(headings: list[str], rows: list[tuple[str, ...]]) -> bool:
    """Whether the numbers of a table, or what a row is called, are wider than a phone."""
    names, *columns = zip(*rows, strict=True) if rows else [()]
    widths = (
        max(map(len, (heading, *cells)))
        for heading, cells in zip(headings, columns, strict=bool(rows))
    )
    bold = (1.2 * len(name) for name in names)
    return max(sum(widths), *bold, 0) > _PHONE


def set_table(it: TextTable, caption: str = "", *, narrow: bool = False) -> Element:
    """A table of numbers, of a report; its title is its caption, if nothing else is.

    `narrow`: of many columns, whose headings may be broken.
    """
    kind = "numbers narrow" if narrow else "numbers"
    return _table(caption or it.title, it.headings, it.rows, kind)


def folded_table(caption: str, headings: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Element:
    """A table of words to open where it's wanted, with the keyboard too."""
    whole = _table(caption, headings, rows, "words")
    return element("details", element("summary", caption), whole)


def figure(name: str, shows: str, notes: Iterable[str], key: Iterable[tuple[str, str]]) -> Element:
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


def no_chart(sentence: str) -> Chart:
    """What stands in the place of a chart that would be empty."""
    return Chart([element("p", sentence)])


def microseconds(seconds: float) -> int:
    """Times as the script reads them."""
    return round(seconds * 1e6)


def as_html(root: Element) -> str:
    """An element and all in it, as HTML."""
    return tostring(root, encoding="unicode", method="html")
