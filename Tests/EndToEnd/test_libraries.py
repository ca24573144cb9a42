"""RDB and Inspect as a stranger uses them: the examples of their documentation, built and run.

They are compiled as another package's code, so that what is not public is not there for them.
"""
import json
import re
import subprocess

import pytest

from servers import ROOT

BUILD = ROOT / ".build" / "release"
# What of the package stands below the libraries, and what of the system below that.
MODULES = ["Bytes", "RDB", "RESP", "Platform", "AppendLog", "Inspect", "Logging"]
C_MODULES = ["CDecimal", "CCarrylessMultiply", "CLinux"]
SYSTEM_MODULES = ["CLZ4", "CZstd", "CZlib"]
LIBRARIES = ["lz4", "zstd", "z"]
FILE = ROOT / "Fixtures" / "rdb" / "redis-7.0.15" / "list-nodes.rdb"


def examples():
    for module in ("RDB", "Inspect"):
        page = ROOT / "Sources" / module / f"{module}.docc" / f"{module}.md"
        for number, code in enumerate(re.findall(r"```swift\n(.*?)```", page.read_text(), re.S)):
            yield pytest.param(module, number, code, id=f"{module}-{number}")


def built(code, folder):
    source = folder / "main.swift"
    source.write_text(code)
    maps = [BUILD / f"{name}.build" / "module.modulemap" for name in C_MODULES]
    maps = [path if path.exists() else ROOT / "Sources" / path.parent.stem / "include" / "module.modulemap" for path in maps]
    maps += [ROOT / "Sources" / name / "module.modulemap" for name in SYSTEM_MODULES]
    objects = [path for name in MODULES + C_MODULES for path in sorted((BUILD / f"{name}.build").rglob("*.o"))]
    program = folder / "example"
    command = ["swiftc", "-swift-version", "6", "-package-name", "stranger", "-I", BUILD / "Modules",
               *[word for path in maps for word in ("-Xcc", f"-fmodule-map-file={path}")],
               source, *objects, *[f"-l{name}" for name in LIBRARIES], "-o", program]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr[-4000:]
    return program


@pytest.mark.parametrize("module, number, code", list(examples()))
def test_an_example_builds_and_runs(module, number, code, tmp_path):
    program = built(code, tmp_path)
    done = subprocess.run([program, FILE], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines
    if (module, number) == ("Inspect", 0):
        keys = [json.loads(line) for line in (tmp_path / "dump.jsonl").read_text().splitlines()]
        count = sum("key" in line for line in keys)
        assert lines[0].startswith(f"{count} keys, ") and count > 0
        assert re.fullmatch("content [0-9a-f]{32}", lines[1])
        assert not any(line.startswith("damaged") for line in lines)
