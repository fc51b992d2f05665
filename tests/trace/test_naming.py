"""What reports call files, functions and origins."""

from __future__ import annotations

import pytest
from support.usages import FIRST, HOSTILE, Builder

from keepalive_bench.trace.naming import file_name, file_within, is_meant, origin_names, site_name
from keepalive_bench.trace.usage import Site

FOLDER = "/home/me/shop"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("/home/me/shop/app.py", "app.py"),
        ("/home/me/shop/deep/down/app.py", "deep/down/app.py"),
        ("/home/me/shopping/app.py", "…/me/shopping/app.py"),
        ("/home/me/shop/.venv/lib/python3.11/site-packages/a/b.py", "a/b.py"),
        ("/usr/lib/python3/dist-packages/a/b.py", "a/b.py"),
        ("/srv/app.py", "/srv/app.py"),
        ("/usr/lib/python3.11/threading.py", "…/lib/python3.11/threading.py"),
        ("./app.py", "app.py"),
        ("<string>", "<string>"),
    ],
)
def test_files_are_named_from_the_folder_or_by_their_last_parts(file: str, said: str) -> None:
    assert file_name(file, FOLDER) == said


@pytest.mark.parametrize("folder", ["/home/me/shop/", "/home/me/shop"])
def test_a_folder_may_end_with_a_slash(folder: str) -> None:
    assert file_within("/home/me/shop/app.py", folder) == "app.py"


def test_nothing_is_beneath_no_folder() -> None:
    assert file_within("/app.py", "") is None


def test_a_file_s_own_code_is_in_no_function() -> None:
    assert site_name(Site("app.py", 3, "<module>"), FOLDER) == "app.py:3"
    assert site_name(Site("app.py", 3, "Shop.sell"), FOLDER) == "app.py:3 in Shop.sell"


def test_long_and_hostile_names_are_short_and_harmless() -> None:
    said = site_name(Site(HOSTILE, 3, "f" * 1000), FOLDER)
    assert said.isprintable()
    assert "::" not in said
    assert len(said) < 200


def test_origins_are_told_apart_by_as_little_as_it_takes() -> None:
    built = Builder()
    origins = ("https://a.example:443", "http://b.example:80", "https://b.example:80")
    for origin in origins:
        built.open(FIRST, origin=origin)
    built.open(FIRST, origin="https://a.example:443", via="http://proxy.example:3128")
    assert set(origin_names(built.usage("").origins)) == {
        "a.example:443",
        "a.example:443 through proxy.example:3128",
        "http://b.example:80",
        "https://b.example:80",
    }


@pytest.mark.parametrize(
    ("selector", "meant"),
    [
        ("/run/docker.sock", True),
        ("unix:///run/docker.sock", True),
        ("docker.sock", False),
        ("/run/docker", False),
        ("", False),
    ],
)
def test_a_unix_socket_is_selected_by_its_path(selector: str, meant: bool) -> None:  # noqa: FBT001
    assert is_meant(selector, "unix:///run/docker.sock") == meant
