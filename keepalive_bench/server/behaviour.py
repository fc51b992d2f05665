"""How the embedded server shall answer: one value, complete and checked at birth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from keepalive_bench.errors import UsageError
from keepalive_bench.units import LONGEST_S, shortened

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

_LOWEST_STATUS, _HIGHEST_STATUS = 200, 599
LARGEST_BODY, MOST = 2**40, 1_000_000_000
_OF_A_BODY = f"it must be 0 to {LARGEST_BODY:,}"
_OF_A_TIMEOUT = f"it must be above 0 s and at most {LONGEST_S:,.0f} s"


class ServerOption(NamedTuple):
    """The option of `kab serve` that sets a field."""

    line: str
    example: tuple[str, str]
    """Words of a command line; and what its user sees by them, or a client, as a test does."""
    parse: Callable[[str], object]
    """What reads its value; `float`: a time, in any unit; `bool`: it has none, it is a flag."""
    metavar: str
    choices: tuple[str, ...]
    """The only texts that are read, where not all are."""


def option(
    line: str,
    example: tuple[str, str],
    parse: Callable[[str], _T],
    metavar: str = "",
    *,
    default: _T,
    choices: tuple[str, ...] = (),
) -> _T:
    """Declare a field together with its option."""
    declared = ServerOption(line, example, parse, metavar, choices)
    return field(default=default, metadata={"option": declared})


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What a client of the embedded server sees; the default is a plain, well-behaved server.

    Attributes:
        status: 200 to 599; 204 and 304 have no body.
        reason: In latin-1; ``None`` is what RFC 9110 says.
        headers: Extra response headers. They are sent as they are, in latin-1, and may be
            hostile on purpose; one that names ``Server`` or ``Content-Type`` replaces ours.
        idle_timeout_s: The connection is then closed with FIN.
        max_age_s: While it waits for a request, the connection is then closed with FIN, whatever
            it has carried.
        http_10: The connection ends after each answer, unless the client asks for
            ``Connection: keep-alive``, which the answer then confirms.
        keep_alive_header: On every answer that doesn't end the connection by its own account.
            It is said, not kept: `idle_timeout_s`, `silent_close_after` and the like decide
            what is true.
        keep_alive_max: ``Connection: close`` comes in the answer after ``max=1``. So a connection
            serves N + 1 requests, as with Apache's ``MaxKeepAliveRequests``.
            `silent_close_after` can break the promise, or keep it without a word.

    Raises:
        UsageError: A value is out of range, or two contradict each other.
    """

    body_size: int = option(
        "Bytes of each response's body.",
        ("--body-size 5", "\r\nContent-Length: 5\r\n"),
        int,
        default=1024,
    )
    delay_s: float = option(
        "Time before each response: 0.5, 500ms.", ("--delay 400ms", "slow"), float, default=0.0
    )
    status: int = option("Status code.", ("--status 404", "HTTP/1.1 404 "), int, default=200)
    reason: str | None = option(
        "The words after the status code.",
        ("--reason Fine", "HTTP/1.1 200 Fine\r\n"),
        str,
        "TEXT",
        default=None,
    )
    headers: tuple[tuple[str, str], ...] = ()
    chunked: bool = option(
        "Send bodies in chunks.", ("--chunked", "Transfer-Encoding: chunked"), bool, default=False
    )
    close_after: int | None = option(
        "Announce the close in the N-th response, and close.",
        ("--close-after 1", "Connection: close"),
        int,
        "N",
        default=None,
    )
    silent_close_after: int | None = option(
        "Close after N responses, unannounced.",
        ("--silent-close-after 1", "closed after 1"),
        int,
        "N",
        default=None,
    )
    idle_timeout_s: float | None = option(
        "Close after this long without a request: 5s.",
        ("--idle-timeout 100ms", "closed after 2"),
        float,
        default=None,
    )
    max_age_s: float | None = option(
        "Close a connection of this age, unannounced: 1s.",
        ("--max-age 100ms", "closed after 2"),
        float,
        default=None,
    )
    connection_close: bool = option(
        "Answer `Connection: close`, and do so.",
        ("--connection-close", "Connection: close"),
        bool,
        default=False,
    )
    http_10: bool = option(
        "Answer as HTTP/1.0 does.", ("--http-10", "HTTP/1.0 200 OK"), bool, default=False
    )
    keep_alive_header: str | None = option(
        "A `Keep-Alive` header: timeout=5, max=100.",
        ("--keep-alive-header timeout=5", "Keep-Alive: timeout=5"),
        str,
        "VALUE",
        default=None,
    )
    keep_alive_max: int | None = option(
        "Announce max=N, then one less each time, and keep to it.",
        ("--keep-alive-max 3", "Keep-Alive: max=3"),
        int,
        "N",
        default=None,
    )

    def __post_init__(self) -> None:
        if (problem := _problem(self)) is not None:
            raise UsageError(problem)


def _problem(wanted: Behaviour) -> str | None:
    """Say in one sentence what is wrong with a behaviour, if anything is."""
    checks = (
        (
            0 <= wanted.body_size <= LARGEST_BODY,
            f"A body of {shortened(f'{wanted.body_size:,}')} bytes can't be sent: {_OF_A_BODY}.",
        ),
        (
            0 <= wanted.delay_s <= LONGEST_S,
            f"A delay of {wanted.delay_s} s is impossible: it must be 0 to {LONGEST_S:,.0f} s.",
        ),
        (
            _LOWEST_STATUS <= wanted.status <= _HIGHEST_STATUS,
            f"Status {shortened(str(wanted.status))} ends no exchange: it must be 200 to 599.",
        ),
        *(
            (
                count is None or 1 <= count <= MOST,
                f"{name} counts answers: it must be 1 to {MOST:,}.",
            )
            for name, count in (
                ("close_after", wanted.close_after),
                ("silent_close_after", wanted.silent_close_after),
                ("keep_alive_max", wanted.keep_alive_max),
            )
        ),
        *(
            (
                time_s is None or 0 < time_s <= LONGEST_S,
                f"{name} of {time_s} s is impossible: {_OF_A_TIMEOUT}.",
            )
            for name, time_s in (
                ("An idle timeout", wanted.idle_timeout_s),
                ("A maximum age", wanted.max_age_s),
            )
        ),
        (not (wanted.http_10 and wanted.chunked), "HTTP/1.0 knows no chunked bodies."),
        (_is_latin_1(wanted), "Header names, values and the reason must be in latin-1."),
    )
    return next((sentence for holds, sentence in checks if not holds), None)


def _is_latin_1(wanted: Behaviour) -> bool:
    texts = [text for header in wanted.headers for text in header]
    try:
        "".join([*texts, wanted.keep_alive_header or "", wanted.reason or ""]).encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
