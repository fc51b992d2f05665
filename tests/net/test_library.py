"""Another library in urllib3's place is refused before anything is sent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import urllib3
from support.command import called, kab

from keepalive_bench.errors import UsageError
from keepalive_bench.net import check_library
from keepalive_bench.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"

_DISGUISED = """
__path__ = ["{}"]
exec(compile(open(__path__[0] + "/__init__.py").read(), "urllib3", "exec"))
class HTTPConnectionPool(HTTPConnectionPool):
    class ConnectionCls: pass
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess() as process:
        yield process


def refused(server: ServerProcess, place: Path, *arguments: str) -> str:
    """What kab says where another package comes before urllib3."""
    before = server.stats().accepts
    done = kab("run", server.url, "-n", "2", *arguments, env={"PYTHONPATH": str(place)})
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
    assert server.stats().accepts == before + 1  # this question's own
    return done.err


def stub(place: Path, text: str) -> Path:
    (place / "urllib3").mkdir()
    (place / "urllib3" / "__init__.py").write_text(text)
    return place


def test_the_real_one_is_let_be() -> None:
    check_library()


@pytest.mark.parametrize("version", ["2.0.1.post1", "unknown"])
def test_one_too_old_is_refused(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib3, "__version__", version)
    with pytest.raises(UsageError, match=f"can't measure with urllib3 {version}: pip install"):
        check_library()


@pytest.mark.parametrize("version", ["2.0.10", "2.8.0rc1"])
def test_a_newer_one_is_let_be(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib3, "__version__", version)
    check_library()


def test_the_lowest_release_is_the_one_that_is_depended_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib3, "__version__", "1.0")
    with pytest.raises(UsageError) as caught:
        check_library()
    wanted = str(caught.value).partition("pip install '")[2].partition("'")[0]
    assert f'"{wanted}",' in _PROJECT.read_text("utf-8")
    monkeypatch.setattr(urllib3, "__version__", wanted.partition(">=")[2].partition(",")[0])
    check_library()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "__version__ = 9\nclass HTTPConnectionPool:\n    class ConnectionCls: pass\n",
    ],
    ids=["empty", "other connections"],
)
def test_whatever_has_its_name_is_refused(server: ServerProcess, tmp_path: Path, text: str) -> None:
    said = refused(server, stub(tmp_path, text))
    assert said.startswith("Error: The package urllib3 here is another library, not the one that ")
    assert "pip install --force-reinstall 'urllib3>=" in said


def test_a_stored_run_is_shown_all_the_same(server: ServerProcess, tmp_path: Path) -> None:
    stored = tmp_path / "run.json"
    assert called("run", server.url, "-n", "2", "--json", str(stored)).code == 0
    place = stub(tmp_path, _DISGUISED.format(Path(urllib3.__file__).parent))
    assert "here is another library" in refused(server, place)
    done = kab("report", str(stored), env={"PYTHONPATH": str(place)})
    assert done.code == 0, done.err


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_urllib3_future_is_called_by_its_name(server: ServerProcess, tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    done = subprocess.run(
        [*pip, str(tmp_path), "urllib3-future"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"pip can't install urllib3-future: {done.stderr.splitlines()[-1]}")
    for arguments in ([], ["--processes", "2"], ["--arm", "naive", "-X", "GET"]):
        said = refused(server, tmp_path, *arguments)
        assert said.startswith("Error: The package urllib3 here is urllib3-future 2.")
        assert "pip uninstall urllib3-future, then pip install --force-reinstall" in said
