"""Who gave answers of 502, 503 and 504, and what the status means where just they give it."""

from __future__ import annotations

from collections import Counter
from itertools import compress
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.products import product_called, who_answered
from keepalive_bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.connections.products import Product
    from keepalive_bench.results.exchange import Answer
    from keepalive_bench.results.run import Run


class Refusal(NamedTuple):
    """Who gave answers of some status, as far as is known."""

    said: str
    product: Product | None

    @property
    def says_unreached(self) -> bool:
        """Whether its 503 says that it reaches no server behind it."""
        return self.product is not None and self.product.unreached_is_503

    @property
    def means(self) -> str:
        """What a 503 can say, in a clause."""
        product, usual = self.product, "is overloaded, reached a limit, or is out of service"
        if product is None:
            return (
                f"a server or gateway {usual}; some gateways also send it when they reach no "
                "server behind them"
            )
        if product.unavailable:
            return f"{self.said} says that {product.unavailable}"
        if self.says_unreached:
            return f"{self.said} reaches no server behind it, or all of them are full or overloaded"
        by_itself = ", which is no gateway," if product.place == "origin" else ""
        return f"{self.said}{by_itself} or the application {usual}"


def refusal_of(run: Run, arms: Sequence[ArmSummary], statuses: Collection[int]) -> Refusal:
    """Who gave most answers of these: whom they name, or else the user (`--server`)."""
    names: Counter[tuple[str, Product | None]] = Counter()
    for answer, count in answers_of(run, arms, statuses).items():
        who = who_answered(answer)
        names[who.said, who.product] += count
    said, product = names.most_common(1)[0][0] if names else ("", None)
    word = run.plan.known.server
    if product is None and word is not None:
        try:
            product = product_called(word)
        except UsageError:  # a stored run that names what a later kab knows
            return Refusal(said, None)
        said = product.name
    return Refusal(said, product)


def answers_of(run: Run, arms: Sequence[ArmSummary], statuses: Collection[int]) -> Counter[Answer]:
    """The arms' answers of some statuses, with how often each came."""
    exchanges, counts = run.exchanges, Counter[int]()
    for arm in arms:
        own = exchanges.of_arm(arm.label)
        pairs = zip(compress(exchanges.status, own), compress(exchanges.answer, own), strict=True)
        counts.update(number for status, number in pairs if status in statuses and number >= 0)
    return Counter({exchanges.answers.values[it]: count for it, count in counts.items()})


def waited_s(run: Run, statuses: Collection[int]) -> float:
    """How long answers of these typically took; there is one."""
    pairs = zip(run.exchanges.status, run.exchanges.latency_s, strict=True)
    return median(latency for status, latency in pairs if status in statuses)
