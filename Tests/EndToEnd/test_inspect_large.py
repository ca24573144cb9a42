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


@pytest.fixture(scope="module")
def long_texts(tmp_path_factory):
    """A dump with names, a library of functions and an auxiliary field of many bytes; all of them, by what they are."""
    texts = {kind: kind.encode().ljust(SIZE, kind[:1].encode()) for kind in ("aux", "function", "one", "other")}
    path = packed.write(
        tmp_path_factory.mktemp("texts") / "texts.rdb",
        (250, b"fact", packed.string(texts["aux"])),
        (245, texts["function"]),
        (0, texts["one"], packed.string(b"v")),
        (4, texts["other"], packed.length(2), *map(packed.string, (b"f", b"1", b"g", b"2"))),
        (0, b"k", packed.string(b"short")))
    return path, {kind: text.decode() for kind, text in texts.items()}


def test_memory_stays_flat_for_names_of_any_size(long_texts):
    path, _ = long_texts
    others = [("keys", path), ("keys", "--sort", "bytes", path), ("top", path), ("prefixes", path), ("diff", path, path),
              ("report", "-o", f"{path}.html", path), ("export", "--format", "restore", path)]
    for command in [*commands(path), *others]:
        assert peak_memory(inspector(), *command) < LIMIT, command


def test_long_names_are_exported_whole_and_listed_by_their_beginning(long_texts):
    path, texts = long_texts
    lines = [json.loads(line) for line in inspect("export", "-q", path).splitlines()]
    assert lines[0]["aux"][0] == "fact"
    whole = [lines[0]["aux"][1], lines[1]["function"], lines[2]["key"], lines[3]["key"]]
    for kind, text in zip(texts, map(joined, whole)):
        is_same = text == texts[kind]
        assert is_same, kind
    assert [line["value"] for line in lines[2:]] == ["v", [["f", "1"], ["g", "2"]], "short"]

    rows = inspect("export", "-q", "--format", "csv", path).splitlines()
    is_same = rows[2:4] == [f'0,"{texts["other"]}",hash,,,{field},' for field in ("f,1", "g,2")]
    assert is_same
    requests = inspect("export", "-q", "--format", "resp", path)
    is_same = requests.startswith(f"*4\n$8\nFUNCTION\n$4\nLOAD\n$7\nREPLACE\n${SIZE}\n{texts['function']}\n")
    assert is_same
    is_same = f"*3\n$3\nSET\n${SIZE}\n{texts['one']}\n$1\nv\n" in requests
    assert is_same

    listed = [json.loads(line) for line in inspect("keys", "-q", "--json", path).splitlines()]
    assert [row["key"][:5] for row in listed] == ["oneoo", "other", "k"]
    assert all(f"({SIZE} bytes, digest " in row["key"] for row in listed[:2])
    told = inspect_json("summary", "-q", path)
    assert told["functions"][0]["bytes"] == SIZE
    assert inspect("check", "-q", path)
