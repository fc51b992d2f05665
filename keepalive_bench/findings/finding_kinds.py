"""What kab can notice: every finding, and what anybody needs to know of it.

The other files of this room notice them, and make them of these kinds only. Requirement names, the
schema, docs/findings.md and the tests that run its commands come from this table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis import Finding
from keepalive_bench.connections.reason_kinds import IDLE_TIMEOUT, REASON_KINDS, ReasonKind
from keepalive_bench.results.failure_kinds import Actor, Provoked
from keepalive_bench.units import duration, plural, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keepalive_bench.analysis import Severity
    from keepalive_bench.analysis.arm_summary import ArmSummary


class _Count(int):
    """A count, as a sentence has it: `{count:request}` is `1,000 requests`."""

    def __format__(self, noun: str) -> str:
        return plural(int(self), noun) if noun else f"{int(self):,}"


class FindingKind(NamedTuple):
    """One thing that kab can notice."""

    code: str
    title: str
    who: Actor
    provoked: Provoked
    evidence: tuple[str, ...]
    """The names of what a finding tells as data; some may be missing."""
    proof: str = ""
    """What has to be seen for it; and what to do, where that isn't always the same `advice`."""
    severity: Severity = "warning"
    otherwise: str = ""
    """When it has the other severity."""
    text: str = ""
    """What it says, with its evidence in it; `{arm}` is what a sentence calls the arm.

    Without one, whoever makes the finding says it.
    """
    advice: str = ""
    advice_in_sweeps: str = ""
    """What to do where the usual advice names an option that a sweep doesn't have."""
    is_in_sweeps: bool = True
    """Whether a sweep tells of it; if not, its table shows it, or has no place for it."""

    def found(
        self,
        arm: ArmSummary | None = None,
        /,
        *,
        severity: Severity | None = None,
        text: str | None = None,
        advice: str | None = None,
        **evidence: float | str | None,
    ) -> Finding:
        """A finding of this kind, with its text and advice unless others are given.

        Evidence that is `None` is unknown, and left out.
        """
        is_swept = arm is not None and arm.option is not None
        usual = self.advice_in_sweeps if is_swept and self.advice_in_sweeps else self.advice
        told: dict[str, int | float | str] = {} if arm is None else {"arm": arm.label}
        told |= {name: value for name, value in evidence.items() if value is not None}
        words = {name: _in_words(name, value) for name, value in told.items()}
        words["arm"] = "" if arm is None else arm.name
        return Finding(
            code=self.code,
            severity=severity or self.severity,
            evidence=told,
            text=self.text.format_map(words) if text is None else text,
            advice=usual if advice is None else advice,
        )


def _in_words(name: str, value: float | str) -> object:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, int):
        return _Count(value)
    return duration(value) if name.endswith("_s") else value


def _unit(test: str) -> Provoked:
    return Provoked(test=f"tests/findings/test_{test}.py")


