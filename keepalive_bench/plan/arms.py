"""The ways of treating connections that can be compared, and what one is called in a run.

This is data only: `net/arms.py` maps each kind to what opens its connections, and kab doesn't start
where one is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from keepalive_bench.errors import UsageError
from keepalive_bench.typed_json import Count, one_of, pattern
from keepalive_bench.units import quoted

LABEL = "[A-Za-z0-9_][A-Za-z0-9_-]{0,31}"
"""What an arm can be called, as a regular expression."""


class ArmKind(NamedTuple):
    """One way of treating connections."""

    name: str
    reuses: bool
    """Whether a connection is kept open for further requests; if not, it serves one, by design."""
    needs_tls: bool
    """Whether it resumes TLS sessions, so that there is nothing to it without TLS."""
    help: str
    """What it does, for whoever chooses one."""
    makes_pools: bool = False
    """Whether each request makes a new pool, which loads certificates of its own."""


ARM_KINDS = (
    ArmKind(
        name="pooled",
        reuses=True,
        needs_tls=False,
        help="A pool that keeps connections open and reuses them",
    ),
    ArmKind(
        name="unpooled",
        reuses=False,
        needs_tls=False,
        help="A new connection for each request",
    ),
    ArmKind(
        name="resumed",
        reuses=False,
        needs_tls=True,
        help="A new connection for each request, which resumes a TLS session (https only)",
    ),
    ArmKind(
        name="naive",
        reuses=False,
        needs_tls=False,
        help="A new PoolManager for each request, as code without a pool of its own does",
        makes_pools=True,
    ),
)
"""In the order in which they are offered; the first two are compared where nothing is said."""
_BY_NAME = {kind.name: kind for kind in ARM_KINDS}
KINDS = tuple(_BY_NAME)


def arm_kind(name: str) -> ArmKind:
    """The kind that is called so.

    Raises:
        KeyError: none is.
    """
    return _BY_NAME[name]


def differ_in_reuse_only(first: ArmKind, other: ArmKind) -> bool:
    """Whether all that the first does otherwise is to keep its connections."""
    return not other.reuses and first == other._replace(
        name=first.name, help=first.help, reuses=True
    )


@dataclass(frozen=True)
class Arm:
    """One way of treating connections, and what it is called in this run.

    Raises:
        UsageError: an unknown kind, or a label with other characters than letters, digits, - and _.
    """

    kind: Annotated[str, one_of(*KINDS)]
    """How it treats connections: [what each kind does](methodology.md#what-is-compared)."""
    label: Annotated[str, pattern(f"^{LABEL}$")] = ""
    """What it is called; the first-named arm comes first."""
    value: Count | None = None
    """What the swept option is in this arm, a size in bytes; `None`: the experiment sweeps over
    none."""

    @property
    def is_single_use(self) -> bool:
        """Whether each of its connections serves one request, by design."""
        return not self.traits.reuses

    @property
    def traits(self) -> ArmKind:
        """What is to be known of its kind."""
        return arm_kind(self.kind)

    def __post_init__(self) -> None:
        """Call an arm by its kind where nothing else is said."""
        if self.kind not in KINDS:
            raise UsageError(
                f"There is no arm of kind {quoted(self.kind)}: kinds are {', '.join(KINDS)}."
            )
        object.__setattr__(self, "label", self.label or self.kind)
        if not re.fullmatch(LABEL, self.label):
            raise UsageError(
                f"An arm can't be called {quoted(self.label)}: letters, digits, - and _ "
                "make a label, 32 of them at most."
            )


def parse_arm(text: str) -> Arm:
    """`KIND` or `LABEL=KIND`.

    Raises:
        UsageError: it isn't of that form, or names no kind.
    """
    label, mark, kind = text.rpartition("=")
    if mark and not label:
        raise UsageError(f"The arm {quoted(text)} has an empty label: write LABEL=KIND.")
    return Arm(kind, label)


def arm_text(arm: Arm) -> str:
    """An arm as it is read."""
    return arm.kind if arm.label == arm.kind else f"{arm.label}={arm.kind}"
