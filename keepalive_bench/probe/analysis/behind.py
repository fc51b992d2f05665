"""What a balancer in front of a backend would make of its idle timeout."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.products import PRODUCTS, product_called
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.probing import parse_balancer
from keepalive_bench.probe.probed import Behind
from keepalive_bench.units import duration, quoted

if TYPE_CHECKING:
    from keepalive_bench.connections.products import Product
    from keepalive_bench.plan.probing import Balancer
    from keepalive_bench.probe.analysis.products import Nearest
    from keepalive_bench.probe.probed import IdleTimeout, Persistence, RaceWindow, SilentDrop
    from keepalive_bench.probe.record import Asked

_EXACT_S, _EXACT = 0.05, 0.01
"""How exact times are: the larger of both."""
_HOUR_S, _TEN_S = 3600, 10
_ANSWERS = {
    "AWS ALB": "a 502",
    "Envoy": "a 503",
    "nginx": "a 502 unless it may send that request again, to the next server",
}
"""What its clients get where a backend closes under a request; of others, nobody has looked."""
_SOME_ANSWER = "a 502 or 503"


class _Front(NamedTuple):
    """Who is in front."""

    name: str
    idle_s: float
    answers: str
    """What its clients get."""

    @property
    def keeps(self) -> str:
        return time_said(self.idle_s)


def time_said(seconds: float) -> str:
    """A time that somebody set: `60 s`, `1 h`."""
    if seconds >= _HOUR_S and seconds % _HOUR_S == 0:
        return f"{seconds / _HOUR_S:g} h"
    return f"{seconds:.10g} s"


def enough_s(seconds: float) -> int:
    """A bit more than a time, for `--max-idle`."""
    step = _TEN_S if seconds >= _TEN_S else 1
    return (floor(seconds / step) + 1) * step


def known_balancers() -> tuple[str, ...]:
    """Those whose idle timeout kab knows."""
    return tuple(it.name for it in PRODUCTS if it.place != "proxy" and _default_s(it) is not None)


def balancer_idle_s(balancer: Balancer) -> float:
    """How long a balancer keeps its connections to backends.

    Raises:
        UsageError: kab doesn't know that.
    """
    if balancer.idle_s is not None:
        return balancer.idle_s
    default_s = _default_s(_product(balancer))
    if default_s is None:
        raise UsageError(
            f"kab doesn't know a default for {quoted(balancer.name)} (--behind): add its timeout, "
            f"--behind '{balancer.name} TIME'; known are {', '.join(known_balancers())}."
        )
    return default_s


def balancer_name(balancer: Balancer) -> str:
    """What it is called: as its product, where kab knows that."""
    product = _product(balancer)
    return balancer.name if product is None else product.name


def _product(balancer: Balancer) -> Product | None:
    """By the name that kab itself prints, or as users call it."""
    name = balancer.name.lower()
    named = next((it for it in PRODUCTS if it.name.lower() == name), None)
    if named is not None:
        return named
    try:
        return product_called(name)
    except UsageError:
        return None


def _default_s(product: Product | None) -> float | None:
    setting = None if product is None else product.upstream
    times = {} if setting is None else setting.times
    return next(iter(times.values()), None)


def behind_of(
    asked: Asked,
    persistence: Persistence,
    timeout: IdleTimeout,
    drop: SilentDrop,
    window: RaceWindow | None,
    who: Nearest,
) -> Behind | None:
    """What becomes of a balancer's connections; `None`: nobody said that there is one.

    `who`: the backend.
    """
    if asked.behind is None or persistence == "silent":
        return None
    balancer = parse_balancer(asked.behind)
    name = balancer_name(balancer)
    front = _Front(name, balancer_idle_s(balancer), _ANSWERS.get(name, _SOME_ANSWER))
    safe, why = _behind(front, persistence, timeout, drop, window)
    text = f"{name} keeps idle connections to it for {front.keeps}, {why}."
    if safe is False and drop.died_s is None:
        text = f"{text} {_to_do(front, who)}"
    return Behind(name, front.idle_s, safe=safe, text=f"{text[0].upper()}{text[1:]}")


def _to_do(front: _Front, who: Nearest) -> str:
    setting = None if who.product is None else who.product.idle_timeout
    if who.product is not None and setting is not None and setting.name:
        return f"Set {who.product.name}'s {setting.name} to more than {front.keeps}."
    return f"Have the backend keep them for longer than {front.keeps}."


def _behind(
    front: _Front,
    persistence: Persistence,
    timeout: IdleTimeout,
    drop: SilentDrop,
    window: RaceWindow | None,
) -> tuple[bool | None, str]:
    """Whether it drops them first, and why, as the end of a sentence."""
    if persistence == "closed":
        return None, (
            "but this backend closes each after one response: where it announces that, each "
            f"request needs a connection of its own, and otherwise clients may get {front.answers}"
        )
    if drop.died_s is not None and front.idle_s >= drop.answered_s:
        return False, (
            f"and those that are idle for more than {duration(drop.answered_s)} are lost on the "
            "way: requests hang or fail"
        )
    if timeout.together:
        return None, (
            "and this backend's idle timeout isn't known, as all its connections ended at one "
            "moment"
        )
    return _by_timeout(front, timeout, window)


def _by_timeout(
    front: _Front, timeout: IdleTimeout, window: RaceWindow | None
) -> tuple[bool | None, str]:
    if window is None:
        known = f"and this backend closes none that is idle for up to {duration(timeout.looked_s)}"
        if timeout.looked_s > front.idle_s:
            return True, known
        more = f"--max-idle {enough_s(front.idle_s)}s"
        return None, f"{known}; not tested beyond that: probe with {more}"
    after = f"this backend closes them after {duration(timeout.least_s)}"
    off_s = max(_EXACT_S, _EXACT * window.begins_s)
    if front.idle_s < window.begins_s - off_s:
        return True, f"and {after}: {front.name} is first, so no request meets a close"
    if front.idle_s < window.begins_s:
        return None, f"and {after}: that is too close to know who is first"
    return False, (
        f"but {after}: now and then a request meets the close, and its client gets {front.answers}"
    )