INTERRUPTED = FindingKind(
    code="interrupted",
    title="Ctrl-C, or a signal like it, ended the run early",
    who="client",
    evidence=("exchanges", "cut_off"),
    proof="The numbers are of the exchanges that had ended by then. Those that hadn't a second "
    "later are cut off: they are no failures, and in no other number.",
    provoked=Provoked(test="tests/cli/test_interruption.py"),
)
PROCESS_LOST = FindingKind(
    code="process-lost",
    title="One of several `--processes` was lost",
    who="client",
    evidence=("process", "why", "sent"),
    proof="It ended by itself, was killed, or was stopped (SIGSTOP) for longer than `--timeout` "
    "and a second. What it measured is left out, and counts as not sent; the others' results are "
    "kept.",
    provoked=Provoked(test="tests/engine/test_processes.py"),
)
REQUESTS_FAILED = FindingKind(
    code="requests-failed",
    title="Requests failed",
    who="server",
    evidence=("arm", "kind", "count", "message"),
    proof="How many, for each [kind](#kinds-of-failures), with a message. Where more failed than "
    "were answered, the report shows no requests/s for them: what fails at once is no speed.",
    text="{count:request} of {arm} failed: {kind} ({message}).",
    provoked=Provoked("URL -n 6", "--fault close-in-body --fault-requests 2"),
)
REQUESTS_NOT_SENT = FindingKind(
    code="requests-not-sent",
    title="An arm was stopped",
    who="client",
    evidence=("arm", "count"),
    proof="Its first 5 requests failed, or the run was interrupted. `--keep-going` sends them all.",
    text="{count:request} of {arm} were not sent.",
    provoked=Provoked("URL -n 8", "--fault close-on-request"),
)
WARMUP_FAILED = FindingKind(
    code="warmup-failed",
    title="A warm-up failed",
    who="server",
    severity="info",
    evidence=("arm", "kind", "count"),
    proof="It isn't measured.",
    provoked=Provoked("URL -n 6", "--fault close-in-body --fault-connections 1"),
)
SEQUENTIAL_ORDER = FindingKind(
    code="sequential-order",
    title="The arms ran one after the other",
    who="client",
    evidence=("concurrency", "maxsize"),
    proof="So drift looks like a difference.",
    provoked=Provoked("URL -n 6 --order sequential", ""),
)
FEW_ROUNDS = FindingKind(
    code="few-rounds",
    title="The requests make few rounds at that concurrency",
    who="client",
    severity="info",
    evidence=("rounds", "concurrency"),
    proof="Send more.",
    provoked=Provoked("URL -n 6 -c 3", ""),
)
PAIRS_LEFT_OUT = FindingKind(
    code="pairs-left-out",
    title="Pairs of which an arm had no answer are left out of the comparison",
    who="server",
    severity="info",
    evidence=("arm", "against", "pairs", "left_out", "lost"),
    proof="Several at a time, blocks are without the requests that failed (`lost`).",
    is_in_sweeps=False,
    provoked=Provoked("URL -n 6", "--fault close-in-body --fault-requests 2"),
)
PRECISION_NOT_REACHED = FindingKind(
    code="precision-not-reached",
    title="The speed-up isn't known as well as `--precision` asked for",
    who="client",
    evidence=("against", "precision", "reached"),
    proof="`--requests` or `--duration` ended the run before.",
    advice="More --requests or a longer --duration let it go on.",
    provoked=Provoked("URL --precision 0.1% -n 60", "--delay 0.002"),
)
AUTOCORRELATED = FindingKind(
    code="autocorrelated",
    title="Latencies are autocorrelated",
    who="path",
    severity="info",
    evidence=("arm", "against", "pairs", "correlation", "factor"),
    proof="Of pairs, or of one arm's latencies (then without `against` and `pairs`); intervals are "
    "wider for it.",
    is_in_sweeps=False,
    provoked=_unit("findings"),
)
CLIENT_BOUND = FindingKind(
    code="client-bound",
    title="Part of the latencies is kab's own work",
    who="client",
    otherwise="one request at a time",
    evidence=("cpu_s", "wall_s", "share", "gil_wait_s", "own_s"),
    proof="One request at a time: kab's process was busy half of the time (`own_s`: for how long a "
    "request). With several: of a typical latency, kab itself is 3 % or more (`own_s`: its work, "
    "and answers that waited for one another), each of its processes was busy half of the time, or "
    "its threads waited for the interpreter for a tenth of the latency. So it isn't the server's. "
    "More `--processes` with fewer threads each, or a lower `--concurrency`.",
    provoked=Provoked("URL -n 800 -c 8", ""),
)
LATE_STARTS = FindingKind(
    code="late-starts",
    title="Requests of a `--rate` started late",
    who="client",
    evidence=("arm", "count", "mean_s", "max_s"),
    proof="1 % of the requests or more started 1 ms or more after they were to, because all "
    "threads were busy, or the machine was.",
    advice="A higher --concurrency starts in time what the server can bear; where it can't, the "
    "rate is too high for it.",
    provoked=Provoked("URL -n 20 --rate 40/s", "--delay 0.05"),
)
CLOCK_TOO_COARSE = FindingKind(
    code="clock-too-coarse",
    title="The clock ticks too slowly for such latencies",
    who="client",
    evidence=("resolution_s", "fastest_s"),
    text="The clock ticks every {resolution_s}, which is too coarse for latencies of {fastest_s}.",
    provoked=_unit("measurement"),
)
GARBAGE_COLLECTED = FindingKind(
    code="garbage-collected",
    title="Python collected garbage in the middle of some request",
    who="client",
    severity="info",
    evidence=("collections",),
    text="Python collected garbage while measuring ({collections:time}), in the middle of some "
    "request.",
    provoked=_unit("measurement"),
)
PORTS_LOW = FindingKind(
    code="ports-low",
    title="Connections took half or more of the local ports",
    who="client",
    evidence=("opened", "ports", "peer"),
    proof="Of those that were free for one address, within the time that each stays taken (Linux). "
    "Send fewer, or from several addresses.",
    provoked=_unit("port"),
)
PORTS_EXHAUSTED = FindingKind(
    code="ports-exhausted",
    title="This machine had no local port left for so many requests",
    who="client",
    evidence=("count", "opened", "held_s"),
    proof="Wait until the ports are free again, send fewer requests, or connect from several "
    "addresses.",
    provoked=Provoked(test="tests/net/test_local_ports.py"),
)
MACHINE_BUSY = FindingKind(
    code="machine-busy",
    title="This machine's processors were busy",
    who="client",
    evidence=("least", "most", "own"),
    proof="Other processes took three quarters or more of all processors, even in the calmest "
    "third of the run (Linux); or, of several requests at a time, they and kab itself (`own`) did. "
    "Measure when it is quieter, or with fewer requests at a time.",
    advice="Measure when it is quieter.",
    provoked=_unit("measurement"),
)
LOAD_CHANGED = FindingKind(
    code="load-changed",
    title="The load of this machine changed",
    who="client",
    severity="info",
    otherwise="one arm after the other",
    evidence=("least", "most"),
    proof="What other processes took of all processors differed by a quarter of them or more, "
    "between the calmest and the busiest third of the run (Linux).",
    text="The load of this machine changed during the run: other processes took {least:.0%} of its "
    "processors at one time, and {most:.0%} at another.",
    advice="Measure when it is quieter.",
    provoked=_unit("measurement"),
)
DRIFT = FindingKind(
    code="drift",
    title="Latency rose or fell in the course of the run",
    who="path",
    severity="info",
    otherwise="one arm after the other",
    evidence=("arm", "first_s", "last_s", "score"),
    proof="By 10 % or more, and not by chance. Arms that take turns share that.",
    provoked=_unit("latency"),
)
BIMODAL = FindingKind(
    code="bimodal",
    title="Latencies fall into groups",
    who="path",
    severity="info",
    evidence=("arm", "lower", "lower_s", "upper", "upper_s"),
    proof="How many are in each, and their medians. Look for a cache, several servers, or "
    "parameters that cost differently.",
    text="The latencies of {arm} fall into groups: {lower:request} took {lower_s} or so, and "
    "{upper} took {upper_s}. A figure between them is typical of neither.",
    provoked=_unit("latency"),
)
OUTLIERS = FindingKind(
    code="outliers",
    title="A few requests took far longer than the others",
    who="path",
    severity="info",
    evidence=("arm", "count", "largest_s", "median_s", "raised"),
    proof="They make the mean 10 % larger or more. Nothing is left out.",
    text="{count:request} of {arm} took far longer than the others, up to {largest_s}, and made "
    "the mean {raised:.0%} larger. Nothing is left out for that.",
    provoked=_unit("latency"),
)
TOO_FEW_REQUESTS = FindingKind(
    code="too-few-requests",
    title="Too few requests for an interval of a quantile that is shown",
    who="client",
    severity="info",
    evidence=("requests", "lacking", "needed"),
    proof="How many it needs.",
    provoked=Provoked("URL -n 20", ""),
)
REDIRECTS_MEASURED = FindingKind(
    code="redirects-measured",
    title="Most answers were redirects, which aren't followed",
    who="client",
    evidence=("arm", "count", "answered"),
    text="{arm} measured redirects ({count} of {answered} answers), which kab doesn't follow.",
    advice="Give the URL that they lead to.",
    provoked=Provoked("URL -n 6", "--status 302"),
)
SERVER_OVERLOADED = FindingKind(
    code="server-overloaded",
    title="The server rejected requests (429, 503)",
    who="server",
    evidence=("arm", "count"),
    text="The server rejected {count:request} of {arm} (429 or 503): it limits the rate, or is "
    "overloaded.",
    advice="Fewer --requests, or a lower --concurrency, stays below its limit.",
    provoked=Provoked("URL -n 6", "--status 503"),
)
CACHE_ANSWERED = FindingKind(
    code="cache-answered",
    title="A cache answered",
    who="path",
    evidence=("cached", "not_modified", "answered"),
    proof="More than 5 % of the answers came from a cache, by their `Age`, `X-Cache`, "
    "`X-Cache-Status` or `CF-Cache-Status`, or were a 304: that was measured, not the server. Vary "
    "the requests, or ask for `no-cache`.",
    provoked=Provoked("URL -n 6", "-H 'X-Cache: HIT'"),
)
KEEP_ALIVE_TIMEOUT_DIFFERS = FindingKind(
    code="keep-alive-timeout-differs",
    title="The server announces another idle timeout than it has",
    who="server",
    otherwise="closed later",
    evidence=("arm", "announced_s", "seen_s"),
    proof="Connections were closed after less than 0.8 of the time that `Keep-Alive: timeout` "
    "announces, or could be used again after more than 1.2 of it. Announce what is true.",
    provoked=Provoked("URL -n 4", "--delay 0.2 --idle-timeout 0.15 --keep-alive-header timeout=60"),
)
KEEP_ALIVE_MAX_DIFFERS = FindingKind(
    code="keep-alive-max-differs",
    title="The server announces a larger maximum of requests than it has",
    who="server",
    evidence=("arm", "announced", "seen"),
    proof="Connections are closed, without a word, after fewer responses than `Keep-Alive: max` "
    "announces.",
    text="The server closes connections of {arm} after {seen:response}, the last of which "
    "announced Keep-Alive: max={announced!s}.",
    advice="What stands before the server may have a limit of its own: set both alike.",
    provoked=Provoked(
        "URL -n 6 --seed 0", "--delay 0.05 --silent-close-after 2 --keep-alive-header max=100"
    ),
)
FAILING_ADDRESS = FindingKind(
    code="failing-address",
    title="Addresses tried first don't answer",
    who="path",
    evidence=("attempts", "connections", "lost_s"),
    proof="That costs each new connection.",
    text="{connections:connection} tried other addresses in vain first ({attempts}), which took "
    "{lost_s} in all and is part of connect.",
    advice="Mend that address or take it from the name's; -4, -6 or --resolve avoids it.",
    provoked=Provoked(test="tests/net/test_connection_counts.py"),
)
NAGLE_BEHIND_PROXY = FindingKind(
    code="nagle-behind-proxy",
    title="Through the proxy, reused connections wait for a delayed ACK",
    who="client",
    evidence=("reused_s", "fastest_s"),
    advice="--tcp-nodelay switches it off; in a program, "
    "socket_options=HTTPConnection.default_socket_options does.",
    provoked=_unit("delay"),
)
KEEP_ALIVE_HURTS = FindingKind(
    code="keep-alive-hurts",
    title="On reused connections, answers come 40 ms late",
    who="server",
    evidence=("reused_s", "fastest_s"),
    proof="Nagle's algorithm holds the body back for a delayed acknowledgement. Whose doing it is, "
    "and what to do: at the server, write head and body at once, or set TCP_NODELAY.",
    provoked=Provoked("URL -n 10", "--fault nagle"),
)
SEVERAL_PEERS = FindingKind(
    code="several-peers",
    title="Connections led to several addresses",
    who="path",
    severity="info",
    otherwise="used differently by the arms",
    evidence=("addresses", "split"),
    proof="Requests and median latency of each, by arm.",
    advice="--resolve HOST:PORT:ADDRESS keeps to one of them.",
    provoked=_unit("network"),
)
NOT_RESUMED = FindingKind(
    code="not-resumed",
    title="The server resumed few TLS sessions, or none",
    who="server",
    evidence=("arm", "handshakes", "resumed", "tls_version"),
    proof="An arm of kind resumed offered them.",
    advice="Let the server give session tickets, or keep a cache of sessions (nginx: "
    "ssl_session_tickets, ssl_session_cache); all servers behind the name need the same keys.",
    provoked=Provoked(test="tests/net/test_resumption.py"),
)
BODIES_CUT = FindingKind(
    code="bodies-cut",
    title="Bodies reached `--max-body`",
    who="client",
    evidence=("max_body", "exchanges"),
    proof="A rest left unread closes the connection.",
    text="The body of {exchanges:response} reached --max-body {max_body}: a rest that is left "
    "unread closes the connection, in every arm.",
    advice="Without --max-body, bodies are read to the end and connections can be reused.",
    provoked=Provoked("URL -n 6 --max-body 10", ""),
)
STALE_BY_INTERLEAVING = FindingKind(
    code="stale-by-interleaving",
    title="Connections went stale only while kab ran the other arm",
    who="kab",
    evidence=("arm", "connections"),
    proof=f"`{IDLE_TIMEOUT.code}`, but for that; it doesn't count against the server.",
    advice="--order sequential runs the arms one by one.",
    advice_in_sweeps="In a sweep over fewer values, each has its turn again sooner.",
    provoked=Provoked("URL -n 4", "--delay 0.2 --idle-timeout 0.15"),
)


def _of_reason(reason: ReasonKind) -> FindingKind:
    return FindingKind(
        code=reason.code,
        title=reason.title,
        who=reason.who,
        evidence=("arm", "connections", *reason.numbers),
        text=f"{reason.text}.",
        advice=reason.advice,
        advice_in_sweeps=reason.advice_in_sweeps,
        is_in_sweeps=not reason.is_by_pool_size,
        provoked=reason.provoked,
    )


OF_REASONS: Mapping[str, FindingKind] = {
    reason.code: _of_reason(reason) for reason in REASON_KINDS if reason.text
}
"""What a pooled arm's connections were opened for, by the reason's code; not all cost something."""
FINDING_KINDS = (
    *(it for it in tuple(globals().values()) if isinstance(it, FindingKind)),
    *OF_REASONS.values(),
)
"""All of them."""
