"""Sends the same random commands to two servers and finds where they disagree."""
import random
import sys
import time
from typing import NamedTuple

import content
from comparison import Comparer, name, quoted
from families import FAMILIES, LISTENING, PRELUDE, Family
from wire import Connection, ReplyError, encode

BATCH = 200
EPISODE = 2000


class Difference(NamedTuple):
    family: str
    seed: str
    resp: int
    history: list       # requests; the last one is answered differently, or leaves different data
    ours: str
    theirs: str

    def __str__(self):
        lines = [f"{self.family}, RESP{self.resp}, seed {self.seed}:"]
        lines += ["    " + brief(quoted(request), 400) for request in self.history]
        return "\n".join(lines + [f"  ours:   {self.ours}", f"  theirs: {self.theirs}"])


def brief(text, limit=1500):
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def readable(reply):
    """A reply in one line."""
    mark, value = reply
    if value is None:
        return {"$": "null bulk", "*": "null array", "_": "null"}.get(mark, "null")
    if mark in "*~%>|":
        brackets = {"*": "[]", "~": "{}", "%": "<>", ">": "()", "|": "||"}[mark]
        return brackets[0] + ", ".join(map(readable, value)) + brackets[1]
    if mark == "$":
        return repr(value)[1:]
    if mark == ":":
        return str(value)
    return mark + value.decode("latin-1")


class Pair:
    """Two servers that are asked the same."""

    def __init__(self, ours, theirs, databases=16, by_value=False):
        self.ports = ours, theirs
        self.by_value = by_value
        self.databases = databases
        self.connections = ()

    def hurry(self):
        """Blocked clients whose time is up are seen at the next turn of the clock: make it a fast one."""
        for port in self.ports:
            with Connection(port) as connection:
                connection.exchange([("CONFIG", "SET", "hz", "500")])

    def reset(self, resp):
        """New connections to empty servers."""
        for connection in self.connections:
            connection.close()
        self.connections = tuple(Connection(port, timeout=20) for port in self.ports)
        for connection in self.connections:
            connection.ask("FLUSHALL")
            if resp == 3:
                connection.send(encode(("HELLO", "3")))
                connection.reply()

    def exchange(self, requests, counted=True):
        """The replies of both to each request; more than one where a server pushes."""
        if counted:
            data = b"".join(map(encode, requests))
        else:
            data = b"".join(encode(request) + encode((b"PING", b"marker%d" % i)) for i, request in enumerate(requests))
        for connection in self.connections:
            connection.send(data)
        found = []
        for which, connection in zip(("ours", "theirs"), self.connections):
            replies = []
            try:
                for index in range(len(requests)):
                    replies.append(connection.reply() if counted else until_marker(connection, index))
            except (OSError, ConnectionError) as error:
                replies.append(("-", f"({which}: no more replies: {error or type(error).__name__})".encode()))
            found.append(replies)
        return found

    def data_difference(self):
        """Whether both hold the same, read through commands."""
        ours, theirs = (self.read(port) for port in self.ports)
        theirs.tolerance = 3000
        found = content.differences(theirs, ours, limit=3)
        return found

    def read(self, port):
        with Connection(port) as connection:
            held = content.without_consumer_times(without_delivery_times(content.read(connection, self.databases)))
        return without_later_rules(held) if self.by_value else held


def without_delivery_times(held):
    for entries in held.values():
        for entry in entries.values():
            if entry.type == "stream":
                for group in entry.value["groups"]:
                    group["pel"] = [(identifier, consumer, None, count) for identifier, consumer, _, count in group["pel"]]
    return held


def without_later_rules(held):
    """Less what Valkey 9 counts otherwise than earlier servers: entries read by groups, and idle consumers made by claims."""
    for entries in held.values():
        for entry in entries.values():
            if entry.type == "stream":
                for group in entry.value["groups"]:
                    group["entries_read"] = None
                    group["consumers"] = [consumer for consumer in group["consumers"] if consumer["pel"]]
    return held


def until_marker(connection, index):
    """What a server sends for one request, as one reply: a subscriber gets several or none."""
    marker = ("$", b"marker%d" % index)
    came = []
    while True:
        reply = connection.reply()
        if reply == marker or (reply[0] in "*>" and reply[1] and reply[1][-1] == marker and len(reply[1]) == 2):
            return ("*", tuple(came))
        came.append(reply)


def run_history(pair, history, resp, counted, with_data, listens=False):
    """Sends a history to empty servers.

    The number of requests up to the first that differs, with both replies; or None.
    With data, what they hold afterwards counts as the reply to the last one.
    """
    pair.reset(resp)
    if listens:
        pair.exchange([[part.encode() for part in request] for request in LISTENING], counted=False)
    comparer = Comparer(only_published=listens, by_value=pair.by_value)
    for start in range(0, len(history), BATCH):
        batch = history[start:start + BATCH]
        ours, theirs = pair.exchange(batch, counted)
        for index, (request, left, right) in enumerate(zip(batch, ours, theirs)):
            if comparer.differs(request, left, right):
                return start + index + 1, readable(left), readable(right)
        if len(ours) != len(theirs):
            shorter, longer = sorted((ours, theirs), key=len)
            index = len(shorter) - 1
            return start + index + 1, readable(ours[index]), readable(theirs[index])
    if with_data:
        found = pair.data_difference()
        if found:
            return len(history), "holds other data: " + "; ".join(found), "expected so"
    return None


