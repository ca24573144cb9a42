"""Which keys go when memory is short or their time is up, beside a real Redis."""
import bisect
import itertools
import os
import random
import time

import pytest

from wire import ReplyError, encode

ACCESSES = int(os.environ.get("LARDER_EVICTION_ACCESSES", "60000"))
KEYS = 20_000
KEPT = 5_000
BATCH = 100
POLICIES = ["allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"]


def zipf_trace(seed, count, exponent=0.9):
    """Which key is asked for next, when a few are asked for often."""
    chosen = random.Random(seed)
    sums = list(itertools.accumulate((rank + 1) ** -exponent for rank in range(KEYS)))
    names = list(range(KEYS))
    chosen.shuffle(names)
    return [names[bisect.bisect_left(sums, chosen.random() * sums[-1])] for _ in range(count)]


def limit_to(connection, server, count):
    """Lets a server have as much memory as so many of its keys take."""
    base = int(server.info("memory")["used_memory"])
    connection.pipeline([("SET", f"key:{number:08}", "x" * 200, "EX", 100_000 + number) for number in range(count)])
    time.sleep(0.3)
    taken = int(server.info("memory")["used_memory"])
    connection.ask("FLUSHALL", "SYNC")
    assert taken > base
    connection.ask("CONFIG", "SET", "maxmemory", taken)


def hit_ratio(server, policy, trace):
    """How often a cache has what it is asked for, once it is full."""
    chosen = random.Random(policy)
    with server.connect() as connection:
        limit_to(connection, server, KEPT)
        connection.ask("CONFIG", "SET", "maxmemory-policy", policy)
        hits = asked = 0
        for start in range(0, len(trace), BATCH):
            keys = [f"key:{number:08}" for number in trace[start:start + BATCH]]
            connection.send(b"".join(encode(("GET", key)) for key in keys))
            missed = [key for key, (_, value) in zip(keys, connection.replies(len(keys))) if value is None]
            if start > len(trace) // 2:
                asked += len(keys)
                hits += len(keys) - len(missed)
            sets = [("SET", key, "x" * 200, "EX", 100_000 + chosen.randrange(1000)) for key in missed]
            connection.send(b"".join(map(encode, sets)))
            assert all(mark == "+" for mark, _ in connection.replies(len(sets)))
        kept = connection.ask("DBSIZE")
    return hits / asked, kept


@pytest.mark.parametrize("policy", POLICIES)
def test_hits_are_as_many_as_those_of_redis(policy, larder, peer):
    trace = zipf_trace("eviction", ACCESSES)
    ours, our_keys = hit_ratio(larder(), policy, trace)
    theirs, their_keys = hit_ratio(peer("redis-7.0.15"), policy, trace)
    print(f"{policy}: {ours:.4f} with {our_keys} keys, Redis {theirs:.4f} with {their_keys}")
    assert KEPT * 0.7 < our_keys < KEPT * 1.4
    assert ours > theirs - (0.03 if "random" in policy else 0.02)


def test_without_eviction_writes_are_refused_and_reads_are_not(larder):
    server = larder(maxmemory_policy="noeviction")
    with server.connect() as connection:
        limit_to(connection, server, KEPT)
        with pytest.raises(ReplyError, match="OOM"):
            connection.pipeline([("SET", f"key:{number:08}", "x" * 200) for number in range(KEPT * 2)])
        assert connection.ask("GET", "key:00000001") == b"x" * 200
        assert connection.ask("DEL", "key:00000001") == 1


def test_keys_past_their_deadline_do_not_stay(larder):
    """Nobody asks for the keys, and still most of those that are past are gone."""
    server = larder()
    chosen = random.Random("deadlines")
    count, seconds = 200_000, 6
    with server.connect() as connection:
        now = int(time.time() * 1000)
        deadlines = [now + 1500 + chosen.randrange(seconds * 1000) for _ in range(count)]
        connection.pipeline([("SET", f"key:{number}", "x", "PXAT", deadline) for number, deadline in enumerate(deadlines)], depth=5000)
        deadlines.sort()
        worst, slowest = 0.0, 0.0
        while (now := time.time() * 1000) < deadlines[-1] - 1000:
            started = time.monotonic()
            present = connection.ask("DBSIZE")
            slowest = max(slowest, time.monotonic() - started)
            alive = count - bisect.bisect_right(deadlines, now)
            # Towards the end what one turn leaves behind is a growing share of what is left.
            if now > deadlines[0] + 1000 and alive > count // 10:
                worst = max(worst, (present - alive) / present)
            time.sleep(0.02)
        print(f"at most {worst:.2%} were past their deadline and still there; the slowest reply took {slowest * 1000:.1f} ms")
        assert worst < 0.10
        time.sleep(1.5)
        assert connection.ask("DBSIZE") < count // 100


def test_fields_past_their_deadline_do_not_stay(larder):
    server = larder()
    with server.connect() as connection:
        for key in range(100):
            connection.ask("HSET", f"hash:{key}", *[part for field in range(200) for part in (field, "x")])
            connection.ask("HPEXPIRE", f"hash:{key}", 300 + key * 10, "FIELDS", 100, *range(100))
        before = int(server.info("stats")["expired_fields"])
        limit = time.monotonic() + 8
        while int(server.info("stats")["expired_fields"]) - before + before < 10_000:
            assert time.monotonic() < limit, server.info("stats")["expired_fields"]
            time.sleep(0.05)
        assert connection.ask("HLEN", "hash:7") == 100
