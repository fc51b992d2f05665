"""Reasons of generated histories, held against the causes that the histories were made of.

`python -m support.histories`, with tests/ on the path, prints the table, and shows a single one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.histories.causes import CAUSES, history_of
from support.histories.score import score, shares, table

from keepalive_bench import analyse

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_WRONG, MOST_UNKNOWN = 0.001, 0.05
"""Shares of connections, as means over causes: of all, and of those of which the client can know
why they ended."""


def held(seeds: Sequence[int]) -> None:
    scores = [score(cause, seeds) for cause in CAUSES]
    found, shown = shares(scores), table(scores)
    assert found.wrong <= MOST_WRONG, shown
    assert found.unknown <= MOST_UNKNOWN, shown


def test_hardly_a_reason_is_wrong_or_unknown_that_the_client_can_know() -> None:
    held(range(15))


@pytest.mark.slow
def test_nor_is_one_in_many_histories() -> None:
    held(range(1_000, 1_130))


@pytest.mark.parametrize("cause", CAUSES)
def test_a_history_is_one_that_a_run_could_have_made(cause: str) -> None:
    for seed in range(3):
        run, ended = history_of(cause, seed)
        experiment = run.plan.experiment
        for arm in analyse(run).arms:
            assert arm.succeeded + arm.failed == experiment.requests
        carried = run.connections.exchanges
        assert sum(carried) == sum(it.outcome.failure is None for it in run.exchanges)
        by_others = {"announced", "failed", "fin", "rst"}
        for row, connection in enumerate(run.connections):
            ending = connection.ending
            assert (row in ended) == (ending is not None and ending.kind in by_others)
