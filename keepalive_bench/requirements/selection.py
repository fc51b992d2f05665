"""`SELECTOR: EXPR`: a requirement on one of several things; without a selector, on each of them.

The last colon that a blank follows separates: selectors have colons, as in `[::1]:8080`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.errors import UsageError
from keepalive_bench.requirements.expression import fault_in, parse
from keepalive_bench.requirements.names import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.analysis import Requirement
    from keepalive_bench.requirements.names import Scope


class Selection(NamedTuple):
    """Which of several things a requirement is about."""

    selector: str
    """Empty: each of them."""
    start: int
    """Where in the text the requirement itself begins."""


def selection(text: str) -> Selection:
    """What a requirement is about, by its text."""
    separators = [found.start() for found in re.finditer(r":(?=\s)", text)]
    if not separators:
        return Selection("", 0)
    return Selection(text[: separators[-1]].strip(), separators[-1] + 1)


def parse_selected(text: str, among: Sequence[Scope]) -> Requirement:
    """One requirement, with a selector or without.

    Scopes without steps have what is of all things together, and takes no selector.

    Raises:
        UsageError: it isn't one; with what is wrong with it, and where in it.
    """
    selector, start = selection(text)
    if start and not selector:
        raise fault_in(text, 0, "a name is missing before the colon")
    try:
        requirement = parse(text, among, start)
    except UsageError:
        _refuse_colon(text, among, start)
        raise
    subject = resolve(requirement.name, among)
    if selector and subject is not None and not subject.scope.steps:
        alone = f"{subject.name} is of the whole, so leave out what stands before it"
        raise fault_in(text, 0, alone)
    return requirement


def _refuse_colon(text: str, among: Sequence[Scope], start: int) -> None:
    """Where only a blank is missing behind a colon, say so.

    Raises:
        UsageError: it is.
    """
    colon = text.rfind(":")
    if colon < start or not colon:
        return
    try:
        parse(text, among, colon + 1)
    except UsageError:
        return
    raise fault_in(text, colon, "put a blank after this colon") from None
