"""Have a process that is spawned call requests.get itself: no line is on its stack."""

import multiprocessing
import sys

import requests

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.map(requests.get, [sys.argv[1]] * 4)
        pool.close()
        pool.join()
