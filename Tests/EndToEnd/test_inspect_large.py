"""`larder-inspect` on packed strings that no server makes unless it is told to: in little memory.

What is packed has to come out as the same content does that lies in a plain layout.
"""
import json
import struct

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


@pytest.fixture(scope="module")
def long_names(tmp_path_factory):
    """A dump with a stream whose group and consumer have names of many bytes, and a field of the file that has one."""
    names = {kind: kind.encode().ljust(SIZE, kind[:1].encode()) for kind in ("group", "consumer", "fact")}
    *nodes, state = packed.stream([(1, [(b"f", b"v")])], 1)
    identifier = struct.pack(">QQ", 1, 1)
    group = b"".join((
        packed.length(1), packed.string(names["group"]), packed.length(1), packed.length(1),
        packed.length(1), identifier, struct.pack("<q", 1000), packed.length(2),
        packed.length(1), packed.string(names["consumer"]), struct.pack("<q", 2000), packed.length(1), identifier))
    path = packed.write(
        tmp_path_factory.mktemp("names") / "names.rdb",
        (250, names["fact"], packed.string(b"1")),
        (15, b"k", *nodes, state[:-1], group))
    return path, {kind: name.decode() for kind, name in names.items()}


def test_memory_stays_flat_for_names_in_a_stream(long_names):
    path, _ = long_names
    others = [("keys", path), ("top", path), ("diff", path, path), ("export", "--format", "restore", path)]
    for command in [*commands(path), *others]:
        assert peak_memory(inspector(), *command) < LIMIT, command


def test_long_names_in_a_stream_are_exported_whole(long_names):
    path, names = long_names
    fact, key = (json.loads(line) for line in inspect("export", "-q", path).splitlines())
    assert fact["aux"][0].startswith("fact") and fact["aux"][0].endswith(f"({SIZE} bytes)")
    group, = key["value"]["groups"]
    consumer, = group["consumers"]
    is_same = joined(group["name"]) == names["group"] and joined(consumer["name"]) == names["consumer"]
    assert is_same
    assert group["pending"] == [["1-1", 1000, 2]] and consumer["pending"] == ["1-1"]

    word = {kind: f"${SIZE}\n{names[kind]}\n" for kind in ("group", "consumer")}
    requests = inspect("export", "-q", "--format", "resp", path)
    for request in (f"CREATE\n$1\nk\n{word['group']}$3\n1-1\n",
                    f"CREATECONSUMER\n$1\nk\n{word['group']}{word['consumer']}",
                    f"XCLAIM\n$1\nk\n{word['group']}{word['consumer']}$1\n0\n$3\n1-1\n"):
        is_there = request in requests
        assert is_there


def test_damaged_values_of_any_size_are_saved_in_little_memory(tmp_path):
    """A member that is there twice is left out, and so is what follows the damage of a listpack."""
    fields = packed.pairs(SIZE // 1000, 980)
    flat = [part for field in fields for part in field]
    twice = [*flat, *fields[7]]
    broken = bytearray(packed.listpack(flat))
    half = len(fields) // 2
    broken[broken.index(b"field:%d" % half) - 1] = 0xFF
    sound = [[(0, b"%s:%d" % (name, index), packed.string(b"v")) for index in range(8)] for name in (b"one", b"two", b"three")]
    path = packed.write(
        tmp_path / "damaged.rdb",
        *sound[0],
        (4, b"twice", packed.length(len(fields) + 1), *map(packed.string, twice)),
        *sound[1],
        (16, b"broken", packed.string(bytes(broken))),
        *sound[2])
    saved = tmp_path / "saved.rdb"
    command = ["check", "-q", "--json", "--salvage", saved, path]
    told = inspect_json("check", "-q", "--salvage", saved, path, code=1)["files"][0]["salvage"]
    assert (told["keys"], told["repaired"], told["partial"], told["lost"]) == (26, ["twice"], ["broken"], [])
    saved.unlink()
    assert peak_memory(inspector(), *command, code=1) < LIMIT
    assert inspect("check", "-q", saved)
    values = {line["key"]: line["value"] for line in map(json.loads, inspect("export", "-q", saved).splitlines())}
    expected = [[name.decode(), value.decode()] for name, value in fields]
    for key, count in ("twice", len(fields)), ("broken", half):
        is_same = values[key] == expected[:count]
        assert is_same, key
