"""Fetch items in three functions, each with a Session of its own that it throws away."""

import sys

import requests


def head():
    with requests.Session() as session:
        return session.head(sys.argv[1]).status_code  # here


def get():
    with requests.Session() as session:
        return session.get(sys.argv[1]).status_code  # here


def delete():
    session = requests.Session()
    return session.delete(sys.argv[1]).status_code  # here


head()
get()
delete()
