"""What `larder-inspect export` wrote as JSON lines, in the form in which contents are compared."""
import base64
import json
import struct

from content import Content, Entry, compact


def read(lines):
    """The content of exported lines, and the other lines by what they are called."""
    content, others = Content(), {}
    # Not splitlines: text may hold characters that Python takes for ends of lines.
    for line in filter(None, lines.split("\n")):
        told = json.loads(line)
        if "key" not in told:
            (kind, value), = told.items()
            others.setdefault(kind, []).append(value)
            continue
        value = VALUES[told["type"]](told["value"])
        entries = content.setdefault(told["db"], {})
        key = compact(text(told["key"]))
        assert key not in entries, f"{key!r} is exported twice"
        if told["type"] in ("list", "set", "zset", "hash") and not value:
            continue  # Servers do not keep empty collections.
        entries[key] = Entry(told["type"], told.get("deadline"), value)
    return Content({database: entries for database, entries in content.items() if entries}), others


def text(told):
    if isinstance(told, str):
        return told.encode()
    if "b64" in told:
        return base64.b64decode(told["b64"])
    return b"".join(text(part) for part in told["parts"])


def brief(told):
    return compact(text(told))


def score_bits(told):
    return struct.pack(">d", float(told)).hex()


def sorted_set(told):
    members = [(text(member), score) for member, score in told]
    assert len(members) == len({member for member, _ in members}), "a member is there twice"
    # In ZRANGE order.
    members.sort(key=lambda pair: (float(pair[1]), pair[0]))
    return [(compact(member), score_bits(score)) for member, score in members]


def fields(told):
    found = {brief(field): (brief(value), deadline[0] if deadline else None) for field, value, *deadline in told}
    assert len(found) == len(told), "a field is there twice"
    return found


def members(told):
    found = frozenset(brief(member) for member in told)
    assert len(found) == len(told), "a member is there twice"
    return found


def stream(told):
    groups = []
    for group in told["groups"]:
        owners = {entry: brief(consumer["name"]) for consumer in group["consumers"] for entry in consumer["pending"]}
        groups.append({
            "name": brief(group["name"]),
            "last_id": group["last_id"].encode(),
            "entries_read": group["entries_read"],
            "pel": [(entry.encode(), owners[entry], time, count) for entry, time, count in group["pending"]],
            "consumers": sorted(({
                "name": brief(consumer["name"]),
                "seen_time": consumer["seen_time"],
                "active_time": -1 if consumer["active_time"] is None else consumer["active_time"],
                "pel": [entry.encode() for entry in consumer["pending"]],
            } for consumer in group["consumers"]), key=lambda consumer: consumer["name"]),
        })
    return {
        "length": told["length"],
        "last_id": told["last_id"].encode(),
        "max_deleted_entry_id": told["max_deleted_id"].encode(),
        "entries_added": told["entries_added"],
        "recorded_first_entry_id": told["first_id"].encode(),
        "entries": [(entry.encode(), tuple(brief(word) for word in words)) for entry, words in told["entries"]],
        "groups": sorted(groups, key=lambda group: group["name"]),
    }


VALUES = {
    "string": brief,
    "list": lambda told: [brief(item) for item in told],
    "set": members,
    "zset": sorted_set,
    "hash": fields,
    "stream": stream,
    "module": lambda told: told,
}
