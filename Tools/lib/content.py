"""What a server holds, read through commands, in a form that can be compared.

    {db: {key: Entry(type, deadline, value)}}

| type | value |
|---|---|
| string | bytes |
| list | bytes, head first |
| set | a frozenset |
| zset | (member, bits of the score), in ZRANGE order: -0.0 is not 0.0 |
| hash | {field: (value, deadline or None)} |
| stream | a dictionary, as the fixtures' JSON has it |

Long byte strings become digests, as in the fixtures' JSON, so that both sides
compare in one form.
"""
import base64
import hashlib
import struct
import time
from typing import NamedTuple

from wire import ReplyError

INLINE_BYTES = 8192


class Entry(NamedTuple):
    type: str
    deadline: int | None
    value: object


class Content(dict):
    """`{db: {key: Entry}}`, and how exact its deadlines are, in milliseconds."""

    tolerance = 0
    functions = None


def compact(data):
    """The bytes, or a digest of them when they are long."""
    if len(data) <= INLINE_BYTES:
        return data
    return ("digest", len(data), hashlib.sha256(data).hexdigest())


def bits(score):
    return struct.pack(">d", float(score)).hex()


# Reading a server


def read(connection, databases=None):
    """Everything a server holds."""
    content = Content()
    if databases is None:
        databases = int(connection.ask("CONFIG", "GET", "databases")[1])
    has_pexpiretime = knows(connection, "PEXPIRETIME", "x")
    has_field_deadlines = knows(connection, "HPEXPIRETIME", "x", "FIELDS", "1", "f")
    if not has_pexpiretime:
        # Deadlines come from PTTL and TIME, read in one transaction a moment apart.
        content.tolerance = 3
    for database in range(databases):
        connection.ask("SELECT", database)
        keys = scan(connection)
        if keys:
            content[database] = read_keys(connection, keys, has_pexpiretime, has_field_deadlines)
    connection.ask("SELECT", 0)
    return content


def knows(connection, *arguments):
    try:
        connection.ask(*arguments)
        return True
    except ReplyError as error:
        if "unknown command" in str(error):
            return False
        raise


def scan(connection):
    keys, cursor = set(), b"0"
    while True:
        cursor, found = connection.ask("SCAN", cursor, "COUNT", "1000")
        keys.update(found)
        if cursor == b"0":
            break
    size = connection.ask("DBSIZE")
    if size != len(keys):
        raise AssertionError(f"SCAN found {len(keys)} keys, DBSIZE says {size}")
    return sorted(keys)


READERS = {
    "string": lambda key: ("GET", key),
    "list": lambda key: ("LRANGE", key, "0", "-1"),
    "set": lambda key: ("SMEMBERS", key),
    "zset": lambda key: ("ZRANGE", key, "0", "-1", "WITHSCORES"),
    "hash": lambda key: ("HGETALL", key),
    "stream": lambda key: ("XINFO", "STREAM", key, "FULL", "COUNT", "0"),
}


def read_keys(connection, keys, has_pexpiretime, has_field_deadlines):
    types = [name.decode() for name in connection.pipeline([("TYPE", key) for key in keys])]
    deadlines = read_deadlines(connection, keys, has_pexpiretime)
    readable = [i for i, kind in enumerate(types) if kind in READERS]
    values = dict(zip(readable, connection.pipeline([READERS[types[i]](keys[i]) for i in readable], depth=100)))
    entries = {}
    for i, key in enumerate(keys):
        value = values.get(i)
        kind = types[i]
        if kind == "none" or kind == "string" and value is None:
            # Its deadline passed while this was asked.
            continue
        if kind == "string":
            value = compact(value)
        elif kind == "list":
            value = [compact(item) for item in value]
        elif kind == "set":
            if len(value) != len(set(value)):
                raise AssertionError(f"SMEMBERS {key!r} names a member twice")
            value = frozenset(compact(item) for item in value)
        elif kind == "zset":
            value = [(compact(member), bits(score)) for member, score in zip(value[::2], value[1::2])]
        elif kind == "hash":
            fields = value[::2]
            if len(fields) != len(set(fields)):
                raise AssertionError(f"HGETALL {key!r} names a field twice")
            times = [None] * len(fields)
            if has_field_deadlines and fields:
                found = connection.ask("HPEXPIRETIME", key, "FIELDS", len(fields), *fields)
                times = [moment if moment >= 0 else None for moment in found]
            value = {compact(f): (compact(v), t) for f, v, t in zip(fields, value[1::2], times)}
        elif kind == "stream":
            value = stream(value)
        entries[compact(key)] = Entry(kind, deadlines[i], value)
    return entries


