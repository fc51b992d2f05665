"""Why connections were opened, kept flat: a million of them are a few columns and no objects."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NONE = -1
"""In a column: no such row."""
BY_NATURE = {"first-use", "by-design"}
"""Reasons that every arm has connections for; they cost nothing that could be saved."""
BESIDE_OTHERS = {"pool-exhausted"}
"""Reasons for one more connection at a time, which takes no other's place: none is reopened."""


class Reason(NamedTuple):
    """Why a connection was opened."""

    code: str
    evidence: dict[str, object]
    previous: int | None = None
    """The row of the connection whose place it took."""
    exchange: int | None = None
    """The row of the exchange after which that one was of no more use."""

    @property
    def is_caused_by_interleaving(self) -> bool:
        """Whether only kab's other arm, in between, let the connection before go stale."""
        return bool(self.evidence.get("interleaved"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Reasons(Mapping[int, Reason]):
    """The reason for each connection of an arm, by row.

    Codes are kept; evidence is found anew when somebody asks for it.
    """

    codes: tuple[str, ...]
    counts: dict[str, int]
    """How many connections have which code, the most frequent first."""
    column: array[int]
    """For each connection of the run, of any arm: which of the codes it has, or `NONE`."""
    previous: array[int]
    """For each connection of the run: the row of the one whose place it took, or `NONE`."""
    caused_by_interleaving: array[int]
    """The rows of those that had to be opened only because of kab's other arm."""
    explain: Callable[[int], Reason]
    """The reason, by row, with its evidence."""

    def __getitem__(self, row: int) -> Reason:
        if not 0 <= row < len(self.column) or self.column[row] == NONE:
            raise KeyError(row)
        return self.explain(row)

    def __iter__(self) -> Iterator[int]:
        return compress(range(len(self.column)), map(NONE.__ne__, self.column))

    def __len__(self) -> int:
        return sum(self.counts.values())

    def rows(self, code: str) -> array[int]:
        """The connections opened for a reason, but for those that are `caused_by_interleaving`."""
        own, number = set(self.caused_by_interleaving), self.codes.index(code)
        found = compress(range(len(self.column)), map(number.__eq__, self.column))
        return array("i", (row for row in found if row not in own))
