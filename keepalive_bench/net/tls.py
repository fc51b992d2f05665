"""One TLS context for all arms, its certificates loaded once.

A new HTTPS pool that has to load the certificates itself pays some 30 ms for it: that is no cost
of a connection, so it must not enter any arm's first request.
"""

from __future__ import annotations

import ssl
import warnings
from typing import TYPE_CHECKING

from urllib3.exceptions import InsecureRequestWarning
from urllib3.util.ssl_ import create_urllib3_context

from keepalive_bench.errors import UsageError
from keepalive_bench.units import filename, shortened

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.plan.network import Tls

_NO_PEM = "it is not in PEM format, or the passphrase is wrong"
"""What OpenSSL doesn't tell Python."""
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def build_context(tls: Tls) -> ssl.SSLContext:
    """The context that every connection of a run shares.

    Raises:
        UsageError: a file of certificates or keys can't be used, or no cipher is known.
    """
    context = create_urllib3_context()
    _set_versions(context, tls)
    _trust(context, tls)
    if tls.cert_file is not None:
        _identify(context, tls, tls.cert_file)
    return context


def proxy_context(tls: Tls) -> ssl.SSLContext:
    """The context for an https proxy: it trusts the same, and shows no client certificate."""
    context = create_urllib3_context()
    _trust(context, tls)
    return context


def _set_versions(context: ssl.SSLContext, tls: Tls) -> None:
    if tls.minimum is not None:
        context.minimum_version = VERSIONS[tls.minimum]
    if tls.maximum is not None:
        context.maximum_version = VERSIONS[tls.maximum]
    if tls.ciphers is not None:
        try:
            context.set_ciphers(tls.ciphers)
        except ssl.SSLError:
            shown = shortened(tls.ciphers)
            raise UsageError(f"OpenSSL knows no cipher in '{shown}' (--ciphers).") from None


def _trust(context: ssl.SSLContext, tls: Tls) -> None:
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # It was asked for, and is said once by whoever asked: not once a request.
        warnings.filterwarnings("ignore", category=InsecureRequestWarning)
    elif tls.ca_file is None:
        context.load_default_certs()
    else:
        shown = filename(tls.ca_file)
        try:
            context.load_verify_locations(cafile=tls.ca_file)
        except ssl.SSLError:
            raise UsageError(f"{shown} holds no certificate in PEM format (--cacert).") from None
        except OSError as error:
            raise UsageError(f"{shown} can't be read (--cacert): {error.strerror}.") from None


def _identify(context: ssl.SSLContext, tls: Tls, cert_file: Path) -> None:
    """Load the client's certificate; without a passphrase given, OpenSSL must not ask for one."""
    files = " and ".join(filename(path) for path in (cert_file, tls.key_file) if path)
    try:
        context.load_cert_chain(cert_file, tls.key_file, password=lambda: tls.key_password or "")
    except ssl.SSLError as error:
        reason = (error.reason or "").replace("_", " ").lower() or _NO_PEM
        raise UsageError(
            f"{files} can't be used as the client's certificate and key: {reason} "
            "(--cert, --key, --key-password-file)."
        ) from None
    except OSError as error:
        raise UsageError(f"{files} can't be read (--cert, --key): {error.strerror}.") from None
    except ValueError:  # an empty passphrase, on releases that don't take one
        raise UsageError(f"{files}: the key has a passphrase (--key-password-file).") from None
