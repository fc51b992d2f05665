"""Tests of a user's that ask a service."""

import os

import pytest
import requests


@pytest.mark.parametrize("number", range(6))
def test_an_item_is_there(number):
    assert requests.get(f"{os.environ['SERVICE']}/items/{number}").ok  # here
