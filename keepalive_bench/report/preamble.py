"""What was asked, how, and what was answered, if anything was: the words around the tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from keepalive_bench.results.exchange import Failure
from keepalive_bench.results.failure_kinds import advice_on
from keepalive_bench.units import clipped, duration, enumerated, plural, printable, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from keepalive_bench.analysis import Analysis, Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.plan.load import Load
    from keepalive_bench.plan.plan import Plan

_TRAFFICS = {
    "bursts": (
        "bursts: all threads send one request at once, then wait for each other, as page loads "
        "and batch jobs do (--traffic steady: without a pause)"
    ),
    "steady": (
        "steady: no thread ever pauses; one that waits while another value has its turn keeps its "
        "connection, so that turns open none (--traffic bursts: all at once)"
    ),
}
"""What traffic a sweep is the answer for."""


def headline(analysis: Analysis) -> str:
    """What was asked: method and URL."""
    return requested(analysis.plan)


def place(analysis: Analysis) -> str:
    """The URL, and the way there where it isn't the straight one."""
    return _place(analysis.plan)


def circumstances(analysis: Analysis) -> str:
    """How it was asked, in one line."""
    counts = {arm.label: arm.requests for arm in analysis.arms}
    return _circumstances(analysis.plan, _requests(counts), counts)


def planned(plan: Plan) -> str:
    """What will be asked, and how, in one line: before anything is measured."""
    experiment = plan.experiment
    counts = dict.fromkeys(experiment.labels, experiment.requests)
    requests = _requests(counts) if experiment.is_limited else "unlimited requests"
    at_most = "at most " if experiment.is_limited and experiment.may_end_early else ""
    return f"{requested(plan)} · {_circumstances(plan, f'{at_most}{requests}', counts)}"


def requested(plan: Plan) -> str:
    """What is asked for: method and URL."""
    return f"{printable(plan.request.method)} {_place(plan)}"


def _place(plan: Plan) -> str:
    network, url = plan.network, printable(plan.target.shown)
    if network.proxy is not None:
        return f"{url} through the proxy {printable(network.proxy.origin)}"
    if network.unix_socket is not None:
        return f"{url} over the socket {printable(str(network.unix_socket))}"
    return url


def _circumstances(plan: Plan, requests: str, counts: Mapping[str, int]) -> str:
    """In one line; `requests` are the words for how many each arm has, `counts` their numbers."""
    experiment = plan.experiment
    if experiment.sweep is not None:
        return ", ".join(_swept(experiment, experiment.sweep, requests, counts))
    parts = [
        _extent(experiment, requests),
        *_load(experiment.load),
        *_threads(experiment),
    ]
    if len(experiment.arms) > 1:
        parts.append(_order(experiment, counts))
    return ", ".join(parts)


def _swept(
    experiment: Experiment, option: str, requests: str, counts: Mapping[str, int]
) -> Iterator[str]:
    values = sorted(experiment.arms, key=lambda arm: arm.value or 0)
    yield f"{requests} with each {option} ({', '.join(arm.label for arm in values)})"
    if experiment.duration_s is not None:
        yield f"in {duration(experiment.duration_s)}"
    if option != "concurrency":
        yield plural(experiment.concurrency, "thread")
    if option != "maxsize" and experiment.pool_size != experiment.concurrency:
        yield f"maxsize {experiment.pool_size}"
    if experiment.block:
        yield "blocking"
    yield "traffic in bursts" if experiment.load.in_bursts else "steady traffic"
    yield _rounds(experiment, max(counts.values()))
    yield from _last_burst(experiment, option, counts)


def _last_burst(experiment: Experiment, option: str, counts: Mapping[str, int]) -> Iterator[str]:
    """That it isn't a whole one, where the threads don't divide the requests."""
    if not experiment.load.in_closed_bursts:
        return
    values = sorted(experiment.arms, key=lambda arm: arm.value or 0)
    rests = {arm.label: counts[arm.label] % experiment.threads_of(arm) for arm in values}
    smaller = [label for label, rest in rests.items() if rest]
    if not smaller:
        return
    if option == "concurrency":
        yield f"the last burst a smaller one with {' and '.join(smaller)}"
    else:
        yield f"the last burst of {rests[smaller[0]]} only"


def _threads(experiment: Experiment) -> list[str]:
    most = "at most " if experiment.load.is_open else ""
    at_a_time = f"{most}{experiment.concurrency} at a time"
    size = f"maxsize {experiment.pool_size}" + (", blocking" if experiment.block else "")
    if experiment.processes > 1:
        return [f"{experiment.processes} processes, each with {at_a_time} and {size}"]
    return [at_a_time, size]


def _load(load: Load) -> list[str]:
    """When requests were sent, where that wasn't as soon as possible."""
    parts = []
    if load.rate is not None:
        parts.append(f"{load.rate:,.10g}/s each")
    if load.has_pauses:
        least, most = map(duration, load.think_s)
        parts.append(f"pauses of {least}" + (f" to {most}" if most != least else ""))
    if load.in_bursts:
        parts.append("in bursts")
    return parts


def _extent(experiment: Experiment, requests: str) -> str:
    """How many requests each arm has, and what ends the run if it isn't their number."""
    ends = []
    if experiment.duration_s is not None:
        at_most = "at most " if experiment.is_limited else ""
        ends.append(f"in {at_most}{duration(experiment.duration_s)}")
    if experiment.precision is not None:
        ends.append(f"for ±{100 * experiment.precision:g} %")
    each = " per arm" if len(experiment.arms) > 1 else ""
    return " ".join([f"{requests}{each}", *ends])


