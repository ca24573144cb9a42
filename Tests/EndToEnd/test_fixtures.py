"""Files that real servers wrote, with the content those servers reported."""
import json
import shutil
from pathlib import Path

import pytest

import content
from conftest import ROOT, SHARED_FIXTURES, skip_unless_there
from servers import is_larder, larder_binary

SERVERS = ["redis-6.2.5", "redis-6.2.14", "redis-7.0.15", "redis-8.2.3", "valkey-8.1.8", "valkey-9.1.2"]


def cases():
    """Our own fixtures, and the larger collection where it is at hand."""
    for folder in [ROOT / "Fixtures" / "rdb"] + ([SHARED_FIXTURES] if SHARED_FIXTURES.exists() else []):
        for server in SERVERS:
            for path in sorted((folder / server).glob("*.json")):
                yield path


def features(case, path):
    """What a server must have to hold this case."""
    needed = {key["type"] for keys in case["dbs"].values() for key in keys}
    needed = {"module" if kind not in content.READERS else kind for kind in needed}
    if case.get("functions"):
        needed.add("function")
    if case.get("modules") or "module" in path.stem:
        needed.add("module")
    if any(field["ttl_ms"] for keys in case["dbs"].values() for key in keys for field in key.get("fields", [])):
        needed.add("field-deadline")
    # A log's base is such a file, too.
    if case["server"] == "redis" and case["server_version"] >= "7.4":
        needed.add("rdb-12")
    if case["kind"] == "aof" and not case.get("aof_dir"):
        needed.add("single-file-aof")
    return sorted(needed)


@pytest.mark.parametrize("path", list(cases()), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_fixture_content(path, larder, tmp_path):
    case = json.loads(path.read_text())
    if case["kind"] == "dump":
        pytest.skip("payloads for RESTORE, tested where DUMP and RESTORE are")
    needed = features(case, path)
    if "module" in needed:
        pytest.skip("module values are carried, not read; tested below")
    skip_unless_there(*needed)
    if "rdb-12" in needed and not is_larder(larder_binary()):
        pytest.skip("a Valkey that stands in for Larder does not read RDB 12")

    folder = tmp_path / "data"
    folder.mkdir()
    options = {}
    if case["kind"] == "rdb":
        shutil.copy(path.parent / case["file"], folder / "dump.rdb")
    elif case.get("aof_dir"):
        shutil.copytree(path.parent / case["case"] / case["aof_dir"], folder / case["aof_dir"])
        options |= {"appendonly": "yes", "appenddirname": case["aof_dir"], "appendfilename": case["aof_base_name"]}
    else:
        shutil.copy(path.parent / case["case"] / case["aof_file"], folder / case["aof_file"])
        options |= {"appendonly": "yes", "appendfilename": case["aof_file"]}
    if "databases" in case["config"]:
        options["databases"] = case["config"]["databases"]

    ours = larder(directory=folder, **options)
    expected = content.from_json(case)
    if case["kind"] == "aof":
        content.without_consumer_times(expected)
    with ours.connect() as connection:
        held = content.read(connection)
        assert content.differences(expected, held) == []
        if "past" not in case["case"] and case.get("functions") is not None and "function" in needed:
            libraries = connection.ask("FUNCTION", "LIST")
            assert len(libraries) == len(case["functions"])


def module_cases():
    """Files with values or data of real modules, from the larger collection."""
    if not SHARED_FIXTURES.exists():
        return []
    folders = [SHARED_FIXTURES / server for server in SERVERS + ["redis-7.4.1"]] + [SHARED_FIXTURES / "legacy" / "librdb"]
    return [path for folder in folders for path in sorted(folder.glob("*module*.rdb"))]


@pytest.mark.larder_only
@pytest.mark.parametrize("path", module_cases(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_modules_have_is_carried_along_only_if_asked_for(path, larder, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(path, folder / "dump.rdb")
    refusing = larder(start=False, directory=folder)
    refusing.launch()
    assert refusing.process.wait(20) == 1
    assert "module" in refusing.log()

    ours = larder(directory=folder, module_data="keep", enable_debug_command="local")
    original = path.read_bytes()
    with ours.connect() as connection:
        payloads = dumps_of_modules(connection)
        for payload in payloads:
            assert payload[1:-10] in original
        before = len(connection.ask("KEYS", "*"))
        connection.ask("SAVE")
        connection.ask("DEBUG", "RELOAD")
        assert dumps_of_modules(connection) == payloads
        assert len(connection.ask("KEYS", "*")) == before
    saved = (folder / "dump.rdb").read_bytes()
    for payload in payloads:
        assert payload[1:-10] in saved


def dumps_of_modules(connection):
    found = []
    for key in sorted(connection.ask("KEYS", "*")):
        kind = connection.ask("TYPE", key).decode()
        if kind not in content.READERS:
            assert len(kind) == 9
            payload = connection.ask("DUMP", key)
            assert connection.ask("RENAME", key, b"renamed") == b"OK"
            assert connection.ask("RESTORE", key, 0, payload) == b"OK"
            assert connection.ask("DUMP", key) == payload
            assert connection.ask("DEL", b"renamed") == 1
            found.append(payload)
    return found


def test_there_are_fixtures():
    assert any(cases()), "neither Fixtures/rdb nor a shared collection is there"
