"""Make clients that are in a circle with what they belong to."""

import gc
import sys

import requests


class Api:
    def __init__(self, url):
        self.url = url
        self.session = requests.Session()
        self.session.api = self

    def get(self, path):
        return self.session.get(f"{self.url}/{path}").status_code  # here


gc.disable()
for number in range(5):
    Api(sys.argv[1]).get(f"items/{number}")
gc.collect()
Api(sys.argv[1]).get("items/last")