def _requests(counts: Mapping[str, int]) -> str:
    least, most = min(counts.values()), max(counts.values())
    return plural(least, "request") if least == most else f"{least:,} to {most:,} requests"


def _order(experiment: Experiment, counts: Mapping[str, int]) -> str:
    if not experiment.is_paired:
        return "one arm after the other"
    if experiment.block_size == 1:
        return "in random pairs"
    return _rounds(experiment, counts[experiment.labels[0]])


def _rounds(experiment: Experiment, requests: int) -> str:
    is_open = not experiment.is_limited and requests == experiment.requests  # only time will tell
    count = "rounds" if is_open else plural(experiment.rounds_of(requests), "round")
    return f"{count} in random order"


def asked(analysis: Analysis) -> str:
    """What was asked, and how."""
    return f"{headline(analysis)} · {circumstances(analysis)}"


def traffic(analysis: Analysis) -> str:
    """What traffic a sweep is the answer for; empty: it is no sweep."""
    return "" if analysis.sweep is None else _TRAFFICS[analysis.sweep.traffic]


def remarks(analysis: Analysis) -> tuple[str, ...]:
    """What a reader would hardly miss of how it was asked."""
    plan, experiment = analysis.plan, analysis.plan.experiment
    total = plural(sum(arm.requests + experiment.warmups for arm in analysis.arms), "request")
    lines = [f"{total} in all, warm-ups included; seed {experiment.seed}"]
    if plan.request.variation.counter:
        lines.append("request i carries kab=i, so that caches don't answer (--no-vary: without)")
    return tuple(lines)


def answers(analysis: Analysis) -> tuple[str, ...]:
    """What the server answered: status codes, type, size, and what it says of keep-alive."""
    lines = []
    for arm in analysis.arms:
        if arm.status_codes:
            counts = arm.status_codes.items()
            codes = ", ".join(f"{count:,} × status {status}" for status, count in counts)
            lines.append(f"{arm.name}: {codes}{_first_answer(arm)}")
    said = {line.partition(": ")[2] for line in lines}
    if len(said) > 1 or len(analysis.arms) == 1:
        return tuple(f"responses to {line}" for line in lines)
    return tuple(f"responses to each {analysis.first.option or 'arm'}: {it}" for it in said)


def _first_answer(arm: ArmSummary) -> str:
    answer = next(iter(arm.answers), None)
    if answer is None:
        return ""
    parts = [printable(answer.http_version), printable(answer.content_type or "no content type")]
    if arm.body_bytes:
        low, high = arm.body_bytes
        parts.append(size(low) if low == high else f"{size(low)} to {size(high)}")
    if answer.connection:
        parts.append(f"Connection: {printable(answer.connection)}")
    if answer.keep_alive:
        parts.append(f"Keep-Alive: {printable(answer.keep_alive)}")
    return "; " + ", ".join(parts)


def urllib3_counters(analysis: Analysis) -> str:
    """urllib3's own two numbers, for those who know them."""
    parts = [
        f"{arm.label} {arm.counters.num_connections:,}/{arm.counters.num_requests:,}"
        for arm in analysis.arms
    ]
    return f"urllib3's num_connections/num_requests: {', '.join(parts)}"


def urllib3_disagrees(analysis: Analysis) -> str:
    """Where urllib3 counts other connections than there were; empty: nowhere."""
    parts = [
        f"{arm.counters.num_connections:,} for {arm.name}, where {arm.connections:,} were opened"
        for arm in analysis.arms
        if arm.counters.num_connections != arm.connections
    ]
    if not parts:
        return ""
    counts_less = all(arm.counters.num_connections <= arm.connections for arm in analysis.arms)
    why = ": it doesn't count reconnections" if counts_less else ""
    return f"urllib3's own num_connections says {enumerated(parts)}{why}."


def verdict_text(analysis: Analysis) -> str:
    """The one sentence; of a run without any answer, why there is none."""
    return analysis.verdict.text if analysis.has_answers else nothing_measured(analysis)


def nothing_measured(analysis: Analysis) -> str:
    """One sentence for a run without any answer: what happened, where, and what to do."""
    where = clipped(place(analysis))
    failures = Counter[Failure]()
    for arm in analysis.arms:
        failures.update(arm.failures)
    if not failures:
        if analysis.run_info.interrupted:
            return f"Nothing was measured of {where}: the run was interrupted."
        lost = [f" A process is lost: {printable(it.why)}." for it in analysis.run_info.lost]
        return f"Nothing was measured of {where}.{''.join(lost[:1])}"
    failure, _ = failures.most_common(1)[0]
    cause = f"{failure.kind} ({printable(failure.message)})"
    advice = advice_on(failure, analysis.plan)
    return f"Nothing could be measured of {where}: {cause}. {advice}".rstrip()


def told(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str]]:
    """Each finding with what is said of it; the same advice on the same code is given once."""
    given: set[tuple[str, str]] = set()
    for it in findings:
        advice = "" if (it.code, it.advice) in given else it.advice
        given.add((it.code, it.advice))
        yield it, f"{it.text} {advice}".rstrip()
