"""Random commands to Larder and to a real Valkey: a short run of what `Tools/differential` does at length."""
import os

import pytest

import scope
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
