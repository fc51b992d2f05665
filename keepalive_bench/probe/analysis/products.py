"""Whose default it could be, and what a balancer in front would make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.products import NOBODY, PRODUCTS, nearest, product_called

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.connections.products import Product
    from keepalive_bench.probe.probed import IdleTimeout
    from keepalive_bench.probe.record import Asked, Seen

_OFF_S, _OFF = 0.15, 0.01
"""By how much a timeout may be off its setting: the larger of both."""
_MOST = 4


class Nearest(NamedTuple):
    """Who ends connections."""

    product: Product | None
    """`None`: none that kab knows."""
    said: str
    """As it calls itself, or the user does; empty: nobody says."""

    @property
    def late_s(self) -> float:
        """By how much it closes idle connections later at some times than at others."""
        setting = None if self.product is None else self.product.idle_timeout
        return 0.0 if setting is None else setting.late_s


def nearest_of(asked: Asked, seen: Sequence[Seen]) -> Nearest:
    """Who stands nearest to the client: as the user says, or as the first answer tells."""
    if asked.server is not None:
        product = product_called(asked.server)
        return Nearest(product, product.name)
    answers = (each.answer for it in seen for each in it.answered if each.answer is not None)
    who = next((nearest(it) for it in answers), NOBODY)
    return Nearest(who.product, who.said)


def consistent_with(timeout: IdleTimeout, who: Nearest) -> tuple[str, ...]:
    """Products whose default an idle timeout could be: `nginx's default (75 s)`.

    Who names itself is asked alone; where it isn't its default, who stands in front without a name.
    """
    if timeout.least_s is None or timeout.backends_differ:
        return ()
    if who.product is not None:
        own = [*_defaults(who.product, timeout, who.said)]
        if own:
            return tuple(own[:1])
    in_front = [
        it
        for it in PRODUCTS
        if it.place == "edge" or (it.place == "gateway" and not it.names_itself)
    ]
    among = in_front if who.said else PRODUCTS
    found = [each for it in among for each in _defaults(it, timeout)]
    return tuple(found) if len(found) <= _MOST else (*found[: _MOST - 1], "others")


def _defaults(product: Product, timeout: IdleTimeout, said: str = "") -> Iterator[str]:
    """Those that a product has in the version that it says, or in any.

    What comes late is its own only where it is known to be there: to who names itself elsewhere,
    it would fit too much.
    """
    setting = product.idle_timeout
    if setting is None or timeout.median_s is None:
        return
    late_s = setting.late_s if said or not product.names_itself else 0.0
    _, slash, version = said.partition("/")
    for text, seconds in setting.as_of(version if slash else "").times.items():
        off_s = max(_OFF_S, _OFF * seconds)
        if seconds - off_s <= timeout.median_s <= seconds + late_s + off_s:
            whose = f"{product.name}'s default" if setting.name else product.name
            yield f"{whose} ({text})"
