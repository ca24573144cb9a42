"""`larder-migrate load`: real dumps into real servers, single and as a cluster."""
import json
import shutil

import pytest

import content
from conftest import ROOT, SHARED_FIXTURES, skip_unless_there
from migrator import DIFFERENT, FAILED, LOSSLESS, LOSSY, SAME, load, verify
from servers import larder_binary, peer_binary

SOURCES = ["redis-5.0.6", "redis-6.2.5", "redis-7.0.15", "redis-7.4.1", "redis-8.2.3", "valkey-8.1.8", "valkey-9.1.2"]
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
    from servers import Server
    running = {}

    def give(name):
        if name not in running:
            folder = tmp_path_factory.mktemp(name)
            running[name] = Server(binary(name), directory=folder, databases=64, maxmemory_policy="noeviction").start()
        server = running[name]
        with server.connect() as connection:
            connection.ask("FLUSHALL")
            if content.knows(connection, "FUNCTION", "LIST"):
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
    losses = expected_losses(case, target)
    outcome = load(dump, server, *(["--skip-unsupported"] if losses else []), expect=LOSSY if losses else LOSSLESS)
    assert outcome["failed"] == 0
    with server.connect() as connection:
        assert content.differences(without(losses, content.from_json(case)), content.read(connection, 64)) == []
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


def without(losses, held):
    """The content less the keys that are lost."""
    for database, entries in list(held.items()):
        for key, entry in list(entries.items()):
            if entry.type in losses or "field-deadline" in losses and entry.type == "hash" \
                    and any(deadline for _, deadline in entry.value.values()):
                del entries[key]
        if not entries:
            del held[database]
    return held