def read_deadlines(connection, keys, has_pexpiretime):
    if has_pexpiretime:
        found = connection.pipeline([("PEXPIRETIME", key) for key in keys])
        return [moment if moment >= 0 else None for moment in found]
    deadlines = []
    for key in keys:
        connection.pipeline([("MULTI",), ("TIME",), ("PTTL", key)])
        (seconds, micros), left = connection.ask("EXEC")
        now = int(seconds) * 1000 + int(micros) // 1000
        deadlines.append(now + left if left >= 0 else None)
    return deadlines


def pairs(flat):
    return {name.decode(): value for name, value in zip(flat[::2], flat[1::2])}


def stream(reply):
    """XINFO STREAM FULL, under the names of the fixtures' JSON; what a server lacks is absent."""
    told = pairs(reply)
    groups = []
    for group in map(pairs, told.get("groups") or []):
        consumers = []
        for consumer in map(pairs, group["consumers"]):
            consumers.append({
                "name": consumer["name"],
                "seen_time": consumer.get("seen-time"),
                "active_time": consumer.get("active-time"),
                "pel": [p[0] for p in consumer.get("pel", consumer.get("pending", []))],
            })
        groups.append({
            "name": group["name"],
            "last_id": group["last-delivered-id"],
            "entries_read": group.get("entries-read"),
            "pel": [(p[0], p[1], p[2], p[3]) for p in group.get("pel", group.get("pending", []))],
            "consumers": sorted(consumers, key=lambda consumer: consumer["name"]),
        })
    return {
        "length": told["length"],
        "last_id": told["last-generated-id"],
        "max_deleted_entry_id": told.get("max-deleted-entry-id"),
        "entries_added": told.get("entries-added"),
        "recorded_first_entry_id": told.get("recorded-first-entry-id"),
        "entries": [(identifier, tuple(map(compact, fields))) for identifier, fields in told["entries"]],
        "groups": sorted(groups, key=lambda group: group["name"]),
    }


# Reading the fixtures' JSON


def from_json(case, now=None):
    """The content that a fixture's JSON describes, less what has expired by now."""
    now = now or int(time.time() * 1000)
    content = Content()
    for database, keys in case["dbs"].items():
        entries = {}
        for told in keys:
            if told["ttl_ms"] is not None and told["ttl_ms"] <= now:
                continue
            value = json_value(told, now)
            if told["type"] == "hash" and not value:
                continue
            entries[text(told["key"])] = Entry(told["type"], told["ttl_ms"], value)
        if entries:
            content[int(database)] = entries
    return content


def text(told):
    if isinstance(told, str):
        return told.encode()
    if "b64" in told:
        return base64.b64decode(told["b64"])
    return ("digest", told["len"], told["sha256"])


def json_value(told, now):
    kind = told["type"]
    if kind == "string":
        return text(told["value"])
    if kind == "list":
        return [text(item) for item in told["items"]]
    if kind == "set":
        return frozenset(text(member) for member in told["members"])
    if kind == "zset":
        return [(text(member), hexadecimal) for member, _, hexadecimal in told["entries"]]
    if kind == "hash":
        return {text(f["field"]): (text(f["value"]), f["ttl_ms"]) for f in told["fields"]
                if f["ttl_ms"] is None or f["ttl_ms"] > now}
    if kind == "stream":
        return json_stream(told["stream"])
    return None


def identifier(told):
    return told.encode() if told is not None else None


def json_stream(told):
    groups = []
    for group in told["groups"]:
        groups.append({
            "name": text(group["name"]),
            "last_id": identifier(group["last_id"]),
            "entries_read": group.get("entries_read"),
            "pel": [(identifier(p["id"]), text(p["consumer"]), p.get("delivery_time"), p.get("delivery_count"))
                    for p in group["pel"]],
            "consumers": sorted(({
                "name": text(consumer["name"]),
                "seen_time": consumer.get("seen_time"),
                "active_time": consumer.get("active_time"),
                "pel": [identifier(told) for told in consumer["pel"]] if "pel" in consumer else None,
            } for consumer in group["consumers"]), key=lambda consumer: consumer["name"]),
        })
    return {
        "length": told["length"],
        "last_id": identifier(told["last_id"]),
        "max_deleted_entry_id": identifier(told.get("max_deleted_entry_id")),
        "entries_added": told.get("entries_added"),
        "recorded_first_entry_id": identifier(told.get("recorded_first_entry_id")),
        "entries": [(identifier(i), tuple(text(field) for field in fields)) for i, fields in told["entries"]],
        "groups": sorted(groups, key=lambda group: group["name"]),
    }


