"""The pytest plugin as projects meet it: in a process of its own, with warnings as errors."""

from __future__ import annotations

import subprocess
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.patience import PATIENCE_S
from support.pythons import needed_python
from support.venvs import venv

from keepalive_bench.server import Server, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = "pytester"


class Project:
    """A project of tests that ask a server."""

    def __init__(self, pytester: pytest.Pytester, server: Server) -> None:
        self._pytester, self.server = pytester, server
        pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = --strict-markers")

    def run(self, tests: str, *arguments: str) -> pytest.RunResult:
        """Run these tests, which begin in line 3: `URL` in them is the server's."""
        head = f"import pytest, requests\nURL = {self.server.url!r}\n"
        self._pytester.makepyfile(test_it=head + textwrap.dedent(tests).lstrip("\n"))
        is_whole = "--keepalive" in arguments
        run = (
            self._pytester.runpytest_subprocess if is_whole else self._pytester.runpytest_inprocess
        )
        return run(*arguments)


@pytest.fixture
def project(pytester: pytest.Pytester) -> Iterator[Project]:
    with Server(ServerSettings()) as server:
        yield Project(pytester, server)


def test_the_fixture_watches(project: Project) -> None:
    done = project.run("""
        def test_sync(keepalive):
            with keepalive.watch() as seen, requests.Session() as session:
                session.get(URL)
                session.get(URL)
            assert seen.connections("127.0.0.1") <= 1
            assert seen.requests() == 2
    """)
    done.assert_outcomes(passed=1)
    done.stdout.no_fnmatch_line("*- keepalive -*")


def test_a_failing_assertion_has_reasons_and_call_sites(project: Project) -> None:
    done = project.run("""
        def test_sync(keepalive):
            with keepalive.watch() as seen:
                for _ in range(3):
                    requests.get(URL)
            assert seen.connections("127.0.0.1") <= 1
    """)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["E *assert 3 <= 1", "E *test_it.py:6 in test_sync*requests.get*"])


def test_so_has_the_report_where_the_assertion_is_another_functions(project: Project) -> None:
    done = project.run(
        """
        def test_sync(keepalive):
            with keepalive.watch() as seen:
                requests.get(URL)
                requests.get(URL)
            assert not seen.connections()
        """,
        "--assert=plain",
    )
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["-* keepalive *-", "*test_it.py:5 in*"])


def test_the_report_of_a_failed_test_is_as_wide_as_the_terminal(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    done = project.run("""
        def test_sync(keepalive):
            with keepalive.watch() as seen:
                requests.get(URL)
                requests.get(URL)
            assert 0
    """)
    done.assert_outcomes(failed=1)
    lines = done.outlines
    (begin,) = [at for at, line in enumerate(lines) if line.strip("-") == " keepalive "]
    (end,) = [at for at, line in enumerate(lines) if "short test summary" in line]
    assert 50 < max(map(len, lines[begin + 1 : end])) <= 60


def test_a_junit_file_has_the_reasons_too(project: Project, pytester: pytest.Pytester) -> None:
    project.run(
        """
        def test_sync(keepalive):
            with keepalive.watch() as seen:
                for _ in range(3):
                    requests.get(URL)
            assert 1 >= seen.connections()
        """,
        "--junit-xml=junit.xml",
    )
    assert "test_it.py:6 in test_sync" in (pytester.path / "junit.xml").read_text("utf-8")


def test_an_origin_without_requests_fails_and_names_those_seen(project: Project) -> None:
    done = project.run("""
        def test_sync(keepalive):
            with keepalive.watch() as seen:
                requests.get(URL)
            assert seen.connections("api.exmaple.com") <= 1
    """)
    done.assert_outcomes(failed=1)
    port = project.server.port
    done.stdout.fnmatch_lines(
        [f"E *RequirementError: No request to *api.exmaple.com*127.0.0.1:{port}*"]
    )


def test_a_mark_passes_what_opens_no_more(project: Project) -> None:
    done = project.run("""
        @pytest.mark.reuses_connections(max_opened=1, origin="127.0.0.1")
        def test_sync():
            with requests.Session() as session:
                session.get(URL)
                session.get(URL)

        @pytest.mark.reuses_connections
        class TestIt:
            def test_sync(self):
                requests.get(URL)

            def test_without_requests(self):
                pass
    """)
    done.assert_outcomes(passed=3)


def test_a_mark_fails_what_opens_more(project: Project) -> None:
    done = project.run("""
        @pytest.mark.reuses_connections(max_opened=1, origin="127.0.0.1")
        def test_sync():
            requests.get(URL)
            requests.get(URL)
    """)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "2 connections were opened to 127.0.0.1; at most 1 is allowed.",
            "*test_it.py:6 in test_sync*",
        ]
    )


def test_a_mark_fails_where_its_origin_got_no_request(project: Project) -> None:
    done = project.run("""
        @pytest.mark.reuses_connections(origin="api.exmaple.com")
        def test_sync():
            requests.get(URL)
    """)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["No request to *api.exmaple.com*127.0.0.1:*"])


def test_each_mark_of_a_test_holds(project: Project) -> None:
    done = project.run("""
        @pytest.mark.reuses_connections(max_opened=9)
        @pytest.mark.reuses_connections(max_opened=0)
        def test_sync():
            requests.get(URL)
    """)
    done.assert_outcomes(failed=1)


