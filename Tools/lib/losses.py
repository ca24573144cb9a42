"""What a migration declared to be lost, and a content without it.

    report = losses.read("out.rdb.report.json")
    expected = losses.subtract(content.from_json(case), report)

What is left must be in the target to the last byte: a difference that no loss accounts for is
a loss that nobody was told of.
"""
import json

from content import Entry, compact, text


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def subtract(content, report):
    """The content less the losses; every loss of a key must be about a key that is there."""
    for loss in report["losses"]:
        rule = RULES.get(loss["feature"])
        if rule is None:
            raise AssertionError(f"a loss that no test knows: {loss}")
        if loss["key"] is None:
            continue
        entries = content.get(loss["db"], {})
        key = compact(text(loss["key"]))
        if key not in entries:
            raise AssertionError(f"a loss of a key that is not expected: {loss}")
        rule(entries, key, loss)
    for database in [number for number, entries in content.items() if not entries]:
        del content[database]
    return content


def field_deadlines(entries, key, loss):
    entry = entries[key]
    timed = {field: moment for field, (_, moment) in entry.value.items() if moment is not None}
    # Commands of a log do not say how many fields of the outcome they are about.
    if loss["parts"] and len(timed) != loss["parts"]:
        raise AssertionError(f"{loss['parts']} deadlines of {key!r} are declared lost, {len(timed)} were there")
    kept = {field: (value, None) for field, (value, _) in entry.value.items()}
    deadline = entry.deadline
    if loss["rule"] in ("drop-field", "split"):
        kept = {field: value for field, value in kept.items() if field not in timed}
    elif loss["rule"].startswith("key-ttl"):
        moment = (min if loss["rule"] == "key-ttl-min" else max)(timed.values())
        deadline = moment if deadline is None else min(deadline, moment)
    if loss["rule"] == "split":
        for field, moment in timed.items():
            name = key + b":" + field
            moment = moment if entry.deadline is None else min(entry.deadline, moment)
            entries[name] = Entry("string", moment, entry.value[field][0])
    if kept:
        entries[key] = Entry("hash", deadline, kept)
    else:
        del entries[key]


def module(entries, key, loss):
    if entries[key].type != loss["subject"]:
        raise AssertionError(f"{key!r} is a {entries[key].type}, not as declared: {loss}")
    if loss["rule"] == "text":
        # The text is compared where the expected one is at hand.
        entries[key] = Entry("string", entries[key].deadline, None)
    else:
        del entries[key]


def stream_counters(entries, key, loss):
    stream = entries[key].value
    for name in ("max_deleted_entry_id", "entries_added", "recorded_first_entry_id"):
        stream[name] = None
    for group in stream["groups"]:
        group["entries_read"] = None


def active_times(entries, key, loss):
    for group in entries[key].value["groups"]:
        for consumer in group["consumers"]:
            consumer["active_time"] = None


def nothing(entries, key, loss):
    pass


RULES = {
    "field-deadlines": field_deadlines,
    "module": module,
    "stream-counters": stream_counters,
    "consumer-active-times": active_times,
    "module-data": nothing,
    "functions": nothing,
    "scripts": nothing,
    "damage": nothing,
}
