"""The options of curl: what kab takes over of each, or why it doesn't.

All that there ever were are here: whether one takes a value decides how the next word is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.fields import options_of
from keepalive_bench.plan.plan import Plan
from keepalive_bench.plan.values import is_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keepalive_bench.plan.options import Option

Part = Literal[
    "url",
    "data",
    "data-raw",
    "data-binary",
    "data-urlencode",
    "json",
    "url-query",
    "get",
    "head",
    "header",
    "referer",
    "compressed",
    "proxy",
    "proxy-user",
    "noproxy",
    "globoff",
    "path-as-is",
    "proto-default",
    "nothing",
]
"""What an option is to a request, where it takes more than a value in kab's words."""
_PASSPHRASE, _ESCAPED = r"(?<!\\):(?![/\\])", r"\\([:\\])"
"""In what says a certificate's file; a drive's colon comes before a slash."""
OF_PLANS: dict[str, Option[Any]] = {it.name: it for it in options_of(Plan)}


@dataclass(frozen=True, kw_only=True)
class CurlOption:
    """An option of curl."""

    flags: tuple[str, ...]
    """Its spellings, the long one last."""
    has_value: bool
    to: Option[Any] | None = None
    """kab's option for the same."""
    said: Callable[[str], str] = str
    """Its value in kab's words; empty: there is nothing to say."""
    part: Part | None = None
    why_not: str = ""
    """Why it isn't taken over, as a clause."""
    refused: bool = False
    """Whether kab would measure another request without it."""


def _taken(spelling: str, to: str, said: Callable[[str], str] = str) -> CurlOption:
    flags, has_value = _spelled(spelling)
    return CurlOption(flags=flags, has_value=has_value, to=OF_PLANS[to], said=said)


def _part(spelling: str, part: Part) -> CurlOption:
    flags, has_value = _spelled(spelling)
    return CurlOption(flags=flags, has_value=has_value, part=part)


def _spelled(spelling: str) -> tuple[tuple[str, ...], bool]:
    """Of `-d,--data=`, the spellings, and that it has a value."""
    return tuple(spelling.rstrip("=").split(",")), spelling.endswith("=")


def _limit(text: str) -> str:
    return "" if text.strip("0.") == "" else text  # none, says curl's documentation


def _file(text: str) -> str:
    if text in {"-", "."}:
        raise UsageError("kab uploads files only: give standard input with --data-binary @- (-T).")
    return text


def _certificate(text: str) -> str:
    if re.search(_PASSPHRASE, text):
        raise UsageError(
            "kab takes no passphrase on a command line: leave it out of curl's --cert, and give it "
            "with --key-password-file, or type it."
        )
    return re.sub(_ESCAPED, r"\1", text)


def _source(text: str) -> str:
    address = text.removeprefix("host!")
    if not is_address(address):
        raise UsageError("kab connects from an IP address, not from an interface (--interface).")
    return address


def _highest_tls(text: str) -> str:
    return "" if text == "default" else text


def _pem(text: str) -> str:
    if text.upper() != "PEM":
        raise UsageError("kab reads certificates and keys as PEM only (--cert-type, --key-type).")
    return ""


