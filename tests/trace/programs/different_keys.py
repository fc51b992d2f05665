"""Ask with other TLS settings now and then."""

import sys
import warnings

import urllib3

warnings.simplefilter("ignore")
url, certificate = sys.argv[1:]
http = urllib3.PoolManager()
for _ in range(3):
    for settings in ({"ca_certs": certificate}, {"cert_reqs": "CERT_NONE"}):
        pool = http.connection_from_url(url, settings)
        pool.request("GET", "/items")  # here
