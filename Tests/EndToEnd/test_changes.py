"""What counts as a change, and what does not, beside a real Valkey: save points and WATCH depend on it."""
import time

import pytest

CHANGES = [
    ("MSET", "a", "1", "b", "2", "c", "3"), ("DEL", "a", "b", "none"), ("APPEND", "c", "x"), ("RENAME", "c", "d"), ("MOVE", "d", "1"),
    ("RPUSH", "l", "1", "2", "3", "4", "5"), ("LPUSHX", "l", "0", "00"), ("LPOP", "l", "2"), ("LREM", "l", "0", "3"), ("LTRIM", "l", "0", "1"),
    ("LTRIM", "l", "0", "-1"), ("LMOVE", "l", "m", "LEFT", "RIGHT"), ("RPOPLPUSH", "m", "m"), ("LMPOP", "1", "m", "LEFT", "COUNT", "9"),
    ("SADD", "s", "1", "2", "3", "3"), ("SREM", "s", "1", "2", "9"), ("SMOVE", "s", "t", "3"), ("SADD", "u", "a", "b", "c"), ("SPOP", "u", "2"),
    ("SPOP", "u", "5"), ("HSET", "h", "a", "1", "b", "2"), ("HMSET", "h", "a", "1"), ("HDEL", "h", "a", "b", "c"), ("HINCRBY", "h", "n", "1"),
    ("HSETEX", "h", "EX", "100", "FIELDS", "2", "x", "1", "y", "2"), ("HPERSIST", "h", "FIELDS", "2", "x", "y"),
    ("ZADD", "z", "1", "a", "2", "b", "3", "c", "4", "d"), ("ZADD", "z", "XX", "5", "a", "2", "b"), ("ZREM", "z", "a", "none"),
    ("ZREMRANGEBYRANK", "z", "0", "1"), ("ZPOPMAX", "z", "5"), ("GEOADD", "g", "1", "1", "a", "2", "2", "b"), ("PFADD", "p", "a", "b", "c"),
    ("PFADD", "p", "a"), ("XADD", "x", "1-1", "f", "v"), ("XADD", "x", "MAXLEN", "1", "2-1", "f", "v"), ("XADD", "x", "3-1", "f", "v"),
    ("XDEL", "x", "2-1", "3-1"), ("SORT", "t", "STORE", "sorted"), ("EXPIRE", "z", "100"), ("EXPIRE", "g", "100"), ("PERSIST", "g"),
    ("GEOADD", "g", "1", "1", "a", "2", "2", "b"), ("GEOSEARCHSTORE", "g3", "g", "FROMLONLAT", "1", "1", "BYRADIUS", "9000", "km"),
    ("ZUNIONSTORE", "g4", "2", "g", "g3"), ("SETBIT", "bits", "7", "1"), ("COPY", "g", "g2"), ("GET", "none"), ("UNLINK", "g", "g2"),
    ("FLUSHDB",), ("FLUSHDB", "ASYNC"), ("MSET", "a", "1", "b", "2"), ("FLUSHALL",), ("FLUSHALL", "SYNC"),
]


def changes(server):
    return int(server.info("persistence")["rdb_changes_since_last_save"])


def test_changes_are_counted_as_valkey_counts_them(larder, peer):
    ours, theirs = larder(), peer("valkey-9.1.2")
    wrong = []
    before = [changes(server) for server in (ours, theirs)]
    with ours.connect() as one, theirs.connect() as other:
        for request in CHANGES:
            one.exchange([request]), other.exchange([request])
            after = [changes(server) for server in (ours, theirs)]
            left, right = (b - a for a, b in zip(before, after))
            if left != right:
                wrong.append(f"{' '.join(request)}: {left}, Valkey {right}")
            before = after
    assert not wrong, "\n".join(wrong)


def test_a_client_that_was_served_counts_as_one_change(larder):
    server = larder()
    with server.connect() as waiting, server.connect() as other:
        before = changes(server)
        waiting.send(b"BLPOP l 0\r\n")
        while server.info("clients")["blocked_clients"] != "1":
            time.sleep(0.01)
        other.ask("LPUSH", "l", "a")
        waiting.reply()
        assert changes(server) == before + 2


# Keys of database 0 and 1 when database 1's is watched and the two are swapped: nil, past its deadline, there.
@pytest.mark.parametrize("watched", ["none", "stale", "there"])
@pytest.mark.parametrize("other", ["none", "stale", "there"])
def test_swapped_databases_touch_what_is_watched_as_in_valkey(watched, other, larder, peer):
    def outcome(server):
        with server.connect() as connection:
            connection.ask("DEBUG", "SET-ACTIVE-EXPIRE", "0")
            for database, state in ((1, watched), (0, other)):
                connection.ask("SELECT", str(database))
                if state != "none":
                    connection.ask("SET", "x", str(database), *(("PX", "1") if state == "stale" else ()))
            time.sleep(0.01)
            connection.ask("SELECT", "1")
            connection.ask("WATCH", "x")
            connection.ask("SWAPDB", "0", "1")
            connection.ask("MULTI")
            connection.ask("PING")
            return connection.ask("EXEC")
    assert outcome(larder(enable_debug_command="yes")) == outcome(peer("valkey-9.1.2", enable_debug_command="yes"))


def test_scan_removes_what_it_meets_past_its_deadline(larder, peer):
    def sizes(server):
        with server.connect() as connection:
            connection.ask("DEBUG", "SET-ACTIVE-EXPIRE", "0")
            connection.exchange([("SET", "a", "1"), ("RPUSH", "l", "1"), ("PEXPIRE", "a", "1"), ("PEXPIRE", "l", "1"), ("SET", "b", "2")])
            time.sleep(0.01)
            scans = [("SCAN", "0", "MATCH", "b"), ("SCAN", "0", "TYPE", "list"), ("SCAN", "0")]
            return [(connection.ask(*scan)[1], connection.ask("DBSIZE")) for scan in scans]
    found = sizes(larder(enable_debug_command="yes"))
    assert found == sizes(peer("valkey-9.1.2", enable_debug_command="yes"))
    assert [size for _, size in found] == [3, 2, 1]


def test_deadlines_pass_while_a_command_takes_long(larder):
    server = larder(enable_debug_command="yes")
    with server.connect() as connection:
        connection.send(b"SET k v PX 100\r\nDEBUG SLEEP 0.2\r\nGET k\r\n")
        assert connection.replies(3)[2] == ("$", None)