def shrink(pair, history, resp, counted, with_data, listens=False, seconds=15):
    """A shorter history that still ends in a difference."""
    limit = time.monotonic() + seconds

    def still(candidate):
        found = run_history(pair, candidate, resp, counted, with_data, listens)
        return found is not None and found[0] == len(candidate)

    last = history[-1:]
    if not with_data:
        # Most often only what touched the same keys matters.
        keys = set(last[0][1:])
        related = [request for request in history[:-1] if keys & set(request[1:])
                   or name(request) in ("MULTI", "EXEC", "DISCARD", "SELECT", "WATCH", "HELLO")]
        if still(related + last):
            history = related + last
    size = max(1, len(history) // 2)
    while size and time.monotonic() < limit:
        start = 0
        while start < len(history) - (0 if with_data else 1) and time.monotonic() < limit:
            end = min(start + size, len(history) - (0 if with_data else 1))
            candidate = history[:start] + history[end:]
            if candidate and still(candidate):
                history = candidate
            else:
                start += size
        size = size // 2 if size > 1 else 0
    return history


def missing_commands(pair, family):
    """The family's commands that ours, or theirs, does not know."""
    pair.reset(2)
    names = sorted({items[0] for _, items in family.lines if items[0].isupper() and items[0] not in ("NOPE", "SHUTDOWN")})
    missing = []
    for connection in pair.connections:
        found = set()
        for command in names:
            try:
                # QUIT and the like take no part; no command of ours works without arguments but these.
                told = connection.ask("COMMAND", "INFO", command)
                if told == [None] or told == []:
                    found.add(command)
            except ReplyError as error:
                if "unknown" in str(error) or "wrong number" in str(error):
                    mark, value = connection.exchange([(command,)])[0] if command not in ("RESET", "MULTI", "EXEC") else ("+", b"")
                    if mark == "-" and b"unknown command" in value:
                        found.add(command)
        missing.append(found)
    return missing


def living(held, now):
    """The keys and fields that have not expired at `now`, in milliseconds."""
    left = content.Content()
    left.tolerance = getattr(held, "tolerance", 0)
    for database, entries in held.items():
        left[database] = there = {}
        for key, entry in entries.items():
            if entry.deadline is not None and entry.deadline <= now:
                continue
            if entry.type == "hash":
                fields = {field: (value, moment) for field, (value, moment) in entry.value.items() if moment is None or moment > now}
                if not fields:
                    continue
                entry = entry._replace(value=fields)
            there[key] = entry
    return left


def losses(server, read):
    """What a server no longer holds after it saved and loaded again, and after it died and replayed its log."""
    before = read(server.port)

    def lost(how):
        after = read(server.port)
        now = time.time() * 1000
        return [f"after {how}: {line}" for line in content.differences(living(before, now), living(after, now), limit=3)]

    with server.connect() as connection:
        connection.ask("DEBUG", "RELOAD")
    found = lost("a save and a load")
    server.kill()
    server.start()
    return found + lost("a replay of the log")


def compare_family(name_, ours, theirs, seed, count, is_valkey_9=True, limit=5, report=lambda text: None, first_episode=0):
    """Runs a family against two servers, as `ours` and `theirs` of servers.py.

    Ours needs a log and DEBUG: in the end it has to hold the same after a save and
    a load, and after its death and a replay of all that was sent.

    Returns the differences found, shrunk, and the commands that ours lacks.
    """
    pair = Pair(ours.port, theirs.port, by_value=not is_valkey_9)
    pair.hurry()
    found, done, episode = [], 0, first_episode
    lacking, unknown = missing_commands(pair, Family(name_, random.Random(0), is_valkey_9))
    known = {items[0] for _, items in Family(name_, random.Random(0), is_valkey_9).lines} - unknown - lacking
    listens = name_ == "notifications"
    counted = name_ != "pubsub" and not listens
    signatures = set()
    while done < count and len(found) < limit:
        chosen = random.Random(f"{seed}/{name_}/{episode}")
        label = f"{seed} --episode {episode}"
        # A client of RESP2 that listens may do nothing else.
        resp = 3 if listens else 2 + episode % 2
        family = Family(name_, chosen, is_valkey_9, known)
        pair.reset(resp)
        for connection in pair.connections[1:]:
            connection.exchange([request for request in PRELUDE])
            family.arguments.payloads = [value for _, value in connection.exchange([("DUMP", key) for _, key, *_ in PRELUDE]) if value]
        history = [[part.encode() for part in request] for request in PRELUDE]
        history += family.requests(min(EPISODE, count - done))
        difference = run_history(pair, history, resp, counted, with_data=True, listens=listens)
        done += len(history)
        episode += 1
        if difference:
            length, left, right = difference
            with_data = left.startswith("holds other data")
            small = shrink(pair, history[:length], resp, counted, with_data, listens)
            again = run_history(pair, small, resp, counted, with_data, listens)
            if again:
                length, left, right = again
                small = small[:length]
            signature = (name(small[-1]), left[:40], right[:40])
            if signature not in signatures:
                signatures.add(signature)
                found.append(Difference(name_, label, resp, small, brief(left), brief(right)))
                report(str(found[-1]))
            elif len(signatures) and episode > first_episode + 40 * len(signatures):
                break
    for connection in pair.connections:
        connection.close()
    if ours.is_larder:
        lost = losses(ours, pair.read)
        if lost:
            found.append(Difference(name_, f"{seed}, up to episode {episode - 1}", 2, [], "; ".join(lost), "expected as before"))
            report(str(found[-1]))
    return found, sorted(lacking - unknown), done


def all_families():
    return list(FAMILIES)


if __name__ == "__main__":
    sys.exit("This is a library: run Tools/differential.")
