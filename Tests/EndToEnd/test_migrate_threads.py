"""The migrator on several processors makes, and says, what it does on one."""
import os
import random
import re
import subprocess

import pytest

from migrator import FAILED, LOSSLESS, LOSSY, migrate_binary
from servers import ROOT

pytestmark = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one processor")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Many runs of keys, of all kinds."""
    path = tmp_path_factory.mktemp("large") / "large.rdb"
    subprocess.run([ROOT / "Tools" / "fixtures" / "make-large", "--keys", "40000", "-o", path], check=True, stdout=subprocess.DEVNULL)
    return path


def outcome(arguments, folder, processors):
    """The exit code, what was said, and every file that was made."""
    folder.mkdir(parents=True)
    done = subprocess.run([migrate_binary(), "convert", *map(str, arguments), "-o", "out.rdb", "--quiet"], cwd=folder, timeout=120,
                          capture_output=True, preexec_fn=lambda: os.sched_setaffinity(0, processors))
    made = {path.name: path.read_bytes() for path in folder.iterdir()}
    texts = {"stdout": done.stdout, "stderr": done.stderr, **made}
    return done.returncode, {name: re.sub(rb'[0-9.e-]+ seconds|"(began|seconds)":[0-9.e-]+', b"", text) for name, text in texts.items()}


def compare(arguments, tmp_path):
    processors = sorted(os.sched_getaffinity(0))
    alone, told_alone = outcome(arguments, tmp_path / "alone", processors[:1])
    together, told = outcome(arguments, tmp_path / "together", processors)
    assert together == alone
    assert {name: text for name, text in told.items() if told_alone.get(name) != text} == {} and told.keys() == told_alone.keys()
    return alone


@pytest.mark.parametrize("options", [
    [], ["--strict"], ["--check"], ["--field-deadlines", "refuse"], ["--field-deadlines", "drop-field"],
    ["--field-deadlines", "split", "--rename", "*=new:*", "--map-database", "0=3"], ["--types", "hash,zset", "--expired", "drop"],
], ids=" ".join)
@pytest.mark.parametrize("target", ["valkey-9.1", "valkey-8.1", "redis-6.2"])
def test_the_output_is_the_same(target, options, large, tmp_path):
    assert compare([large, "--to", target, *options], tmp_path) in (LOSSLESS, LOSSY, FAILED)


def test_damage_is_told_in_the_same_words(large, tmp_path):
    chance = random.Random(7)
    sound = large.read_bytes()
    damaged = tmp_path / "damaged.rdb"
    for number in range(12):
        place = chance.randrange(len(sound) // 10, len(sound))
        cut = number % 3 == 0
        damaged.write_bytes(sound[:place] + (b"" if cut else bytes([sound[place] ^ 1 << chance.randrange(8)]) + sound[place + 1:]))
        assert compare([damaged, "--to", "valkey-8.1"], tmp_path / str(number)) == FAILED


def test_a_key_that_is_there_twice_is_found(large, tmp_path):
    assert compare([large, large, "--to", "valkey-8.1"], tmp_path) == FAILED
