"""`larder-inspect diff`: what really changed in a server between two dumps, and nothing else."""
import json
import os
import random
import shutil
import subprocess

import pytest

import mixes
from inspector import inspect, inspect_json, inspector, peak_memory

# Pieces that sort and end in every awkward way.
PIECES = [b"", b"\x00", b"\x00\xff", b"\xff", b"a", b"a\x00", b"a\x00b", b"a\x01", b"k:", b"abcdef", b"abcdefg"]


def name(entry):
    key = entry["key"]
    if isinstance(key, dict):
        import base64
        return entry["db"], base64.b64decode(key["b64"])
    return entry["db"], key.encode()


def changes(told):
    found = {}
    for entry in told["changes"]:
        found[name(entry)] = entry["change"]
    assert len(found) == len(told["changes"])
    return found


def keep(server, path):
    shutil.copy(server.save(), path)
    return path


@pytest.fixture
def valkey(peer):
    return peer("valkey-9.1.2")


def test_every_change_is_found_and_nothing_else(valkey, tmp_path):
    seeded = random.Random(7)
    keys = sorted({b"".join(seeded.choices(PIECES, k=3)) for _ in range(400)})
    expected = {}
    with valkey.connect() as connection:
        for database in (0, 9):
            connection.ask("SELECT", database)
            for key in keys:
                connection.ask("SADD", key, "a", "b", 3)
        one = keep(valkey, tmp_path / "one.rdb")
        for database in (0, 9):
            connection.ask("SELECT", database)
            for key in keys:
                chance = seeded.random()
                if chance < 0.1:
                    connection.ask("DEL", key)
                    expected[database, key] = "removed"
                elif chance < 0.2:
                    connection.ask("SADD", key, "c")
                    expected[database, key] = "value"
                elif chance < 0.3:
                    connection.ask("PEXPIREAT", key, mixes.FAR)
                    expected[database, key] = "deadline"
                elif chance < 0.4:
                    connection.ask("SET", key, "a")
                    expected[database, key] = "type"
                elif chance < 0.5:
                    connection.ask("SET", key + b"!new", "x")
                    expected[database, key + b"!new"] = "added"
        two = keep(valkey, tmp_path / "two.rdb")
    told = inspect_json("diff", one, two)
    assert changes(told) == expected
    summary = told["summary"]
    for kind in ("added", "removed", "type", "value", "deadline"):
        assert summary["changes"][kind] == list(expected.values()).count(kind)
    assert summary["before"] == 2 * len(keys)
    assert summary["same"] + len([c for c in expected.values() if c != "added"]) == summary["before"]
    order = [name(entry) for entry in told["changes"]]
    assert order == sorted(order)
    back = changes(inspect_json("diff", "--ignore-deadlines", two, one))
    opposite = {"added": "removed", "removed": "added"}
    assert back == {key: opposite.get(kind, kind) for key, kind in expected.items() if kind != "deadline"}
    inspect("diff", "--exit-code", one, two, code=1)
    inspect("diff", "--exit-code", one, one)


def test_another_encoding_is_no_change(peer, valkey, tmp_path):
    redis = peer("redis-7.0.15")
    with redis.connect(timeout=60) as connection:
        for request in mixes.Mix("diff", 0.02).everything():
            connection.ask(*request)
    one = keep(redis, tmp_path / "one.rdb")
    folder = tmp_path / "other"
    folder.mkdir()
    shutil.copy(one, folder / "dump.rdb")
    valkey.stop()
    valkey.directory = folder
    valkey.options["set-max-listpack-entries"] = 0
    valkey.options["hash-max-listpack-entries"] = 1
    valkey.options["zset-max-listpack-entries"] = 1
    valkey.start()
    with valkey.connect(timeout=60) as connection:
        # Tables instead of listpacks, in another order.
        for key in connection.ask("KEYS", "*"):
            connection.ask("COPY", key, b"copy", "REPLACE")
            connection.ask("RENAME", b"copy", key)
    two = keep(valkey, tmp_path / "two.rdb")
    told = inspect_json("diff", one, two)
    assert told["changes"] == [] and told["summary"]["same"] == told["summary"]["before"] > 100


def test_prefixes_tell_where_the_changes_are(valkey, tmp_path):
    with valkey.connect() as connection:
        for index in range(200):
            connection.ask("SET", f"user:{index}:cart", index)
        one = keep(valkey, tmp_path / "one.rdb")
        for index in range(50):
            connection.ask("SET", f"user:{index}:cart", "other")
        connection.ask("SET", "job", 1)
        two = keep(valkey, tmp_path / "two.rdb")
    prefixes = {p["prefix"]: p["changes"] for p in inspect_json("diff", one, two)["summary"]["prefixes"]}
    assert prefixes["user:*:cart"]["value"] == 50
    assert prefixes["job"]["added"] == 1
    text = inspect("diff", "--limit", 1, one, two)
    assert "+ 0 job" in text and "… and 50 more" in text and "user:*:cart" in text


def test_memory_does_not_grow_with_the_files(peer, tmp_path):
    server = peer("redis-8.2.3", enable_debug_command="yes")
    server.ask("DEBUG", "POPULATE", 400_000, "a-key-with-a-long-name-that-takes-room", 20)
    one = keep(server, tmp_path / "one.rdb")
    server.ask("DEBUG", "POPULATE", 400_100, "a-key-with-a-long-name-that-takes-room", 20)
    two = keep(server, tmp_path / "two.rdb")
    told = inspect_json("diff", "--limit", "0", one, two)
    assert told["summary"]["changes"]["added"] == 100 and told["summary"]["same"] == 400_000
    # Names and digests alone are over 80 MB.
    assert peak_memory(inspector(), "diff", "--limit", "0", one, two) < 48 << 20
