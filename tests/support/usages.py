"""How programs used their connections: built as the analysis would, and as unlike as they are."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from keepalive_bench.trace.report import TraceReport
from keepalive_bench.trace.requirements import check_usage, trace_requirements
from keepalive_bench.trace.usage import (
    ConnectionUsage,
    Opening,
    OriginUsage,
    ProcessUsage,
    Site,
    Times,
    Untraced,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FOLDER = "/home/me/shop"
API, CDN, LOGIN = (
    "https://api.example.com:443",
    "https://cdn.example.com:443",
    "http://login.example.com:8080",
)
HOSTILE = "=1+1|`<script>@team\n\x1b[31m\u202e::error::##vso[x]]](http://evil.example) #7 \udc80"


def site(file: str, line: int, function: str) -> Site:
    return Site(f"{FOLDER}/{file}", line, function)


NO_SESSION = Opening(
    reason="new-client",
    who="client",
    connections=1,
    requests=0,
    site=site("app.py", 31, "sync"),
    calls="requests.get",
    is_avoidable=True,
    text="requests.get makes a Session each time",
    cure="Make one Session and use it for all requests",
    code="session = requests.Session()",
    saving_s=None,
    evidence={"made": "for each request"},
)
UNREAD = Opening(
    reason="unread-response",
    who="client",
    connections=1,
    requests=0,
    site=site("shop/images.py", 112, "Images.fetch"),
    calls="session.get",
    is_avoidable=True,
    text="the body of a response with stream=True was never read, so its connection was closed",
    cure="Read each body to its end",
    code="with session.get(url, stream=True) as response: data = response.content",
    saving_s=None,
    evidence={"unread": 12},
)
SERVER_CLOSE = Opening(
    reason="request-limit",
    who="server",
    connections=1,
    requests=0,
    site=site("app.py", 40, "push"),
    calls="session.post",
    is_avoidable=False,
    text="the server closes connections after 100 requests",
    cure="",
    code="",
    saving_s=None,
    evidence={"requests": 100},
)
FIRST = Opening(
    reason="first-use",
    who="client",
    connections=1,
    requests=0,
    site=None,
    calls="",
    is_avoidable=False,
    text="Its client had none yet",
    cure="",
    code="",
    saving_s=None,
    evidence={},
)
POOL_FULL = Opening(
    reason="pool-full",
    who="client",
    connections=1,
    requests=0,
    site=Site("/usr/lib/python3/site-packages/fetcher/work.py", 7, "work"),
    calls="",
    is_avoidable=True,
    text="32 threads use a pool that keeps 10 connections",
    cure="Let the pool keep 32 connections",
    code='session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=32))',
    saving_s=None,
    evidence={"maxsize": 10, "threads": 32},
)


_Made = tuple[Opening, list[ConnectionUsage]]


class Builder:
    """Opens connections one after the other, and puts together what came of them."""

    def __init__(self) -> None:
        self._openings: dict[tuple[str, str | None], list[_Made]] = defaultdict(list)
        self._would_do: dict[tuple[str, str | None], int] = {}
        self._failed: dict[tuple[str, str | None], tuple[int, int]] = {}

    def open(  # noqa: PLR0913  # as much as there is to say
        self,
        opening: Opening,
        count: int = 1,
        *,
        origin: str = API,
        via: str | None = None,
        requests: int = 1,
        process: int = 0,
        start_s: float = 0.0,
        every_s: float = 0.1,
        setup_s: float | None = 0.0485,
        each_s: float = 0.012,
        kept_s: float | None = 0.001,
        ending: str = "client-closed",
    ) -> Builder:
        """Open some connections, each a while after the other; `kept_s`: until it was closed."""
        made: list[ConnectionUsage] = []
        self._openings[origin, via].append((opening, made))
        for number in range(count):
            opened_s = start_s + number * every_s
            ready_s = opened_s + (setup_s or 0.0)
            busy = tuple(
                (round(at_s, 6), round(at_s + each_s, 6))
                for at_s in (ready_s + 1.5 * each_s * turn for turn in range(requests))
            )
            end_s = busy[-1][1] if busy else ready_s
            made.append(
                ConnectionUsage(
                    process=process,
                    origin=origin,
                    via=via,
                    opened_s=round(opened_s, 6),
                    setup_s=setup_s,
                    ended_s=None if kept_s is None else round(end_s + kept_s, 6),
                    ending="open" if kept_s is None else ending,
                    requests=requests,
                    reason=opening.reason,
                    site=opening.site,
                    busy=busy,
                )
            )
        return self

    def known(
        self, would_do: int, *, origin: str = API, failed: int = 0, refused: int = 0
    ) -> Builder:
        """Say what an origin's connections don't tell."""
        self._openings[origin, None]  # it may have none
        self._would_do[origin, None], self._failed[origin, None] = would_do, (failed, refused)
        return self

    def usage(
        self,
        sentence: str,
        *,
        python: str = "3.11",
        untraced: Iterable[Untraced] = (),
        damaged: Iterable[str] = (),
        processes: Iterable[ProcessUsage] | None = None,
    ) -> Usage:
        connections = sorted(self._all(), key=lambda it: it.opened_s)
        count = 1 + max((it.process for it in connections), default=-1)
        origins = [self._origin(*both) for both in self._openings]
        origins.sort(key=lambda it: -it.avoidable)
        made = [_process(number, python, connections) for number in range(count)]
        return Usage(
            sentence=sentence,
            started_at="2026-01-02T03:04:05.678+00:00" if count or processes else None,
            processes=tuple(made if processes is None else processes),
            untraced=tuple(untraced),
            damaged=tuple(damaged),
            origins=tuple(origins),
            connections=tuple(connections),
        )

    def _all(self) -> Iterator[ConnectionUsage]:
        for openings in self._openings.values():
            for _, made in openings:
                yield from made

    def _origin(self, origin: str, via: str | None) -> OriginUsage:
        found = self._openings[origin, via]
        openings = [_counted(opening, made) for opening, made in _put_together(found)]
        openings.sort(key=lambda it: -it.connections)
        failed, refused = self._failed.get((origin, via), (0, 0))
        connections = sum(it.connections for it in openings)
        requests = sum(it.requests for it in openings) + failed
        opened = sum(bool(it.requests) for _, made in found for it in made)
        reused = requests - failed - opened
        setups = [it.setup_s for _, made in found for it in made if it.setup_s is not None]
        setup_s = sum(setups) / len(setups) if setups else None
        savings = [it.saving_s for it in openings if it.saving_s is not None]
        return OriginUsage(
            origin=origin,
            via=via,
            requests=requests,
            failed=failed,
            connections=connections,
            failed_connections=refused,
            would_do=self._would_do.get((origin, via), connections),
            reused=reused,
            reuse=reused / requests if requests else None,
            latency_reused=Times(reused, 0.0125, 0.0121, 0.0173) if reused else None,
            latency_opened=Times(opened, 0.0622, 0.0615, 0.0894) if opened else None,
            setup_s=setup_s,
            avoidable=sum(it.connections for it in openings if it.is_avoidable),
            saving_s=sum(savings) if savings else None,
            openings=tuple(openings),
        )


def _put_together(found: Iterable[_Made]) -> list[_Made]:
    """Those of one opening as one, whichever process they are of."""
    together: dict[object, _Made] = {}
    for opening, made in found:
        key = (opening.reason, opening.site, opening.text)
        together.setdefault(key, (opening, []))[1].extend(made)
    return list(together.values())


def _counted(opening: Opening, made: list[ConnectionUsage]) -> Opening:
    setups = [it.setup_s for it in made if it.setup_s is not None]
    return opening._replace(
        connections=len(made),
        requests=sum(it.requests for it in made),
        saving_s=round(sum(setups), 6) if opening.is_avoidable and setups else None,
    )


def _process(number: int, python: str, connections: list[ConnectionUsage]) -> ProcessUsage:
    own = [it for it in connections if it.process == number]
    return ProcessUsage(
        pid=4711 + number,
        parent=4710 if number == 0 else 4711,
        python=python,
        requests=sum(it.requests for it in own),
        connections=len(own),
        lost=0,
        troubles=(),
        is_running=False,
    )


def no_session() -> Usage:
    """`requests.get` in a loop, beside a Session that works."""
    built = Builder().open(NO_SESSION, 213).open(FIRST, requests=7, kept_s=None, start_s=3.0)
    return built.known(2).usage(
        "214 of 220 requests to api.example.com:443 opened a connection; 2 would do."
    )


def mixed() -> Usage:
    """Several reasons, origins, and processes, one of which still runs."""
    built = Builder()
    built.open(NO_SESSION, 40, every_s=0.2).open(SERVER_CLOSE, 3, requests=100, every_s=2.0)
    built.open(UNREAD, 12, origin=CDN, requests=1, process=1, every_s=0.5, ending="unread")
    built.open(UNREAD._replace(site=site("shop/thumbs.py", 9, "<lambda>")), 4, origin=CDN)
    built.open(POOL_FULL, 55, origin=CDN, every_s=0.07, process=1, ending="pool-full")
    built.open(FIRST, 2, origin=CDN, requests=40, kept_s=None, every_s=0.01)
    built.open(FIRST, 1, origin=LOGIN, requests=9, kept_s=None, setup_s=0.0004)
    built.known(4).known(12, origin=CDN, failed=3, refused=2).known(1, origin=LOGIN)
    usage = built.usage(
        "73 of 154 requests to cdn.example.com:443 opened a connection; 12 would do.",
        untraced=[Untraced(4720, "started with -I")],
        damaged=["4713.records: cut off"],
    )
    one, two = usage.processes
    return usage._replace(
        processes=(one, two._replace(lost=17, troubles=("TypeError: no len()",), is_running=True))
    )


def well() -> Usage:
    """A program that reuses what it can."""
    built = Builder().open(FIRST, 2, requests=60, kept_s=None).known(2)
    return built.usage("118 of 120 requests to api.example.com:443 reused a connection.")


def nothing() -> Usage:
    """A program that no tracer got into."""
    why = Untraced(4711, "its environment was replaced")
    return Builder().usage("No process was traced.", untraced=[why])


def silent() -> Usage:
    """A program that sent nothing."""
    process = ProcessUsage(4711, 4710, "3.9", 0, 0, 0, (), is_running=False)
    return Builder().usage("The program sent no requests.", processes=[process])


def many_origins(count: int = 40) -> Usage:
    """A crawler."""
    built = Builder()
    for number in range(count):
        origin = f"https://host-{number:02}.example.com:443"
        built.open(NO_SESSION, count - number, origin=origin, start_s=number * 0.05)
        built.known(1, origin=origin)
    return built.usage("820 of 820 requests opened a connection; 40 would do.")


def many_connections(count: int = 10_000) -> Usage:
    """A service that ran for long, in several processes."""
    built = Builder()
    for process in range(4):
        built.open(NO_SESSION, count // 4 - 30, process=process, every_s=0.01)
        built.open(SERVER_CLOSE, 30, process=process, requests=100, every_s=2.0)
    return built.known(8).usage("9,880 of 21,880 requests opened a connection; 8 would do.")


def hostile() -> Usage:
    """Names that would like to be more than names."""
    text = HOSTILE
    evil = NO_SESSION._replace(
        site=Site(f"{FOLDER}/{text}", 31, text), text=text, cure=text, code=text, calls=text
    )
    long = UNREAD._replace(site=Site("/x" * 300, 1, "f" * 300), text="w" * 300)
    host = f"http://{'h' * 200}.example:80"
    built = Builder().open(evil, 3, origin=f"https://{text}:443").open(long, 2, origin=host)
    built.open(FIRST, 1, origin="http://[::1]:8080", via=f"http://{text}:3128")
    usage = built.usage(text, untraced=[Untraced(1, text)], damaged=[text])
    (one,) = usage.processes
    return usage._replace(processes=(one._replace(troubles=(text,), lost=1),))


def report_of(usage: Usage, *required: str, strict: bool = False) -> TraceReport:
    """What is reported of it, by whoever stands in the folder."""
    found = trace_requirements(required)
    checked = tuple(check_usage(it, usage, FOLDER) for it in found)
    return TraceReport(usage, checked, strict, FOLDER)


PROGRAMS = {
    "no session": no_session,
    "mixed": mixed,
    "well": well,
    "nothing": nothing,
    "silent": silent,
    "many origins": many_origins,
    "many connections": many_connections,
    "hostile": hostile,
}
"""By what they do."""
