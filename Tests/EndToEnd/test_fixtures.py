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
        pytest.skip("module values: no server has all of the modules")
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


def test_there_are_fixtures():
    assert any(cases()), "neither Fixtures/rdb nor a shared collection is there"
