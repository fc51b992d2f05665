"""What CI systems carry out when a log says it, and whether it is in a text."""

from __future__ import annotations

import re

_ANYWHERE = re.compile(r"##(\[|vso\[|teamcity\[)", re.IGNORECASE)
_LONG = "p::" * 30 + "pq::::" * 20
"""Longer than any line: folding moves some of its colons to the beginning of one."""
ORDERS = (
    "::error::boom ##[error]boom ###[group]boom ##VSO[task.setvariable variable=PATH]boom "
    f"##teamcity[message text='boom'] ::stop-commands::{_LONG}"
)
SHORT_ORDERS = "::error::x##[error]x##vso[x]x"
"""For what is cut, and for what can't have blanks in it."""


def orders_in(text: str) -> list[str]:
    """The lines of a text that GitHub, Azure or TeamCity would obey.

    GitHub takes blanks off before it looks for `::`; any reader's end of line ends one here.
    """
    return [
        line
        for line in text.splitlines()
        if line.lstrip().startswith("::") or _ANYWHERE.search(line)
    ]
