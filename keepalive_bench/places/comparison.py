"""All places side by side: what they come to together, and what differs between them."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from keepalive_bench.places.differences import differences
from keepalive_bench.places.metrics import totals
from keepalive_bench.places.report import Places
from keepalive_bench.places.requirements import check_places
from keepalive_bench.places.sentence import sentence_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.analysis import Requirement
    from keepalive_bench.places.place import LostPlace, Place


def side_by_side(
    places: Sequence[Place],
    lost: Sequence[LostPlace] = (),
    requirements: Sequence[Requirement] = (),
    *,
    strict: bool = False,
) -> Places:
    """Compare places, the nearest first; those that are lost come last."""
    places = tuple(sorted(places, key=_distance))
    lost = tuple(sorted(lost, key=lambda it: it.name))
    together = totals(places, lost)
    return Places(
        sentence=sentence_of(places, lost),
        places=places,
        lost=lost,
        totals=together,
        differences=differences(places),
        requirements=tuple(check_places(it, places, lost, together) for it in requirements),
        strict=strict,
    )


def _distance(place: Place) -> tuple[float, str]:
    """Places come in any order; where it isn't known how far one is, it is the farthest."""
    return (inf if place.round_trip_s is None else place.round_trip_s), place.name
