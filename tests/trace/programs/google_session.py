"""Ask with a session of google-auth's, which gets its token by another one."""

import sys

from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials

url = sys.argv[1]
known = {"refresh_token": "a", "client_id": "b", "client_secret": "c"}
session = AuthorizedSession(Credentials(None, token_uri=f"{url}/token", **known))
for number in range(4):
    session.get(f"{url}/{number}")  # here
