"""Worlds drawn from a seed: a plan, a path, and a far end of a known cause."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, log
from random import Random
from typing import TYPE_CHECKING, Any

from support.histories import peers
from support.histories.wire import Peer
from support.histories.world import Path, World

from keepalive_bench.plan.plan import Arm, Experiment, Load, Network, Plan, Request, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.histories.wire import By
    from support.histories.world import History

_URL = "http://api.example.com/"
_PROXY = Target("http://proxy.example.com:3128")


@dataclass
class Draft:
    """What is settled of a world before its cause is."""

    random: Random
    path: Path
    plan: Plan

    @property
    def pace_s(self) -> float:
        """From one request of an arm to its next, pauses left out."""
        return 2 * (self.path.rtt_s + self.path.service_s) + self.path.rtt_s

    @property
    def requests(self) -> int:
        """Of each arm."""
        return self.plan.experiment.requests

    def by(self) -> By:
        """Mostly a FIN."""
        return "fin" if self.random.random() < 0.85 else "rst"

    def experiment(self, **options: Any) -> None:  # noqa: ANN401  # an Experiment's
        """Plan it so."""
        self.plan = replace(self.plan, experiment=replace(self.plan.experiment, **options))

    def network(self, **options: Any) -> None:  # noqa: ANN401  # a Network's
        """Plan it so."""
        self.plan = replace(self.plan, network=replace(self.plan.network, **options))

    def request(self, **options: Any) -> None:  # noqa: ANN401  # a Request's
        """Plan it so."""
        self.plan = replace(self.plan, request=Request(**options))

    def pauses(self, least_s: float, most_s: float) -> None:
        """Plan pauses of a range; several workers may start together after each."""
        bursts = self.plan.experiment.concurrency > 1 and self.random.random() < 0.5
        load = Load(think_s=(least_s, most_s), traffic="bursts" if bursts else "steady")
        self.experiment(load=load)

    def some_pauses(self, usual_s: float) -> None:
        """None, always the same, or of a range."""
        kind = self.random.random()
        if kind < 0.4:
            return
        mean_s = usual_s * logarithmic(self.random, 0.2, 5.0)
        spread = 0.0 if kind < 0.7 else self.random.uniform(0.2, 1.0)
        self.pauses(mean_s * (1 - spread), mean_s * (1 + spread))


def logarithmic(random: Random, least: float, most: float) -> float:
    """Any order of magnitude is as likely as another."""
    return exp(random.uniform(log(least), log(most)))


def _draft(random: Random) -> Draft:
    path = Path(
        rtt_s=logarithmic(random, 1e-4, 5e-2),
        service_s=logarithmic(random, 1e-4, 3e-2),
        noise=random.uniform(0.05, 0.8),
        hz=random.choice((1000, 1000, 250, 250, 100, 100, 100, None)),
    )
    arms = (Arm("pooled"), Arm("unpooled")) if random.random() < 0.85 else (Arm("pooled"),)
    experiment = Experiment(
        requests=round(logarithmic(random, 10, 200)),
        concurrency=1 if random.random() < 0.8 else random.randint(2, 8),
        arms=arms,
        seed=random.getrandbits(32),
        keep_going=True,
    )
    network = Network(proxy=_PROXY if random.random() < 0.15 else None)
    return Draft(random, path, Plan(Target(_URL), network=network, experiment=experiment))


def _count(draft: Draft, way: Any) -> Peer:  # noqa: ANN401  # one of three words
    draft.some_pauses(0.2)
    most = max(1, round(logarithmic(draft.random, 1, draft.requests / 2)))
    return peers.CountLimit(most, way, draft.by(), draft.random)


def _count_silent(draft: Draft) -> Peer:
    return _count(draft, "silent")


def _count_announced(draft: Draft) -> Peer:
    return _count(draft, "announced")


def _count_dies(draft: Draft) -> Peer:
    return _count(draft, "dies")


def _age(draft: Draft, *, announces: bool) -> Peer:
    """Some ages fit into the run, with several requests in each, or one."""
    random = draft.random
    most_s = logarithmic(random, 0.5, 30.0)
    ages = random.uniform(1.5, 12.0)
    mean_s = max(0.0, most_s * ages / draft.requests - draft.pace_s)
    spread = 0.0 if random.random() < 0.3 else random.uniform(0.2, 1.0)
    if mean_s:
        draft.pauses(mean_s * (1 - spread), mean_s * (1 + spread))
    return peers.MaxAge(most_s, draft.by(), announces=announces)


def _age_silent(draft: Draft) -> Peer:
    return _age(draft, announces=False)


def _age_announced(draft: Draft) -> Peer:
    return _age(draft, announces=True)


def _idle(draft: Draft, timer: peers.Timer) -> Peer:
    """Pauses that are longer than the timeout, all or some."""
    random, after_s = draft.random, timer.after_s
    if random.random() < 0.25:
        mean_s = after_s * random.uniform(1.05, 3.0)
        draft.pauses(mean_s, mean_s)
    else:
        draft.pauses(after_s * random.uniform(0.0, 0.9), after_s * random.uniform(1.1, 3.0))
    return peers.IdleTimeout(timer, draft.by(), random)


def _timeout_s(random: Random) -> float:
    return logarithmic(random, 0.06, 20.0)


def _idle_exact(draft: Draft) -> Peer:
    return _idle(draft, peers.Timer(_timeout_s(draft.random)))


def _idle_coarse(draft: Draft) -> Peer:
    after_s = _timeout_s(draft.random)
    return _idle(draft, peers.Timer(after_s, after_s * draft.random.uniform(0.1, 1.0)))


def _idle_differs(draft: Draft) -> Peer:
    return _idle(draft, peers.Timer(_timeout_s(draft.random), differs=0.2))


def _idle_escapes(draft: Draft) -> Peer:
    after_s = _timeout_s(draft.random)
    looks_every_s = after_s * draft.random.choice((0.0, 0.1, 0.5))
    escapes = draft.random.uniform(0.02, 0.15)
    return _idle(draft, peers.Timer(after_s, looks_every_s, escapes=escapes))


def _idle_short(draft: Draft) -> Peer:
    return _idle(draft, peers.Timer(draft.random.uniform(0.02, 0.05)))


def _stale_race(draft: Draft) -> Peer:
    """Pauses that end within a round trip of the timeout."""
    random = draft.random
    rtt_s = logarithmic(random, 2e-3, 5e-2)
    draft.path = draft.path._replace(rtt_s=rtt_s)
    after_s = logarithmic(random, 0.2, 10.0)
    draft.pauses(max(0.0, after_s - 3 * rtt_s), after_s + rtt_s)
    return peers.IdleTimeout(peers.Timer(after_s), draft.by(), random)


def _restart(draft: Draft) -> Peer:
    random = draft.random
    draft.some_pauses(0.3)
    mean_s = sum(draft.plan.experiment.load.think_s) / 2 + draft.pace_s
    lasts_s = mean_s * draft.requests / draft.plan.experiment.concurrency
    moments = tuple(random.uniform(0.05, 0.95) * lasts_s for _ in range(random.randint(1, 4)))
    return peers.Restart(moments, draft.by(), random.choice(("announced", "silent", "cut")))


def _kept_limit(draft: Draft) -> Peer:
    random = draft.random
    concurrency = random.randint(3, 8)
    draft.experiment(concurrency=concurrency)
    draft.some_pauses(0.2)
    most = random.randint(1, concurrency - 1)
    return peers.KeptLimit(most, draft.by(), closes_oldest=random.random() < 0.5)


def _whim(draft: Draft) -> Peer:
    random = draft.random
    draft.some_pauses(0.3)
    mean_s = sum(draft.plan.experiment.load.think_s) / 2 + draft.pace_s
    return peers.Whim(mean_s * logarithmic(random, 2.0, 20.0), draft.by(), random)


def _forgets(draft: Draft, by: By | None) -> Peer:
    random = draft.random
    after_s = logarithmic(random, 1.0, 350.0)
    draft.network(timeout_s=random.uniform(1.0, 10.0))
    if random.random() < 0.25:
        mean_s = after_s * random.uniform(1.05, 2.0)
        draft.pauses(mean_s, mean_s)
    else:
        draft.pauses(after_s * random.uniform(0.0, 0.9), after_s * random.uniform(1.1, 2.0))
    return peers.Forgetful(after_s, by)


def _drops(draft: Draft) -> Peer:
    return _forgets(draft, None)


def _resets(draft: Draft) -> Peer:
    return _forgets(draft, "rst")


def _crashes(draft: Draft) -> Peer:
    draft.some_pauses(0.2)
    return peers.Crashing(draft.random.uniform(0.03, 0.3), draft.by(), draft.random)


def _asked(draft: Draft) -> Peer:
    draft.some_pauses(0.1)
    draft.request(headers=(("Connection", "close"),))
    return peers.Asked(draft.random, announces=draft.random.random() < 0.7)


def _errors(draft: Draft) -> Peer:
    draft.some_pauses(0.1)
    status = draft.random.choice((400, 413, 429, 500, 502, 503))
    return peers.Erring(draft.random.uniform(0.03, 0.5), status, draft.random)


def _unread(draft: Draft) -> Peer:
    draft.some_pauses(0.1)
    draft.request(body=b"x" * 200_000)
    status = draft.random.choice((200, 401, 403, 413))
    return peers.Unread(status, draft.random)


def _nothing(draft: Draft) -> Peer:
    draft.some_pauses(0.3)
    return Peer()


CAUSES: dict[str, Callable[[Draft], Peer]] = {
    "request limit, silent": _count_silent,
    "request limit, announced": _count_announced,
    "request limit, dies under the next": _count_dies,
    "maximum age, silent": _age_silent,
    "maximum age, announced": _age_announced,
    "idle timeout, exact": _idle_exact,
    "idle timeout, coarse": _idle_coarse,
    "idle timeout, of each connection": _idle_differs,
    "idle timeout, some escape": _idle_escapes,
    "idle timeout, of 20 to 50 ms": _idle_short,
    "idle timeout, near the pauses": _stale_race,
    "restart": _restart,
    "limit of kept connections": _kept_limit,
    "closed at random": _whim,
    "path forgets, and drops": _drops,
    "path forgets, and resets": _resets,
    "some requests crash it": _crashes,
    "own Connection: close": _asked,
    "errors close": _errors,
    "request's body left unread": _unread,
    "nothing": _nothing,
}
"""By name: what draws a far end of that cause, and plans what it takes to meet it."""


def history_of(cause: str, seed: int) -> History:
    """A history of a cause; the same again for the same seed."""
    random = Random(f"{cause} {seed}")
    draft = _draft(random)
    peer = CAUSES[cause](draft)
    return World(draft.plan, draft.path, peer, random).history()
