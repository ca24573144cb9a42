"""`kill -9` in the middle of a load: what was acknowledged is there after a restart.

`LARDER_CRASH_ROUNDS` sets how many kills each mode has to survive in a row.
"""
import multiprocessing
import os
import random
import time

import pytest

from wire import Connection, encode

ROUNDS = int(os.environ.get("LARDER_CRASH_ROUNDS", 4))
WRITERS = 4
WRITES = 50_000
DEPTH = 50


def requests(writer, index):
    """One write of the mixture; each can be checked by its index alone."""
    kind = index % 4
    if kind == 0:
        return ("SET", f"string:{writer}:{index}", f"value {index} " + "x" * (index % 50))
    if kind == 1:
        return ("RPUSH", f"list:{writer}", index)
    if kind == 2:
        return ("ZADD", f"board:{writer}", index, f"player:{index}")
    return ("HSET", f"hash:{writer}:{index % 100}", f"field:{index}", index)


def write(port, writer, acknowledged, label=None):
    """Pipelines writes; counts in shared memory those whose reply has come."""
    label = writer if label is None else label
    connection = Connection(port)
    try:
        for start in range(0, WRITES, DEPTH):
            batch = range(start, start + DEPTH)
            connection.send(b"".join(encode(requests(label, index)) for index in batch))
            for _ in batch:
                mark, value = connection.reply()
                assert mark in ":+", value
                acknowledged[writer] += 1
    except OSError:
        pass


@pytest.mark.parametrize("policy", ["always", "everysec", "no"])
def test_acknowledged_writes_survive_a_kill(policy, larder):
    server = larder(appendonly="yes", appendfsync=policy)
    context = multiprocessing.get_context("fork")
    acknowledged = context.Array("i", WRITERS, lock=False)
    writers = [context.Process(target=write, args=(server.port, writer, acknowledged)) for writer in range(WRITERS)]
    for process in writers:
        process.start()
    limit = time.monotonic() + 120
    while sum(acknowledged) < WRITERS * WRITES // 2 and time.monotonic() < limit:
        time.sleep(0.002)
    server.kill()
    for process in writers:
        process.join(30)
        assert process.exitcode == 0
    counted = list(acknowledged)
    assert WRITERS * WRITES // 2 <= sum(counted) < WRITERS * WRITES, "the kill was to come in the middle"

    server.start()
    with server.connect() as connection:
        for writer in range(WRITERS):
            check(connection, writer, counted[writer])


@pytest.mark.timeout(120 + 30 * ROUNDS)
@pytest.mark.parametrize("compression", ["lz4", "no"])
@pytest.mark.parametrize("policy", ["always", "everysec", "no"])
def test_kill_after_kill_loses_nothing(policy, compression, larder):
    """Lives that end at any moment, compactions in their middle; each is checked by the next."""
    seed = int(os.environ.get("LARDER_CRASH_SEED", random.randrange(1 << 30)))
    chosen = random.Random(seed)
    server = larder(appendonly="yes", appendfsync=policy, appendcompression=compression,
                    auto_aof_rewrite_min_size="200kb")
    context = multiprocessing.get_context("fork")
    total = 0
    for round_ in range(ROUNDS):
        acknowledged = context.Array("i", WRITERS, lock=False)
        labels = [f"{round_}.{writer}" for writer in range(WRITERS)]
        writers = [context.Process(target=write, args=(server.port, writer, acknowledged, labels[writer])) for writer in range(WRITERS)]
        for process in writers:
            process.start()
        limit = time.monotonic() + 30
        while not all(acknowledged) and time.monotonic() < limit:
            time.sleep(0.001)
        time.sleep(chosen.uniform(0, 0.3))
        if chosen.random() < 0.3:
            with server.connect() as connection:
                connection.exchange([("BGREWRITEAOF",)])  # One may be under way.
            time.sleep(chosen.uniform(0, 0.05))
        server.kill()
        for process in writers:
            process.join(30)
            assert process.exitcode == 0
        counted = list(acknowledged)
        assert all(counted), "the kill was to come in the middle"
        total += sum(counted)
        server.start()
        with server.connect(timeout=120) as connection:
            for label, count in zip(labels, counted):
                check(connection, label, count)
            if chosen.random() < 0.5:
                connection.ask("FLUSHALL")
    print(f"{policy}, {compression}, seed {seed}: {ROUNDS} kills, {total} acknowledged writes, none lost")


def check(connection, writer, count):
    """All that was acknowledged is there, and what came after it is there without a gap."""
    strings = [requests(writer, index) for index in range(0, count, 4)]
    for start in range(0, len(strings), 1000):
        part = strings[start:start + 1000]
        assert connection.ask("MGET", *(key for _, key, _ in part)) == [value.encode() for _, _, value in part]

    items = [int(item) for item in connection.ask("LRANGE", f"list:{writer}", 0, -1)]
    assert items == list(range(1, 1 + 4 * len(items), 4))
    assert len(items) >= len(range(1, count, 4))

    board = connection.ask("ZRANGE", f"board:{writer}", 0, -1, "WITHSCORES")
    assert [int(score) for score in board[1::2]] == list(range(2, 2 + 2 * len(board), 4))
    assert board[::2] == [b"player:" + score for score in board[1::2]]
    assert len(board) // 2 >= len(range(2, count, 4))

    fields = {}
    for name in range(3, 100, 4):
        flat = connection.ask("HGETALL", f"hash:{writer}:{name}")
        fields |= zip(flat[::2], flat[1::2])
    for index in range(3, count, 4):
        assert fields.pop(b"field:%d" % index) == b"%d" % index
    # Beyond the last reply: what had reached the server, which is one pipeline at most.
    assert all(int(value) < count + DEPTH for value in fields.values())


def test_a_torn_tail_does_not_stop_a_start(larder):
    """The last write was cut by a power cut, and nothing is staged: all before it is there."""
    server = larder(appendonly="yes")
    with server.connect() as connection:
        for half in range(2):
            connection.pipeline([("SET", f"key:{500 * half + i}", "x" * 100) for i in range(500)])
            assert connection.ask("WAITAOF", 1, 0, 5000) == [1, 0]
    server.kill()
    # The newest file of the log that holds anything, whatever its format.
    (server.directory / "appendonlydir" / "appendonly.aof.stage").unlink()
    files = [f for f in (server.directory / "appendonlydir").iterdir() if "incr" in f.name and f.stat().st_size]
    newest = max(files, key=lambda f: f.stat().st_mtime)
    with open(newest, "r+b") as log:
        log.truncate(newest.stat().st_size - 30)
    server.start()
    with server.connect() as connection:
        count = connection.ask("DBSIZE")
        assert 500 <= count <= 999
        assert connection.ask("EXISTS", *(f"key:{i}" for i in range(count))) == count
        # And it goes on: what follows the cut is not lost at the next start.
        connection.ask("SET", "after", "the cut")
    server.kill()
    server.start()
    assert server.ask("GET", "after") == b"the cut"
