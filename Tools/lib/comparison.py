"""When two replies to one request count as equal.

Equal means equal bytes, except where a reply has no order, holds the time, or is
random by intent. Everything beyond that is an exception, declared below with its
reason.
"""
import re
from collections import Counter
from typing import NamedTuple

UNORDERED = {"SMEMBERS", "SINTER", "SUNION", "SDIFF", "SPOP", "KEYS", "HKEYS", "HVALS",
             "PUBSUB CHANNELS", "PUBSUB SHARDCHANNELS"}
UNORDERED_PAIRS = {"HGETALL"}
SCANS = {"SCAN": 1, "SSCAN": 1, "HSCAN": 2, "ZSCAN": 2}

# Random, of the moment, or of the server: equal when of one kind and size.
SHAPE = {"SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER", "RANDOMKEY", "TIME", "LASTSAVE", "CLIENT ID", "CLIENT LIST", "CLIENT INFO",
         "INFO", "MEMORY USAGE", "DUMP", "OBJECT FREQ", "OBJECT HELP", "DEBUG OBJECT", "ROLE", "LOLWUT"}

# Of the moment and of any size: a machine that is busy makes any request slow.
ANY_SIZE = {"SLOWLOG GET", "SLOWLOG LEN", "COMMANDLOG GET", "COMMANDLOG LEN", "LATENCY LATEST", "LATENCY HISTORY", "LATENCY HISTOGRAM", "LATENCY RESET"}

# Distances in time between asking one server and the other.
NEAR = {"TTL": 3, "EXPIRETIME": 3, "HTTL": 3, "HEXPIRETIME": 3, "OBJECT IDLETIME": 3,
        "PTTL": 3000, "PEXPIRETIME": 3000, "HPTTL": 3000, "HPEXPIRETIME": 3000}

