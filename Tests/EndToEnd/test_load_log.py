"""`larder-migrate load` of a log: its base, then the commands behind it, each of them once."""
import signal

import pytest

import content
import dataset
from migrator import FAILED, LOSSY, load, migrate, start, url, verify, wait_until
from servers import peer_binary

# Nothing here comes to the same when it is done twice.
COUNT = 15_000


def commands():
    """Commands in several databases, some of them in transactions."""
    for n in range(COUNT):
        if n % 100 == 0:
            yield ("SELECT", n // 100 % 4)
        if n % 250 == 0:
            yield ("MULTI",)
        yield ("INCR", f"counter:{n % 50}")
        yield ("RPUSH", f"list:{n % 20}", f"element {n}")
        yield ("APPEND", f"text:{n % 30}", f"{n} ")
        if n % 250 == 5:
            yield ("EXEC",)
        if n % 5000 == 4999:
            yield ("SWAPDB", 0, 2)
    yield ("SELECT", 0)


@pytest.fixture
def logged(peer):
    """A server that has logged a base and many commands, and the folder of its log."""
    server = peer("redis-8.2.3", appendonly="yes", appendfsync="no")
    with server.connect() as connection:
        dataset.fill(connection)
        server.ask("BGREWRITEAOF")
        wait_until(lambda: server.info("persistence")["aof_rewrite_in_progress"] == "0"
                   and server.info("persistence")["aof_rewrite_scheduled"] == "0")
        connection.pipeline(list(commands()))
    return server, server.directory / "appendonlydir"


def test_the_commands_of_a_log_are_done(logged, peer):
    source, log = logged
    target = peer("valkey-9.1.2")
    outcome = load(log, target)
    assert outcome["commands"] > 3 * COUNT and outcome["commands_left_out"] == outcome["failed"] == 0
    summary, _ = verify(source, target)
    assert summary["equal"] == summary["keys_second"]
    assert "has keys" in load(log, target, expect=FAILED)
    assert not list(log.parent.glob("*.larder-load"))


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_no_command_is_done_twice_when_a_load_is_interrupted(ending, logged, peer):
    source, log = logged
    target = peer("valkey-9.1.2")
    for wanted in (400, 1200):
        running = start("load", log, "--into", url(target), "--rate", "2mb")
        wait_until(lambda: int(target.ask("GET", "counter:1") or 0) * 50 > wanted or running.poll() is not None)
        running.send_signal(ending)
        _, said = running.communicate(timeout=30)
        assert running.returncode == (FAILED if ending == signal.SIGINT else -ending), said
    outcome = load(log, target)
    assert 0 < outcome["commands"] < 3 * COUNT
    verify(source, target)


def test_no_command_is_done_twice_when_the_server_restarts(logged, peer):
    source, log = logged
    target = peer("valkey-9.1.2", appendonly="yes", appendfsync="always")
    running = start("load", log, "--into", url(target), "--rate", "1mb")
    wait_until(lambda: int(target.ask("GET", "counter:1") or 0) > 10)
    target.restart(signal.SIGKILL)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 0 and "goes on" in said, said
    verify(source, target)


def test_commands_that_the_server_does_not_know_are_translated_or_named(peer):
    source = peer("redis-8.2.3", appendonly="yes")
    with source.connect() as connection:
        for command in [("XADD", "s", "KEEPREF", "1-1", "f", "v"), ("XADD", "s", "2-1", "f", "v"), ("XDELEX", "s", "IDS", "1", "1-1"),
                        ("HSETEX", "h", "EX", "100000", "FIELDS", "1", "a", "1"), ("SET", "n", "abc"), ("SET", "k", "b")]:
            connection.ask(*command)
    log = source.directory / "appendonlydir"
    target = peer("valkey-9.1.2")
    load(log, target)
    with source.connect() as one, target.connect() as other:
        assert content.differences(content.read(one), content.read(other)) == []
    old = peer("valkey-8.1.8")
    told = load(log, old, expect=FAILED)
    assert "HSETEX" in told and "--skip-unsupported" in told and old.ask("DBSIZE") == 0
    source.ask("BITOP", "DIFF", "d", "n", "k")
    target.ask("FLUSHALL")
    told = load(log, target, expect=FAILED)
    assert "BITOP" in told and "byte" in told and target.ask("DBSIZE") == 0
    outcome = load(log, target, "--skip-unsupported", expect=LOSSY)
    assert outcome["commands_left_out"] == 1 and target.ask("EXISTS", "s", "h", "n", "k", "d") == 4


def test_a_log_is_refused_where_its_outcome_is_not_sure(logged, peer):
    source, log = logged
    assert "databases" in load(log, peer("valkey-9.1.2", databases=2), expect=FAILED)
    target = peer("valkey-9.1.2")
    assert "by itself" in load([log, log], target, expect=FAILED)
    told = migrate("verify", log, url(source), expect=FAILED).stderr
    assert "--appendonly yes" in told
