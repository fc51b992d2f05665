"""A `Run` travels between processes: pickled as it is saved, without secrets."""

from __future__ import annotations

import copy
import copyreg
import pickle
from multiprocessing import get_context
from types import MethodType
from typing import NoReturn

import pytest
from support.exports import everything, stored
from support.patience import PATIENCE_S
from support.plans import plan
from support.runs import Script
from support.sweeps import scripted_sweep

from keepalive_bench import ResultsFileError, Run, analyse, benchmark
from keepalive_bench.server import ServerProcess, ServerSettings

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("made", [everything, lambda: scripted_sweep(1, 2)], ids=["all", "sweep"])
def test_a_run_comes_back_with_every_protocol(made: object, protocol: int) -> None:
    assert callable(made)
    again = pickle.loads(pickle.dumps(made(), protocol))  # noqa: S301  # our own
    assert type(again) is Run
    assert stored(again) == stored(made())


def test_a_run_comes_back_where_a_library_changes_how_methods_are_pickled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twisted does, and loses a class method's class."""

    def refuse(method: MethodType) -> NoReturn:
        raise AssertionError(method)

    monkeypatch.setitem(copyreg.dispatch_table, MethodType, refuse)
    assert stored(pickle.loads(pickle.dumps(everything()))) == stored(everything())  # noqa: S301  # our own


def test_copies_are_runs_of_the_same_numbers() -> None:
    for again in (copy.copy(everything()), copy.deepcopy(everything())):
        assert stored(again) == stored(everything())


def test_a_run_goes_to_a_process_of_its_own_and_back() -> None:
    with get_context("spawn").Pool(1) as pool:
        code, again = pool.apply_async(_analysed, [everything()]).get(PATIENCE_S)
    assert code == analyse(everything()).verdict.code
    assert stored(again) == stored(everything())


def _analysed(run: Run) -> tuple[str, Run]:
    return analyse(run).verdict.code, run


def test_no_secret_is_pickled() -> None:
    with ServerProcess(ServerSettings()) as server:
        url = server.url.replace("://", "://user:hunter2@")
        run = benchmark(plan(f"{url}?token=hunter2", requests=1, body=b"hunter2", method="POST"))
    for protocol in PROTOCOLS:
        again = pickle.loads(pickle.dumps(run, protocol))  # noqa: S301  # our own
        assert again.plan.withheld == {"data": 7, "user": 1} | again.plan.withheld
        assert "hunter2" not in repr(again)


def test_packed_runs_of_ten_thousand_exchanges_take_no_more_than_fifty_bytes_each() -> None:
    script = Script("pooled", "unpooled", requests=5_000)
    shared = script.open("pooled")
    for number in range(5_000):
        latency_s = 0.02 + (number * 7919 % 10_007) * 1e-7
        script.send("pooled", latency_s, on=shared)
        script.send("unpooled", 2 * latency_s, on=script.open("unpooled"))
    assert len(script.run().packed()) <= 50 * 10_000


def test_what_is_packed_and_damaged_is_refused_by_the_name_that_it_is_given() -> None:
    packed = everything().packed()
    with pytest.raises(ResultsFileError, match="The run of eu-west is compressed, and damaged"):
        Run.unpacked(packed[:-9], "The run of eu-west")
    with pytest.raises(ResultsFileError, match=r"^The result isn't a kab results file"):
        Run.unpacked(b"{}")
