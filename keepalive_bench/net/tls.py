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
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from keepalive_bench.model.plan import Tls


def build_context(tls: Tls) -> ssl.SSLContext:
    """The context that every connection of a run shares.

    Raises:
        UsageError: the file of trusted certificates can't be read, or holds none.
    """
    context = create_urllib3_context()
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # It was asked for, and is said once by whoever asked: not once a request.
        warnings.filterwarnings("ignore", category=InsecureRequestWarning)
        return context
    if tls.ca_file is None:
        context.load_default_certs()
        return context
    shown = printable(str(tls.ca_file))
    try:
        context.load_verify_locations(cafile=tls.ca_file)
    except ssl.SSLError:
        raise UsageError(f"{shown} holds no certificate in PEM format (--cacert).") from None
    except OSError as error:
        raise UsageError(f"{shown} can't be read (--cacert): {error.strerror}.") from None
    return context