# Answered with several replies, which come in the order of each server's own tables.
SUBSCRIPTIONS = {"PUBLISH", "SPUBLISH", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"}

# What CONFIG GET tells of the server itself, of how it was started here, and of what only Larder has.
OWN_DIRECTIVES = {b"port", b"dir", b"syslog-ident", b"appendonly", b"appendfsync",
                  b"appendcompression", b"auto-aof-rewrite-garbage-percentage", b"module-data", b"rdb-format"}

MASKED_NAMES = {b"idle", b"inactive", b"radix-tree-keys", b"radix-tree-nodes"}
PROGRAM = re.compile(rb"(?i)valkey|redis|larder")
MASKED = ("masked", None)
NUMBER = re.compile(rb"-?\d+(\.\d+)?(e[-+]?\d+)?")


class Allowance(NamedTuple):
    """One difference that is meant to be."""

    command: str        # a regular expression for the request, as quoted text
    ours: str           # and for either reply, as Python shows it
    theirs: str
    reason: str


# What may differ, and why. Keep it short: each line is a promise not kept.
EXCEPTIONS = [
    Allowance(r"HELLO", r"server", r"server", "names its own program, version, connection and modules"),
    Allowance(r"MODULE LIST", r"\(\)", r"lua", "there the interpreter of scripts is a module"),
    Allowance(r"MODULE", r"has no modules", r"enable-module-command", "there are no modules, whatever is enabled"),
    Allowance(r"WAITAOF 0", r"\*", r"\*", "Larder runs with a log here, and the other server without"),
    Allowance(r"COMMAND GETKEYS\w* PFMERGE", r"\*", r"Invalid arguments", "a merge of nothing has one key"),
    Allowance(r"COMMAND GETKEYS\w* \w+ .*", r"Invalid arguments", r"\*", "there a count like 1a is read as 1 when the keys are only asked for"),
    Allowance(r"LOLWUT", r"", r"", "draws something else, from other arguments"),
    Allowance(r"CONFIG SET maxmemory-clients \d{19}", r"memory or percent", r"", "there it wraps around, and below zero stands for percent"),
    Allowance(r"CLIENT (LIST|KILL) .*CAPA \S*\\x00", r"Unknown capa", r".", "there the letters end at the first zero byte"),
    Allowance(r"LATENCY GRAPH", r"command", r"command", "what is slow is of the moment"),
    Allowance(r"OBJECT REFCOUNT", r"1", r"2", "no value is ever shared; there the request that set it may still hold it"),
    Allowance(r"X(INFO|GROUP) HELP", r"Print this", r"Prints this", "words its help as Valkey does"),
    Allowance(r"XREAD .*\+", r".", r"Invalid stream ID", "+ stands for the last entry, as in Valkey since 8.0"),
    Allowance(r"XREAD", r"Unbalanced", r"Unbalanced", "names the command as Valkey does"),
    Allowance(r"SORT\w* .*ALPHA", r"\\x00", r"\\x00", "there a string ends at its first zero byte, so that some are alike and come in any order"),
    Allowance(r"OBJECT ENCODING w:zset", r"listpack", r"skiplist", "SORT of a sorted set turns it into a skip list there"),
]


# What Redis 7.0 does otherwise than Valkey 9, beside its words for what it refuses.
OLDER_EXCEPTIONS = [
    Allowance(r"OBJECT ENCODING", r".", r".", "small values have other encodings"),
    Allowance(r"(BITCOUNT|BITPOS|GETEX|LREM|LPOS)", r"ERR", r"", "there a key that is missing is found so before all arguments are read"),
    Allowance(r"BITCOUNT", r":", r"ERR", "there one index needs the other"),
    Allowance(r"Z\w*RANGE.*LIMIT -", r"\*", r"\*", "there an offset below zero leaves nothing; here it is none"),
    Allowance(r"SORT\w* \S+ BY [^*]*( |$)", r"\*", r"\*", "a set that is not sorted comes in its own order"),
    Allowance(r"OBJECT IDLETIME", r":", r":", "small numbers are shared there, with the time of their last use"),
    Allowance(r"SCAN .*TYPE", r"unknown type", r"\*", "there no key is of a type that there is not"),
    Allowance(r"[SHZ]?SCAN", r"invalid cursor", r"\*", "there what is no number stands for 0"),
    Allowance(r"COMMAND LIST", r"\*", r"\*", "there are other commands"),
    Allowance(r"COMMAND GETKEYSANDFLAGS", r"\*", r"\*", "fewer commands only overwrite there"),
    Allowance(r"COMMAND GETKEYS", r"\*", r"Invalid", "some commands take fewer arguments there"),
    Allowance(r"CLIENT (UNBLOCK|PAUSE)", r".", r"wrong number", "what follows is refused there"),
    Allowance(r"CONFIG GET .*\*", r"[*%]", r"[*%]", "there are other directives"),
]


def name(request):
    """The command, with its subcommand where it has one."""
    words = [part.decode("latin-1").upper() for part in request[:2]]
    if words and words[0] in ("CLIENT", "CONFIG", "PUBSUB", "OBJECT", "MEMORY", "SLOWLOG", "XINFO", "XGROUP", "COMMAND", "COMMANDLOG", "LATENCY", "DEBUG"):
        return " ".join(words)
    return words[0] if words else ""


def quoted(request):
    """A request as one would type it."""
    words = []
    for part in request:
        if re.fullmatch(rb"[!-&(-[\]-~]+", part) and b'"' not in part:
            words.append(part.decode())
        else:
            words.append('"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in part) + '"')
    return " ".join(words)


def is_error(reply):
    return reply[0] in "-!"


def shape(reply):
    mark, value = reply
    if mark in "*~>%":
        return (mark, None if value is None else len(value))
    return (mark, value is None)


def near(left, right, distance):
    if left == right:
        return True
    if left[0] != right[0] or left[1] is None or right[1] is None:
        return False
    if left[0] == ":":
        # -1 and -2 are answers, not times.
        return left[1] >= 0 and right[1] >= 0 and abs(left[1] - right[1]) <= distance
    if left[0] in "*~":
        return len(left[1]) == len(right[1]) and all(near(a, b, distance) for a, b in zip(left[1], right[1]))
    return False


def masked(reply):
    """A reply less the times in it and what tells of a server's inside."""
    mark, value = reply
    if mark == ":" and value > 1_000_000_000_000:
        return MASKED
    if mark in "*~%>" and value is not None:
        made, hide = [], False
        for item in value:
            made.append(MASKED if hide else masked(item))
            hide = item[0] in "$+" and item[1] in MASKED_NAMES
        return (mark, tuple(made))
    return reply


def pieces(reply, size):
    """The elements of a reply, or runs of them, in no order."""
    value = reply[1] or ()
    return Counter(value[i:i + size] for i in range(0, len(value), size))


def directives(reply):
    """What CONFIG GET told, less what is each server's own."""
    return Counter({pair: count for pair, count in pieces(reply, 2).items() if pair[0][1] not in OWN_DIRECTIVES})


def pushes(reply):
    """What came for one request, in no order; the counts of subscriptions left are in order."""
    left, others = [], Counter()
    for push in reply[1]:
        if push[0] in "*>" and len(push[1]) == 3 and push[1][2][0] == ":":
            left.append(push[1][2])
            push = (push[0], push[1][:2])
        others[push] += 1
    return left, others


def valued(reply):
    """A reply with numbers in one spelling."""
    mark, value = reply
    if mark in "*~%>" and value is not None:
        return (mark, tuple(map(valued, value)))
    if mark in "$," and value and NUMBER.fullmatch(value):
        return (mark, repr(float(value)).encode())
    return reply


def published(reply):
    """The messages among what came for one request; or that nothing comes any more."""
    if is_error(reply):
        return [reply]
    return [push for push in reply[1] if push[0] == ">"]


def equal(request, ours, theirs):
    if ours == theirs:
        return True
    if is_error(ours) and is_error(theirs):
        return PROGRAM.sub(b"*", ours[1]) == PROGRAM.sub(b"*", theirs[1]) or excepted(request, ours, theirs)
    if ours[0] == theirs[0] and not is_error(ours) and is_same(request, ours, theirs):
        return True
    return excepted(request, ours, theirs)


def is_same(request, ours, theirs):
    command = name(request)
    if command in ANY_SIZE:
        return True
    if command in SHAPE:
        return shape(ours) == shape(theirs)
    if command in NEAR:
        return near(ours, theirs, NEAR[command])
    if ours[0] not in "*~%>" or ours[1] is None or theirs[1] is None:
        return False
    if command.startswith("PUBSUB") and len(ours[1]) == len(theirs[1]) == 1 and ours[1][0][0] == "*":
        ours, theirs = ours[1][0], theirs[1][0]
    if command in UNORDERED:
        return pieces(ours, 1) == pieces(theirs, 1)
    if command == "CONFIG GET":
        return directives(ours) == directives(theirs)
    if command in UNORDERED_PAIRS:
        return pieces(ours, 2) == pieces(theirs, 2)
    if command in SUBSCRIPTIONS:
        return pushes(ours) == pushes(theirs)
    if command in SCANS:
        size = 1 if any(part.upper() in (b"NOVALUES", b"NOSCORES") for part in request) else SCANS[command]
        cursor = request[1] if command == "SCAN" else request[2]
        if cursor != b"0" or b"100000" not in request:
            # A cursor is each server's own business, and so is what lies before and after it.
            return len(ours[1]) == len(theirs[1]) == 2
        return ours[1][0] == theirs[1][0] and pieces(ours[1][1], size) == pieces(theirs[1][1], size)
    if command == "COMMAND" or request[1:] == [b"INFO"]:
        # All commands, in each server's own order: test_commands.py compares them one by one.
        return True
    if command == "COMMAND LIST":
        # COMMANDS.md says which are not there.
        return not pieces(ours, 1) - pieces(theirs, 1)
    if command == "COMMAND INFO":
        return described(ours) == described(theirs)
    if command == "COMMAND GETKEYSANDFLAGS":
        return described(ours) == described(theirs)
    if command == "XPENDING":
        return [row_without_idle(row) for row in ours[1]] == [row_without_idle(row) for row in theirs[1]]
    if command.startswith("XINFO"):
        return masked(ours) == masked(theirs)
    return False


def described(reply):
    """What COMMAND tells, less remarks, and with what has no order in one."""
    mark, value = reply
    if mark not in "*~%" or value is None:
        return reply
    items, skip = [], False
    for item in value:
        if skip or item == ("$", b"notes"):
            skip = not skip
            continue
        items.append(described(item))
    if items and all(item[0] in "+*~" for item in items):
        items.sort(key=repr)
    return (mark, tuple(items))


def row_without_idle(row):
    if row[0] == "*" and row[1] and len(row[1]) == 4:
        return (row[1][0], row[1][1], row[1][3])
    return row


def excepted(request, ours, theirs, exceptions=EXCEPTIONS):
    text = quoted(request)
    return any(
        re.match(exception.command, text, re.IGNORECASE) and re.search(exception.ours, repr(ours))
        and re.search(exception.theirs, repr(theirs))
        for exception in exceptions)


class Comparer:
    """Compares the replies of one connection, in order; inside a transaction, too."""

    def __init__(self, only_published=False, by_value=False):
        self.queue = None
        self.only_published = only_published
        # Older servers spell numbers with 17 digits where Valkey 9 takes as few as tell them apart.
        self.by_value = by_value

    def differs(self, request, ours, theirs):
        command = name(request)
        if self.by_value:
            ours, theirs = valued(ours), valued(theirs)
        if self.only_published:
            return published(ours) != published(theirs)
        if self.queue is not None:
            if command == "EXEC":
                queue, self.queue = self.queue, None
                if ours[0] == theirs[0] == "*" and ours[1] is not None and theirs[1] is not None \
                        and len(ours[1]) == len(theirs[1]) == len(queue):
                    return not all(self.agrees(*each) for each in zip(queue, ours[1], theirs[1]))
                return not self.agrees(request, ours, theirs)
            if command in ("DISCARD", "RESET"):
                self.queue = None
            elif ours == theirs == ("+", b"QUEUED"):
                self.queue.append(request)
        elif command == "MULTI" and ours == theirs == ("+", b"OK"):
            self.queue = []
        return not self.agrees(request, ours, theirs)

    def agrees(self, request, ours, theirs):
        if self.by_value and (is_error(ours) and is_error(theirs) or excepted(request, ours, theirs, OLDER_EXCEPTIONS)):
            return True
        return equal(request, ours, theirs)
