"""Connections that were opened for one reason at one place, together; and what is said of them."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from keepalive_bench.connections import program_reasons as programs
from keepalive_bench.connections import reason_kinds as kinds
from keepalive_bench.findings.announced import in_words
from keepalive_bench.findings.reason_words import (
    BODILESS,
    SHOWN_DATA,
    UNREAD,
    after,
    all_seen,
    fitting,
    fitting_alike,
    how_often,
    listed,
    numbers_in,
    range_of,
    survived,
    times_of,
)
from keepalive_bench.trace.analysis.cures import Cause, Cure, Ended, cure_at_server, cure_in_program
from keepalive_bench.trace.analysis.reasons import closer_of, is_forwarded
from keepalive_bench.trace.findings import first_use
from keepalive_bench.trace.usage import Opening
from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from keepalive_bench.connections.reason_kinds import ReasonKind
    from keepalive_bench.results.exchange import Answer
    from keepalive_bench.results.failure_kinds import Actor
    from keepalive_bench.trace.analysis.call_sites import Call
    from keepalive_bench.trace.analysis.lives import Life, Peer
    from keepalive_bench.trace.analysis.processes import Traced
    from keepalive_bench.trace.analysis.reasons import Reason
    from keepalive_bench.trace.recording import Origin

_MOST_SEEN = 1_000
"""Of so many connections, the evidence is looked at: it is alike for most."""
_MOST_TOLD = 3
_IN_PROGRAM = {it.code for it in programs.PROGRAM_REASONS} | {
    kinds.ASKED_TO_CLOSE.code,
    kinds.FIRST_USE.code,
    kinds.POOL_FULL.code,
}
_THINGS = {"aiohttp": "ClientSession", "httpx": "Client", "requests": "Session"}
_NAMED = {"aiohttp", "httpx", "urllib3"}
"""Libraries whose classes have names that people know."""
_TEXTS = {
    kinds.FIRST_USE.code: "{first_use}",
    kinds.AFTER_ERROR.code: "The attempt before failed, and its connection with it: {failures}",
    kinds.ASKED_TO_CLOSE.code: "The requests themselves say Connection: close",
    kinds.UNKNOWN.code: "The reason can't be proven ({times}); what was seen: {all_seen}",
    kinds.POOL_FULL.code: "The pool keeps {kept}, and {needed} in use at once",
    kinds.IDLE_TIMEOUT.code: "{closer} closed connections within {idle} of their last response "
    "({times}){also}",
}
"""What is said of reasons for which `kab run` speaks of its own options, or has no words.

When a close came, it sees, and most programs don't: they find it at their next request.
"""
_UNLASTING = ", but the server would hardly have kept the connection before until then"
"""What is said where a client that keeps its connections would have had to open one, too."""


class _Key(NamedTuple):
    code: str
    who: Actor
    call: Call
    is_avoidable: bool
    would_be_lost: bool


class Openings:
    """All connections that were opened to one origin, by reason and place."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._groups: dict[_Key, Group] = {}

    def add(self, life: Life, traced: Traced, reason: Reason) -> Call:
        """Note one, and return where that was."""
        call = traced.clients.call(life)
        key = _Key(reason.kind.code, reason.who, call, reason.is_avoidable, reason.would_be_lost)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(reason.kind, life, traced)
        group.add(life, reason)
        return call

    def all(self) -> tuple[Opening, ...]:
        """All of them, the most first."""
        found = (self._opening(key, group) for key, group in self._groups.items())
        return tuple(sorted(found, key=lambda it: -it.connections))

    def _opening(self, key: _Key, group: Group) -> Opening:
        cure, text = group.cure(self._peer.origin), group.text()
        if key.would_be_lost:
            cure, text = Cure(""), text + _UNLASTING
        return Opening(
            reason=key.code,
            who=key.who,
            connections=group.connections,
            requests=group.requests,
            site=key.call.site,
            calls=key.call.name,
            is_avoidable=key.is_avoidable,
            text=f"{text}.",
            cure=cure.words,
            code=cure.code,
            saving_s=group.setup_s if key.is_avoidable and group.has_setup else None,
            evidence=group.evidence(),
        )


