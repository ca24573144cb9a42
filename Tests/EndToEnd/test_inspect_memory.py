"""The memory estimate against what real servers take for the same keys.

A server is filled with a generated mix, saved, and started again from its dump: that is what the
estimate is for. Then `used_memory` is compared with that of an empty server, and each key with what
`MEMORY USAGE` says. Real memory is the measure; `MEMORY USAGE` leaves out how blocks are rounded in
Redis 7.0, and counts 240 bytes for each node of a radix tree in Redis, so streams are compared in
total only.
"""
import json
import shutil
import statistics
import time

import pytest

import mixes
from inspector import inspect, inspect_json
from servers import peer_binary, larder_binary

# Peer: whose layout, and what it was built with.
TARGETS = {
    "redis-7.0.15": ("redis-7.0", "jemalloc-system"),
    "redis-8.2.3": ("redis-8.2", "jemalloc"),
    "valkey-8.1.8": ("valkey-8.1", "libc"),
    "valkey-9.1.2": ("valkey-9.1", "libc"),
}
# Larder's own count has no fixed place for what an idle server takes.
NOISE = 64 << 10


def settled(server):
    """Used memory once it no longer moves."""
    last = None
    for _ in range(50):
        now = int(server.info("memory")["used_memory"])
        if now == last:
            return now
        last = now
        time.sleep(0.2)
    return now


def fill(server, mix):
    with server.connect(timeout=120) as connection:
        for request in mix:
            connection.ask(*request)


def grown(serve, binary, mix, tmp_path, **options):
    """A server that loaded the mix, its dump, and how much memory it took."""
    first = serve(binary, **options)
    fill(first, mix)
    dump = tmp_path / "mix.rdb"
    shutil.copy(first.save(), dump)
    first.stop()
    empty = serve(binary, **options)
    before = settled(empty)
    empty.stop()
    folder = tmp_path / "loaded"
    folder.mkdir(exist_ok=True)
    shutil.copy(dump, folder / "dump.rdb")
    loaded = serve(binary, directory=folder, **options)
    return loaded, dump, settled(loaded) - before


def estimates(dump, target, allocator):
    rows = inspect("keys", "--json", "--memory-for", target, "--allocator", allocator, dump)
    return {row["key"]: row["memory"] for row in map(json.loads, rows.splitlines())}


def total(dump, target, allocator):
    told = inspect_json("summary", "--memory-for", target, "--allocator", allocator, dump)
    return told["memory"]["bytes"]


@pytest.mark.parametrize("peer_name", TARGETS)
def test_the_estimate_is_what_a_server_takes(serve, tmp_path, peer_name):
    target, allocator = TARGETS[peer_name]
    mix = mixes.Mix("everything", 0.25).everything()
    server, dump, taken = grown(serve, peer_binary(peer_name), mix, tmp_path)
    assert abs(total(dump, target, allocator) / taken - 1) < 0.05
    errors = []
    with server.connect(timeout=120) as connection:
        for key, estimate in estimates(dump, target, allocator).items():
            if not key.startswith("stream"):
                errors.append(abs(estimate / connection.ask("MEMORY", "USAGE", key, "SAMPLES", 0) - 1))
    assert len(errors) > 3000
    assert statistics.median(errors) < 0.10


@pytest.mark.parametrize("kind", mixes.KINDS)
@pytest.mark.parametrize("peer_name", TARGETS)
def test_the_estimate_is_right_for_each_kind(serve, tmp_path, peer_name, kind):
    target, allocator = TARGETS[peer_name]
    mix = getattr(mixes.Mix(kind, 0.15), kind)()
    _, dump, taken = grown(serve, peer_binary(peer_name), mix, tmp_path)
    assert abs(total(dump, target, allocator) / taken - 1) < 0.05


@pytest.mark.parametrize("peer_name", ["redis-8.2.3", "valkey-9.1.2"])
def test_the_estimate_counts_deadlines_of_fields(serve, tmp_path, peer_name):
    target, allocator = TARGETS[peer_name]
    mix = mixes.Mix("fields", 0.3).field_deadlines()
    _, dump, taken = grown(serve, peer_binary(peer_name), mix, tmp_path)
    assert abs(total(dump, target, allocator) / taken - 1) < 0.05


@pytest.mark.larder_only
@pytest.mark.parametrize("kind", mixes.KINDS)
def test_the_estimate_is_what_larder_takes(serve, tmp_path, kind):
    mix = getattr(mixes.Mix(kind, 0.5), kind)()
    _, dump, taken = grown(serve, larder_binary(), mix, tmp_path)
    assert abs(total(dump, "larder", "libc") - taken) < 0.05 * taken + NOISE
