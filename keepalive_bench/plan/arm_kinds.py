"""The ways of treating connections that can be compared, and what is to be known of each.

This is data only: `net/arms.py` maps each kind to what opens its connections, and a test checks
that it has them all.
"""

from __future__ import annotations

from typing import NamedTuple


class ArmKind(NamedTuple):
    """One way of treating connections."""

    name: str
    reuses: bool
    """Whether a connection is kept open for further requests; if not, it serves one, by design."""
    needs_tls: bool
    """Whether it resumes TLS sessions, so that there is nothing to it without TLS."""
    help: str
    """What `--help` says of it behind its name."""
    makes_pools: bool = False
    """Whether each request makes a new pool, which loads certificates of its own."""


ARM_KINDS = (
    ArmKind(
        name="pooled",
        reuses=True,
        needs_tls=False,
        help="",
    ),
    ArmKind(
        name="unpooled",
        reuses=False,
        needs_tls=False,
        help="a new one for each request",
    ),
    ArmKind(
        name="resumed",
        reuses=False,
        needs_tls=True,
        help="the same with resumed TLS sessions (https only)",
    ),
    ArmKind(
        name="naive",
        reuses=False,
        needs_tls=False,
        help="a new PoolManager for each request",
        makes_pools=True,
    ),
)
"""In the order in which they are offered; the first two are compared where nothing is said."""
_BY_NAME = {kind.name: kind for kind in ARM_KINDS}


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
