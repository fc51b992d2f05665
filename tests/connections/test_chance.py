"""How likely it is that ends lie as they do by chance: held against what was drawn."""

from __future__ import annotations

from math import expm1
from random import Random

from keepalive_bench.connections.chance import (
    between,
    in_turn,
    of_one_time,
    only_after_the_longest,
)
from keepalive_bench.connections.lives import Ends

DRAWN = 4_000


def test_times_lie_within_a_small_share_as_seldom_as_told() -> None:
    random = Random(1)  # noqa: S311  # not for secrets
    for count, share in ((2, 0.05), (3, 0.1), (5, 0.3)):
        times = ([random.random() for _ in range(count)] for _ in range(DRAWN))
        seen = sum(max(it) - min(it) <= share for it in times) / DRAWN
        assert 0.7 * of_one_time(share, count) < seen <= 1.2 * of_one_time(share, count)


def test_so_do_they_but_for_a_few() -> None:
    random, count, others = Random(3), 6, 1  # noqa: S311  # not for secrets
    least, most = 0.5, 0.8
    times = [[random.random() for _ in range(count + others)] for _ in range(DRAWN)]
    past = sum(sum(it > least for it in each) >= count for each in times) / DRAWN
    within = sum(sum(least < it < most for it in each) >= count for each in times) / DRAWN
    assert within < past < between(least, 1.0, count, others)
    assert within < between(least, most, count, others) < between(least, 1.0, count, others)


def test_however_many_there_are() -> None:
    assert between(0.5, 0.6, 500_000, 1_000) == 0.0
    assert between(0.5, 0.6, 500_000, 400_000) <= 1.0


def test_ends_at_any_time_meet_just_the_longest_pauses_at_most_as_often_as_told() -> None:
    random = Random(2)  # noqa: S311  # not for secrets
    spared, ended = [0.3, 0.5, 0.6, 0.8], [1.0, 1.1, 1.4, 2.0, 2.5]
    told = only_after_the_longest(ended, spared, 1.0, len(ended))
    for rate in (0.5, 1.0, 2.0, 4.0):
        seen = sum(
            all(random.random() < -expm1(-rate * it) for it in ended)
            and not any(random.random() < -expm1(-rate * it) for it in spared)
            for _ in range(DRAWN)
        )
        assert seen <= told * DRAWN + 3 * (told * DRAWN) ** 0.5


def test_lives_that_overlap_are_one_event() -> None:
    ends = Ends()
    for opened_s in (0.0, 0.5, 0.9, 1.0, 1.5, 7.0):
        ends.add(1, opened_s, 1.0)
    assert in_turn((ends, row) for row in range(len(ends))) == 3  # 0.0, 1.0 and 7.0