# Comparing


def differences(expected, actual, limit=10):
    """What differs, in words; empty when the contents are equal."""
    found = []
    tolerance = max(getattr(expected, "tolerance", 0), getattr(actual, "tolerance", 0))
    for database in sorted(set(expected) | set(actual)):
        wanted, there = expected.get(database, {}), actual.get(database, {})
        for key in wanted.keys() | there.keys():
            name = f"db {database}, key {brief(key)}"
            if key not in there:
                found.append(f"{name}: missing ({wanted[key].type})")
            elif key not in wanted:
                found.append(f"{name}: there, but not expected ({there[key].type})")
            else:
                found += [f"{name}: {words}" for words in entry_differences(wanted[key], there[key], tolerance)]
            if len(found) >= limit:
                return found + ["..."]
    return found


def brief(value):
    words = repr(value)
    return words if len(words) <= 120 else words[:100] + f"... ({len(words)} characters)"


def entry_differences(wanted, there, tolerance):
    if wanted.type != there.type:
        return [f"type {there.type}, expected {wanted.type}"]
    found = []
    if not same_moment(wanted.deadline, there.deadline, tolerance):
        found.append(f"deadline {there.deadline}, expected {wanted.deadline}")
    if wanted.type == "stream":
        found += stream_differences(wanted.value, there.value)
    elif wanted.value != there.value and not (wanted.type == "hash" and same_fields(wanted.value, there.value, tolerance)):
        found.append(where(wanted.value, there.value))
    return found


def same_moment(wanted, there, tolerance):
    if wanted is None or there is None:
        return wanted is there
    return abs(wanted - there) <= tolerance


def same_fields(wanted, there, tolerance):
    return wanted.keys() == there.keys() and all(
        value == there[field][0] and same_moment(moment, there[field][1], tolerance)
        for field, (value, moment) in wanted.items())


def where(wanted, there):
    """The first place where two values differ."""
    if isinstance(wanted, list) and isinstance(there, list):
        for index, (left, right) in enumerate(zip(wanted, there)):
            if left != right:
                return f"element {index} is {brief(right)}, expected {brief(left)}"
        return f"{len(there)} elements, expected {len(wanted)}"
    if isinstance(wanted, frozenset):
        return f"members missing {brief(set(wanted - there))}, too many {brief(set(there - wanted))}"
    if isinstance(wanted, dict):
        for field in wanted.keys() | there.keys():
            if wanted.get(field) != there.get(field):
                return f"field {brief(field)} is {brief(there.get(field))}, expected {brief(wanted.get(field))}"
    return f"{brief(there)}, expected {brief(wanted)}"


def stream_differences(wanted, there, path=""):
    """Only what both sides report: older servers know less about a stream."""
    found = []
    for name in wanted:
        left, right = wanted[name], there.get(name)
        if left is None or right is None:
            continue
        if name in ("groups", "consumers"):
            if [group["name"] for group in left] != [group["name"] for group in right]:
                found.append(f"{path}{name} {brief(right)}, expected {brief(left)}")
                continue
            for one, other in zip(left, right):
                found += stream_differences(one, other, f"{path}{name} {brief(one['name'])} ")
        elif left != right:
            if name == "pel" and left and isinstance(left[0], tuple) and same_pending(left, right):
                continue
            found.append(f"{path}{name} {brief(right)}, expected {brief(left)}")
    return found


def same_pending(wanted, there):
    """Whether two lists of pending entries agree in all that both servers report."""
    return len(wanted) == len(there) and all(
        left is None or right is None or left == right
        for one, other in zip(wanted, there) for left, right in zip(one, other))


def without_consumer_times(content):
    """The content less when stream consumers were last seen, which no log of commands records."""
    for entries in content.values():
        for entry in entries.values():
            if entry.type == "stream":
                for group in entry.value["groups"]:
                    for consumer in group["consumers"]:
                        consumer["seen_time"] = consumer["active_time"] = None
    return content


def compare_servers(expected, actual):
    """The differences between two running servers."""
    with expected.connect() as left, actual.connect() as right:
        return differences(read(left), read(right))
