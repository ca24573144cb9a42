"""Random commands to Larder and to a real Valkey: a short run of what `Tools/differential` does at length."""
import os
import signal
import subprocess
import sys
import time

import pytest

import scope
from conftest import ROOT
from differences import compare_family

SEED = os.environ.get("LARDER_SEED", "larder")
COUNT = int(os.environ.get("LARDER_DIFFERENTIAL_COUNT", "6000"))


@pytest.mark.parametrize("family", scope.FAMILIES)
def test_replies_are_those_of_valkey(family, larder, peer):
    ours = larder(appendonly="yes", appendfsync="no", enable_debug_command="yes")
    theirs = peer("valkey-9.1.2", enable_debug_command="yes")
    found, lacking, done = compare_family(family, ours, theirs, SEED, COUNT, limit=3)
    assert done >= COUNT
    assert not found, "\n\n" + "\n\n".join(map(str, found))
    assert not lacking, f"not there: {' '.join(lacking)}"


@pytest.mark.larder_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_ends_the_comparison_ends_its_servers(number, tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, ROOT / "Tools" / "differential", "--family", "keys", "--count", "10000000"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as tool:
        while sum("eady to accept" in path.read_text() for path in tmp_path.glob("larder-test-*/server.out")) < 2:
            time.sleep(0.05)
        assert len(servers_in(tmp_path)) == 2
        tool.send_signal(number)
        tool.wait(30)
    assert not servers_in(tmp_path)
    assert not list(tmp_path.iterdir())


def servers_in(folder):
    """The processes that work below a folder."""
    found = []
    for process in os.listdir("/proc"):
        try:
            if process.isdigit() and os.readlink(f"/proc/{process}/cwd").startswith(str(folder)):
                found.append(process)
        except OSError:
            continue
    return found
