"""The migrator: what it makes loads in the server that it is for, and nothing is lost that was not declared."""
import json
import os
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

import content
import dataset
import losses
from conftest import ROOT, SHARED_FIXTURES
from migrator import FAILED, LOSSLESS, LOSSY, MISUSED, migrate, migrate_binary
from servers import Server, StartFailure, peer_binary

# A target, and the real server that stands for it.
TARGETS = {
    "redis-6.2": "redis-6.2.5",
    "redis-7.0": "redis-7.0.15",
    "redis-8": "redis-8.2.3",
    "valkey-8.1": "valkey-8.1.8",
    "valkey-9.1": "valkey-9.1.2",
}
SOURCES = ["redis-3.0.5", "redis-3.2.6", "redis-5.0.6", "redis-6.2.5", "redis-6.2.14", "redis-7.0.15", "redis-7.4.1",
           "redis-8.2.3", "valkey-8.1.8", "valkey-9.0.0", "valkey-9.1.2"]


# Cases of which some servers load some as they are.
AS_THEY_ARE = {"functions", "hash-field-deadlines", "hash-field-ttl", "databases-high", "stream-groups", "cluster-slots-plain",
               "module-vectorset", "module-search", "set-small", "zset-small"}


def cases(kind):
    """Our own fixtures, and the larger collection where it is at hand."""
    for folder in [ROOT / "Fixtures" / "rdb"] + ([SHARED_FIXTURES] if SHARED_FIXTURES.exists() else []):
        for source in SOURCES:
            for path in sorted((folder / source).glob("*.json")):
                if json.loads(path.read_text()).get("kind", "rdb") == kind:
                    yield path


def label(path):
    return f"{'own' if ROOT in path.parents else 'shared'}/{path.parent.name}/{path.stem}"


def fixture(source, case):
    """One of our own fixtures."""
    path = ROOT / "Fixtures" / "rdb" / source / f"{case}.json"
    return path.with_suffix(".rdb"), json.loads(path.read_text())


