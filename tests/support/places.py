"""Runs at places whose network is known: its round trip, and how the server answers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from support.exports import everything, nothing
from support.orders import ORDERS
from support.runs import Script
from support.sweeps import scripted_sweep

from keepalive_bench import analyse
from keepalive_bench.places.comparison import side_by_side
from keepalive_bench.places.place import LostPlace, place_of
from keepalive_bench.places.requirements import demanded_at, place_requirements
from keepalive_bench.plan.plan import Known, Plan, Target
from keepalive_bench.results.exchange import Answer, Ending, Failure, Phases

if TYPE_CHECKING:
    from keepalive_bench import Run
    from keepalive_bench.places.place import Place
    from keepalive_bench.places.report import Places

_HANDSHAKES = {None: 0, "TLSv1.3": 1, "TLSv1.2": 2}
"""Round trips of a full one: RFC 8446, section 2; RFC 5246, section 7.3."""
_OWN_S = 0.0001
RESET = Failure("reset", "Connection reset by peer")


class Link(NamedTuple):
    """A network, and a server at its end."""

    round_trip_s: float
    server_s: float = 0.001
    tls: str | None = None
    dns_s: float | None = None
    """What looking the name up takes, each time that a connection is opened."""
    accept_s: float = 0.0
    """What both ends take for a TCP handshake, besides waiting for each other."""
    crypto_s: float = 0.0
    """The same for TLS."""
    noise: float = 0.02
    """By how much the server's time differs, at most."""
    closes_after: int | None = None
    """Requests after which the server closes a connection, and says so."""
    answer: Answer = Answer("HTTP/1.1", "text/html", server="nginx")
    status: int = 200
    tells_round_trip: bool = True
    """Whether the system measures it."""

    def phases(self, index: int, *, opens: bool) -> Phases:
        """What an exchange takes; the noise repeats itself after 13."""
        server_s = self.server_s * (1 + self.noise * (index * 7 % 13 - 6) / 6)
        tls_s = _HANDSHAKES.get(self.tls, 1) * self.round_trip_s + self.crypto_s
        opening: dict[str, Any] = {"connect": self.round_trip_s + self.accept_s, "dns": self.dns_s}
        opening |= {"tls": tls_s} if self.tls else {}
        return Phases(
            send=1e-5, wait=self.round_trip_s + server_s, receive=1e-5, **opening if opens else {}
        )

    def connection(self) -> dict[str, Any]:
        """What is known of each connection to it."""
        secured = {} if self.tls is None else {"tls_version": self.tls, "cipher": "AES"}
        return {**secured, "min_rtt": self.round_trip_s if self.tells_round_trip else None}


def run_over(
    link: Link,
    *arms: str | tuple[str, str],
    requests: int = 60,
    failing: int = 0,
    place: str | None = None,
    plan: Plan | None = None,
) -> Run:
    """A run over a link: the kind of each arm says whether it keeps its connection."""
    scheme = "http" if link.tls is None else "https"
    base = plan or Plan(Target(f"{scheme}://api.example.com/"), known=Known(place=place))
    script = Script(*(arms or ("pooled", "unpooled")), plan=base, requests=requests, maxsize=1)
    rows: dict[str, int] = {}
    for index in range(requests):
        for arm in script.plan.experiment.arms:
            label, limit = arm.label, link.closes_after or requests
            if index >= requests - failing:
                script.fail(label, 0.001, failure=RESET, index=index)
                continue
            opens = arm.is_single_use or index % limit == 0
            if opens:
                rows[label] = script.open(label, **link.connection())
            is_last = not arm.is_single_use and index % limit == limit - 1
            answer = link.answer._replace(connection="close") if is_last else link.answer
            phases = link.phases(index, opens=opens)
            took_s = sum(it for it in phases if it is not None) + _OWN_S
            told: dict[str, Any] = {"on": rows[label], "index": index, "status": link.status}
            script.send(label, took_s, answer=answer, phases=phases, **told)
            if is_last:
                script.connections.ended(rows[label], Ending("announced"), script.now_s)
    return script.run()


def place_at(name: str, run: Run, *required: str) -> Place:
    """What a run comes to, as `kab places` has it."""
    requirements = place_requirements(required, run.plan.experiment.arms)
    source = f"{name}.json"
    return place_of(name, source, run, analyse(run, demanded_at(name, requirements)))


def compared(
    runs: dict[str, Run], *required: str, lost: tuple[LostPlace, ...] = (), strict: bool = False
) -> Places:
    """Runs side by side, as `kab places` has them."""
    arms = next(iter(runs.values())).plan.experiment.arms if runs else ()
    requirements = place_requirements(required, arms)
    places = [place_at(name, run, *required) for name, run in runs.items()]
    return side_by_side(places, lost, requirements, strict=strict)


HOSTILE_NAME = f"=1+1|`<script>@team\x1b[31m\u202e]](http://evil.example) {ORDERS}"
GONE = LostPlace("gone", "gone.json", "gone.json can't be read: No such file or directory.")


@cache
def worlds() -> dict[str, Places]:
    """Places side by side, as unlike as they can be."""
    near, far = Link(0.02), Link(0.08, tls="TLSv1.3", closes_after=10)
    hostile = LostPlace(HOSTILE_NAME, f"{HOSTILE_NAME}.json", HOSTILE_NAME)
    required = ("pooled.p95<=50ms", "eu: reopened==0", "p99<=1s", "total.lost==0")
    return {
        "plain": compared({"eu": run_over(near), "us": run_over(far)}),
        "one": compared({"eu": run_over(near)}, "eu: reopened==0"),
        "lost": compared({"eu": run_over(near), "us": run_over(far)}, *required, lost=(GONE,)),
        "strict": compared({"eu": run_over(near)}, "p99<=1s", strict=True),
        "only lost": compared({}, lost=(GONE,)),
        "nothing": compared({"eu": nothing(), "us": run_over(near)}, "failed==0"),
        "sweeps": compared({"eu": scripted_sweep(1, 2, 4), "us": scripted_sweep(1, 2)}),
        "unlike": compared({"eu": run_over(near), "us": scripted_sweep(1, 2), "ap": _alone()}),
        "many": compared({f"region-{it}": run_over(near, requests=6) for it in range(12)}),
        "hostile": compared(
            {f"::error::{HOSTILE_NAME}": everything(), "##[x]": run_over(near)},
            f"{HOSTILE_NAME}: reopened==0",
            "reopened==0",
            lost=(hostile,),
        ),
    }


def _alone() -> Run:
    return run_over(Link(0.02, tells_round_trip=False), "pooled", failing=2)
