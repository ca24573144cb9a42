"""The migrator: what it makes loads in the server that it is for, and nothing is lost that was not declared."""
import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import content
import losses
from conftest import ROOT, SHARED_FIXTURES
from servers import Server, peer_binary, tool_binary

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


def migrate(*arguments, expect=(0, 3)):
    done = subprocess.run([tool_binary("larder-migrate"), *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode in ([expect] if isinstance(expect, int) else expect), done.stdout + done.stderr
    return done


def convert(files, output, target, *options, expect=(0, 3)):
    """The report of a conversion."""
    files = files if isinstance(files, list) else [files]
    done = migrate("convert", *files, "-o", output, "--to", target, *options, expect=expect)
    report = losses.read(f"{output}.report.json")
    assert (done.returncode == 3) == bool(report["losses"])
    assert report["lossless"] == (not report["losses"])
    assert Path(f"{output}.report.txt").read_text() == done.stdout
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
