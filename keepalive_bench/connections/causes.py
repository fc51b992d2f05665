"""What several rules ask: what a request explains, and which causes fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.connections import reason_kinds as kinds
from keepalive_bench.connections.patterns import ERROR_FROM

if TYPE_CHECKING:
    from keepalive_bench.connections.records import LastExchange, Owner

Proven = tuple[kinds.ReasonKind, dict[str, object]]
"""A reason, with the evidence for it."""


def fits(named: kinds.ReasonKind, *fitting: kinds.ReasonKind) -> dict[str, object]:
    """Evidence: all causes that fit what was seen, where one does that isn't named."""
    others = [kind.code for kind in fitting if kind is not named]
    if not others or named is kinds.UNKNOWN:
        return {}
    codes = others if named is kinds.UNDECIDED else [named.code, *others]
    return {"fits": ", ".join(codes)}


def because_of_request(
    last: LastExchange, owner: Owner, *, is_reset: bool = False
) -> kinds.ReasonKind | None:
    """Why a connection ended at once after an answer, where its request explains that."""
    status = last.status or 0
    if owner.asks_to_close:
        return kinds.ASKED_TO_CLOSE
    if owner.sends_bodies and (is_reset or status in owner.pattern.desynchronised):
        return kinds.UNREAD_REQUEST
    return kinds.ERROR_RESPONSE if is_closing_error(last, owner) else None


def is_closing_error(last: LastExchange, owner: Owner) -> bool:
    """Whether the last answer was an error that ends connections."""
    status = last.status or 0
    return status >= ERROR_FROM and status in owner.pattern.closing_statuses
