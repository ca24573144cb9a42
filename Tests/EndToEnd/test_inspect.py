"""`larder-inspect` as people run it, on files that real servers wrote."""
import base64
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

import content
import exported
from conftest import ROOT, SHARED_FIXTURES
from inspector import inspect, inspect_json, inspector, peak_memory

OWN = ROOT / "Fixtures" / "rdb"
SERVERS = ["redis-6.2.5", "redis-7.0.15", "redis-8.2.3", "valkey-8.1.8", "valkey-9.1.2"]


def described(kind):
    """Fixtures with their description: our own, and the larger collection where it is at hand."""
    for folder in [OWN] + ([SHARED_FIXTURES] if SHARED_FIXTURES.exists() else []):
        for path in sorted(folder.glob("*-*/*.json")):
            case = json.loads(path.read_text())
            if case.get("kind", "rdb") == kind and "dbs" in case:
                yield path


def of(path):
    case = json.loads(path.read_text())
    return case, path.parent / case["file"]


def differences(case, lines):
    there, others = exported.read(lines)
    expected = content.from_json(case, now=1)
    for entries in list(expected.values()) + list(there.values()):
        for key, entry in list(entries.items()):
            if entry.type not in exported.VALUES or entry.type == "module" or entry.value is None:
                # Module types are described by what their commands answered.
                entries[key] = entry._replace(type="module", value=None)
    return content.differences(expected, there), others


