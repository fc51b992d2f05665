"""HTML as a tree of elements, so that no text can become markup; and the frame of every chart."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from keepalive_bench.report import Chart
from keepalive_bench.units import MISSING, json_in_log, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.report import TextTable

Content = Element | str
ARM_COLOURS = 8
_PHONE = 42
"""Characters that a phone has room for beside each other."""
_LONG_NAME = 20
"""Characters; a longer name may be broken into lines where its row has many numbers."""
_WHOLE = r"(--[a-z][a-z-]+|[\d.,]+ (?:% CI|%|[mµn]?s|h|[KMG]?i?B)(?!\w))"
"""What no line may end in the middle of: options, and numbers with their units."""
_CODE = r"([a-z]+(?:-[a-z]+)+)"
"""The same in a cell: `server-close`, `no-difference`."""


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
    return _whole(sentences, _WHOLE)


def _whole(words: str, pattern: str) -> Iterator[Content]:
    for number, part in enumerate(re.split(pattern, words)):
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
    caption: str,
    headings: Iterable[str],
    rows: Iterable[tuple[str, ...]],
    kind: str,
    said: Sequence[bool] = (),
    *,
    captioned: bool = True,
) -> Element:
    """A table whose rows begin with their heading, in a box that scrolls where it is too wide.

    Where a phone has no room for the columns, each cell has its heading above it there. `said`:
    which columns of a table of numbers are words all the same. `captioned`: whether the caption
    is seen.
    """
    (of_names, *of_cells), rows = headings, list(rows)
    is_stacked = kind == "words" or _is_wide(of_cells, rows)
    look = f"{kind} stacked" if is_stacked else kind
    made = element("table", *([element("caption", caption)] if captioned else []), class_=look)
    head = SubElement(SubElement(made, "thead"), "tr")
    styles = [{"class": "said"} if it else {} for it in said] or [{} for _ in of_cells]
    for heading, style in zip((of_names, *of_cells), ({}, *styles), strict=True):
        head.append(element("th", heading, scope="col", **style))
    body = SubElement(made, "tbody")
    for first, *cells in rows:
        named = element("th", first.strip(), scope="row", **_name_style(first))
        row = element("tr", named, **_row_style(cells, said))
        for heading, cell, style in zip(of_cells, cells, styles, strict=True):
            above = {"data-heading": heading} if is_stacked else {}
            content = _whole(cell, _CODE) if style else (cell,)
            row.append(element("td", *content, **above, **style))
        body.append(row)
    # What scrolls has to be reachable with the keyboard.
    return element("div", made, class_="wide", role="region", aria_label=caption, tabindex="0")


def _name_style(name: str) -> dict[str, str]:
    if name.startswith(" "):
        return {"class": "part"}
    return {"class": "long"} if len(name) > _LONG_NAME else {}


def _row_style(cells: Sequence[str], said: Sequence[bool]) -> dict[str, str]:
    """Of a row that has no numbers, but a word at its end, a phone shows that alone."""
    is_bare = any(said[-1:]) and {*cells[:-1]} <= {MISSING, ""}
    return {"class": "bare"} if is_bare else {}


def _is_wide(headings: list[str], rows: list[tuple[str, ...]]) -> bool:
    """Whether the numbers of a table, or what a row is called, are wider than a phone."""
    names, *columns = zip(*rows, strict=True) if rows else [()]
    widths = (
        max(map(len, (heading, *cells)))
        for heading, cells in zip(headings, columns, strict=bool(rows))
    )
    bold = (1.2 * len(name) for name in names)
    return max(sum(widths), *bold, 0) > _PHONE


def set_table(
    it: TextTable, caption: str = "", *, narrow: bool = False, captioned: bool = True
) -> Element:
    """A table of numbers, of a report; its title is its caption, if nothing else is.

    `narrow`: of many columns, whose headings may be broken. `captioned`: whether the caption is
    seen; it would repeat a heading right above.
    """
    kind = "numbers narrow" if narrow else "numbers"
    said = [column.justify == "left" for column in it.columns]
    return _table(caption or it.title, it.headings, it.rows, kind, said, captioned=captioned)


def folded_table(caption: str, headings: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Element:
    """A table of words to open where it's wanted, with the keyboard too."""
    whole = _table(caption, headings, rows, "words")
    return element("details", element("summary", caption), whole)


def figure(name: str, shows: str, notes: Iterable[str], key: Iterable[tuple[str, str]]) -> Element:
    """The place where the script draws. `shows` stands for the picture where it isn't seen.

    The key is a list of classes and texts.
    """
    return element(
        "figure",
        keys(key),
        element("div", id=name, class_="chart", role="img", aria_label=shows),
        element("figcaption", " ".join(notes)),
    )


def keys(key: Iterable[tuple[str, str]]) -> Element:
    """What the signs in a picture mean: their classes, and texts."""
    entries = [element("li", element("span", class_=f"key {sign}"), text) for sign, text in key]
    return element("ul", *entries, class_="keys")


def no_chart(sentence: str) -> Chart:
    """What stands in the place of a chart that would be empty."""
    return Chart([element("p", sentence)])


def microseconds(seconds: float) -> int:
    """Times as the script reads them."""
    return round(seconds * 1e6)


def as_html(root: Element) -> str:
    """An element and all in it, as HTML."""
    return tostring(root, encoding="unicode", method="html")
