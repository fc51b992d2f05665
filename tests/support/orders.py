"""What CI systems carry out when a log says it, and whether it is in a text."""

from __future__ import annotations

import re

_ANYWHERE = re.compile(r"##(\[|vso\[|teamcity\[)", re.IGNORECASE)
_SECTION = re.compile(r"section_(start|end):\d+:[^\r]*\r\x1b\[0K")
_ANNOTATION = re.compile(r"::(error|warning) title=[^:,]*::")
SECTION = "section_start:1:x[collapsed=true]\r\x1b[0Kboom"
"""What GitLab folds a log at."""
_LONG = "p::" * 30 + "pq::::" * 20
"""Longer than any line: folding moves some of its colons to the beginning of one."""
ORDERS = (
    "::error::boom ##[error]boom ###[group]boom ##VSO[task.setvariable variable=PATH]boom "
    f"##teamcity[message text='boom'] ::stop-commands::{_LONG}"
)
SHORT_ORDERS = "::error::x##[error]x##vso[x]x"
"""For what is cut, and for what can't have blanks in it."""


def orders_in(text: str) -> list[str]:
    """The lines of a text that GitHub, GitLab, Azure or TeamCity would obey.

    GitHub takes blanks off before it looks for `::`; any reader's end of line ends one here.
    """
    orders = [
        line
        for line in text.splitlines()
        if line.lstrip().startswith("::") or _ANYWHERE.search(line)
    ]
    return orders + [found[0] for found in _SECTION.finditer(text)]


def without_annotations(text: str) -> str:
    """A text without the beginnings of kab's own annotations: what is left gives no order."""
    return "".join(_ANNOTATION.sub("", line, count=1) for line in text.splitlines(keepends=True))
