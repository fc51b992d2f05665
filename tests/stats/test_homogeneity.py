"""Pearson's test of homogeneity, against SciPy's."""

from __future__ import annotations

import pytest
import scipy.stats

from keepalive_bench.stats.homogeneity import heterogeneity


@pytest.mark.parametrize(
    "rows",
    [
        [[40, 10], [25, 25]],
        [[20, 30], [25, 25]],
        [[50, 40, 10], [30, 30, 40], [1, 2, 3]],
        [[1] * 20 + [0] * 20, [0] * 20 + [1] * 20],
    ],
)
def test_its_deviate_is_as_improbable_as_scipys_chi_square(rows: list[list[int]]) -> None:
    groups = [{f"{place}": count for place, count in enumerate(row)} for row in rows]
    p_value = scipy.stats.chi2_contingency(rows, correction=False).pvalue
    # Where it decides (3.1), the error of the cube root is below 0.2 for 1 degree of freedom.
    assert heterogeneity(groups) == pytest.approx(scipy.stats.norm.isf(p_value), abs=0.2)


@pytest.mark.parametrize("groups", [[], [{}], [{"a": 5}, {"a": 9}], [{"a": 5}, {}], [{"a": 1}]])
def test_where_nothing_can_differ_nothing_does(groups: list[dict[str, int]]) -> None:
    assert heterogeneity(groups) == 0.0
