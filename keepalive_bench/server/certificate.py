"""The shipped certificate, valid for localhost, 127.0.0.1 and ::1 until 2069, and bad ones.

Their key is public, so nobody should ever trust them for more than a measurement on loopback.
`make_certificate.sh`, beside them in the repository, says how they were made. Each is its own
authority: a client that trusts the file finds nothing wrong but what its name says.
"""

from __future__ import annotations

from pathlib import Path

CERTIFICATE = Path(__file__).with_name("loopback.pem")
KEY = Path(__file__).with_name("loopback.key")

CERTIFICATES = {
    "loopback": CERTIFICATE,
    "wrong-host": CERTIFICATE.with_name("wrong-host.pem"),
    "expired": CERTIFICATE.with_name("expired.pem"),
    "untrusted": CERTIFICATE.with_name("untrusted.pem"),
}
"""By name; *untrusted* is as good as *loopback*, for clients that were told to trust that one."""
