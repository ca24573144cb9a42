"""The command table beside Valkey's, and the page that tells what is there."""
import random

import pytest

from commands import described, expected, page
from servers import ROOT

# Facts of Larder's own rows that are meant to differ: none.


@pytest.mark.larder_only
def test_every_command_is_described_as_valkey_describes_it(larder):
    wanted = expected()
    found = described(larder())
    assert len(found) > 250
    wrong = []
    for name, (row, summary) in found.items():
        assert name in wanted, f"Valkey has no {name}"
        if row != wanted[name]:
            wrong.append(f"{row}\n  instead of\n{wanted[name]}")
        if not summary:
            wrong.append(f"{name} does not say what it does")
    assert not wrong, "\n".join(wrong)


@pytest.mark.larder_only
def test_the_page_of_commands_is_fresh(larder):
    assert (ROOT / "COMMANDS.md").read_text() == page(described(larder())), "run Tools/docs"


def without_words(docs):
    """COMMAND DOCS less what is told in each server's own words."""
    kept = {}
    for name, told in docs.items():
        kept[name] = {part: value for part, value in told.items() if part not in (b"summary", b"complexity", b"history", b"subcommands")}
        kept |= without_words(told.get(b"subcommands", {}))
    return kept


def without_summaries(arguments):
    return [{part: without_summaries(value) if part == b"arguments" else value for part, value in argument.items() if part != b"summary"}
            for argument in arguments]


@pytest.mark.larder_only
def test_the_arguments_of_every_command_are_told_as_valkey_tells_them(larder, peer):
    found = []
    for server in (larder(), peer("valkey-9.1.2")):
        with server.connect() as connection:
            connection.ask("HELLO", "3")
            docs = without_words(connection.ask("COMMAND", "DOCS"))
            for told in docs.values():
                told[b"arguments"] = without_summaries(told.get(b"arguments", []))
            found.append(docs)
    ours, theirs = found
    assert len(ours) > 300
    for name in ours:
        assert ours[name] == theirs[name], name


@pytest.mark.parametrize("words", ["", "GET", "GET u8", "GET u8 0", "OVERFLOW", "OVERFLOW WRAP", "GET u8 0 OVERFLOW", "SET u8 0 1"])
def test_a_request_of_bit_fields_reads_only_if_it_is_whole(words, larder, peer):
    told = []
    for server in (larder(), peer("valkey-9.1.2")):
        with server.connect() as connection:
            told.append(connection.exchange([("COMMAND", "GETKEYSANDFLAGS", "BITFIELD", "key", *words.split())]))
    assert told[0] == told[1]


# Random, so that nothing of it is worth compressing.
WORDS = [random.Random(number).randbytes(30) for number in range(3000)]
VALUES = {"short list": ("RPUSH", "key", "a", "b"), "list": ("RPUSH", "key", *WORDS), "large elements": ("RPUSH", "key", b"".join(WORDS), "a"),
          "string": ("SET", "key", "abc"), "set": ("SADD", "key", "1", "2"), "hash": ("HSET", "key", "field", "value")}


@pytest.mark.parametrize("options", [(), ("FAST",)])
@pytest.mark.parametrize("value", VALUES)
def test_an_object_is_described_as_valkey_describes_it(value, options, larder, peer):
    described_ = []
    for server in (larder(enable_debug_command="yes"), peer("valkey-9.1.2", enable_debug_command="yes")):
        server.ask(*VALUES[value])
        words = server.ask("DEBUG", "OBJECT", "key", *options).decode().split(" ")
        described_.append([word for word in words if not word.startswith(("at:", "lru"))])
    assert described_[0] == described_[1]


@pytest.mark.parametrize("options", [("0", "-1"), ("0", "-1", "REV"), ("-1", "1", "BYSCORE"), ("1", "-1", "BYSCORE", "REV"), ("0", "199")])
@pytest.mark.parametrize("count", [1, 200])
def test_a_stored_range_has_the_zeros_of_valkey(count, options, larder, peer):
    """A listpack has no -0, and a range is in one until a member or a count is too much for it."""
    stored = []
    for server in (larder(), peer("valkey-9.1.2")):
        with server.connect() as client:
            client.ask("ZADD", "from", *[word for number in range(count) for word in ("-0", f"a{number:03}", "-0", f"c{number:03}")], "-0", "b" * 100)
            client.ask("ZRANGESTORE", "to", "from", *options)
            stored.append(client.ask("ZRANGE", "to", "0", "-1", "WITHSCORES"))
    assert stored[0] == stored[1]


def test_a_list_of_empty_nodes_is_no_key(larder, peer):
    """Old versions wrote some; each node here is a ziplist without entries."""
    payload = bytes.fromhex("0e010b0b0000000a0000000000ff0900c26937833c7ffe6f")
    for server in (larder(), peer("valkey-9.1.2")):
        with server.connect() as client:
            assert client.exchange([("RESTORE", "key", "0", payload)])[0] == ("-", b"ERR Bad data format")
            assert client.ask("EXISTS", "key") == 0
