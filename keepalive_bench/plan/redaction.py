"""URLs without their secrets: values are starred whose names say that they are secret.

docs/json-format.md lists the words that say it.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from keepalive_bench.units import REDACTED

ANYWHERE = (
    *("passw", "passphrase", "passcode", "passkey", "pwd", "secret", "token", "credential"),
    *("auth", "apikey", "signature", "session", "sessid", "assertion", "saml", "bearer", "cookie"),
    *("csrf", "xsrf", "jwt", "hmac", "cvv", "accesscode", "securitycode", "verificationcode"),
    *("pincode", "smscode", "backupcode", "recoverycode", "privkey"),
)
"""Parts of a name, whatever separates its words: `clientsecret`, `user[api_key]`."""
WHOLE_WORDS = (
    *("pw", "pin", "psk", "otp", "totp", "hotp", "otc", "mfa", "cvc", "nonce", "private"),
    *("verifier", "sid", "cred", "creds", "ticket", "dpop", "pins"),
)
"""Words of a name: `card_pin`, but neither `shipping` nor `opinion`."""
LAST_WORDS = ("key", "sig", "code")
"""Words that say it where they come last: `subscription-key`, but not `key_id`."""
ENDS = ("accesskey", "privatekey", "sshkey", "masterkey", "licensekey", "appkey", "pass")
"""Ends of a name: `userpass`, but not `passenger`."""
INNOCENT_CODES = (
    *("country", "region", "state", "city", "area", "zip", "postal", "post", "dial", "phone"),
    *("airport", "airline", "station", "language", "lang", "locale", "currency", "tax", "status"),
    *("error", "exit", "return", "response", "result", "reason", "http", "event", "action"),
    *("product", "item", "article", "color", "colour", "size", "bar", "qr", "char", "source"),
    *("department", "course", "class", "category", "type", "unit", "promo", "coupon", "discount"),
)
"""What comes before the word `code` where it is no secret."""

_NAME = r"(?:^|[;?])([^;?=]*)=(?!\Z)"
_BETWEEN_WORDS = r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
_AUTHORS = r"author(?!i[sz])"
"""`author` and `authority` have `auth` in them; `authorisation` is meant."""
_ANYWHERE = "|".join(ANYWHERE)
_WORD = (
    rf"(^|-)({'|'.join(WHOLE_WORDS)})[0-9]*(-|$)"
    rf"|((^|-)({'|'.join(LAST_WORDS)})|(?<!com)(?<!by)(?<!sur)(?<!over)({'|'.join(ENDS)}))(-?[0-9]+)*$"
)
"""In the name's words with a `-` between them; a number at the end is a place in a list."""
_INNOCENT_CODE = rf"(^|-)({'|'.join(INNOCENT_CODES)})-code(-?[0-9]+)*$"


def is_secret_name(name: str) -> bool:
    """Whether a parameter's name says that its value is a secret (`token`, `user[apiKey]`, …)."""
    words = re.sub(_BETWEEN_WORDS, "-", name).strip("-").lower()
    joined = re.sub(_AUTHORS, "", words).replace("-", "")
    if re.search(_ANYWHERE, joined) is not None:
        return True
    return re.search(_WORD, re.sub(_INNOCENT_CODE, "", words)) is not None


def redacted_query(query: str) -> str:
    """A query with the values of parameters starred whose names say that they are secret."""
    return "&".join(map(_starred, query.split("&")))


def redacted_path(path: str) -> str:
    """A path, and its query: `/a;jsessionid=***?token=***`."""
    head, mark, query = path.partition("?")
    return f"{'/'.join(map(_starred, head.split('/')))}{mark}{redacted_query(query)}"


def _starred(text: str) -> str:
    """Of `a=1;token=x`, `a=1;token=***`: all that follows may be part of the secret."""
    for found in re.finditer(_NAME, text):
        if is_secret_name(unquote(found[1])):
            return f"{text[: found.end()]}{REDACTED}"
    return text
