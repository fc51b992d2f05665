"""The shipped certificate: valid for localhost, 127.0.0.1 and ::1 until 2069.

Its key is public, so nobody should ever trust it for more than a measurement on loopback.
`make_certificate.sh` beside it says how it was made.
"""

from __future__ import annotations

from pathlib import Path

CERTIFICATE = Path(__file__).with_name("loopback.pem")
KEY = Path(__file__).with_name("loopback.key")
