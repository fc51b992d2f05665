from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.runs import Script, view_of

from keepalive_bench.results.table import pick

ARMS = ("one", "two", "three")


@given(st.lists(st.tuples(st.sampled_from(ARMS), st.floats(0, 1), st.booleans()), max_size=30))
def test_a_mask_picks_what_a_list_of_rows_picks(sent: list[tuple[str, float, bool]]) -> None:
    script = Script(*((label, "pooled") for label in ARMS))
    for arm, latency_s, fails in sent:
        (script.fail if fails else script.send)(arm, latency_s)
    run = script.run()
    exchanges = run.exchanges
    for arm in ARMS:
        rows = [row for row, exchange in enumerate(exchanges) if exchange.arm == arm]
        assert exchanges.rows(arm) == rows
        good = [row for row in rows if exchanges.failure[row] < 0]
        view = view_of(run, arm)
        for mask, expected in ((exchanges.of_arm(arm), rows), (view.succeeded, good)):
            found = pick(exchanges.latency_s, mask)
            assert found.tolist() == [exchanges.latency_s[row] for row in expected]


def test_nothing_has_an_empty_mask() -> None:
    run = Script(*((label, "pooled") for label in ARMS)).run()
    assert run.exchanges.of_arm("two") == view_of(run, "two").succeeded == b""
