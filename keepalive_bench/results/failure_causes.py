"""What the message of a failure tells beyond its kind, and what to do about just that.

Advice on a failure, wherever it is given, and its table in docs/findings.md come from here.
"""

from __future__ import annotations

from typing import NamedTuple


class Cause(NamedTuple):
    """Something that a message tells: `failure_kinds.advice_on` takes the first that fits."""

    said: tuple[str, ...]
    """One of these stands in the message."""
    meaning: str
    advice: str
    among_answers: str | None = None
    """The advice where other requests were answered; `None`: the same."""
    limited: str = ""
    """The advice where the user limits the versions of TLS; empty: the same."""

    def fits(self, message: str) -> bool:
        """Whether a message tells it."""
        return any(it in message for it in self.said)


ALERT = "TLS alert: "
"""What precedes an alert's name in a message."""
NO_LENGTH = "the server sent no length and keeps the connection open"
SILENCE = "then silence"
ENDLESS = "such a stream has no end"
STILL_COMING = "and more was coming"
CHUNKED_NOTHING = "has no body, whatever its Transfer-Encoding says, but http.client waits for one"
NAMELESS = "as it has no subjectAltName"
"""Why a certificate is for nobody, whatever its common name is."""
TLS_RECORD = "a TLS record came in place of a status line"


LOOK_UP_TOOK_ALL = "no time was left after the look-up"
NO_SYN_ACK = "no answer to the request for a connection"
NO_TUNNEL = "no answer of the proxy"
HANDSHAKE_UNFINISHED = "the TLS handshake wasn't finished"


def _alert(names: str, meaning: str, advice: str, limited: str = "") -> Cause:
    said = tuple(ALERT + name for name in names.split())
    return Cause(said, meaning, advice, limited=limited)


_SHOW_CERTIFICATE = "--cert and --key send a client certificate."
_UNREADABLE = "Its log may say more; a proxy or a firewall that inspects TLS may be involved."
_UNCHECKED = "-k skips the check."

OTHER_VERSIONS = _alert(
    "protocol_version inappropriate_fallback",
    "The server accepts no version of TLS that kab offers",
    "kab offers TLS 1.2 and 1.3: enable one of them on the server.",
    "--tls-min and --tls-max limit what kab offers; without them, it is TLS 1.2 and 1.3.",
)
TLS_ALERTS = (
    _alert(
        "unrecognized_name",
        "The server has no site with the name that it was asked for (SNI)",
        "Is the host's name right? A URL with an IP address sends no name: use the name in the "
        "URL, and --resolve or --connect-to for the address.",
    ),
    _alert(
        "certificate_required no_certificate",
        "The server wants a client certificate, and got none",
        _SHOW_CERTIFICATE,
    ),
    _alert(
        "certificate_expired certificate_revoked",
        "The server refuses the client certificate: it has expired, or was revoked",
        "Use another one with --cert.",
    ),
    _alert(
        "bad_certificate unknown_ca certificate_unknown unsupported_certificate access_denied",
        "The server wants a client certificate that it trusts, and got none or another one",
        f"{_SHOW_CERTIFICATE} The server has to trust its issuer.",
    ),
    OTHER_VERSIONS,
    _alert(
        "handshake_failure insufficient_security",
        "The server accepts no cipher or version that kab offers, or wants a client certificate",
        f"--ciphers changes the offered ciphers, but not to TLS below 1.2. {_SHOW_CERTIFICATE}",
        f"--ciphers, --tls-min and --tls-max change the offer. {_SHOW_CERTIFICATE}",
    ),
    _alert(
        "no_application_protocol",
        "The server doesn't accept HTTP/1.1 (ALPN)",
        "kab speaks nothing else: enable http/1.1 beside h2 on the server.",
    ),
    _alert(
        "internal_error",
        "The server had an internal error",
        "Its log says why. Some servers say so when they have no certificate for the name.",
    ),
    Cause((ALERT,), "The server rejected what it received", _UNREADABLE),
)
"""By their names in RFC 8446, section 6, and RFC 5246; the last is of all others."""

