"""The daemon against real servers and real clients.

`LARDER_SERVER` names the program under test. A real Redis or Valkey can stand in
for it, which is how the tests themselves are checked:

    LARDER_SERVER=$(Tools/peers --path valkey-9.1.2) $(Tools/peers --python) -m pytest Tests/EndToEnd
"""
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Tools" / "lib"))

import scope  # noqa: E402
from servers import Server, is_larder, larder_binary, peer_binary  # noqa: E402

SHARED_FIXTURES = Path(os.environ.get("LARDER_SHARED_FIXTURES") or ROOT.parent / "shared" / "fixtures")


def pytest_configure(config):
    if not os.access(larder_binary(), os.X_OK):
        raise pytest.UsageError(f"there is no server to test at {larder_binary()}: build it, or set LARDER_SERVER")


def pytest_report_header(config):
    return f"server under test: {larder_binary()}"


def pytest_collection_modifyitems(items):
    if not is_larder(larder_binary()):
        for item in items:
            if item.get_closest_marker("larder_only"):
                item.add_marker(pytest.mark.skip(reason="only Larder has this, and a peer stands in for it"))


def skip_unless_there(*features):
    """Skips, by name, what Larder cannot do yet; a stand-in can do all of it."""
    missing = [feature for feature in features if feature in scope.NOT_YET]
    if missing and is_larder(larder_binary()):
        pytest.skip("; ".join(scope.NOT_YET[feature] for feature in missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for server in getattr(item, "servers", []):
            report.sections.append((f"what {Path(server.binary).name} on port {server.port} said", server.log()[-6000:]))
    return report


@pytest.fixture
def serve(request, tmp_path):
    """Starts servers that end with the test: `serve(binary, directive=value, ...)`."""
    request.node.servers = []

    def make(binary, start=True, directory=None, **options):
        if directory is None:
            directory = tmp_path / f"server-{len(request.node.servers)}"
            directory.mkdir()
        server = Server(binary, directory=directory, **options)
        request.node.servers.append(server)
        return server.start() if start else server

    yield make
    for server in request.node.servers:
        server.kill()


@pytest.fixture
def larder(serve):
    """Starts the server under test."""
    return lambda **options: serve(larder_binary(), **options)


@pytest.fixture
def peer(serve):
    """Starts a peer by name."""
    return lambda name, **options: serve(peer_binary(name), **options)