class Group:
    """Connections that were opened for one reason at one place."""

    def __init__(self, kind: ReasonKind, life: Life, traced: Traced) -> None:
        clients = traced.clients
        call, making, root = clients.call(life), clients.making(life), clients.root_of(life)
        self.kind, self.route = kind, life.route
        self.connections = self.requests = 0
        self.setup_s, self.has_setup = 0.0, False
        self.seen: list[dict[str, object]] = []
        self.served: set[int] = set()
        self.answers: Counter[Answer] = Counter()
        self.has_body = False
        is_new = kind is programs.NEW_CLIENT
        self.name = (making.name if is_new else "") or call.name
        its_kind = "" if root is None else root.kind.partition(".")[0]
        libraries = (*((making.library,) if is_new else ()), call.library, its_kind)
        self.library = next((it for it in libraries if it), "")
        self.is_maker = is_new and making.name not in {"", call.name}
        self.pools = traced.origins_of(life)

    def add(self, life: Life, reason: Reason) -> None:
        """Note one more."""
        self.connections += 1
        self.requests += life.requests
        if life.setup_s is not None:
            self.setup_s += life.setup_s
            self.has_setup = True
        if len(self.seen) >= _MOST_SEEN:
            return
        self.seen.append(reason.evidence)
        before = life.before
        if before is not None:
            self.served.add(before.served)
            self.has_body |= before.has_body
            if before.answer is not None:
                self.answers[before.answer] += 1

    def evidence(self) -> dict[str, int | float | str]:
        """What they have in common, as numbers and words."""
        told: dict[str, int | float | str] = {}
        times = times_of(self.seen)
        for name in dict.fromkeys(name for it in self.seen for name in it):
            values = list(dict.fromkeys(it[name] for it in self.seen if name in it))
            if isinstance(values[0], bool):
                told[name] = sum(bool(it.get(name)) for it in self.seen)
            elif name == "needed":
                told[name] = max(map(int, numbers_in(self.seen, name)))
            elif name.endswith("_s"):
                continue
            elif len(values) == 1 and isinstance(values[0], (int, float, str)):
                value = values[0]
                told[name] = printable(value) if isinstance(value, str) else value
            else:
                shown = [f"{it}" for it in values[:_MOST_TOLD]]
                shown += ["others"] * (len(values) > _MOST_TOLD)
                told[name] = printable(listed(shown))
        told |= {name: value for name, value in times.items() if value is not None}
        return told

    def text(self) -> str:
        """Why they were opened, without a full stop."""
        return (_TEXTS.get(self.kind.code) or self.kind.text).format_map(self._words())

    def cure(self, origin: Origin) -> Cure:
        """What to do about it."""
        if self.kind.code not in _IN_PROGRAM:
            ended = Ended(
                answers=self.answers or self.route.answers,
                served=self.served,
                seen=self.seen,
                sends_bodies=self.has_body,
                is_forwarded=is_forwarded(self.route),
            )
            return Cure(cure_at_server(self.kind, ended))
        address = f"{origin.scheme}://{origin.name}"
        evidence = self.evidence()
        return cure_in_program(
            Cause(self.kind, self.library, self.name, address, evidence, self.pools, self.is_maker)
        )

    def _words(self) -> dict[str, Any]:
        """What stands in their reason's text."""
        seen, code = self.seen, self.kind.code
        served = sorted({int(it) for it in numbers_in(seen, "requests")})
        times, first = times_of(seen), seen[0]
        data = f"{first.get('seen', first.get('connection', ''))}"
        others = fitting([it for it in seen if "fits" in it], besides=code)
        facts = self.evidence()
        return {
            "closer": closer_of(self.route).name,
            "times": how_often(self.connections),
            "after": after(served, self.connections),
            "seen": printable(data[:SHOWN_DATA]),
            "all_seen": all_seen(seen),
            "idle": range_of(seen, "closed_after_s", "idle_s"),
            "age": range_of(seen, "age_s"),
            "also": f"; {listed(others)} would fit as well" if others else "",
            "fitting": fitting_alike(seen) if any("fits" in it for it in seen) else "",
            "survived": survived(times["survived_s"]),
            "died_s": range_of(seen, "died_s"),
            "statuses": listed(sorted({f"{it['status']}" for it in seen if it.get("status")})),
            "option": in_words(f"{first.get('option', '')}"),
            "bodiless": BODILESS if any(it.get("bodiless") for it in seen) else "",
            "unread": UNREAD.get(code, "") if any(it.get("unread") for it in seen) else "",
            "failures": facts.get("failure", "unknown"),
            "kept": _kept(facts.get("maxsize")),
            "needed": _needed(facts.get("needed")),
            "differs": facts.get("differs", "unknown"),
            "first_use": first_use(self.connections, facts.get("busy", 0)),
            "made_by": facts.get("made_by") or "It",
            "making": self._making(facts) if self.kind is programs.NEW_CLIENT else "",
            "closed_at": _at(facts.get("closed_at")),
            "num_pools": f" (it keeps {facts['num_pools']})" if "num_pools" in facts else "",
        }

    def _making(self, facts: dict[str, int | float | str]) -> str:
        """Who makes a client again."""
        name, place = f"{facts.get('made_by', '')}", _at(facts.get("made_at"))
        is_else = "thrown_away" in facts  # and once there, for all that is known
        when = f"{place}, and an earlier one was thrown away" if is_else else f" each time{place}"
        library, _, last = name.rpartition(".")
        if library == self.library and library in _THINGS and last.islower():
            return f"{name} makes a {_THINGS[library]} each time"
        if not name:
            parts = f"{facts.get('client', '')}".split(".")
            is_known = self.library in _NAMED and parts[0] == self.library
            kind = f"{parts[0]}.{parts[-1]}" if is_known else "client"
            return f"A new {kind} is made{when}"
        if last[:1].isupper():
            return f"A new {name} is made{when}"
        return f"{name} makes a client{when}"


def _kept(maxsize: object) -> str:
    return plural(maxsize, "connection") if isinstance(maxsize, int) else "too few connections"


def _needed(count: object) -> str:
    if not isinstance(count, int):
        return "more were"
    return "1 was" if count == 1 else f"{count:,} were"


def _at(place: object) -> str:
    """A place in the code, as a part of a sentence: its file by name only."""
    if not isinstance(place, str) or not place:
        return ""
    file, colon, rest = place.rpartition(":")
    return f" at {printable(PurePath(file).name)}{colon}{rest.removesuffix(' in <module>')}"
