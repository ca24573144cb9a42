"""`larder-migrate load`: real dumps into real servers, single and as a cluster."""
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

import content
from cluster import Cluster
from conftest import ROOT, SHARED_FIXTURES, skip_unless_there
from migrator import DIFFERENT, FAILED, LOSSLESS, LOSSY, SAME, load, migrate, start, url, verify, wait_until
from servers import Server, larder_binary, peer_binary

SOURCES = ["redis-5.0.6", "redis-6.2.5", "redis-7.0.15", "redis-7.4.1", "redis-8.2.3", "valkey-8.1.8", "valkey-9.1.2"]
KEYS = int(os.environ.get("LARDER_LARGE_KEYS", 6000))
TARGETS = ["redis-6.2.5", "redis-7.0.15", "redis-8.2.3", "valkey-8.1.8", "valkey-9.1.2", "larder"]


def dumps():
    """Our own fixtures, and the larger collection where it is at hand."""
    for folder in [ROOT / "Fixtures" / "rdb"] + ([SHARED_FIXTURES] if SHARED_FIXTURES.exists() else []):
        for source in SOURCES:
            yield from sorted(path for path in (folder / source).glob("*.json")
                              if json.loads(path.read_text())["kind"] == "rdb")


def binary(name):
    return larder_binary() if name == "larder" else peer_binary(name)


def kinds(case):
    return {key["type"] for keys in case["dbs"].values() for key in keys}


def has_field_deadlines(case):
    return any(field["ttl_ms"] for keys in case["dbs"].values() for key in keys for field in key.get("fields", []))


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    """One server of each kind, started when it is asked for first and emptied between cases."""
    running = {}

    def give(name):
        if name not in running:
            folder = tmp_path_factory.mktemp(name)
            running[name] = Server(binary(name), directory=folder, databases=512, maxmemory_policy="noeviction").start()
        server = running[name]
        with server.connect() as connection:
            connection.ask("FLUSHALL", "SYNC")
            if name not in ("redis-6.2.5", "larder"):
                connection.ask("FUNCTION", "FLUSH")
        return server

    yield give
    for server in running.values():
        server.kill()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", list(dumps()), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_dump_is_loaded_as_it_is(path, target, targets, tmp_path):
    case = json.loads(path.read_text())
    if target == "larder":
        skip_unless_there(*kinds(case) & {"stream"})
    server = targets(target)
    dump = shutil.copy(path.parent / case["file"], tmp_path)
    if kinds(case) - set(content.READERS):
        return check_values_of_modules(case, dump, server)
    losses = expected_losses(case, target)
    outcome = load(dump, server, *(["--skip-unsupported"] if losses else []), expect=LOSSY if losses else LOSSLESS)
    assert outcome["failed"] == 0
    with server.connect() as connection:
        assert content.differences(without(losses, case), held_by(connection, case)) == []
    summary, differences = verify(dump, server, expect=DIFFERENT if losses else SAME)
    assert summary["equal"] + summary["missing_in_second"] + summary["expired"] >= summary["keys_first"]
    assert {difference["differs"][0]["what"] for difference in differences} <= {"missing-in-second"}
    if losses:
        assert "--skip-unsupported" in load(dump, targets(target), expect=FAILED)


def expected_losses(case, target):
    """What a server of this kind has no place for."""
    losses = kinds(case) - set(content.READERS)
    if has_field_deadlines(case) and target in ("redis-6.2.5", "redis-7.0.15", "valkey-8.1.8"):
        losses.add("field-deadline")
    if case.get("functions") and target in ("redis-6.2.5", "larder"):
        losses.add("function")
    return losses


def without(losses, case):
    """The content less the keys that are lost: where there are no field deadlines, the hashes that have any."""
    held = content.from_json(case)
    for database, entries in list(held.items()):
        for key, entry in list(entries.items()):
            if entry.type in losses or "field-deadline" in losses and entry.type == "hash" \
                    and any(deadline for _, deadline in entry.value.values()):
                del entries[key]
        if not entries:
            del held[database]
    return held


def held_by(connection, case):
    """What a server holds, in as many databases as the case has.

    A hash whose fields are all past their deadlines is gone with the server's next cycle.
    """
    held = content.read(connection, max(16, *(int(number) + 1 for number in case["dbs"] or "0")))
    for database, entries in list(held.items()):
        for key, entry in list(entries.items()):
            if entry.type == "hash" and not entry.value:
                del entries[key]
        if not entries:
            del held[database]
    return held


