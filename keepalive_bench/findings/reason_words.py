"""What the evidence of several connections, opened for one reason, comes to in words."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from keepalive_bench.connections.reason_kinds import (
    CLOSE_DELIMITED,
    ERROR_RESPONSE,
    HTTP_1_0,
    IDLE_TIMEOUT,
    MAX_AGE,
    RECYCLED,
    REQUEST_LIMIT,
    SERVER_CLOSE,
    STALE_RACE,
    UNREAD_REQUEST,
)
from keepalive_bench.units import between, duration, enumerated, plural, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHOWN_DATA = 60
_MOST_SEEN = 3
RECYCLING = "a restart or a limit on kept connections"
BODILESS = ", after a response that has no body (to HEAD, 204 or 304)"
UNREAD = {
    SERVER_CLOSE.code: " in a second field, which http.client ignores",
    HTTP_1_0.code: ", and its keep-alive is in a second field, which http.client ignores",
}


def times_of(seen: Sequence[Mapping[str, object]]) -> dict[str, float | None]:
    """What their evidence has of times: after how long they were closed, if that is known."""
    idle = numbers_in(seen, "closed_after_s", "idle_s")
    ages, survived, died = (numbers_in(seen, name) for name in ("age_s", "survived_s", "died_s"))
    return {
        "idle_s": median(idle) if idle else None,
        "shortest_s": min(idle, default=None),
        "longest_s": max(idle, default=None),
        "age_s": median(ages) if ages else None,
        "survived_s": max(survived, default=None),
        "died_s": min(died, default=None),
    }


def numbers_in(seen: Sequence[Mapping[str, object]], *names: str) -> list[float]:
    """Of each evidence, the first of these numbers that it has."""
    found = (next((it[name] for name in names if name in it), None) for it in seen)
    return [value for value in found if isinstance(value, (int, float))]


def range_of(seen: Sequence[Mapping[str, object]], *names: str) -> str:
    """A time, or from which to which time: `1.00 to 1.10 s`."""
    values = numbers_in(seen, *names)
    return between(min(values), max(values)) if values else "some time"


def survived(longest_s: float | None) -> str:
    """How long others were idle that didn't die."""
    return f"; those idle for {duration(longest_s)} or less didn't" if longest_s else ""


def all_seen(seen: Sequence[Mapping[str, object]]) -> str:
    """What was seen of them, each once; the most frequent first."""
    counts = Counter(f"{it.get('seen', '')}"[:SHOWN_DATA] for it in seen)
    shown = [printable(said) for said, _ in counts.most_common(_MOST_SEEN)]
    return listed([*shown, "others"] if len(counts) > _MOST_SEEN else shown)


def how_often(times: int) -> str:
    """`once`, `2 times`."""
    return "once" if times == 1 else plural(times, "time")


def after(served: Sequence[int], times: int) -> str:
    """After how many requests: `every` takes several that are alike."""
    if not served:
        return ""
    least, most = served[0], served[-1]
    if least < most:
        return f" after {least:,} to {most:,} requests"
    if times == 1:
        return f" after {plural(least, 'request')}"
    return " after every request" if least == 1 else f" after every {least:,} requests"


def fitting(seen: Sequence[Mapping[str, object]], besides: str = "") -> list[str]:
    """The causes that fit what was seen, in words: `a maximum age of 1.20 s`."""
    codes = {each for it in seen for each in f"{it.get('fits', '')}".split(", ") if each}
    served = sorted(map(int, numbers_in(seen, "requests")))
    words = {
        REQUEST_LIMIT.code: f"a limit of {plural(served[0], 'request')}" if served else "",
        IDLE_TIMEOUT.code: f"an idle timeout of {_limit(seen, 'closed_after_s', 'idle_s')}",
        MAX_AGE.code: f"a maximum age of {_limit(seen, 'age_s')}",
        ERROR_RESPONSE.code: "a close after error responses",
        UNREAD_REQUEST.code: "request bodies left unread",
        CLOSE_DELIMITED.code: "responses without a length",
        RECYCLED.code: RECYCLING,
        STALE_RACE.code: "requests that crossed the server's close",
    }
    return [text for code, text in words.items() if code in codes - {besides}]


def _limit(seen: Sequence[Mapping[str, object]], *names: str) -> str:
    """How long one is; where nobody knows when the close came, how long it is at most."""
    values = numbers_in(seen, *names)
    is_found = numbers_in(seen, "idle_s") and not numbers_in(seen, "closed_after_s")
    if values and is_found:
        return f"{duration(min(values))} or less"
    return range_of(seen, *names)


def fitting_alike(seen: Sequence[Mapping[str, object]]) -> str:
    """The causes that fit alike; one alone is undecided where others met an idle timeout."""
    found = fitting(seen)
    if len(found) == 1:
        return f"{found[0]} would explain it, or the idle timeout that ended others"
    return f"{listed(found)} would each explain it"


def listed(words: Sequence[str]) -> str:
    """`a, b and c`; of none, nothing."""
    return enumerated(words) if words else ""
