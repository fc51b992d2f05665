"""What kab calls a failure, from the name of what the program's library raised."""

from __future__ import annotations

from keepalive_bench.results import failure_kinds as kinds

GIVEN_UP = "given-up"
"""Nobody failed: the program gave up the exchange. No kind of kab's."""
_GIVEN_UP = {
    *("Cancelled", "CancelledError", "GeneratorExit", "GreenletExit"),
    *("KeyboardInterrupt", "SystemExit"),
    # What no server brings about: the event loop is closed, say.
    *("AssertionError", "AttributeError", "KeyError", "MemoryError", "NameError"),
    *("RecursionError", "RuntimeError", "TypeError"),
}
_OF_ENDS = {
    "ClientOSError": kinds.RESET,
    "ConnectionAbortedError": kinds.RESET,
    "BrokenPipeError": kinds.RESET,
    "ConnectionResetError": kinds.RESET,
    "ReadError": kinds.RESET,
    "RemoteDisconnected": kinds.CLOSED_BEFORE_RESPONSE,
    "RemoteProtocolError": kinds.CLOSED_BEFORE_RESPONSE,
    "ServerDisconnectedError": kinds.CLOSED_BEFORE_RESPONSE,
    "WriteError": kinds.RESET,
}
_OF_TIME = {
    "ReadTimeout",
    "ReadTimeoutError",
    "ServerTimeoutError",
    "SocketTimeoutError",
    "Timeout",
    "TimeoutError",
    "timeout",
}
_TRUNCATED = {"ClientPayloadError", "IncompleteRead", "ProtocolError", *_OF_ENDS}
_MALFORMED = {"BadStatusLine", "HTTPException", "LineTooLong", "UnknownProtocol"}


def code_of(error: str, *, has_answer: bool) -> str:
    """The code of the kind of failure, or `GIVEN_UP`."""
    name = error.rpartition(".")[2]
    if name in _GIVEN_UP:
        return GIVEN_UP
    if name in _OF_TIME:
        return (kinds.DEADLINE if has_answer else kinds.READ_TIMEOUT).code
    if has_answer and name in _TRUNCATED:
        return kinds.TRUNCATED_BODY.code
    if name in _OF_ENDS:
        return _OF_ENDS[name].code
    return (kinds.MALFORMED_RESPONSE if name in _MALFORMED else kinds.OTHER).code
