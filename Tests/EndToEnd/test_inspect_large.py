"""`larder-inspect` on packed strings that no server makes unless it is told to: in little memory.

What is packed has to come out as the same content does that lies in a plain layout.
"""
import json

import pytest

import packed
from inspector import inspect, inspect_json, inspector, peak_memory

SIZE = 24 << 20
LIMIT = 32 << 20

CASES = ["a listpack of many fields", "a compressed listpack", "a listpack of large elements", "a set", "an intset",
         "a sorted set", "a list node", "a ziplist", "a stream node"]


def commands(path):
    yield "check", path
    yield "summary", "--digest", path
    yield "show", "k", path
    for form in "json", "csv", "resp":
        yield "export", "--format", form, path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Case: the packed file and the plain one."""
    folder = tmp_path_factory.mktemp("packed")
    made = {}
    for number, (name, *records) in enumerate(packed.cases(SIZE)):
        paths = [folder / f"{number}-{kind}.rdb" for kind in ("packed", "plain")]
        for path, record in zip(paths, records):
            packed.write(path, record)
        made[name] = paths
    return made


@pytest.mark.parametrize("name", CASES)
def test_memory_stays_flat_for_a_packed_string_of_any_size(files, name):
    path, _ = files[name]
    for command in commands(path):
        assert peak_memory(inspector(), *command) < LIMIT, command


def joined(value):
    """JSON with long strings in one piece."""
    if isinstance(value, dict) and "parts" in value:
        return "".join(value["parts"])
    return [joined(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", CASES)
def test_what_is_packed_is_the_same_content(files, name):
    told = [inspect_json("summary", "-q", "--digest", path)["digest"] for path in files[name]]
    assert told[0] == told[1]
    texts = [inspect("export", "-q", path) for path in files[name]]
    values = [json.loads(text)["value"] for text in texts]
    if "stream" in name:
        assert values[0] == values[1]
    else:
        assert joined(values[0]) == joined(values[1])
    for form in "csv", "resp":
        texts = [inspect("export", "-q", "--format", form, path) for path in files[name]]
        # Not for pytest to compare, line by line.
        is_same = texts[0] == texts[1]
        assert is_same, form
