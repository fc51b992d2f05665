"""What a probe will do, before it does it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.probing import BEHAVIOUR_GROUPS, balancer_text
from keepalive_bench.plan.redaction import redacted_path
from keepalive_bench.probe.agenda import BEHAVIOURS, age_lives, extent, ladder
from keepalive_bench.probe.analysis.behind import balancer_idle_s, enough_s
from keepalive_bench.probe.behaviours import lives_of
from keepalive_bench.units import duration, enumerated, plural, printable, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.analysis import Requirement
    from keepalive_bench.plan.probing import ProbePlan
    from keepalive_bench.probe.agenda import Extent
    from keepalive_bench.probe.lives import Life

_LIMIT = "request limit"
_MINUTE_S, _HOUR_S, _STEP_S = 60, 3600, 5
_SECONDS_UP_TO_S, _EXACT_UP_TO_S = 2 * _MINUTE_S, 5 * _MINUTE_S
_LONGER_S, _LONGER, _OLDER = 2.0, 0.03, 1.2
"""How much longer than asked for it usually takes: in seconds at least, and in proportion."""
_NEED = {"paths": "--also PATH", "post": "--post-url URL"}
"""What groups need that say what to ask for."""
_OF_IDLE_TIME = ("idle_timeout", "silent_drop")


def planned(plan: ProbePlan) -> str:
    """How long it takes, and how much it sends at most."""
    asked, parts = plan.probing, extent(plan)
    tried_s = max((it.seconds for name, it in parts.items() if _is_tried(name)), default=0.0)
    longest_s = max(it.seconds for name, it in parts.items() if not _is_tried(name))
    usual_s = asked.max_idle_s + max(_LONGER_S, _LONGER * asked.max_idle_s)
    if asked.max_age_s is not None:
        usual_s = max(usual_s, _OLDER * asked.max_age_s)
    counted = [it for name, it in parts.items() if name != _LIMIT]
    scanned = asked.scan_requests
    more = "" if scanned is None else f", plus {plural(scanned, 'request')} in turn"
    tried = f" Behaviours take up to {_long(tried_s)} if none is answered." if tried_s else ""
    return printable(
        f"Takes about {_long(usual_s)} (up to {_long(longest_s)} if connections are lost "
        f"silently). Sends GET {plan.target.shown}: at most {_amount(counted)}{more}.{tried}"
    )


def needs(plan: ProbePlan, required: Sequence[Requirement]) -> Iterator[str]:
    """What can't be decided unless it is looked for longer."""
    most_s, balancer = plan.probing.max_idle_s, plan.probing.behind
    if balancer is not None and (idle_s := balancer_idle_s(balancer)) >= most_s:
        said = balancer_text(balancer)
        yield (
            f"--behind {quoted(said)} needs --max-idle {enough_s(idle_s)}s to be decided, unless "
            "the backend closes earlier."
        )
    for it in required:
        if it.name in _OF_IDLE_TIME and not isinstance(it.bound, str) and it.bound > most_s:
            yield (
                f"--require {quoted(it.text)} needs --max-idle {enough_s(it.bound)}s to be "
                "decided, unless connections end earlier."
            )


def _is_tried(name: str) -> bool:
    return name.startswith(BEHAVIOURS)


def plan_lines(plan: ProbePlan, required: Sequence[Requirement] = ()) -> Iterator[str]:
    """All of it, for who only wants to know."""
    asked = plan.probing
    yield planned(plan)
    yield from needs(plan, required)
    for name, it in extent(plan).items():
        yield f"{name[0].upper()}{name[1:]}: at most {_amount((it,))}."
    rungs = enumerated([f"{it:g}" for it in ladder(asked.max_idle_s)])
    yield f"Idle connections are watched for {duration(asked.max_idle_s)}."
    yield f"Others are reused once, after {rungs} s of idle time."
    yield "Where a reuse gets no response, more are tried between two such times."
    if asked.max_age_s is not None:
        pauses = enumerated([duration(it.asks[-1].idle_s) for it in age_lives(asked.max_age_s)])
        yield (
            f"Connections are in use for {duration(asked.max_age_s)}, with pauses of {pauses}, or "
            "less where the idle timeout is shorter."
        )
    if asked.scan_requests is not None:
        yield f"One connection carries up to {plural(asked.scan_requests, 'request')}, in turn."
    tried = Counter((it.name, _sent(plan, it)) for lives in lives_of(plan).values() for it in lives)
    for (name, sent), count in tried.items():
        several = f", at most {count} times" if count > 1 else ""
        yield printable(f"{name[0].upper()}{name[1:]}{several}: {sent}.")
    if others := [*_others(plan)]:
        yield f"Not tried unless asked for (--behaviours): {'; '.join(others)}."
    yield "Nothing was sent (--dry-run)."


def _others(plan: ProbePlan) -> Iterator[str]:
    """The groups that aren't asked for, each with its number of requests."""
    for it in BEHAVIOUR_GROUPS:
        if it.name in plan.probing.behaviours:
            continue
        if it.name in _NEED:
            yield f"{it.name}, with {_NEED[it.name]}"
            continue
        probing = replace(plan.probing, behaviours=(it.name,), also=(), post_url=None)
        try:
            lives = lives_of(replace(plan, probing=probing))[it.name]
        except UsageError:  # it isn't for this URL
            continue
        requests = sum(ask.times for life in lives for ask in life.asks)
        yield f"{it.name}, {plural(requests, 'request')}"


def _sent(plan: ProbePlan, life: Life) -> str:
    requests = [
        f"{ask.method} {redacted_path(ask.path or plan.target.path)} HTTP/{ask.version}"
        f"{' twice' if ask.times > 1 else ''}"
        for ask in life.asks
    ]
    return enumerated(requests or ["no request"])


def _amount(parts: Iterable[Extent]) -> str:
    several = [*parts]
    connections = sum(it.connections for it in several)
    requests = sum(it.requests for it in several)
    return f"{plural(requests, 'request')} on {plural(connections, 'connection')}"


def _long(seconds: float) -> str:
    """`7 s`, `2 min 15 s`, `9 min`, `1 h 5 min`."""
    if seconds < _SECONDS_UP_TO_S:
        return f"{seconds:.0f} s"
    if seconds < _EXACT_UP_TO_S:
        minutes, left = divmod(_STEP_S * round(seconds / _STEP_S), _MINUTE_S)
        return f"{minutes} min {left} s" if left else f"{minutes} min"
    hours, left = divmod(round(seconds / _MINUTE_S), _HOUR_S // _MINUTE_S)
    if not hours:
        return f"{left} min"
    return f"{hours} h {left} min" if left else f"{hours} h"
