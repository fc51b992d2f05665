"""What is drawn of a world before its cause is: a path, a plan, and how long pauses are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, log
from typing import TYPE_CHECKING, Any

from support.histories.wire import Path

from keepalive_bench.plan.plan import Arm, Experiment, Load, Network, Plan, Request, Target

if TYPE_CHECKING:
    from random import Random

    from support.histories.wire import By

    from keepalive_bench.plan.load import Traffic

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
    def mean_s(self) -> float:
        """The same, with pauses; of a rate, while the other arm waits for its turn."""
        load = self.plan.experiment.load
        return self.pace_s + (sum(load.think_s) / 2 if load.rate is None else 1 / load.rate)

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
        """Plan pauses of a range; several workers may start together after each.

        At times it is a rate that makes them, where all are alike.
        """
        is_alone, is_rate = self.plan.experiment.concurrency == 1, self.random.random() < 0.2
        traffic: Traffic = "steady" if is_alone or self.random.random() < 0.5 else "bursts"
        if is_rate and least_s == most_s:
            self.experiment(load=Load(rate=1 / most_s, traffic=traffic))
        else:
            self.experiment(load=Load(think_s=(least_s, most_s), traffic=traffic))

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


def draft_of(random: Random) -> Draft:
    """Any path, and requests without pauses."""
    path = Path(
        rtt_s=logarithmic(random, 1e-4, 5e-2),
        service_s=logarithmic(random, 1e-4, 3e-2),
        noise=random.uniform(0.05, 0.8),
        stalls=random.choice((0.0, 0.0, 0.02)),
        hz=random.choice((1000, 1000, 250, 250, 100, 100, 100, None)),
    )
    usual = (Arm("pooled"), Arm("unpooled"))
    arms = random.choices(
        (usual, (Arm("pooled"),), (Arm("pooled", "a"), Arm("pooled", "b"))), (8, 1, 1)
    )
    experiment = Experiment(
        requests=round(logarithmic(random, 10, 200)),
        concurrency=1 if random.random() < 0.8 else random.randint(2, 8),
        arms=arms[0],
        seed=random.getrandbits(32),
        keep_going=True,
    )
    network = Network(proxy=_PROXY if random.random() < 0.15 else None)
    return Draft(random, path, Plan(Target(_URL), network=network, experiment=experiment))