ANOTHER_VERSION = Cause(
    ("unsupported protocol", "version too low"),
    "The server speaks only versions of TLS that kab refuses",
    "Enable TLS 1.2 or 1.3 on the server.",
    limited="Enable TLS 1.2 or 1.3 on the server, or leave --tls-min out.",
)
ENDED_IN_HANDSHAKE = Cause(
    ("EOF occurred", "unexpected eof", "reset by", "aborted", "closed", "Broken pipe"),
    "The connection ended during the handshake, without an alert",
    "Does this port speak TLS? Some servers and firewalls do that when they don't know the name.",
    among_answers="Its log may say why; a server that is shutting down or too busy does that.",
)
HANDSHAKES = (
    *TLS_ALERTS,
    ANOTHER_VERSION,
    Cause(
        ("too small", "too weak", "unsafe legacy"),
        "This machine's OpenSSL considers the server's key or protocol too weak",
        "Correct that on the server, or lower OpenSSL's level (--ciphers DEFAULT@SECLEVEL=1).",
    ),
    ENDED_IN_HANDSHAKE,
    Cause(
        ("wrong version number", "packet length too long", "record layer failure"),
        "What came isn't TLS",
        "Does this port speak TLS, or plain HTTP (http://)?",
        among_answers="Other connections got TLS: are there several servers behind that address?",
    ),
)
CONNECT_TIMEOUTS = (
    Cause(
        (LOOK_UP_TOOK_ALL,),
        "The resolver used up the time",
        "Does it answer (/etc/resolv.conf)? -4 sends it one query instead of two, and --resolve "
        "none.",
    ),
    Cause(
        (NO_SYN_ACK,),
        "Nothing there answers a SYN",
        "Is the address right, and is there a firewall in between? A server also drops SYNs while "
        "its accept queue is full.",
        among_answers="A firewall may limit new connections, or the server's accept queue is full: "
        "does it accept them quickly enough?",
    ),
    Cause((NO_TUNNEL,), "The proxy opened no tunnel", "Can it reach the server?"),
    Cause(
        (HANDSHAKE_UNFINISHED,),
        "The TCP connection was opened, but TLS got no further",
        "Does this port speak TLS? A server that is too busy also stops there.",
        among_answers="A server that is too busy stops there.",
    ),
)
TUNNELS = (
    Cause(
        ("failed: 407",),
        "The proxy opens no tunnel without the right credentials",
        "Put them into its URL: --proxy http://USER:PASSWORD@HOST:PORT.",
    ),
    Cause(
        ("failed: 502", "failed: 503", "failed: 504"),
        "The proxy can't reach the server",
        "Is the host's name right, and can the proxy resolve it?",
    ),
    Cause(
        ("failed: 4",),
        "The proxy opens no tunnel to that host or port",
        "Its configuration says which ones it allows.",
    ),
)
BROKEN_TLS = (
    *TLS_ALERTS[-2:],
    Cause(
        ("mac", "decrypt", "record", "wrong version number", "packet length"),
        "A record came that can't be decrypted",
        "Something in between changes the data, or bytes that aren't TLS were mixed in.",
    ),
)
UNTRUSTED = (
    Cause(
        ("expired", "not yet valid"),
        "The certificate isn't valid at this time",
        f"The server needs a new one, unless this machine's clock is wrong. {_UNCHECKED}",
    ),
    Cause(
        (NAMELESS,),
        "Only the names in its subjectAltName count, and the certificate has none",
        f"The server needs a certificate with the name as one of them. {_UNCHECKED}",
    ),
    Cause(
        ("mismatch",),
        "The certificate is for other names",
        "Use one of these names in the URL, and --resolve or --connect-to for the address. "
        f"{_UNCHECKED}",
    ),
    Cause(
        ("too weak",),
        "This machine's OpenSSL considers the certificate's key or signature too weak",
        f"The server needs a new one. {_UNCHECKED}",
    ),
    Cause(
        ("purpose", "invalid CA"),
        "The certificate isn't meant for servers, or its issuer may not issue any",
        f"The server needs another one. {_UNCHECKED}",
    ),
    Cause(
        ("certificate in certificate chain",),
        "The certificate's issuer isn't trusted",
        f"--cacert FILE trusts its issuer. {_UNCHECKED}",
    ),
    Cause(
        ("self-signed", "self signed"),
        "The certificate is self-signed",
        f"--cacert FILE trusts it, if FILE contains it. {_UNCHECKED}",
    ),
    Cause(
        ("issuer", "verify the first"),
        "The certificate's issuer isn't trusted",
        "--cacert FILE trusts its issuer, unless the server leaves out intermediate certificates. "
        f"{_UNCHECKED}",
    ),
)
_CHUNKED = Cause(
    (CHUNKED_NOTHING,),
    "Python's http.client waits for a body, though such a response has none (RFC 9112, section "
    "6.3)",
    "Make the server leave Transfer-Encoding out of it.",
)
DEADLINES = (
    _CHUNKED,
    Cause(
        (ENDLESS,),
        "A stream of events (text/event-stream) isn't meant to end",
        "Use another URL; or --max-body BYTES, which reads only the beginning and closes the "
        "connection.",
    ),
    Cause(
        (NO_LENGTH,),
        "A client can't know where the body ends",
        "Make the server send Content-Length or chunks, or close the connection; no --timeout is "
        "long enough.",
    ),
    Cause(
        (SILENCE,),
        "The server stopped in the middle",
        "Does it announce more than it sends (Content-Length, a last chunk), or does it hang? "
        "If it always stops there, no --timeout is long enough.",
    ),
    Cause(
        (STILL_COMING,), "The response takes longer than that", "A longer --timeout gives it time."
    ),
)
TRUNCATIONS = (
    _CHUNKED,
    Cause(
        ("came, then the connection ended",),
        "Content-Length announces more than came",
        "Does the server announce more than it sends, or does it end too early?",
    ),
    Cause(
        ("chunk",),
        "The last chunk is missing",
        "The server, or a proxy in front of it, ended too early: its log may say why.",
    ),
)
MALFORMATIONS = (Cause((TLS_RECORD,), "This port speaks TLS", "Begin the URL with https://."),)
LOOK_UPS = (
    Cause(
        ("Temporary failure", "Try again", "timed out"),
        "The resolver didn't answer, or couldn't get an answer",
        "Does the resolver answer (/etc/resolv.conf)? --resolve needs none.",
    ),
)