def test_a_mark_may_be_about_the_tests_own_thread(project: Project) -> None:
    done = project.run("""
        import threading

        @pytest.mark.reuses_connections(max_opened=0, threads="own")
        def test_sync():
            thread = threading.Thread(target=requests.get, args=[URL])
            thread.start()
            thread.join()
    """)
    done.assert_outcomes(passed=1)
    assert project.server.stats.accepts == 1


def test_a_mark_leaves_other_failures_and_skips_as_they_are(project: Project) -> None:
    done = project.run(
        """
        pytestmark = pytest.mark.reuses_connections(max_opened=0)

        def test_failing():
            requests.get(URL)
            raise RuntimeError("its own")

        def test_skipping():
            pytest.skip("its own")

        @pytest.mark.xfail
        def test_expected():
            requests.get(URL)
        """
    )
    done.assert_outcomes(failed=1, skipped=1, xfailed=1)
    done.stdout.fnmatch_lines(["E *RuntimeError: its own"])


@pytest.mark.parametrize("arguments", ["most=1", "'127.0.0.1'", "origin=80", "threads='mine'"])
def test_a_mistyped_mark_fails(project: Project, arguments: str) -> None:
    done = project.run(f"""
        @pytest.mark.reuses_connections({arguments})
        def test_sync():
            requests.get(URL)
    """)
    done.assert_outcomes(failed=1)
    said = f"reuses_connections({arguments}): the mark takes max_opened (a number), origin*"
    done.stdout.fnmatch_lines([said])
    done.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_unittests_are_watched_by_the_mark(project: Project) -> None:
    done = project.run("""
        import unittest

        @pytest.mark.reuses_connections(max_opened=1)
        class TestIt(unittest.TestCase):
            def test_sync(self):
                requests.get(URL)
                requests.get(URL)
    """)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["2 connections were opened *", "*in test_sync*"])


TWO_TESTS = """
def test_one():
    requests.get(URL)

def test_two():
    requests.get(URL)
"""


def test_the_session_is_reported(project: Project) -> None:
    done = project.run(TWO_TESTS, "--keepalive")
    done.assert_outcomes(passed=2)
    done.stdout.fnmatch_lines(["=* keepalive *=", "127.0.0.1:* 2 * 2 *", "*(test_it.py:4 in*"])


@pytest.mark.parametrize("workers", ["0", "2"])
def test_xdists_workers_are_reported_together(project: Project, workers: str) -> None:
    done = project.run(TWO_TESTS, "--keepalive", "-n", workers)
    done.assert_outcomes(passed=2)
    done.stdout.fnmatch_lines(["=* keepalive *=", "127.0.0.1:* 2 * 2 *"])
    assert project.server.stats.accepts == 2
    done.stdout.no_fnmatch_line("*Not traced*")
    done.stdout.fnmatch_lines(["*(test_it.py:4 in*"])
    done.stdout.fnmatch_lines(["*test_it.py:7 in*"])


def test_watches_fail_in_xdists_workers_as_elsewhere(project: Project) -> None:
    done = project.run(
        """
        def test_sync(keepalive):
            with keepalive.watch() as seen:
                requests.get(URL)
                requests.get(URL)
            assert seen.connections() <= 1
        """,
        *("-n", "1", "--keepalive"),
    )
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        ["E *test_it.py:5 in test_sync*", "-* keepalive *-", "=* keepalive *="]
    )


@pytest.mark.slow
@pytest.mark.timeout(400)  # the venv has to be made
def test_the_lowest_pytest_tells_the_same(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    needed = [str(Path(__file__).parents[2]), "pytest==7.0.0", "pluggy==1.0.0", "requests"]
    python = venv(tmp_path_factory, "pytest7", needed_python("3.10"), needed) / "bin" / "python"
    with Server(ServerSettings()) as server:
        (tmp_path / "test_it.py").write_text(
            textwrap.dedent(f"""\
                import pytest, requests

                @pytest.mark.reuses_connections(origin="127.0.0.1")
                def test_marked():
                    requests.get({server.url!r})
                    requests.get({server.url!r})

                @pytest.mark.reuses_connections(origin="api.exmaple.com")
                def test_mistyped():
                    requests.get({server.url!r})

                def test_watched(keepalive):
                    with keepalive.watch() as seen:
                        requests.get({server.url!r})
                    assert seen.connections() == 0
            """)
        )
        command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", "--keepalive"]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        accepts = server.stats.accepts
    assert accepts == 4
    pytest.LineMatcher(done.stdout.splitlines()).fnmatch_lines(
        [
            "2 connections were opened to 127.0.0.1; at most 1 is allowed.",
            "*test_it.py:6 in test_marked*",
            "No request to 'api.exmaple.com' was seen.*",
            "E *assert 1 == 0",
            "=* keepalive *=",
            "127.0.0.1:* 4 * 4 *",
            "*3 failed*",
        ]
    )


def test_it_can_be_left_out(project: Project) -> None:
    done = project.run("def test_it(keepalive): pass", "-p", "no:keepalive")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*fixture 'keepalive' not found"])


def test_nothing_is_imported_until_it_is_used(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # others import a lot
    pytester.makepyfile(
        """
        import sys

        def test_modules():
            names = sorted(it for it in sys.modules if it.partition(".")[0] == "keepalive_bench")
            others = {"urllib3", "rich", "click", "http.client", "ssl"} & set(sys.modules)
            assert names == [
                "keepalive_bench", "keepalive_bench.trace", "keepalive_bench.trace.pytest_plugin"
            ]
            assert not others
        """
    )
    done = pytester.runpytest_subprocess("-p", "keepalive")
    done.assert_outcomes(passed=1)