def convert(files, output, target, *options):
    """The report of a conversion; the exit code says whether anything was lost."""
    files = files if isinstance(files, list) else [files]
    arguments = ["convert", *files, "-o", output, "--to", target, *options]
    done = subprocess.run([migrate_binary(), *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode in (LOSSLESS, LOSSY), done.stdout + done.stderr
    stem = str(output).rstrip("/")
    report = losses.read(f"{stem}.report.json")
    assert (done.returncode == LOSSY) == bool(report["losses"])
    assert report["lossless"] == (not report["losses"])
    assert Path(f"{stem}.report.txt").read_text() == done.stdout
    return report


def held(target, dump, tmp_path, report=None, **options):
    """What the server of a target holds after it started on a dump with its default configuration."""
    folder = Path(tmp_path) / f"loaded-{time.monotonic_ns()}"
    folder.mkdir()
    shutil.copy(dump, folder / "dump.rdb")
    for setting in report["needs"]["settings"] if report else []:
        name, value = setting.split()
        options[name.replace("-", "_")] = value
    with Server(peer_binary(TARGETS[target]), directory=folder, **options) as server, server.connect() as connection:
        found = content.read(connection)
        if target not in ("redis-6.2",):
            found.functions = len(connection.ask("FUNCTION", "LIST"))
    return found


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", list(cases("rdb")), ids=label)
def test_every_dump_loads_in_every_target(path, target, tmp_path):
    case = json.loads(path.read_text())
    options = ["--functions", "drop-unloadable"] if target == "redis-6.2" else []
    output = tmp_path / "out.rdb"
    report = convert(path.parent / case["file"], output, target, *options)
    found = held(target, output, tmp_path, report)

    expected = losses.subtract(content.from_json(case), report)
    for database, key, document in json_texts(case, report):
        entry = found[database].pop(key)
        assert entry.deadline == expected[database].pop(key).deadline
        assert json.loads(entry.value) == document
    assert content.differences(expected, found) == []
    if found.functions is not None and case.get("functions") is not None:
        assert found.functions == len(case["functions"])


def json_texts(case, report):
    """JSON documents that became strings: where, and what the module said they were."""
    for loss in report["losses"]:
        if (loss["feature"], loss["rule"]) == ("module", "text"):
            told = next(key for key in case["dbs"][str(loss["db"])] if key["key"] == loss["key"])
            reply = next(each["reply"] for each in told["module"]["replies"] if each["command"][0] == "JSON.GET")
            yield loss["db"], content.text(loss["key"]), json.loads(reply)


def test_there_are_dumps_of_every_source():
    assert {path.parent.name for path in cases("rdb")} >= {"redis-6.2.5", "redis-7.0.15", "redis-8.2.3", "valkey-8.1.8", "valkey-9.1.2"}


# Logs


LOGS = list(cases("aof"))


@pytest.mark.skipif(not LOGS, reason="the larger collection is not at hand")
@pytest.mark.parametrize("form", ["appendonlydir/", "appendonly.aof"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", LOGS or [None], ids=lambda path: label(path) if path else "none")
def test_every_log_loads_in_every_target(path, target, form, tmp_path):
    case = json.loads(path.read_text())
    source = path.parent / case["case"] / (case.get("aof_dir") or case["aof_file"])
    (tmp_path / "data").mkdir()
    output = f"{tmp_path}/data/{form}"
    if target == "redis-6.2" and form.endswith("/"):
        assert ".aof" in migrate("convert", source, "-o", output, "--to", target, expect=MISUSED).stderr
        return
    options = ["--functions", "drop-unloadable"] if target == "redis-6.2" else []
    plan = json.loads(migrate("plan", source, "--to", target, "--json", *options, expect=(LOSSLESS, LOSSY)).stdout)
    report = convert(source, output, target, *options)
    assert {name: plan[name] for name in ("keys", "changes")} == {name: report[name] for name in ("keys", "changes")}
    assert plan["log"]["commands_written"] == report["log"]["commands_written"]
    server = Server(peer_binary(TARGETS[target]), directory=tmp_path / "data", appendonly="yes")
    with server, server.connect() as connection:
        found = content.read(connection)
    expected = content.without_consumer_times(losses.subtract(content.from_json(case), report))
    assert content.differences(expected, content.without_consumer_times(found)) == []
    assert "CRITICAL" not in server.log()


# What Redis 8.2 logs and Valkey does not take, and what means the same there.
NEWER_COMMANDS = [
    ("XADD", "s", "KEEPREF", "1-1", "f", "KEEPREF"), ("XADD", "s", "2-1", "f", "v"), ("XADD", "s", "3-1", "f", "v"),
    ("XADD", "s", "4-1", "f", "v"), ("XADD", "s", "5-1", "f", "v"), ("XGROUP", "CREATE", "s", "g", "0"),
    ("XREADGROUP", "GROUP", "g", "c", "COUNT", "2", "STREAMS", "s", ">"),
    # 4-1 is not pending, and so neither acknowledged nor deleted.
    ("XACKDEL", "s", "g", "IDS", "2", "1-1", "4-1"),
    ("XDELEX", "s", "IDS", "2", "3-1", "9-9"), ("XTRIM", "s", "MAXLEN", "2", "KEEPREF"),
    ("HSETEX", "h", "EX", "100000", "FIELDS", "1", "a", "1"), ("HSETEX", "h", "FNX", "FIELDS", "1", "b", "2"),
    ("HEXPIRE", "h", "200000", "FIELDS", "1", "b"), ("HGETDEL", "h", "FIELDS", "1", "a"), ("HSET", "h", "c", "3"),
    ("SET", "k", "v", "EX", "100000"), ("EXPIRE", "k", "200000", "GT"), ("SELECT", "3"), ("SET", "other", "x"),
    ("MULTI",), ("INCR", "n"), ("XADD", "t", "KEEPREF", "7-7", "f", "v"), ("EXEC",),
]


@pytest.fixture
def redis8_log(peer):
    """What a Redis 8.2 logged: the server, and a function that takes its log's folder away."""
    server = peer("redis-8.2.3", appendonly="yes", appendfsync="always")

    def run(*commands):
        with server.connect() as connection:
            for command in commands:
                connection.ask(*command)
            connection.ask("SELECT", 0)
            dump = connection.ask("DUMP", "h") or connection.ask("DUMP", "k")
            if dump:
                connection.ask("RESTORE", "restored", "0", dump)
            found = content.read(connection)
        server.kill()
        return server.directory / "appendonlydir", found

    return run


@pytest.mark.parametrize("target", ["valkey-8.1", "valkey-9.1", "redis-7.0"])
def test_newer_commands_are_translated(target, redis8_log, tmp_path):
    # A payload with field deadlines has no translation where there are none.
    commands = [c for c in NEWER_COMMANDS if target == "valkey-9.1" or "h" not in c[1:2]]
    log, expected = redis8_log(*commands)
    output = tmp_path / "data" / "appendonlydir"
    output.parent.mkdir()
    report = convert(log, f"{output}/", target)
    assert report["lossless"]
    translated = {change["subject"] for change in report["changes"] if change["rule"] == "translated"}
    assert {"XACKDEL", "XDELEX", "XADD", "XTRIM"} <= translated
    server = Server(peer_binary(TARGETS[target]), directory=tmp_path / "data", appendonly="yes")
    with server, server.connect() as connection:
        found = content.read(connection)
    assert content.differences(content.without_consumer_times(expected), content.without_consumer_times(found)) == []
    assert "CRITICAL" not in server.log()


def test_field_deadlines_of_a_log_are_left_out_where_there_are_none(redis8_log, tmp_path):
    log, expected = redis8_log(*NEWER_COMMANDS)
    with_payload = migrate("convert", log, "-o", f"{tmp_path}/one/", "--to", "valkey-8.1", expect=FAILED)
    assert "RESTORE" in with_payload.stderr and "byte" in with_payload.stderr
    assert not (tmp_path / "one").exists()
    output = tmp_path / "data" / "appendonlydir"
    output.parent.mkdir()
    report = convert(log, f"{output}/", "valkey-8.1", "--log-commands", "drop")
    assert {loss["key"] for loss in report["losses"]} == {"h", "restored"}
    server = Server(peer_binary("valkey-8.1.8"), directory=tmp_path / "data", appendonly="yes")
    with server, server.connect() as connection:
        assert connection.ask("HGETALL", "h") == [b"b", b"2", b"c", b"3"]
        assert connection.ask("EXISTS", "restored") == 0


@pytest.mark.parametrize("command", [
    ("BITOP", "DIFF", "d", "n", "k"), ("XDELEX", "s", "DELREF", "IDS", "1", "2-1"),
    ("XADD", "s", "ACKED", "MAXLEN", "=", "1", "9-1", "f", "v"),
])
def test_a_command_without_a_counterpart_stops_the_run_by_name(command, redis8_log, tmp_path):
    log, _ = redis8_log(("SET", "n", "abc"), ("SET", "k", "b"), ("XADD", "s", "1-1", "f", "v"),
                        ("XADD", "s", "2-1", "f", "v"), command)
    done = migrate("convert", log, "-o", f"{tmp_path}/log/", "--to", "valkey-9.1", expect=FAILED)
    assert command[0] in done.stderr and "byte" in done.stderr and "--log-commands" in done.stderr
    assert list(tmp_path.glob("log*")) == []


def test_a_dump_becomes_a_log(tmp_path):
    dump, case = fixture("redis-8.2.3", "hash-field-deadlines")
    (tmp_path / "data").mkdir()
    convert(dump, f"{tmp_path}/data/appendonlydir/", "valkey-9.1")
    server = Server(peer_binary("valkey-9.1.2"), directory=tmp_path / "data", appendonly="yes")
    with server, server.connect() as connection:
        assert content.differences(content.from_json(case), content.read(connection)) == []
    taken = migrate("convert", dump, "-o", f"{tmp_path}/data/appendonlydir/", "--to", "valkey-9.1", expect=FAILED)
    assert "exists" in taken.stderr


# Decisions


POLICIES = ["drop-ttl", "drop-field", "key-ttl-min", "key-ttl-max", "split"]


@pytest.mark.parametrize("target", ["valkey-8.1", "valkey-9.1", "redis-7.0"])
@pytest.mark.parametrize("policy", POLICIES)
def test_field_deadlines_follow_the_policy(policy, target, tmp_path):
    for source in ["redis-8.2.3", "valkey-9.1.2"]:
        dump, case = fixture(source, "hash-field-deadlines")
        output = tmp_path / f"{source}.rdb"
        report = convert(dump, output, target, "--field-deadlines", policy)
        assert {loss["rule"] for loss in report["losses"]} == {policy}
        assert report["outputs"][0]["format"] in ("REDIS0010", "REDIS0011")
        expected = losses.subtract(content.from_json(case), report)
        assert content.differences(expected, held(target, output, tmp_path)) == []


def test_field_deadlines_follow_the_first_pattern_that_matches(tmp_path):
    dump, case = fixture("redis-8.2.3", "hash-field-deadlines")
    keys = sorted(key["key"] for key in case["dbs"]["0"] if any(f["ttl_ms"] for f in key.get("fields", [])))
    options = []
    for key, policy in zip(keys, POLICIES):
        options += ["--field-deadlines", f"{key}={policy}"]
    report = convert(dump, tmp_path / "out.rdb", "valkey-8.1", *options, "--field-deadlines", "drop-field")
    wanted = dict(zip(keys, POLICIES))
    assert {loss["key"]: loss["rule"] for loss in report["losses"]} == {key: wanted.get(key, "drop-field") for key in keys}
    expected = losses.subtract(content.from_json(case), report)
    assert content.differences(expected, held("valkey-8.1", tmp_path / "out.rdb", tmp_path)) == []


@pytest.mark.parametrize("options", [["--field-deadlines", "refuse"], ["--field-deadlines", "keep"], ["--strict"]])
def test_no_loss_is_made_where_none_is_allowed(options, tmp_path):
    dump, _ = fixture("redis-8.2.3", "hash-field-deadlines")
    done = migrate("convert", dump, "-o", tmp_path / "out.rdb", "--to", "valkey-8.1", *options, expect=FAILED)
    assert "deadlines of hash fields" in done.stderr and "database 0" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_functions_go_or_stay_as_decided(tmp_path):
    dump, case = fixture("redis-8.2.3", "functions")
    refused = migrate("convert", dump, "-o", tmp_path / "out.rdb", "--to", "redis-6.2", expect=FAILED)
    assert "--functions" in refused.stderr
    report = convert(dump, tmp_path / "out.rdb", "valkey-9.1", "--functions", "drop")
    assert report["changes"][0]["count"] == len(case["functions"])
    assert held("valkey-9.1", tmp_path / "out.rdb", tmp_path).functions == 0


def test_a_plan_says_what_the_conversion_does(tmp_path):
    dump, _ = fixture("redis-8.2.3", "hash-field-deadlines")
    for target, code in [("valkey-8.1", LOSSY), ("valkey-9.1", LOSSLESS)]:
        plan = json.loads(migrate("plan", dump, "--to", target, "--json", expect=code).stdout)
        report = convert(dump, tmp_path / "out.rdb", target)
        assert plan["needs"].pop("memory") > 0 and report["needs"].pop("memory") is None
        assert {name: plan[name] for name in ("keys", "changes", "needs", "inputs", "lossless")} == \
            {name: report[name] for name in ("keys", "changes", "needs", "inputs", "lossless")}
        assert plan["outputs"][0]["bytes"] == report["outputs"][0]["bytes"] == (tmp_path / "out.rdb").stat().st_size
        assert plan["inputs"][0]["loads_as_it_is"] is False
    stopped = json.loads(migrate("plan", dump, "--to", "valkey-8.1", "--field-deadlines", "refuse", "--json", expect=FAILED).stdout)
    assert stopped["undecided"] and stopped["changes"][-1]["option"] == "--field-deadlines"


def loads_as_it_is(target, dump, tmp_path):
    """Whether the server of a target, by its default configuration, starts on a dump."""
    folder = Path(tmp_path) / "as-it-is"
    folder.mkdir()
    shutil.copy(dump, folder / "dump.rdb")
    try:
        with Server(peer_binary(TARGETS[target]), directory=folder):
            return True
    except StartFailure:
        return False


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", [path for path in cases("rdb") if path.stem in AS_THEY_ARE], ids=label)
def test_a_plan_knows_what_loads_as_it_is(path, target, tmp_path):
    dump = path.parent / json.loads(path.read_text())["file"]
    plan = json.loads(migrate("plan", dump, "--to", target, "--json", expect=(LOSSLESS, LOSSY, FAILED)).stdout)
    assert plan["inputs"][0]["loads_as_it_is"] == loads_as_it_is(target, dump, tmp_path)


def test_a_page_counts_what_was_left_out(varied, tmp_path):
    dump, everything = varied
    report = convert(dump, tmp_path / "out.rdb", "valkey-9.1", "--types", "string", "--databases", "0")
    strings = sum(entry.type == "string" for entry in everything[0].values())
    total = sum(len(entries) for entries in everything.values())
    assert {name: counts["total"] for name, counts in report["keys"].items()} == \
        {"read": total, "copied": strings, "left_out": total - strings, "written": strings}
    line = next(line for line in (tmp_path / "out.rdb.report.txt").read_text().splitlines() if line.startswith("  all"))
    assert line.replace(",", "").split() == ["all", *map(str, (total, strings, 0, total - strings, strings))]


# Selections


@pytest.fixture(scope="module")
def varied(tmp_path_factory):
    """A dump of a Redis 8.2 with keys of every type in two databases, and what it holds."""
    folder = tmp_path_factory.mktemp("varied")
    with Server(peer_binary("redis-8.2.3"), directory=folder) as server, server.connect() as connection:
        dataset.fill(connection)
        connection.pipeline([("SET", f"user:{n}", n) for n in range(500)] + [("SELECT", "3")]
                            + [("HSET", f"user:{n}", "n", n) for n in range(300)])
        found = content.read(connection)
        dump = server.save()
        shutil.copy(dump, folder / "varied.rdb")
    return folder / "varied.rdb", found


def test_keys_are_chosen_and_renamed(varied, tmp_path):
    dump, everything = varied
    convert(dump, tmp_path / "out.rdb", "valkey-9.1", "--include", "user:*", "--exclude", "user:1*",
            "--rename", "user:*=u:*:x", "--map-database", "3=1", "--types", "hash,string")
    expected = content.Content()
    for database, number in [(0, 0), (3, 1)]:
        expected[number] = {b"u:" + key[5:] + b":x": entry for key, entry in everything[database].items()
                            if key[:5] == b"user:" and key[:6] != b"user:1"}
    assert content.differences(expected, held("valkey-9.1", tmp_path / "out.rdb", tmp_path)) == []


def test_what_would_collide_is_refused(varied, tmp_path):
    dump, _ = varied
    done = migrate("convert", dump, "-o", tmp_path / "out.rdb", "--to", "valkey-9.1", "--map-database", "3=0", expect=FAILED)
    assert "the same key" in done.stderr and "offset" in done.stderr
    done = migrate("convert", dump, dump, "-o", tmp_path / "out.rdb", "--to", "valkey-9.1", expect=FAILED)
    assert "the same key" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_files_are_split_by_slot_and_merged_again(varied, tmp_path):
    dump, everything = varied
    parts = convert(dump, tmp_path / "part.rdb", "valkey-9.1", "--split-slots", "3")["outputs"]
    assert [part["slots"] for part in parts] == ["0-5460", "5461-10922", "10923-16383"]
    assert sum(part["keys"] for part in parts) == sum(len(entries) for entries in everything.values())
    convert([part["name"] for part in parts], tmp_path / "whole.rdb", "valkey-8.1")
    assert content.differences(everything, held("valkey-8.1", tmp_path / "whole.rdb", tmp_path)) == []
    # A cluster of Valkey 8 has one database.
    done = migrate("convert", dump, "-o", tmp_path / "eight.rdb", "--to", "valkey-8.1", "--split-slots", "3", expect=FAILED)
    assert "--map-database" in done.stderr


def test_files_are_split_by_size(varied, tmp_path):
    dump, everything = varied
    size = dump.stat().st_size // 4
    parts = convert(dump, tmp_path / "part.rdb", "valkey-9.1", "--split-size", size)["outputs"]
    assert len(parts) >= 4
    convert([part["name"] for part in parts], tmp_path / "whole.rdb", "valkey-9.1")
    assert content.differences(everything, held("valkey-9.1", tmp_path / "whole.rdb", tmp_path)) == []


def test_compressed_and_piped_input_is_read(varied, tmp_path):
    dump, everything = varied
    subprocess.run(["gzip", "-k", dump], check=True)
    convert(f"{dump}.gz", tmp_path / "out.rdb", "valkey-9.1")
    with open(dump, "rb") as file:
        subprocess.run([migrate_binary(), "convert", "-", "-o", tmp_path / "piped.rdb", "--to", "valkey-9.1"],
                       stdin=file, check=True, capture_output=True)
    assert (tmp_path / "out.rdb").read_bytes() == (tmp_path / "piped.rdb").read_bytes()
    assert content.differences(everything, held("valkey-9.1", tmp_path / "out.rdb", tmp_path)) == []


def test_keys_that_go_over_in_one_piece_are_the_same_bytes(varied, tmp_path):
    """--check has every key read by itself, and nothing else differs."""
    dump, everything = varied
    reports = [convert(dump, tmp_path / f"out{option}.rdb", "valkey-9.1", *([option] if option else [])) for option in ("", "--check")]
    assert (tmp_path / "out.rdb").read_bytes() == (tmp_path / "out--check.rdb").read_bytes()
    assert reports[0]["keys"] == reports[1]["keys"] and reports[0]["needs"] == reports[1]["needs"]
    assert reports[0]["keys"]["written"]["total"] == sum(map(len, everything.values()))


# Damage


def test_damage_is_named_and_leaves_nothing(varied, tmp_path):
    dump, _ = varied
    whole = dump.read_bytes()
    for damaged in [whole[:len(whole) // 2], whole[:-9] + b"\x00" * 9, b"not a dump", whole[:-1] + b"\x00", b""]:
        (tmp_path / "damaged.rdb").write_bytes(damaged)
        done = migrate("convert", tmp_path / "damaged.rdb", "-o", tmp_path / "out.rdb", "--to", "valkey-9.1", expect=FAILED)
        assert "damaged.rdb: " in done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["damaged.rdb"]


CORRUPT = sorted((SHARED_FIXTURES / "corrupt" / "rdb").glob("*.json"))


@pytest.mark.skipif(not CORRUPT, reason="the larger collection is not at hand")
def test_every_damage_is_refused_and_nothing_else(tmp_path):
    for path in CORRUPT:
        case = json.loads(path.read_text())
        folder = tmp_path / path.stem
        folder.mkdir()
        done = subprocess.run([migrate_binary(), "convert", path.parent / case["file"], "-o", folder / "out.rdb",
                               "--to", "valkey-9.1", "--check"], capture_output=True, text=True, timeout=60)
        codes = {"refuse": (FAILED,), "accept": (LOSSLESS, LOSSY)}.get(case["expect"], (LOSSLESS, FAILED, LOSSY))
        assert done.returncode in codes, f"{path.stem}: {case['what']}: {done.stderr}"
        if done.returncode == FAILED:
            assert list(folder.iterdir()) == [], path.stem


def test_salvage_keeps_what_was_read(varied, tmp_path):
    dump, everything = varied
    whole = dump.read_bytes()
    (tmp_path / "damaged.rdb").write_bytes(whole[:len(whole) // 2])
    report = convert(tmp_path / "damaged.rdb", tmp_path / "out.rdb", "valkey-9.1", "--salvage")
    assert {loss["feature"] for loss in report["losses"]} == {"damage"}
    found = held("valkey-9.1", tmp_path / "out.rdb", tmp_path)
    kept = sum(map(len, found.values()))
    assert 0 < kept == report["keys"]["written"]["total"] < sum(map(len, everything.values()))
    for database, entries in found.items():
        for key, entry in entries.items():
            assert content.entry_differences(everything[database][key], entry, 0) == []


def test_salvage_leaves_out_only_the_damaged_key(tmp_path):
    with Server(peer_binary("redis-8.2.3"), directory=tmp_path) as server, server.connect() as connection:
        for name in ["before", "broken", "after"]:
            connection.ask("HSET", name, "field", "value of " + name)
        dump = server.save().read_bytes()
    # The length of an entry inside the listpack, and no checksum.
    at = dump.index(b"value of broken") - 1
    broken = dump[:at] + bytes([dump[at] + 9]) + dump[at + 1:-8] + bytes(8)
    (tmp_path / "broken.rdb").write_bytes(broken)
    done = migrate("convert", tmp_path / "broken.rdb", "-o", tmp_path / "out.rdb", "--to", "valkey-9.1", expect=FAILED)
    assert "invalidListpack" in done.stderr and '"broken"' in done.stderr
    report = convert(tmp_path / "broken.rdb", tmp_path / "out.rdb", "valkey-9.1", "--salvage")
    assert [loss["feature"] for loss in report["losses"]] == ["damage"]
    assert '"broken"' in report["losses"][0]["detail"]
    assert set(held("valkey-9.1", tmp_path / "out.rdb", tmp_path)[0]) == {b"before", b"after"}


@pytest.mark.parametrize("arguments", [
    ["--to", "valkey-10"], [], ["--to", "valkey-8.1", "--format", "80"], ["--to", "valkey-9.1", "--field-deadlines", "no"],
    ["--to", "valkey-9.1", "--rename", "a*b*c=d"], ["--to", "valkey-9.1", "--split-slots", "0-100"],
])
def test_wrong_usage_is_told_apart(arguments, tmp_path):
    dump, _ = fixture("redis-8.2.3", "hash-small")
    migrate("convert", dump, "-o", tmp_path / "out.rdb", *arguments, expect=MISUSED)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_ends_the_conversion(tmp_path):
    """The thread that writes finds out, and nothing is left that could be taken for the whole."""
    value = os.urandom(2000)
    records = [b"\0" + bytes([8]) + b"key:%04d" % index + bytes([0x40 | len(value) >> 8, len(value) & 255]) + value
               for index in range(2000)]
    dump = tmp_path / "dump.rdb"
    dump.write_bytes(b"REDIS0009" + b"".join(records) + b"\xff" + bytes(8))

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    done = subprocess.run([migrate_binary(), "convert", dump, "-o", tmp_path / "out.rdb", "--to", "valkey-9.1"],
                          capture_output=True, text=True, preexec_fn=limit)
    assert done.returncode == FAILED
    assert "File too large" in done.stderr and "out.rdb" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dump.rdb"]
