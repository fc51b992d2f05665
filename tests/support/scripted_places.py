"""Places written down by hand, each as far away as it is said to be."""

from __future__ import annotations

from array import array
from random import Random
from typing import TYPE_CHECKING

from support.runs import REFUSED, Script

from keepalive_bench import analyse
from keepalive_bench.places.comparison import side_by_side
from keepalive_bench.places.place import LostPlace, place_of
from keepalive_bench.places.requirements import demanded_at, place_requirements
from keepalive_bench.plan.plan import Plan, Target
from keepalive_bench.results.exchange import Answer, Ending, Phases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keepalive_bench.analysis import Requirement
    from keepalive_bench.places.place import Place
    from keepalive_bench.places.report import Places
    from keepalive_bench.results.run import Run

URL = "https://api.example.com/search?a=1"
HOSTILE = "<script>document.title='owned'</script>\u2028\u202e\x1b[31m</script><img src=x>"
ARMS = (("pooled", "pooled"), ("unpooled", "unpooled"))
WHY = "The worker stopped before its result came."


def far_run(  # a place has that many sides
    round_trip_s: float,
    *,
    requests: int = 50,
    arms: tuple[tuple[str, str], ...] = ARMS,
    per_connection: int = 10**9,
    server_s: float = 0.001,
    server: str = "nginx",
    tls: bool = True,
) -> Run:
    """What is measured over a link of a round trip: one to ask, one to connect, one for TLS."""
    random = Random(f"{round_trip_s} {requests}")  # noqa: S311  # noise, not a secret
    plan = Plan(Target(URL if tls else URL.replace("https", "http")))
    script = Script(*arms, plan=plan, requests=requests, maxsize=1)
    kept: dict[str, tuple[int, int]] = {}
    for index in range(requests):
        for label, kind in arms:
            row, served = kept.get(label, (-1, 0))
            fresh = row < 0 or kind == "unpooled" or served >= per_connection
            wait = (round_trip_s + server_s) * random.lognormvariate(0.01, 0.02)
            times = {"send": 1e-5, "wait": wait * (1 + (random.random() < 0.01))}
            if fresh:
                times["connect"] = round_trip_s * 1.001
                times |= {"tls": round_trip_s + 1e-4} if tls else {}
                if row >= 0:
                    how = Ending("retired" if kind == "unpooled" else "fin", 0.4, 0.3)
                    script.connections.ended(row, how, script.now_s)
                row = script.open(
                    label,
                    opened_s=script.now_s + times["connect"],
                    min_rtt=round_trip_s,
                    tls_version="TLSv1.3" if tls else None,
                    cipher="AES" if tls else None,
                )
                served = 0
            kept[label] = row, served + 1
            answer = Answer("HTTP/1.1", "text/html", server=server)
            phases = Phases(**times)
            script.send(
                label, sum(times.values()), on=row, index=index, answer=answer, phases=phases
            )
    return script.run()


def silent_run() -> Run:
    """What is measured where nothing answers."""
    script = Script(*ARMS, plan=Plan(Target(URL)), requests=5)
    for label, _ in ARMS:
        for _number in range(5):
            script.fail(label, failure=REFUSED)
    return script.run()


def place(name: str, run: Run, requirements: Sequence[Requirement] = ()) -> Place:
    """What a run comes to at a place."""
    return place_of(name, f"{name}.json", run, analyse(run, demanded_at(name, requirements)))


def places(runs: Mapping[str, Run], *lost: str, required: Sequence[str] = ()) -> Places:
    """Runs side by side, and places of which there is none."""
    arms = next((it.plan.experiment.arms for it in runs.values()), ())
    requirements = place_requirements(required, arms)
    return side_by_side(
        [place(name, run, requirements) for name, run in runs.items()],
        [LostPlace(name, f"{name}.json", WHY) for name in lost],
        requirements,
    )


def many(count: int, requests: int = 30) -> Places:
    """So many places, each 2 % farther than the one before, with as many dots as there can be."""
    model = place("", far_run(0.002, requests=requests))
    found = []
    for number in range(count):
        far = 1.02**number
        arms = tuple(
            it._replace(
                latency_s=far * (it.latency_s or 0.0),
                spread_s=array("d", (far * value for value in it.spread_s)),
            )
            for it in model.arms
        )
        found.append(model._replace(name=f"place-{number}", round_trip_s=0.002 * far, arms=arms))
    return side_by_side(found)