@pytest.mark.parametrize("path", list(described("rdb")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_dump_is_exported_and_counted_as_its_server_described_it(path):
    case, file = of(path)
    found, others = differences(case, inspect("export", "-q", file))
    assert found == []
    codes = {function["code"] for function in case.get("functions") or []}
    assert {exported.text(code).decode() for code in others.get("function", [])} == codes

    told = inspect_json("summary", "-q", file)
    counts = {database: len(keys) for database, keys in case["dbs"].items() if keys}
    kept = {str(database["db"]): database["keys"] for database in told["databases"] if database["keys"]}
    assert kept == counts
    assert told["keys"] == sum(counts.values())
    assert len(told["functions"]) == len(codes)
    assert told["files"][0]["size"] == os.path.getsize(file)
    if "magic" in case:
        assert told["files"][0]["format"] == case["magic"]
    with_deadline = sum(key["ttl_ms"] is not None for keys in case["dbs"].values() for key in keys)
    assert sum(database["with_deadline"] for database in told["databases"]) == with_deadline
    types = {}
    for keys in case["dbs"].values():
        for key in keys:
            kind = key["type"] if key["type"] in exported.VALUES else "module"
            types[kind] = types.get(kind, 0) + 1
    assert {entry["type"]: entry["keys"] for entry in told["types"]} == types
    assert sum(band["keys"] for band in told["forecast"]["deadlines"]) == with_deadline


@pytest.mark.parametrize("path", list(described("aof")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_log_is_read_with_its_base_and_its_commands(path):
    case = json.loads(path.read_text())
    folder = path.parent / case["case"]
    log = folder if case.get("aof_dir") else folder / case["aof_file"]
    _, others = exported.read(inspect("export", "-q", log))
    told = inspect_json("summary", "-q", log)
    assert told["files"][0]["command_bytes"] > 0 or told["keys"] > 0 or not case["dbs"]
    for request in others.get("request", []):
        assert request, "a request without words"
    assert inspect("check", "-q", log).count("sound") == 1


@pytest.mark.parametrize(
    "path",
    [OWN / server / f"{name}.json" for server in SERVERS for name in (
        "string-raw", "string-integer", "list-nodes", "set-hashtable", "set-intset64", "zset-skiplist", "hash-hashtable",
        "hash-field-deadlines", "stream", "stream-groups", "databases", "deadlines", "functions", "keys")
     if (OWN / server / f"{name}.json").exists()],
    ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_requests_make_the_same_data_in_a_real_server(path, peer):
    case, file = of(path)
    server = peer("valkey-9.1.2")
    requests = subprocess.run([inspector(), "export", "-q", "--format", "resp", str(file)], capture_output=True, check=True)
    with server.connect() as connection:
        replies = pipe(connection, requests.stdout)
        assert [reply for reply in replies if reply[0] in "-!"] == []
        there = content.read(connection)
        libraries = connection.ask("FUNCTION", "LIST", "WITHCODE")
    expected = content.from_json(case)
    for entries in expected.values():
        for entry in entries.values():
            if entry.type == "stream":
                forget_what_commands_cannot_say(entry.value)
    for entries in there.values():
        for entry in entries.values():
            if entry.type == "stream":
                forget_what_commands_cannot_say(entry.value)
    assert content.differences(expected, there) == []
    assert len(libraries) == len(case.get("functions") or [])


def forget_what_commands_cannot_say(stream):
    """When consumers were seen, and what of an entry is left that was deleted while pending."""
    entries = {identifier for identifier, _ in stream["entries"]}
    for group in stream["groups"]:
        group["pel"] = [pending for pending in group["pel"] if pending[0] in entries]
        for consumer in group["consumers"]:
            consumer["seen_time"] = consumer["active_time"] = None
            consumer["pel"] = [identifier for identifier in consumer["pel"] if identifier in entries]
        group["entries_read"] = None
    stream["recorded_first_entry_id"] = None


def pipe(connection, requests):
    """Sends requests as they are; the replies."""
    for start in range(0, len(requests), 1 << 16):
        connection.send(requests[start:start + (1 << 16)])
    return connection.replies(requests_in(requests))


def requests_in(requests):
    position = count = 0
    while position < len(requests):
        end = requests.index(b"\r\n", position)
        words = int(requests[position + 1:end])
        position = end + 2
        for _ in range(words):
            end = requests.index(b"\r\n", position)
            position = end + 2 + int(requests[position + 1:end]) + 2
        count += 1
    return count


@pytest.mark.parametrize("server", SERVERS)
def test_restore_requests_bring_back_exactly_what_the_same_server_saved(server, peer, tmp_path):
    path = OWN / server / "stream-groups.json"
    case, file = of(path)
    real = peer(server)
    requests = subprocess.run([inspector(), "export", "-q", "--format", "restore", str(file)], capture_output=True, check=True)
    with real.connect() as connection:
        assert {reply for reply in pipe(connection, requests.stdout)} == {("+", b"OK")}
        assert content.differences(content.from_json(case), content.read(connection)) == []
    saved = tmp_path / "saved.rdb"
    shutil.copy(real.save(), saved)
    assert digest(file) == digest(saved)


def digest(*files):
    return inspect_json("summary", "-q", "--digest", *files)["digest"]


def test_the_digest_is_the_same_whoever_wrote_the_content():
    for name in ("set-hashtable", "zset-skiplist", "hash-hashtable", "list-nodes", "string-lzf", "set-intset32", "databases"):
        digests = {json.dumps(digest(OWN / server / f"{name}.rdb")) for server in SERVERS}
        assert len(digests) == 1, name
    fields = {json.dumps(digest(OWN / server / "hash-field-deadlines.rdb")) for server in ("redis-8.2.3", "valkey-9.1.2")}
    assert len(fields) == 1


def test_the_digest_sees_every_change(peer, tmp_path):
    server = peer("valkey-9.1.2")
    seen = set()

    def keep():
        path = tmp_path / f"{len(seen)}.rdb"
        shutil.copy(server.save(), path)
        total = digest(path)["total"]
        assert total not in seen
        seen.add(total)

    with server.connect() as connection:
        for request in [
            ("SET", "s", "1"), ("SET", "s", "2"), ("RPUSH", "l", "a", "b"), ("LSET", "l", "0", "b"), ("LSET", "l", "1", "a"),
            ("HSET", "h", "f", "v"), ("HPEXPIREAT", "h", "4102444800000", "FIELDS", "1", "f"), ("ZADD", "z", "1", "m"),
            ("ZADD", "z", "1.5", "m"), ("SADD", "m", "1", "2"), ("PEXPIREAT", "s", "4102444800000"),
            ("XADD", "x", "1-1", "f", "v"), ("XGROUP", "CREATE", "x", "g", "0"), ("XREADGROUP", "GROUP", "g", "c", "STREAMS", "x", ">"),
            ("RENAME", "s", "t"), ("MOVE", "t", "3"),
        ]:
            connection.ask(*request)
            keep()


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A dump of some thousand keys of a real server, and what is in it."""
    from servers import Server, peer_binary
    folder = tmp_path_factory.mktemp("mixed")
    seeded = random.Random(11)
    keys = {}
    with Server(peer_binary("valkey-8.1.8")) as server:
        with server.connect() as connection:
            requests = []
            for index in range(3000):
                name = f"user:{seeded.getrandbits(64):016x}:cart" if index % 3 else f"queue:{index}"
                size = seeded.randrange(1, 2000)
                if index % 2:
                    requests.append(("SET", name, "x" * size))
                    keys[name] = ("string", size)
                else:
                    count = size // 20 + 1
                    requests.append(("RPUSH", name, *[f"{number}:{seeded.random()}" for number in range(count)]))
                    keys[name] = ("list", count)
                if index % 5 == 0:
                    requests.append(("PEXPIREAT", name, 4102444800000 + index))
            connection.pipeline(requests)
        path = folder / "dump.rdb"
        shutil.copy(server.save(), path)
    return path, keys


def rows(*arguments):
    return [json.loads(line) for line in inspect("keys", "-q", "--json", *arguments).splitlines()]


def test_keys_lists_every_key_with_its_size(mixed):
    path, keys = mixed
    found = {row["key"]: (row["type"], row["elements"]) for row in rows(path)}
    assert found == keys
    assert sum(row["bytes"] for row in rows(path)) == inspect_json("summary", "-q", path)["bytes"]


def test_keys_are_filtered(mixed):
    path, keys = mixed
    assert {row["key"] for row in rows("--match", "queue:*", path)} == {name for name in keys if name.startswith("queue:")}
    assert {row["key"] for row in rows("--regex", "^queue:[0-9]{2}$", path)} == {
        name for name in keys if re.search("^queue:[0-9]{2}$", name)}
    assert {row["key"] for row in rows("--type", "list", "--min-elements", "50", path)} == {
        name for name, (kind, count) in keys.items() if kind == "list" and count >= 50}
    assert {row["key"] for row in rows("--type", "string", "--max-elements", "100", path)} == {
        name for name, (kind, count) in keys.items() if kind == "string" and count <= 100}
    with_deadline = rows("--with-deadline", path)
    assert len(with_deadline) == 600 and all(row["deadline"] >= 4102444800000 for row in with_deadline)
    assert len(rows("--without-deadline", path)) == 2400
    window = rows("--expires-after", "4102444801000", "--expires-before", "2100-01-01T00:00:02", path)
    assert sorted(row["deadline"] - 4102444800000 for row in window) == list(range(1000, 2000, 5))
    assert rows("--db", "1", path) == []
    large = rows("--min-bytes", "1kb", path)
    assert large and all(row["bytes"] >= 1024 for row in large)


def test_keys_are_sorted_in_little_memory_and_cut(mixed):
    path, _ = mixed
    everything = rows(path)
    for metric in ("bytes", "elements", "largest", "memory"):
        found = rows("--sort", metric, path)
        assert [row[metric] for row in found] == sorted((row[metric] for row in everything), reverse=True)
        assert rows("--sort", metric, "--limit", "7", path) == found[:7]
        ascending = rows("--sort", metric, "--ascending", path)
        assert [row[metric] for row in ascending] == sorted(row[metric] for row in everything)
    soonest = rows("--sort", "deadline", "--ascending", "--limit", "3", path)
    assert [row["deadline"] - 4102444800000 for row in soonest] == [0, 5, 10]


def test_a_table_has_a_row_a_key_in_each_form(mixed):
    import csv
    path, keys = mixed
    lines = inspect("keys", "-q", path).splitlines()
    assert len(lines) == len(keys) + 1
    found = list(csv.DictReader(inspect("keys", "-q", "--format", "csv", path).splitlines()))
    assert {row["key"]: (row["type"], int(row["elements"])) for row in found} == keys


def test_csv_has_a_row_an_element(mixed):
    import csv
    path, keys = mixed
    found = list(csv.DictReader(inspect("export", "-q", "--format", "csv", path).splitlines()))
    assert len(found) == sum(1 if kind == "string" else count for kind, count in keys.values())


def test_exports_are_filtered_by_size_in_two_passes(mixed):
    path, keys = mixed
    there, _ = exported.read(inspect("export", "-q", "--type", "list", "--min-elements", "60", path))
    assert {key.decode() for key in there[0]} == {
        name for name, (kind, count) in keys.items() if kind == "list" and count >= 60}


def test_prefixes_fold_ids_and_add_up(mixed):
    path, keys = mixed
    tree = inspect_json("prefixes", "-q", path)
    children = {child["prefix"]: child for child in tree["children"]}
    assert set(children) == {"user:", "queue:"}
    assert children["user:"]["keys"] == sum(name.startswith("user:") for name in keys)
    cart = children["user:"]["children"][0]["children"][0]
    assert cart["prefix"] == "user:*:cart" and cart["keys"] == children["user:"]["keys"]
    assert children["queue:"]["bytes"] + children["user:"]["bytes"] == tree["bytes"]
    assert "user:*:cart" in {prefix["prefix"] for prefix in inspect_json("summary", "-q", path)["prefixes"]}


def test_top_shows_the_largest(mixed):
    path, keys = mixed
    told = inspect_json("top", "-q", "--by", "elements", "--limit", "5", path)
    assert [row["elements"] for row in told["elements"]] == sorted((count for _, count in keys.values()), reverse=True)[:5]


def test_show_pages_through_a_value(mixed, tmp_path):
    path, keys = mixed
    name, (_, count) = next((name, key) for name, key in keys.items() if key[0] == "list" and key[1] > 50)
    page = inspect("show", "-q", name, "--from", "10", "--count", "5", path)
    assert [int(line.split()[0]) for line in page.splitlines()[:-1]] == [10, 11, 12, 13, 14]
    assert f"{count} elements" in page
    told = json.loads(inspect("show", "-q", name, "--json", path))
    assert len(told["value"]) == count
    inspect("show", "-q", "nowhere", path, code=1)


def test_show_takes_a_key_as_it_was_shown(peer, tmp_path):
    server = peer("valkey-9.1.2")
    odd = b"caf\xe9\n\\x\x00"
    with server.connect() as connection:
        connection.ask("SET", odd, "found")
    path = tmp_path / "dump.rdb"
    shutil.copy(server.save(), path)
    shown = inspect("keys", "-q", path).splitlines()[1].split()[-1]
    assert shown == r"caf\xe9\x0a\\x\x00"
    assert "found" in inspect("show", "-q", shown, path)
    assert base64.b64decode(rows(path)[0]["key"]["b64"]) == odd


@pytest.mark.parametrize("command", [["gzip", "-c"], ["zstd", "-c", "-q"], ["lz4", "-c", "-q"]], ids=lambda command: command[0])
def test_compressed_files_and_pipes_are_read_as_plain_ones(command, mixed, tmp_path):
    if shutil.which(command[0]) is None:
        pytest.fail(f"{command[0]} is needed for this test")
    path, _ = mixed
    packed = tmp_path / "packed"
    with packed.open("wb") as out:
        subprocess.run([*command, str(path)], stdout=out, check=True)
    assert digest(packed) == digest(path)
    with packed.open("rb") as source:
        told = json.loads(inspect("summary", "-q", "--digest", "--json", "-", stdin=source))
    assert told["digest"] == digest(path)
    cut = tmp_path / "cut"
    cut.write_bytes(packed.read_bytes()[:-5])
    told = inspect_json("check", "-q", cut, code=1)
    assert not told["sound"]


def test_several_files_are_one_data_set(mixed):
    path, keys = mixed
    other = OWN / "redis-7.0.15" / "databases.rdb"
    one, two, both = (inspect_json("summary", "-q", *files) for files in ((path,), (other,), (path, other)))
    assert both["keys"] == one["keys"] + two["keys"] and len(both["files"]) == 2


def test_exit_codes_and_help():
    good = OWN / "redis-7.0.15" / "databases.rdb"
    inspect(good)
    inspect("summary", "nowhere.rdb", code=1)
    inspect("keys", "--sort", "colour", good, code=2)
    inspect("keys", "--with-deadline", "--without-deadline", good, code=2)
    inspect("--no-such-flag", good, code=2)
    inspect(code=2)
    for command in ("summary", "check", "keys", "show", "top", "prefixes", "export"):
        assert "Examples:" in inspect(command, "--help")
    assert "Exit codes" in inspect("--help")


def test_no_colour_and_no_progress_outside_of_a_terminal():
    done = subprocess.run([inspector(), str(OWN / "redis-7.0.15" / "databases.rdb")], capture_output=True, check=True)
    assert b"\x1b" not in done.stdout and done.stderr == b""


def test_a_key_that_is_interrupted_leaves_no_half_file(mixed, tmp_path):
    path, _ = mixed
    out = tmp_path / "out" / "export.jsonl"
    out.parent.mkdir()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = subprocess.Popen([inspector(), "export", "-q", "-o", str(out), str(fifo)])
    with open(fifo, "wb") as pipe_in:
        pipe_in.write(path.read_bytes()[:100_000])
        pipe_in.flush()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) != 0
    assert list(out.parent.iterdir()) == []
    out.write_text("old")
    inspect("export", "-q", "-o", out, path)
    assert len(out.read_text().splitlines()) > 3000 and list(out.parent.iterdir()) == [out]


def test_memory_stays_flat_for_a_value_of_any_size(peer, tmp_path):
    server = peer("valkey-8.1.8")
    noise = random.Random(1).randbytes(40 << 20)
    text = b"".join(b"line %d of a text that compresses\n" % number for number in range(200_000)) * 8
    with server.connect(timeout=300) as connection:
        connection.ask("SET", "string:noise", noise)
        connection.ask("SET", "string:text", text)
        connection.ask("HSET", "hash:noise", "before", 1, "long", noise, "after", 2)
        connection.ask("HSET", "hash:text", "long", text)
        connection.ask("RPUSH", "list", "before", noise, "after")
        connection.ask("SADD", "set", "before", text)
        connection.ask("ZADD", "zset", 1.5, text, 2, "after")
        connection.pipeline([
            ("HSET", "many", *[word for number in range(1000) for word in (f"field:{start + number}", "v" * 20)])
            for start in range(0, 1_000_000, 1000)])
    path = tmp_path / "large.rdb"
    shutil.copy(server.save(), path)
    for arguments in (["summary", "--digest"], ["check"], ["keys", "--json"], ["export"], ["export", "--format", "resp"],
                      ["export", "--format", "restore"], ["export", "--format", "csv"], ["show", "many"], ["show", "hash:text"]):
        peak = peak_memory(inspector(), *arguments, "-q", path)
        assert peak < 32 << 20, f"{arguments} took {peak >> 20} MiB"


@pytest.mark.parametrize("form, target", [("resp", "valkey-9.1.2"), ("restore", "redis-8.2.3")])
def test_long_elements_are_the_same_wherever_they_go(peer, tmp_path, form, target):
    noise = random.Random(1).randbytes(3 << 20)
    text = b"".join(b"line %d of a text that compresses\n" % number for number in range(60_000))
    server = peer("redis-8.2.3")
    with server.connect(timeout=60) as connection:
        connection.ask("SET", "string", text)
        connection.ask("HSET", "hash", "before", 1, "noise", noise, "text", text, noise + b"name", "", "after", 2)
        for field in ("noise", noise + b"name"):
            assert connection.ask("HPEXPIREAT", "hash", 4102444800000, "FIELDS", 1, field) == [1]
        connection.ask("RPUSH", "list", "before", noise, text, "after")
        connection.ask("SADD", "set", "before", text, noise)
        connection.ask("ZADD", "zset", 1.5, text, "-inf", noise, 2, "after")
        expected = content.read(connection)
    path = tmp_path / "long.rdb"
    shutil.copy(server.save(), path)
    there, _ = exported.read(inspect("export", "-q", path))
    assert content.differences(expected, there) == []

    requests = subprocess.run([inspector(), "export", "-q", "--format", form, path], capture_output=True, check=True).stdout
    other = peer(target)
    with other.connect(timeout=60) as connection:
        assert [reply for reply in pipe(connection, requests) if reply[0] in "-!"] == []
        assert content.differences(expected, content.read(connection)) == []
    digests = [inspect_json("summary", "-q", "--digest", file)["digest"] for file in (path, other.save())]
    assert digests[0] == digests[1]


def corrupt():
    if SHARED_FIXTURES.exists():
        yield from sorted((SHARED_FIXTURES / "corrupt" / "rdb").glob("*.json"))


@pytest.mark.parametrize("path", list(corrupt()), ids=lambda path: path.stem)
def test_damage_is_named_and_what_can_be_read_is_saved(path, tmp_path):
    case, file = of(path)
    out = tmp_path / "saved.rdb"
    done = subprocess.run([inspector(), "check", "-q", "--json", "--salvage", str(out), str(file)], capture_output=True)
    told = json.loads(done.stdout)["files"][0]
    assert done.returncode == (0 if told["sound"] else 1)
    if case["expect"] == "refuse":
        assert not told["sound"]
    if case["expect"] == "accept":
        assert told["sound"]
    if told["sound"]:
        assert not out.exists()
        return
    fault = told["fault"]
    assert fault["code"] and fault["detail"] and 0 <= fault["offset"] <= os.path.getsize(file)
    if "salvage" not in told:
        # Without the first nine bytes nothing is known of the rest.
        assert fault["offset"] == 0 and not out.exists()
        return
    assert inspect_json("check", "-q", out)["sound"]
    loaded = [int(found[1]) for said in (case.get("observed") or {}).values()
              if (found := re.match(r"loaded, (\d+) keys", said))]
    # Of the one with a reserved byte, Redis loads what nobody can read: there is no element before that byte.
    if "reserved-byte" not in path.stem:
        assert told["salvage"]["keys"] >= max(loaded, default=0)
    if told["salvage"]["stated_keys"]:
        assert told["salvage"]["keys"] <= told["salvage"]["stated_keys"]


def test_a_salvaged_file_loads_in_the_real_server_with_everything_but_the_damaged_key(mixed, peer, tmp_path):
    path, keys = mixed
    whole, _ = exported.read(inspect("export", "-q", path))
    bytes_of = bytearray(path.read_bytes())
    places = random.Random(3).sample(range(1000, len(bytes_of) - 1000), 5)
    for place in places:
        bytes_of[place:place + 40] = b"\xff" * 40
    damaged = tmp_path / "damaged.rdb"
    damaged.write_bytes(bytes_of)
    out = tmp_path / "dump.rdb"
    told = inspect_json("check", "-q", "--salvage", out, damaged, code=1)["files"][0]["salvage"]
    assert told["keys"] >= len(keys) - 10
    there, _ = exported.read(inspect("export", "-q", out))
    changed = [key for key, entry in there[0].items() if whole[0].get(key) != entry]
    # A string whose inside was overwritten is still a string.
    assert len(changed) <= len(places)
    folder = tmp_path / "server"
    folder.mkdir()
    shutil.copy(out, folder / "dump.rdb")
    server = peer("valkey-8.1.8", directory=folder)
    with server.connect() as connection:
        assert connection.ask("DBSIZE") == told["keys"]
