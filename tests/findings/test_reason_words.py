"""How times that limits are told from are said: seen, or only found out afterwards."""

from __future__ import annotations

import pytest

from keepalive_bench.findings.reason_words import fitting

_FITS = {"fits": "idle-timeout, max-age"}


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        # A client found them closed at its next requests: the limits are no longer than the least.
        (
            [{"idle_s": 1.0, "age_s": 5.0}, {"idle_s": 2.0, "age_s": 6.0}],
            ["an idle timeout of 1.00 s or less", "a maximum age of 5.00 s or less"],
        ),
        # It saw when they were closed.
        (
            [{"closed_after_s": 1.0, "age_s": 5.0}, {"closed_after_s": 2.0, "age_s": 6.0}],
            ["an idle timeout of 1.00 to 2.00 s", "a maximum age of 5.00 to 6.00 s"],
        ),
        # They were in use: they were as old as that.
        ([{"age_s": 5.0}], ["an idle timeout of some time", "a maximum age of 5.00 s"]),
    ],
)
def test_a_limit_that_nobody_saw_at_work_is_told_by_what_it_is_at_most(
    seen: list[dict[str, float]], words: list[str]
) -> None:
    assert fitting([{**_FITS, **it} for it in seen]) == words