_TAKEN = (
    _part("--url=", "url"),
    _taken("-X,--request=", "method"),
    _part("-H,--header=", "header"),
    _part("-d,--data=", "data"),
    _part("--data-ascii=", "data"),
    _part("--data-raw=", "data-raw"),
    _part("--data-binary=", "data-binary"),
    _part("--data-urlencode=", "data-urlencode"),
    _part("--json=", "json"),
    _part("--url-query=", "url-query"),
    _part("-G,--get", "get"),
    _part("-I,--head", "head"),
    _taken("-T,--upload-file=", "upload-file", _file),
    _taken("-b,--cookie=", "cookie"),
    _taken("-A,--user-agent=", "user-agent"),
    _part("-e,--referer=", "referer"),
    _part("--compressed", "compressed"),
    _taken("-u,--user=", "user"),
    _taken("--oauth2-bearer=", "bearer"),
    _taken("-n,--netrc", "netrc"),
    _taken("-m,--max-time=", "timeout", _limit),
    _taken("--connect-timeout=", "connect-timeout", _limit),
    _taken("-4,--ipv4", "ipv4"),
    _taken("-6,--ipv6", "ipv6"),
    _part("-x,--proxy=", "proxy"),
    _part("-U,--proxy-user=", "proxy-user"),
    _part("--noproxy=", "noproxy"),
    _taken("--connect-to=", "connect-to"),
    _taken("--resolve=", "resolve", lambda text: text.removeprefix("+")),
    _taken("--unix-socket=", "unix-socket"),
    _taken("--interface=", "source-address", _source),
    _taken("--tcp-nodelay", "tcp-nodelay"),
    _taken("--keepalive-time=", "tcp-keepalive-time", lambda text: f"{text},{text}"),
    _taken("-k,--insecure", "insecure"),
    _taken("--cacert=", "cacert"),
    _taken("-E,--cert=", "cert", _certificate),
    _taken("--key=", "key"),
    _taken("--cert-type=", "cert", _pem),
    _taken("--key-type=", "key", _pem),
    _taken("--ciphers=", "ciphers"),
    _taken("--tlsv1.2", "tls-min", lambda _: "1.2"),
    _taken("--tlsv1.3", "tls-min", lambda _: "1.3"),
    _taken("--tls-max=", "tls-max", _highest_tls),
    _part("--proto-default=", "proto-default"),
    _part("-g,--globoff", "globoff"),
    _part("--path-as-is", "path-as-is"),
    # As kab does it anyway.
    *(_part(it, "nothing") for it in ("--basic", "--proxy-basic", "--http1.1", "-q,--disable")),
)
_NOT_TAKEN = {
    "kab follows no redirect": "-L,--location --location-trusted --follow --max-redirs= "
    "--post301 --post302 --post303 --proto-redir= --request-mode=",
    "kab retries nothing": "--retry= --retry-all-errors --retry-connrefused --retry-delay= "
    "--retry-max-time=",
    "kab speaks HTTP/1.1": "-0,--http1.0 --http0.9 --http2 --http2-prior-knowledge --http3 "
    "--http3-only --proxy-http2 --no-alpn --no-npn --alt-svc=",
    "kab has a report of its own": "-s,--silent -S,--show-error -v,--verbose "
    "-i,--include,--show-headers -o,--output= -O,--remote-name --remote-name-all "
    "-J,--remote-header-name -R,--remote-time --remove-on-error --output-dir= --create-dirs "
    "--create-file-mode= --no-clobber --skip-existing --xattr -D,--dump-header= -w,--write-out= "
    "-#,--progress-bar --no-progress-meter -N,--no-buffer --styled-output --stderr= --trace= "
    "--trace-ascii= --trace-config= --trace-ids --trace-time --libcurl= --out-null --raw "
    "--suppress-connect-headers --etag-save= --dump-ca-embed",
    "--expect-status says what counts as failed": "-f,--fail --fail-with-body --fail-early",
    "--max-body stops reading": "--max-filesize= --ignore-content-length",
    "kab has a load of its own": "-Z,--parallel --parallel-immediate --parallel-max= "
    "--parallel-max-host= --rate= --limit-rate= -Y,--speed-limit= -y,--speed-time=",
    "each request has the cookies given": "-c,--cookie-jar= -j,--junk-session-cookies",
    "kab goes to the URL as it is": "--hsts= --proto= --disallow-username-in-url --ipfs-gateway=",
    "--netrc reads ~/.netrc": "--netrc-optional",
    "the system looks names up": "--dns-interface= --dns-ipv4-addr= --dns-ipv6-addr= "
    "--dns-servers= --doh-url= --doh-insecure --doh-cert-status",
    "kab connects as urllib3 does": "--happy-eyeballs-timeout-ms= --tcp-fastopen --mptcp "
    "--local-port= --no-keepalive --keepalive-cnt= --ip-tos= --vlan-priority= "
    "--expect100-timeout=",
    "kab checks certificates as Python does": "-1,--tlsv1 --tlsv1.0 --tlsv1.1 --cert-status "
    "--crlfile= --pinnedpubkey= --ca-native --curves= --sigalgs= --tls13-ciphers= --false-start "
    "--tls-earlydata --ech= --no-sessionid --ssl-sessions= --ssl-allow-beast "
    "--ssl-auto-client-cert --ssl-no-revoke --ssl-revoke-best-effort --random-file= --egd-file=",
    "give a passphrase with --key-password-file, or type it": "--pass=",
    "it is not about HTTP": "-a,--append --compressed-ssh --crlf --disable-eprt --disable-epsv "
    "--ftp-account= --ftp-alternative-to-user= --ftp-create-dirs --ftp-method= --ftp-pasv "
    "-P,--ftp-port= --ftp-pret --ftp-skip-pasv-ip --ftp-ssl-ccc --ftp-ssl-ccc-mode= "
    "--ftp-ssl-control --hostpubmd5= --hostpubsha256= --knownhosts= --krb= -l,--list-only "
    "--login-options= --mail-auth= --mail-from= --mail-rcpt= --mail-rcpt-allowfails --metalink "
    "--pubkey= -Q,--quote= --sasl-authzid= --sasl-ir --ssl --ssl-reqd -t,--telnet-option= "
    "--tftp-blksize= --tftp-no-options --upload-flags= -B,--use-ascii --service-name= "
    "--proxy-service-name= --delegation= --socks5-gssapi-service= --socks5-gssapi-nec "
    "--socks5-basic --socks5-gssapi",
}
"""Why an option isn't taken over that makes no other request."""
_REFUSED = {
    "measure one request, without the others": "-:,--next",
    "kab makes no multipart body: give its bytes with --data-binary @FILE, and its Content-Type": (
        "-F,--form= --form-string= --form-escape"
    ),
    "kab authenticates with Basic or a bearer token only": "--digest --ntlm --ntlm-wb --negotiate "
    "--anyauth --aws-sigv4= --proxy-digest --proxy-ntlm --proxy-negotiate --proxy-anyauth "
    "--tlsauthtype= --tlsuser= --tlspassword=",
    "kab goes through one http:// or https:// proxy, or none": "--socks4= --socks4a= --socks5= "
    "--socks5-hostname= --preproxy= --proxy1.0= -p,--proxytunnel --haproxy-protocol "
    "--haproxy-clientip= --abstract-unix-socket=",
    "kab treats a proxy's certificate as it treats the server's": "--proxy-insecure "
    "--proxy-cacert= --proxy-capath= --proxy-ca-native --proxy-cert= --proxy-cert-type= "
    "--proxy-key= --proxy-key-type= --proxy-pass= --proxy-ciphers= --proxy-crlfile= "
    "--proxy-pinnedpubkey= --proxy-ssl-allow-beast --proxy-ssl-auto-client-cert "
    "--proxy-tls13-ciphers= --proxy-tlsauthtype= --proxy-tlsuser= --proxy-tlspassword= "
    "--proxy-tlsv1",
    "kab sends proxies no header fields of yours": "--proxy-header=",
    "kab trusts certificates in one file (--cacert)": "--capath=",
    "kab reads keys from files": "--engine=",
    "kab speaks TLS 1.2 and 1.3": "-2,--sslv2 -3,--sslv3",
    "kab reads no settings of curl's: write out what they say": "-K,--config= --variable= "
    "--netrc-file=",
    "kab asks for the URL's own path": "--request-target=",
    "give the header field itself (-H 'Range: bytes=0-99')": "-r,--range= -C,--continue-at=",
    "give the header field itself (-H 'If-None-Match: …')": "-z,--time-cond= --etag-compare=",
    "give the header field itself (-H 'TE: gzip')": "--tr-encoding",
    "it sends no request": "-h,--help -V,--version -M,--manual",
}
"""Why one isn't that would make another request."""


def _without(table: dict[str, str], *, refused: bool) -> Iterator[CurlOption]:
    for why_not, spellings in table.items():
        for flags, has_value in map(_spelled, spellings.split()):
            yield CurlOption(flags=flags, has_value=has_value, why_not=why_not, refused=refused)


CURL_OPTIONS = (
    *_TAKEN,
    *_without(_NOT_TAKEN, refused=False),
    *_without(_REFUSED, refused=True),
)
BY_FLAG = {flag: it for it in CURL_OPTIONS for flag in it.flags}


def why_not(flag: str) -> str:
    """Why kab hasn't an option of curl's, as a clause; empty: it isn't one of those."""
    option = BY_FLAG.get(flag)
    if option is None:
        return ""
    return "give --method HEAD" if option.part == "head" else option.why_not
