"""What a server tells of its commands, beside what Valkey 9.1.2 told: Fixtures/commands.tsv."""
from typing import NamedTuple

from servers import ROOT

# The pages' sections: the category that puts a command into one, and the heading.
SECTIONS = [
    ("scripting", "Scripts and functions"), ("string", "Strings"), ("bitmap", "Bitmaps"), ("hyperloglog", "HyperLogLog"), ("hash", "Hashes"),
    ("list", "Lists"), ("set", "Sets"), ("sortedset", "Sorted sets"), ("geo", "Geo"), ("stream", "Streams"), ("pubsub", "Pub/sub"),
    ("transaction", "Transactions"), ("connection", "Connections"), ("keyspace", "Keys"),
]
BY_NAME = {"sort": "keyspace", "sort_ro": "keyspace", "object": "keyspace", "cluster": "cluster", "asking": "cluster", "readonly": "cluster",
           "readwrite": "cluster", "clusterscan": "cluster", "acl": "acl", "xgroup": "stream", "xinfo": "stream", "pubsub": "pubsub",
           "client": "connection", "script": "scripting", "function": "scripting", "command": "server", "config": "server",
           "replicaof": "replication", "slaveof": "replication", "psync": "replication", "sync": "replication", "replconf": "replication",
           "failover": "replication", "wait": "replication", "waitaof": "replication", "role": "replication"}


class Row(NamedTuple):
    """A command as COMMAND tells it."""

    name: str
    arity: int
    flags: frozenset
    keys: tuple
    categories: frozenset


def expected():
    """The rows of Valkey 9.1.2, by name."""
    rows = {}
    for line in (ROOT / "Fixtures" / "commands.tsv").read_text().splitlines()[1:]:
        name, arity, flags, first, last, step, categories = line.split("\t")
        rows[name] = Row(name, int(arity), frozenset(flags.split(",")) - {"-"}, (int(first), int(last), int(step)), frozenset(categories.split(",")))
    return rows


def described(server):
    """A running server's rows, by name, each with what it says that the command does."""
    rows = {}

    def add(told):
        name, arity, flags, first, last, step, categories, _, _, subcommands = told
        name = name.decode()
        rows[name] = Row(name, arity, frozenset(flag.decode() for flag in flags), (first, last, step),
                         frozenset(category.decode() for category in categories))
        for subcommand in subcommands:
            add(subcommand)

    with server.connect() as connection:
        connection.ask("HELLO", "3")
        for told in connection.ask("COMMAND"):
            add(told)
        summaries = {}

        def read(docs):
            for name, told in docs.items():
                summaries[name.decode()] = told[b"summary"].decode()
                read(told.get(b"subcommands", {}))

        read(connection.ask("COMMAND", "DOCS"))
    return {name: (row, summaries.get(name, "")) for name, row in rows.items()}


def section(row):
    own = BY_NAME.get(row.name.split("|")[0])
    if own:
        return own
    for category, _ in SECTIONS:
        if "@" + category in row.categories:
            return category
    return "server"


def page(found):
    """COMMANDS.md."""
    wanted = expected()
    here = sum(name in found for name in wanted)
    lines = ["# Commands", "",
             "Which commands of Valkey 9.1.2 there are. `Tools/docs` writes this page from what the server tells of itself;",
             "a test fails when it is stale.", "",
             f"{here} of {len(wanted)}, subcommands counted.", ""]
    headings = dict(SECTIONS) | {"acl": "Users", "cluster": "Cluster", "replication": "Replication", "server": "Server"}
    for key in [key for key, _ in SECTIONS] + ["acl", "replication", "cluster", "server"]:
        rows = sorted((row for row in wanted.values() if section(row) == key), key=lambda row: row.name)
        there = [row for row in rows if row.name in found]
        missing = [row.name for row in rows if row.name not in found]
        lines += [f"## {headings[key]}", ""]
        if there:
            lines += ["| command | what it does |", "|---|---|"]
            lines += [f"| `{row.name.upper().replace('|', ' ')}` | {found[row.name][1]} |" for row in there]
            lines.append("")
        if missing:
            lines += ["Not there: " + ", ".join(f"`{name.upper().replace('|', ' ')}`" for name in missing) + ".", ""]
    return "\n".join(lines)
