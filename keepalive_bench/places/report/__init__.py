"""Places → text: side by side, set in every dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from keepalive_bench.analysis import Checked
    from keepalive_bench.places.differences import Difference
    from keepalive_bench.places.metrics import Totals
    from keepalive_bench.places.place import LostPlace, Place


class Places(NamedTuple):
    """What a report on several places is about."""

    sentence: str
    places: tuple[Place, ...]
    lost: tuple[LostPlace, ...]
    totals: Totals
    differences: tuple[Difference, ...]
    requirements: tuple[Checked, ...]
    strict: bool = False
    """Whether what is undecided of the requirements counts as missed."""
