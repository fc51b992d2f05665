"""An application for gunicorn that asks another service."""

import os

import requests


def app(environ, start_response):
    answer = requests.get(os.environ["SERVICE"])  # here
    body = f"{os.getpid()} {answer.status_code}\n".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
