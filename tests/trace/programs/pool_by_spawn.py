"""Fetch items in processes of multiprocessing."""

import multiprocessing
import sys

import requests


def fetch(url):
    with requests.Session() as session:
        for number in range(4):
            session.get(f"{url}/items/{number}")  # here


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=fetch, args=(sys.argv[1],)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
