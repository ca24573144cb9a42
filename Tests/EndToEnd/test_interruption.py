"""Ctrl-C and SIGTERM: one ending for all that reads or waits, nothing half made, and what was sent is noted."""
import array
import contextlib
import fcntl
import os
import signal
import socket
import termios

import pytest

from migrator import FAILED, load, start, url, verify, wait_until
from servers import Server, peer_binary

COUNT = 20_000


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A server with a few megabytes, and its dump."""
    folder = tmp_path_factory.mktemp("source")
    with Server(peer_binary("redis-8.2.3"), directory=folder, rdbcompression="no") as server:
        with server.connect() as connection:
            connection.pipeline([("SET", f"key:{n}", f"{n:0200d}") for n in range(COUNT)])
        yield server, server.save().read_bytes()


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@contextlib.contextmanager
def given(pipe, contents):
    """Somebody who reads `pipe` has had `contents`, and waits for more that does not come."""
    with open(pipe, "wb", buffering=0) as end:
        end.write(contents)
        unread = array.array("i", [1])

        def is_read():
            fcntl.ioctl(end, termios.FIONREAD, unread)
            return unread[0] == 0

        wait_until(is_read)
        yield


def interrupt(running, number):
    """Asks the program to end; returns what it said about that."""
    running.send_signal(number)
    try:
        printed, said = running.communicate(timeout=30)
    finally:
        running.kill()
    assert (running.returncode, printed) == (FAILED, "")
    assert said.startswith("larder-migrate: interrupted") and said.count("\n") == 1, said
    return said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("arguments", [
    ["plan", "PIPE", "--to", "valkey-9.1"], ["plan", "PIPE", "--to", "valkey-9.1", "--salvage"],
    ["convert", "PIPE", "-o", "FOLDER/out.rdb", "--to", "valkey-9.1"],
    ["convert", "PIPE", "-o", "FOLDER/out/", "--to", "valkey-9.1"],
    ["convert", "PIPE", "-o", "FOLDER/out.rdb", "--to", "valkey-9.1", "--salvage"],
    ["load", "PIPE", "--into", "redis://127.0.0.1:1"], ["verify", "PIPE", "PIPE"],
], ids=lambda arguments: "-".join(word.strip("-") for word in arguments if "/" not in word and word != "PIPE"))
def test_a_program_that_reads_ends(arguments, number, source, pipe, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    _, dump = source
    names = {"PIPE": str(pipe), "FOLDER": str(tmp_path)}
    running = start(*(word if word not in names else names[word] for word in
                      (word.replace("FOLDER", str(tmp_path)) for word in arguments)))
    with given(pipe, dump[:len(dump) // 2]):
        interrupt(running, number)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pipe", "scratch"]
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("arguments", [["load", "DUMP", "--into", "URL"], ["verify", "URL", "DUMP"]],
                         ids=lambda arguments: arguments[0])
def test_a_program_that_waits_for_its_first_reply_ends(arguments, source, tmp_path):
    (tmp_path / "dump.rdb").write_bytes(source[1])
    with socket.create_server(("127.0.0.1", 0)) as silent:
        names = {"DUMP": tmp_path / "dump.rdb", "URL": f"redis://127.0.0.1:{silent.getsockname()[1]}"}
        running = start(*(names.get(word, word) for word in arguments))
        connection, _ = silent.accept()
        with connection:
            connection.recv(1)
            interrupt(running, signal.SIGINT)
    assert [path.name for path in tmp_path.iterdir()] == ["dump.rdb"]


def test_a_load_that_reads_notes_where_it_was(source, peer, pipe, tmp_path):
    server, dump = source
    target = peer("valkey-9.1.2")
    running = start("load", pipe, "--into", url(target))
    # Once to look for damage, before it connects; then to load.
    pipe.write_bytes(dump)
    wait_until(lambda: b"name=larder-migrate" in target.ask("CLIENT", "LIST"))
    with given(pipe, dump[:len(dump) // 2]):
        wait_until(lambda: target.ask("DBSIZE") > 100)
        said = interrupt(running, signal.SIGINT)
    assert f"{pipe}.larder-load" in said
    goes_on(server, dump, target, f"{pipe}.larder-load", tmp_path)


def test_a_load_that_waits_for_replies_notes_where_it_was(source, peer, tmp_path):
    server, dump = source
    target = peer("valkey-9.1.2")
    path = tmp_path / "half.rdb"
    path.write_bytes(dump)
    running = start("load", path, "--into", url(target), "--rate", "512kb")
    wait_until(lambda: target.ask("DBSIZE") > 100)
    target.process.send_signal(signal.SIGSTOP)
    try:
        said = interrupt(running, signal.SIGINT)
    finally:
        target.process.send_signal(signal.SIGCONT)
    assert f"{path}.larder-load" in said
    goes_on(server, dump, target, f"{path}.larder-load", tmp_path)


def goes_on(server, dump, target, note, folder):
    """Another load does what is left, and nothing twice."""
    (folder / "dump.rdb").write_bytes(dump)
    outcome = load(folder / "dump.rdb", target, "--state", note)
    assert COUNT == outcome["done_before"] + outcome["loaded"] == target.ask("DBSIZE")
    assert not os.path.exists(note)
    verify(server, target)
