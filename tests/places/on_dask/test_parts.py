"""What `kab run --dask` decides without Dask."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from keepalive_bench.cli.on_dask import extent
from keepalive_bench.errors import UsageError
from keepalive_bench.places.on_dask.cluster import Member, check_names, clocks, natural
from keepalive_bench.places.on_dask.collecting import GONE, Awaited, given_up
from keepalive_bench.places.on_dask.files import contents, laid_down
from keepalive_bench.places.on_dask.work import Secret, longest_s, secrets_of, shares_of
from keepalive_bench.plan.plan import Experiment, Load, Network, Plan, Request, Target, Tls

PLAN = Plan(Target("http://localhost/"))
MEMBER = Member("a", "tcp://10.0.0.1:1", "Worker-1", 0.002, 0.001)


def of(experiment: Experiment, network: Network | None = None) -> Plan:
    return replace(PLAN, experiment=experiment, network=network or Network())


def test_a_split_gives_all_requests_and_all_of_the_rate_away() -> None:
    shares = shares_of(of(Experiment(requests=100, load=Load(rate=50.0))), 3)
    assert [it.experiment.requests for it in shares] == [34, 33, 33]
    assert sum(it.experiment.load.rate or 0 for it in shares) == pytest.approx(50)


def test_nothing_is_split_without_a_rate() -> None:
    with pytest.raises(UsageError, match="--split divides a --rate"):
        shares_of(of(Experiment(requests=100)), 3)


def test_fewer_requests_than_workers_are_not_split() -> None:
    with pytest.raises(UsageError, match="2 requests can't be split among 3 workers"):
        shares_of(of(Experiment(requests=2, load=Load(rate=50.0))), 3)


def test_a_run_takes_no_longer_than_all_its_time_outs() -> None:
    plan = of(Experiment(requests=10, warmup=1), Network(timeout_s=2.0))
    assert longest_s(plan) == pytest.approx(2 * 11 * 2.0, abs=2)


def test_a_run_with_a_duration_ends_one_time_out_after_it() -> None:
    plan = of(Experiment(duration_s=5.0, warmup=0), Network(timeout_s=2.0))
    assert longest_s(plan) == pytest.approx(7, abs=2)


@pytest.mark.parametrize(
    ("present", "now_s", "why"),
    [
        (["tcp://10.0.0.1:1"], 9.0, None),
        (["tcp://10.0.0.1:1"], 11.0, "Its worker is busy with something else."),
        (["tcp://10.0.0.1:2"], 9.0, "Its worker died, or left the cluster."),
        (None, 9.0, GONE),
    ],
)
def test_a_place_is_given_up_that_will_never_tell(
    present: list[str] | None, now_s: float, why: str | None
) -> None:
    lost = given_up({3: Awaited(MEMBER, 10.0)}, present, now_s)
    assert lost == ({} if why is None else {3: why})


def test_names_are_ordered_as_people_do() -> None:
    assert sorted(["w10", "w2", "9", "10", "a"], key=natural) == ["a", "w2", "w10", "9", "10"]


@pytest.mark.parametrize(
    ("names", "most", "said"),
    [
        ([], None, "has no workers"),
        (["a", "a"], None, "Several Dask workers are called 'a'"),
        ([f"{it}" for it in range(11)], None, "has 11 workers.* say --dask-workers 11"),
        (["a", "b"], 1, "has 2 workers"),
        (["a", "b\n"], None, r"No place can be called as the Dask worker 'b\\n' is"),
        (["a", "b" * 65], None, "a name has up to 64 of the characters"),
    ],
)
def test_workers_are_refused_that_make_no_places(
    names: list[str], most: int | None, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        check_names(names, most)


@pytest.mark.parametrize("name", ["tcp://10.0.0.5:4123", "tls://[::1]:4123", "eu-west 1", "0"])
def test_workers_make_places_whatever_dask_calls_them(name: str) -> None:
    check_names([name], None)


def test_eleven_workers_are_used_where_that_is_asked_for() -> None:
    check_names([f"{it}" for it in range(11)], 11)


def test_the_worst_clock_is_told() -> None:
    assert clocks([MEMBER, MEMBER._replace(offset_s=-0.3, offset_error_s=0.02)]) == (
        "The clocks of 2 workers are within 300 ms of this machine's, give or take 20.0 ms."
    )


def test_a_duration_says_no_number_of_requests() -> None:
    plan = of(Experiment(duration_s=5.0))
    assert extent([plan], [MEMBER]) == "1 place (a) will send requests for 5.00 s."


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (PLAN, ()),
        (Plan(Target("http://joe:pw@localhost/")), ("--user",)),
        (Plan(Target("http://localhost/?token=x")), ("the URL's query or path",)),
        (Plan(Target("http://localhost/a;jsessionid=x")), ("the URL's query or path",)),
        (replace(PLAN, request=Request(headers=(("X-Key", "x"),))), ("--header",)),
        (replace(PLAN, request=Request(cookies=("a=x",))), ("--cookie",)),
        (replace(PLAN, request=Request(bearer="x")), ("--bearer",)),
        (replace(PLAN, request=Request(body=b"x")), ("--data",)),
        (replace(PLAN, request=Request(upload=Path("x"))), ("--upload-file",)),
        (replace(PLAN, tls=Tls(ca_file=Path("x"))), ()),
        (replace(PLAN, tls=Tls(cert_file=Path("x"), key_file=Path("y"))), ("--cert", "--key")),
        (replace(PLAN, network=Network(proxy=Target("http://joe:pw@p:1/"))), ("--proxy",)),
    ],
)
def test_what_is_secret_is_known(plan: Plan, said: tuple[str, ...]) -> None:
    assert secrets_of(plan) == said


def test_a_secret_shows_stars() -> None:
    assert repr(Secret("s3kr1t")) == "***"


def test_files_are_laid_down_and_taken_away(tmp_path: Path) -> None:
    here, there = tmp_path / "here.pem", tmp_path / "there"
    here.write_bytes(b"pem")
    there.mkdir()
    plan = replace(PLAN, tls=Tls(ca_file=here), request=Request(upload=here))
    with laid_down(plan, contents(plan), there) as moved:
        assert moved.tls.ca_file is not None
        assert moved.tls.ca_file.read_bytes() == b"pem"
        assert moved.tls.ca_file.parent == there
        assert moved.request.upload is not None
        assert moved.request.upload.parent == there
    assert not there.exists()
