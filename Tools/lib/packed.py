"""Dumps with packed strings as large as one likes, which servers write only if they are told to.

Each case has the same content twice: packed, and in the plain layout that needs no memory for it.
"""
import struct


def length(count):
    if count < 1 << 6:
        return bytes([count])
    if count < 1 << 14:
        return struct.pack(">H", 0x4000 | count)
    return b"\x80" + struct.pack(">I", count) if count < 1 << 32 else b"\x81" + struct.pack(">Q", count)


def string(data):
    return length(len(data)) + data


def literal_lzf(data):
    """A compressed string that is not shorter: runs of 32 bytes as they are."""
    runs = b"".join(bytes([len(run) - 1]) + run for run in (data[at:at + 32] for at in range(0, len(data), 32)))
    return b"\xc3" + length(len(runs)) + length(len(data)) + runs


def back_length(size):
    groups = [size & 0x7F]
    while size > 0x7F:
        size >>= 7
        groups.append(size & 0x7F)
    first, *others = reversed(groups)
    return bytes([first, *(group | 0x80 for group in others)])


def entry(element):
    if isinstance(element, int):
        if 0 <= element < 128:
            coded = bytes([element])
        else:
            coded = b"\xf4" + struct.pack("<q", element)
    elif len(element) < 64:
        coded = bytes([0x80 | len(element)]) + element
    elif len(element) < 4096:
        coded = struct.pack(">H", 0xE000 | len(element)) + element
    else:
        coded = b"\xf0" + struct.pack("<I", len(element)) + element
    return coded + back_length(len(coded))


def listpack(elements):
    elements = list(elements)
    body = b"".join(map(entry, elements))
    return struct.pack("<IH", 7 + len(body), min(len(elements), 65535)) + body + b"\xff"


def ziplist(elements):
    body, last, previous, count = bytearray(), 10, 0, 0
    for element in elements:
        last = 10 + len(body)
        size = bytes([previous]) if previous < 254 else b"\xfe" + struct.pack("<I", previous)
        coded = size + b"\x80" + struct.pack(">I", len(element)) + element
        body += coded
        previous = len(coded)
        count += 1
    return struct.pack("<IIH", 11 + len(body), last, min(count, 65535)) + body + b"\xff"


def intset(members):
    return struct.pack("<II", 8, len(members)) + struct.pack(f"<{len(members)}q", *members)


def text(element):
    return b"%d" % element if isinstance(element, int) else element


def node(entries):
    """A node of a stream, whose master entry has the fields of the first entry."""
    first, names = entries[0][0], [name for name, _ in entries[0][1]]
    elements = [len(entries), 0, len(names), *names, 0]
    for sequence, fields in entries:
        same = [name for name, _ in fields] == names
        elements += [2 if same else 0, 0, sequence - first]
        elements += [value for _, value in fields] if same else [len(fields), *(part for field in fields for part in field)]
        elements.append(len(fields) + 3 if same else len(fields) * 2 + 4)
    return length(16) + struct.pack(">QQ", 1, first) + string(listpack(elements))


def stream(entries, per_node):
    """A stream of nodes of so many entries."""
    nodes = [entries[at:at + per_node] for at in range(0, len(entries), per_node)]
    return length(len(nodes)), *map(node, nodes), length(len(entries)) + length(1) + length(entries[-1][0]) + length(0)


def write(path, *records, version=11):
    with open(path, "wb") as file:
        file.write(b"REDIS%04d" % version)
        for kind, name, *value in records:
            file.write(bytes([kind]) + string(name))
            for piece in value:
                file.write(piece)
        file.write(b"\xff" + bytes(8))
    return path


def pairs(count, size):
    """Fields with values of `size` bytes, each other."""
    return [(b"field:%d" % index, (b"%d:" % index).ljust(size, b"v")) for index in range(count)]


def cases(byte_count):
    """Name, packed record, plain record; of about `byte_count` bytes."""
    many = byte_count // 1000
    fields = pairs(many, 980)
    flat = [part for field in fields for part in field]
    plain_hash = (4, b"k", length(many), *map(string, flat))
    values = [value for _, value in fields]
    plain_list = (1, b"k", length(many), *map(string, values))
    scored = [part for index, value in enumerate(values) for part in (value, index)]
    large = [b"small", b"x" * byte_count, b"y" * byte_count, b"tiny"]
    numbers = [index << 20 for index in range(byte_count // 8)]
    yield "a listpack of many fields", (16, b"k", string(listpack(flat))), plain_hash
    yield "a compressed listpack", (16, b"k", literal_lzf(listpack(flat))), plain_hash
    yield "a listpack of large elements", (16, b"k", string(listpack(large))), (4, b"k", length(2), *map(string, large))
    yield "a set", (20, b"k", string(listpack(values))), (2, b"k", length(many), *map(string, values))
    yield "an intset", (11, b"k", string(intset(numbers))), (2, b"k", length(len(numbers)), *(string(text(number)) for number in numbers))
    yield "a sorted set", (17, b"k", string(listpack(scored))), (
        5, b"k", length(many), *(string(value) + struct.pack("<d", index) for index, value in enumerate(values)))
    yield "a list node", (18, b"k", length(1), length(2), string(listpack(values))), plain_list
    yield "a ziplist", (14, b"k", length(1), string(ziplist(values))), plain_list
    entries = [(index + 1, [field, (b"other", b"%d" % index)] if index % 3 else [field]) for index, field in enumerate(fields)]
    yield "a stream node", (15, b"k", *stream(entries, many)), (15, b"k", *stream(entries, 10))