def check_values_of_modules(case, dump, server):
    """Values of a module are loaded where it is there, else named; nothing else is held up by them."""
    told = [key for keys in case["dbs"].values() for key in keys]
    foreign = {key["key"] for key in told if key["type"] not in content.READERS}
    outcome = load(dump, server, "--skip-unsupported", expect=(LOSSLESS, LOSSY, FAILED))
    left_out = outcome["failed"] + sum(outcome["unsupported"].values())
    assert left_out <= len(foreign)
    assert {failure["key"] for failure in outcome["failures"]} <= foreign
    assert outcome["loaded"] + outcome["loaded_by_commands"] + left_out == len(told)
    with server.connect() as connection:
        for key in told:
            if key["type"] in content.READERS:
                assert connection.ask("TYPE", content.text(key["key"])) == key["type"].encode()


@pytest.fixture(scope="module", params=["valkey-9.1.2"])
def cluster(request, tmp_path_factory):
    """Three real primaries."""
    made = Cluster(peer_binary(request.param), tmp_path_factory.mktemp("cluster"))
    try:
        yield made.start()
    finally:
        made.kill()


@pytest.fixture
def empty_cluster(cluster):
    for node in cluster.nodes:
        node.ask("FLUSHALL")
        node.ask("FUNCTION", "FLUSH")
    return cluster


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A real Redis 8.2.3 with every type and field deadlines, and its dump."""
    source = Server(peer_binary("redis-8.2.3"), directory=tmp_path_factory.mktemp("source")).start()
    try:
        made = subprocess.run([ROOT / "Tools" / "fixtures" / "make-large", "--port", str(source.port), "--keys", str(KEYS)],
                              capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        yield source, source.save()
    finally:
        source.kill()


def test_all_of_a_redis_gets_into_a_valkey(mixed, targets, tmp_path):
    """Planned, converted, loaded, and compared with the server that it came from: nothing differs."""
    source, dump = mixed
    plan = json.loads(migrate("plan", dump, "--to", "valkey-9.1", "--json").stdout)
    assert plan["lossless"] and plan["keys"]["read"]["total"] == source.ask("DBSIZE") == KEYS
    new = tmp_path / "new.rdb"
    migrate("convert", dump, "-o", new, "--to", "valkey-9.1")
    server = targets("valkey-9.1.2")
    assert load(new, server)["loaded"] == KEYS
    summary, differences = verify(source, server)
    assert differences == [] and summary["equal"] == summary["keys_first"] == summary["keys_second"] == KEYS


def test_a_cluster_is_loaded_from_one_dump(mixed, empty_cluster):
    source, dump = mixed
    outcome = load(dump, empty_cluster.nodes[1])
    assert outcome["loaded"] == outcome["keys"] == source.ask("DBSIZE") == empty_cluster.key_count()
    assert all(node.ask("DBSIZE") > 0 for node in empty_cluster.nodes)
    verify(source, empty_cluster.nodes[2])
    verify(dump, empty_cluster.nodes[0])


def test_a_cluster_is_loaded_from_one_file_per_shard(mixed, empty_cluster, tmp_path):
    source, dump = mixed
    migrate("convert", dump, "-o", tmp_path / "shard.rdb", "--to", "valkey-9.1", "--split-slots", "3")
    shards = sorted(tmp_path.glob("shard*.rdb"))
    assert len(shards) == 3
    verify(dump, *shards)
    outcome = load(shards, empty_cluster.nodes[0])
    assert outcome["loaded"] == empty_cluster.key_count() == source.ask("DBSIZE")
    verify(source, empty_cluster.nodes[0])


def test_slots_that_move_while_a_cluster_is_loaded_are_followed(mixed, empty_cluster):
    """The map that the load began with is wrong by the time that it sends, and some slots are half moved all along."""
    source, dump = mixed
    giving, taking = empty_cluster.nodes[0], empty_cluster.nodes[1]
    giving.ask("CONFIG", "RESETSTAT")
    moving = range(40, 400)
    for slot in moving:
        begin_move(slot, giving, taking)
    loading = start("load", dump, "--into", url(empty_cluster.nodes[2]), "--json", "--rate", "256kb")
    try:
        wait_until(lambda: empty_cluster.key_count() > 500)
        for slot in range(40):
            begin_move(slot, giving, taking)
            end_move(slot, giving, taking, empty_cluster)
        outcome, _ = loading.communicate(timeout=240)
    finally:
        loading.kill()
    assert loading.returncode == LOSSLESS, outcome
    assert json.loads(outcome)["loaded"] == source.ask("DBSIZE")
    told = giving.info("errorstats")
    assert "errorstat_ASK" in told and "errorstat_MOVED" in told
    for slot in moving:
        end_move(slot, giving, taking, empty_cluster)
    verify(source, empty_cluster.nodes[0])
    for slot in range(400):
        begin_move(slot, taking, giving)
        end_move(slot, taking, giving, empty_cluster)


def begin_move(slot, giving, taking):
    """From here on, a key that is not in the slot any more is asked for where the slot goes."""
    taking.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", giving.ask("CLUSTER", "MYID"))
    giving.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", taking.ask("CLUSTER", "MYID"))


def end_move(slot, giving, taking, cluster):
    """What resharding tools do, for one slot."""
    while keys := giving.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
        giving.ask("MIGRATE", "127.0.0.1", taking.port, "", 0, 5000, "KEYS", *keys)
    for node in [taking, giving] + [node for node in cluster.nodes if node not in (giving, taking)]:
        node.ask("CLUSTER", "SETSLOT", slot, "NODE", taking.ask("CLUSTER", "MYID"))


def test_an_interrupted_load_goes_on_where_it_was(mixed, empty_cluster, tmp_path):
    source, dump = mixed
    dump = shutil.copy(dump, tmp_path / "dump.rdb")
    count = source.ask("DBSIZE")
    sent = 0
    for share in (0.2, 0.5, 0.8):
        loading = start("load", dump, "--into", url(empty_cluster.nodes[0]), "--rate", "512kb")
        try:
            wait_until(lambda: empty_cluster.key_count() > count * share)
        finally:
            loading.kill()
            loading.wait()
        assert (tmp_path / "dump.rdb.larder-load").exists()
    outcome = load(dump, empty_cluster.nodes[0])
    assert 0 < outcome["done_before"] < outcome["keys"] == count
    assert outcome["loaded"] + outcome["done_before"] == count
    assert not (tmp_path / "dump.rdb.larder-load").exists()
    verify(source, empty_cluster.nodes[0])


def test_a_load_that_is_asked_to_stop_notes_where_it_was(mixed, targets, tmp_path):
    source, dump = mixed
    dump = shutil.copy(dump, tmp_path / "dump.rdb")
    server = targets("valkey-9.1.2")
    loading = start("load", dump, "--into", url(server), "--rate", "512kb")
    wait_until(lambda: server.ask("DBSIZE") > 500)
    loading.send_signal(signal.SIGINT)
    _, said = loading.communicate(timeout=30)
    assert loading.returncode == FAILED and "interrupted" in said
    outcome = load(dump, server)
    assert outcome["done_before"] > 0
    verify(source, server)


def test_a_key_that_is_there_stops_a_load_is_left_alone_or_replaced(mixed, targets, tmp_path):
    source, dump = mixed
    dump = shutil.copy(dump, tmp_path / "dump.rdb")
    server = targets("valkey-9.1.2")
    some = source.ask("RANDOMKEY")
    server.ask("SET", some, "mine")
    refusal = load(dump, server, expect=FAILED)
    assert "--replace" in refusal and some.decode() in refusal
    # The key is not taken for one that the first attempt had put there.
    assert "--replace" in load(dump, server, expect=FAILED)
    assert server.ask("GET", some) == b"mine"
    outcome = load(dump, server, "--skip-existing", expect=LOSSY)
    assert outcome["skipped_existing"] >= 1
    assert server.ask("GET", some) == b"mine"
    outcome = load(dump, server, "--replace")
    assert outcome["loaded"] == source.ask("DBSIZE")
    verify(source, server)


def test_large_values_are_sent_in_parts(mixed, targets, empty_cluster):
    source, dump = mixed
    for target in [targets(name) for name in ("redis-8.2.3", "valkey-9.1.2")] + [empty_cluster.nodes[0]]:
        outcome = load(dump, target, "--split-over", "4kb")
        assert 0 < outcome["loaded_by_commands"] < outcome["loaded"] == source.ask("DBSIZE")
        verify(source, target)


@pytest.mark.parametrize("target", ["redis-8.2.3", "valkey-9.1.2"])
def test_values_can_be_made_by_commands_alone(mixed, targets, target):
    source, dump = mixed
    server = targets(target)
    assert load(dump, server, "--commands")["loaded_by_commands"] == source.ask("DBSIZE")
    verify(source, server)


def test_a_server_without_memory_is_waited_for(mixed, targets):
    source, dump = mixed
    server = targets("valkey-9.1.2")
    server.ask("CONFIG", "RESETSTAT")
    used = int(server.info("memory")["used_memory"])
    server.ask("CONFIG", "SET", "maxmemory", used + 500_000)
    loading = start("load", dump, "--into", url(server))
    try:
        wait_until(lambda: "errorstat_OOM" in server.info("errorstats"))
        assert loading.poll() is None
        server.ask("CONFIG", "SET", "maxmemory", 0)
        _, said = loading.communicate(timeout=60)
    finally:
        loading.kill()
        server.ask("CONFIG", "SET", "maxmemory", 0)
    assert loading.returncode == LOSSLESS, said
    assert "OOM" in said and "goes on" in said
    verify(source, server)


def test_a_server_that_restarts_is_waited_for(mixed, serve, tmp_path):
    source, dump = mixed
    server = serve(peer_binary("valkey-9.1.2"), appendonly="yes", appendfsync="always")
    loading = start("load", dump, "--into", url(server), "--rate", "1mb", "--split-over", "64kb")
    wait_until(lambda: server.ask("DBSIZE") > 500)
    server.restart(signal.SIGKILL)
    _, said = loading.communicate(timeout=120)
    assert loading.returncode == LOSSLESS, said
    assert "goes on" in said
    verify(source, server)


def test_a_replica_is_waited_for_until_it_is_a_primary(mixed, serve):
    source, dump = mixed
    primary = serve(peer_binary("valkey-9.1.2"))
    replica = serve(peer_binary("valkey-9.1.2"), replicaof=("127.0.0.1", primary.port))
    wait_until(lambda: replica.info("replication").get("master_link_status") == "up")
    loading = start("load", dump, "--into", url(replica))
    time.sleep(1)
    assert loading.poll() is None and replica.ask("DBSIZE") == 0
    replica.ask("REPLICAOF", "NO", "ONE")
    _, said = loading.communicate(timeout=60)
    assert loading.returncode == LOSSLESS and "READONLY" in said, said
    verify(source, replica)


def test_damage_is_found_before_anything_is_sent(mixed, targets, tmp_path):
    _, dump = mixed
    damaged = tmp_path / "dump.rdb"
    contents = bytearray(dump.read_bytes())
    contents[len(contents) // 2] ^= 0x40
    damaged.write_bytes(contents)
    server = targets("valkey-9.1.2")
    assert "offset" in load(damaged, server, expect=FAILED)
    assert server.ask("DBSIZE") == 0


def test_a_password_comes_from_the_url_or_the_environment(mixed, serve, tmp_path, monkeypatch):
    source, dump = mixed
    socket = tmp_path / "socket"
    server = serve(peer_binary("valkey-9.1.2"), requirepass="a secret", unixsocket=str(socket))
    dump = shutil.copy(dump, tmp_path)
    assert "NOAUTH" in load(dump, server, expect=FAILED)
    assert "WRONGPASS" in load(dump, f"redis://:wrong@127.0.0.1:{server.port}", expect=FAILED)
    load(dump, f"unix://:a%20secret@{socket}")
    verify(source, f"redis://default:a%20secret@127.0.0.1:{server.port}")
    monkeypatch.setenv("VALKEYCLI_AUTH", "a secret")
    verify(source, server)


def test_libraries_of_functions_reach_every_primary(empty_cluster, tmp_path):
    dump = shutil.copy(ROOT / "Fixtures" / "rdb" / "redis-8.2.3" / "functions.rdb", tmp_path)
    outcome = load(dump, empty_cluster.nodes[0])
    assert outcome["functions"] == 1
    assert [len(node.ask("FUNCTION", "LIST")) for node in empty_cluster.nodes] == [1, 1, 1]
    verify(dump, empty_cluster.nodes[1])
    assert "--replace" in load(dump, empty_cluster.nodes[0], expect=FAILED)
    empty_cluster.nodes[0].ask("FUNCTION", "FLUSH")
    summary, _ = verify(dump, empty_cluster.nodes[0], expect=DIFFERENT)
    assert summary["libraries_missing_in_second"] == 1


def test_a_server_with_too_few_databases_is_refused_first(serve, tmp_path):
    server = serve(peer_binary("valkey-9.1.2"))
    for database in (3, 9):
        server_pipeline(server, [("SELECT", database), ("SET", "where", database)])
    dump = shutil.copy(server.save(), tmp_path)
    small = serve(peer_binary("valkey-9.1.2"), databases=4)
    assert "databases" in load(dump, small, expect=FAILED)
    assert small.ask("DBSIZE") == 0 and not small.info("keyspace")
    server.ask("FLUSHALL")
    load(dump, server)
    verify(dump, server)


def server_pipeline(server, requests):
    with server.connect() as connection:
        connection.pipeline(requests)


def test_no_more_bytes_are_sent_than_are_asked_for(mixed, targets):
    _, dump = mixed
    began = time.monotonic()
    sent = load(dump, targets("valkey-9.1.2"), "--rate", "1mb")["bytes"]
    assert time.monotonic() - began > sent / (1 << 20) - 0.5


def test_larder_takes_everything(mixed, targets):
    source, dump = mixed
    skip_unless_there("stream")
    larder = targets("larder")
    assert load(dump, larder)["loaded"] == source.ask("DBSIZE")
    verify(source, larder)


@pytest.mark.parametrize("change", [
    ("SET", "extra", 1), ("DEL", "string:1"), ("APPEND", "string:1", "x"), ("RPUSH", "list:1", "x"),
    ("SADD", "set:1", "x"), ("ZADD", "zset:1", 7, "x"), ("HSET", "hash:1", "x", 1), ("XADD", "stream:1", "*", "a", 1),
    ("XGROUP", "CREATE", "stream:1", "other", "$"), ("PEXPIREAT", "string:1", 4102444800123), ("PERSIST", "ttl:1"),
    ("HPEXPIREAT", "fields:1", 4102444800123, "FIELDS", 1, "f0"), ("HPERSIST", "fields:1", "FIELDS", 1, "f0"),
    ("RENAME", "string:1", "string:one"),
], ids=lambda change: f"{change[0]}-{change[1]}")
def test_whatever_differs_is_told(mixed, loaded, change):
    source, _ = mixed
    server, dump = loaded
    assert not isinstance(server.ask(*change), Exception)
    for first in (source, dump):
        summary, differences = verify(first, server, expect=DIFFERENT)
        names = {difference["key"] for difference in differences}
        assert names and names <= set(map(str, change)), differences
        assert summary["equal"] >= summary["keys_first"] - 1


@pytest.mark.parametrize("target", ["redis-6.2.5", "redis-8.2.3", "valkey-9.1.2", "larder"])
def test_values_are_compared_in_parts(target, mixed, targets, tmp_path):
    """Whatever is not tiny, as if it were many gigabytes."""
    if target == "larder":
        skip_unless_there("stream")
    source, dump = mixed
    server = targets(target)
    options = ["--parts-over", "1kb"]
    if target == "redis-6.2.5":
        new = tmp_path / "new.rdb"
        migrate("convert", dump, "-o", new, "--to", target.rpartition(".")[0], expect=LOSSY)
        load(new, server)
        verify(new, server, options=options)
    else:
        load(dump, server)
        verify(dump, server, options=options)
        verify(source, server, options=options)
        assert server.ask("HPEXPIREAT", "fields:1", 4102444800123, "FIELDS", 1, "f0") == [1]
    for change in [("RPUSH", "list:1", "x"), ("SADD", "set:1", "x"), ("ZADD", "zset:1", 7, "x"), ("HSET", "hash:1", "x", 1)]:
        server.ask(*change)
    _, differences = verify(dump if target != "redis-6.2.5" else new, server, options=options, expect=DIFFERENT)
    assert {"list:1", "set:1", "zset:1", "hash:1"} <= {difference["key"] for difference in differences}


@pytest.mark.parametrize("name", ["redis-6.2.5", "redis-7.0.15", "redis-8.2.3", "valkey-9.1.2", "larder"])
def test_a_large_stream_is_compared_in_parts(name, targets):
    """Entries, groups, consumers and what is pending, with its moments, and never the whole at once."""
    if name == "larder":
        skip_unless_there("stream")
    server = targets(name)
    with server.connect() as connection:
        connection.pipeline([("XADD", "s", f"{n}-{n % 3}", "field", f"value {n}", "number", n) for n in range(1, 30001)])
        connection.pipeline([("XGROUP", "CREATE", "s", group, "0") for group in ("many", "few", "none")])
        for count, consumer in [(12000, "one"), (1, "two"), (9000, "three")]:
            connection.ask("XREADGROUP", "GROUP", "many", consumer, "COUNT", count, "STREAMS", "s", ">")
        connection.ask("XREADGROUP", "GROUP", "few", "one", "COUNT", 3, "STREAMS", "s", ">")
        connection.ask("XGROUP", "CREATECONSUMER", "s", "few", "idle")
        # At other moments, and more often.
        connection.pipeline([("XCLAIM", "s", "many", "three", 0, f"{n}-{n % 3}", "TIME", 1700000000000 + n, "RETRYCOUNT", n)
                             for n in range(7, 15000, 40)])
        connection.pipeline([("XDEL", "s", f"{n}-{n % 3}") for n in (1, 8, 500, 30000)])
        dump = server.save() if name != "larder" else server
        before = server.info("commandstats").get("cmdstat_dump") if name != "larder" else None
        options = ["--parts-over", "1kb"]
        verify(dump, server, options=options)
        if name != "larder":
            assert server.info("commandstats").get("cmdstat_dump") == before
        copy = targets("valkey-9.1.2") if name in ("redis-7.0.15", "redis-8.2.3") else None
        if copy:
            load(dump, copy)
            verify(server, copy, options=options)
        if name == "larder":
            return
        for change in [
            ("XACK", "s", "many", "9-0"), ("XCLAIM", "s", "many", "three", 0, "10-1", "TIME", 1700000000000), ("XADD", "s", "50000-0", "a", "b"),
            ("XDEL", "s", "77-2"), ("XGROUP", "SETID", "s", "none", "5-2"), ("XGROUP", "CREATECONSUMER", "s", "none", "new"),
            ("XCLAIM", "s", "many", "one", 0, "20999-2", "JUSTID"),
        ]:
            assert connection.ask(*change) not in (0, None, [])
            _, differences = verify(dump, server, options=options, expect=DIFFERENT)
            assert [difference["key"] for difference in differences] == ["s"], change
            dump = server.save()


def test_vector_sets_are_compared_by_their_elements(serve, targets):
    """Which a server links anew whenever it loads them."""
    source = serve(peer_binary("redis-8.2.3"))
    with source.connect() as connection:
        for name, options in [("f32", ["NOQUANT"]), ("i8", ["Q8"]), ("bits", ["BIN"]), ("reduced", [])]:
            for n in range(200):
                vector = [str((n * 37 + i * 91) % 101 - 50) for i in range(24)]
                reduction = ["REDUCE", "8"] if name == "reduced" else []
                attributes = ["SETATTR", f'{{"n":{n}}}'] if n % 3 == 0 else []
                assert connection.ask("VADD", name, *reduction, "VALUES", "24", *vector, f"e{n}", *options, *attributes) == 1
        connection.ask("SET", "plain", "value")
    dump = source.save()
    other = targets("redis-8.2.3")
    load(dump, other)
    for options in [(), ("--parts-over", "1kb")]:
        assert verify(dump, other, options=options)[0]["equal"] == verify(source, other, options=options)[0]["equal"] == 5
    other.ask("VSETATTR", "f32", "e0", '{"n":1}')
    other.ask("VREM", "i8", "e7")
    _, differences = verify(dump, other, expect=DIFFERENT)
    assert {difference["key"]: difference["differs"][0]["where"].split()[1] for difference in differences} == {"f32": '"e0"', "i8": '"e7"'}
    valkey = targets("valkey-9.1.2")
    assert "MODULE_2" in load(dump, valkey, expect=FAILED) and valkey.ask("DBSIZE") == 0
    assert load(dump, valkey, "--skip-unsupported", expect=LOSSY)["unsupported"] == {"MODULE_2": 4}


def test_what_is_no_report_is_refused(mixed, tmp_path):
    _, dump = mixed
    new = tmp_path / "new.rdb"
    migrate("convert", dump, "-o", new, "--to", "valkey-8.1", expect=LOSSY)
    for wrong in (f"{new}.report.txt", new):
        assert ".report.json" in migrate("verify", dump, new, "--report", wrong, expect=FAILED).stderr
    (tmp_path / "empty").touch()
    migrate("verify", dump, new, "--report", tmp_path / "empty", expect=FAILED)


@pytest.fixture
def loaded(mixed, targets):
    source, dump = mixed
    server = targets("valkey-9.1.2")
    load(dump, server)
    return server, dump


def test_what_was_moved_is_found_where_it_went(mixed, targets, tmp_path):
    """A conversion that chooses, renames and renumbers is proved with its report, against files and servers."""
    source, dump = mixed
    new = tmp_path / "new.rdb"
    migrate("convert", dump, "-o", new, "--to", "valkey-9.1", "--exclude", "list:*", "--types", "string,hash,list,zset",
            "--rename", "string:*=s:*:x", "--rename", "{hash}:*=h{hash}*", "--map-database", "0=3")
    server = targets("valkey-9.1.2")
    loaded = load(new, server)["loaded"]
    report = ["--report", f"{new}.report.json"]
    for first in (source, dump):
        for second in (new, server):
            summary, differences = verify(first, second, options=report)
            assert differences == [] and summary["equal"] == summary["keys_first"] == loaded
            assert summary["not_asked_for"] == source.ask("DBSIZE") - loaded > 0
    with server.connect() as connection:
        connection.ask("SELECT", 3)
        connection.ask("SET", "s:1:x", "other")
        connection.ask("DEL", "s:2:x")
    for first in (source, dump):
        summary, differences = verify(first, server, options=report, expect=DIFFERENT)
        assert {difference["key"]: difference["differs"][0]["what"] for difference in differences} == \
            {"s:1:x": "value", "s:2:x": "missing-in-second"}


@pytest.mark.parametrize("policy", ["drop-field", "key-ttl-min", "key-ttl-max", "split"])
def test_every_policy_for_field_deadlines_is_proved_with_its_report(policy, mixed, tmp_path):
    _, dump = mixed
    new = tmp_path / "new.rdb"
    migrate("convert", dump, "-o", new, "--to", "valkey-8.1", "--field-deadlines", policy, "--rename", "fields:*=f:*", expect=LOSSY)
    summary, differences = verify(dump, new, options=["--report", f"{new}.report.json"], expect=LOSSY)
    assert differences == [] and summary["declared"] > 0


def test_hashes_that_have_lost_their_deadlines_are_plain_ones(serve, targets, tmp_path):
    """Laid out for deadlines of fields none of which is left, for servers that know of none."""
    source = serve(peer_binary("redis-8.2.3"))
    for name, count in [("small", 3), ("large", 3000)]:
        source.ask("HSET", name, *(word for n in range(count) for word in (f"f{n}", n)))
        source.ask("HPEXPIREAT", name, 4102444800000, "FIELDS", 2, "f0", "f1")
        source.ask("HPERSIST", name, "FIELDS", 1, "f1")
        source.ask("HPERSIST", name, "FIELDS", 1, "f0")
    source.ask("HSET", "timed", "f", 1)
    source.ask("HPEXPIREAT", "timed", 4102444800000, "FIELDS", 1, "f")
    dump = shutil.copy(source.save(), tmp_path)
    for target in ("valkey-8.1.8", "redis-6.2.5"):
        server = targets(target)
        assert '1 of HASH_LISTPACK_EX ("timed")' in load(dump, server, expect=FAILED)
        for option in ([], ["--commands"], ["--split-over", "1kb"]):
            outcome = load(dump, server, "--skip-unsupported", "--replace", *option, expect=LOSSY)
            assert outcome["loaded"] == 2 and sum(outcome["unsupported"].values()) == 1
            _, differences = verify(source, server, expect=DIFFERENT)
            assert [difference["key"] for difference in differences] == ["timed"]


def test_declared_losses_are_told_apart(mixed, tmp_path):
    _, dump = mixed
    new = tmp_path / "new.rdb"
    migrate("convert", dump, "-o", new, "--to", "valkey-8.1", "--field-deadlines", "drop-ttl", expect=LOSSY)
    verify(dump, new, expect=DIFFERENT)
    summary, differences = verify(dump, new, options=["--report", f"{new}.report.json"], expect=LOSSY)
    assert differences == [] and summary["declared"] > 0
