"""The configuration: file syntax, directives that change behaviour, CONFIG GET and SET."""
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

import pytest

from conftest import ROOT
from servers import free_port
from wire import Connection, ReplyError

FILE = r"""
# A comment.
   # An indented one.

  requirepass   "pa\x73s \"word\" \\ \t"
save
SAVE 900 1
save 300 10 60 10000
slave-priority 50
hash-max-ziplist-entries 77
zset-max-ziplist-value 33
list-max-ziplist-size -3
masterauth 'it\'s'
maxmemory 1gb
maxclients 77
timeout 5
APPENDFSYNC Always
databases 20
dbfilename "with space.rdb"
proto-max-bulk-len 2mb
client-output-buffer-limit normal 1mb 512kb 10
"""

EXPECTED = {
    "requirepass": 'pass "word" \\ \t',
    "save": "900 1 300 10 60 10000",
    "replica-priority": "50",
    "slave-priority": "50",
    "hash-max-listpack-entries": "77",
    "hash-max-ziplist-entries": "77",
    "zset-max-listpack-value": "33",
    "list-max-listpack-size": "-3",
    "masterauth": "it's",
    "maxmemory": "1073741824",
    "maxclients": "77",
    "timeout": "5",
    "appendfsync": "always",
    "databases": "20",
    "dbfilename": "with space.rdb",
    "proto-max-bulk-len": "2097152",
    "client-output-buffer-limit": "normal 1048576 524288 10 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
}


def get(connection, name):
    found = connection.ask("CONFIG", "GET", name)
    return found[1].decode() if found else None


def test_the_syntax_of_the_file(larder, tmp_path):
    config = tmp_path / "larder.conf"
    config.write_text(FILE)
    server = larder(config=config, save=None)
    with server.connect() as connection:
        assert str(connection.exchange([("GET", "a")])[0][1], "utf-8").startswith("NOAUTH")
        connection.ask("AUTH", EXPECTED["requirepass"])
        assert {name: get(connection, name) for name in EXPECTED} == EXPECTED
        connection.ask("SELECT", 19)
        connection.ask("SAVE")
    assert (server.directory / "with space.rdb").exists()


def test_arguments_come_after_the_file(larder, tmp_path):
    config = tmp_path / "larder.conf"
    config.write_text("timeout 5\nmaxmemory 1mb\n")
    with larder(config=config, timeout=9).connect() as connection:
        assert get(connection, "timeout") == "9"
        assert get(connection, "maxmemory") == "1048576"


def test_included_files(larder, tmp_path):
    (tmp_path / "more.conf").write_text("timeout 11\n")
    config = tmp_path / "larder.conf"
    config.write_text(f"timeout 5\ninclude {tmp_path}/more.conf\n")
    with larder(config=config).connect() as connection:
        assert get(connection, "timeout") == "11"


@pytest.mark.parametrize("text,count", [
    ("1", 1), ("", 0), ("kb", 0), ("1k", 1000), ("1kb", 1024), ("1M", 1000_000), ("1mB", 1 << 20), ("1g", 1000_000_000), ("1GB", 1 << 30), ("5b", 5)])
def test_units_of_memory(text, count, larder):
    with larder(maxmemory=text).connect() as connection:
        assert get(connection, "maxmemory") == str(count)


# Directives that change what the server does


def test_a_password(larder):
    server = larder(requirepass="secret")
    with server.connect() as connection:
        def error(*request):
            mark, value = connection.exchange([request])[0]
            assert mark == "-"
            return value.decode()

        assert error("GET", "a") == "NOAUTH Authentication required."
        assert error("PING") == "NOAUTH Authentication required."
        assert error("HELLO", "3").startswith("NOAUTH HELLO must be called with the client already authenticated")
        assert error("AUTH", "wrong") == "WRONGPASS invalid username-password pair or user is disabled."
        assert error("AUTH", "default", "wrong") == "WRONGPASS invalid username-password pair or user is disabled."
        assert connection.ask("AUTH", "secret") == b"OK"
        assert connection.ask("PING") == b"PONG"
        connection.ask("CONFIG", "SET", "requirepass", "")
    assert server.ask("PING") == b"PONG"
    with server.connect() as connection:
        mark, value = connection.exchange([("AUTH", "x")])[0]
        assert mark == "-" and b"AUTH <password> called without any password configured for the default user" in value


def test_hello_authenticates(larder):
    with larder(requirepass="secret").connect() as connection:
        assert connection.exchange([("HELLO", "3", "AUTH", "default", "secret", "SETNAME", "me")])[0][0] == "%"
        assert connection.ask("CLIENT", "GETNAME") == b"me"


def test_without_authentication_large_requests_are_refused(larder):
    server = larder(requirepass="secret")
    for request, text in [(b"*11\r\n", b"unauthenticated multibulk length"), (b"*2\r\n$20000\r\n", b"unauthenticated bulk length")]:
        with server.connect() as connection:
            connection.send(request)
            assert connection.reply() == ("-", b"ERR Protocol error: " + text)


def test_a_unix_socket(larder, tmp_path):
    # Socket paths are short; those of temporary directories may not be.
    path = f"/tmp/larder-{os.getpid()}-{free_port()}.sock"
    server = larder(unixsocket=path, unixsocketperm="700")
    try:
        assert os.stat(path).st_mode & 0o777 == 0o700
        with Connection(path=path) as connection:
            assert connection.ask("PING") == b"PONG"
        assert server.ask("PING") == b"PONG"
        assert server.stop() == 0
        assert not os.path.exists(path)
    finally:
        if os.path.exists(path):
            os.unlink(path)


def test_only_a_unix_socket(larder):
    path = f"/tmp/larder-{os.getpid()}-{free_port()}.sock"
    try:
        larder(port=0, unixsocket=path)
        with Connection(path=path) as connection:
            assert connection.ask("PING") == b"PONG"
    finally:
        if os.path.exists(path):
            os.unlink(path)


def test_a_stale_unix_socket_is_replaced(larder):
    path = f"/tmp/larder-{os.getpid()}-{free_port()}.sock"
    try:
        server = larder(unixsocket=path)
        server.kill()
        assert os.path.exists(path)
        server.start()
        with Connection(path=path) as connection:
            assert connection.ask("PING") == b"PONG"
    finally:
        if os.path.exists(path):
            os.unlink(path)


def test_pid_file_and_log_file(larder):
    server = larder(start=False, logfile="server.log")
    server.options["pidfile"] = server.directory / "server.pid"
    server.start()
    assert (server.directory / "server.pid").read_text().strip() == str(server.process.pid)
    assert "Ready to accept connections" in (server.directory / "server.log").read_text()
    assert "Ready to accept" not in server.output.read_text()
    assert server.stop() == 0
    assert not (server.directory / "server.pid").exists()


def test_daemonize(larder):
    server = larder(start=False, logfile="server.log", daemonize="yes")
    pid_file = server.directory / "server.pid"
    server.options["pidfile"] = pid_file
    server.launch()
    assert server.process.wait(20) == 0
    limit = time.monotonic() + 20
    while "Ready to accept" not in server.log() and time.monotonic() < limit:
        time.sleep(0.01)
    pid = int(pid_file.read_text())
    try:
        assert pid != server.process.pid
        assert server.ask("PING") == b"PONG"
        assert f"process_id:{pid}".encode() in server.ask("INFO", "server")
        os.kill(pid, signal.SIGTERM)
        limit = time.monotonic() + 20
        while os.path.exists(f"/proc/{pid}/exe") and time.monotonic() < limit:
            time.sleep(0.01)
        assert not pid_file.exists()
    finally:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def test_one_client_too_many(larder):
    server = larder(maxclients=5)
    connections = [server.connect() for _ in range(5)]
    for connection in connections:
        assert connection.ask("PING") == b"PONG"
    extra = server.connect()
    assert extra.raw_until_closed() == b"-ERR max number of clients reached\r\n"
    connections.pop().close()
    time.sleep(0.2)
    assert server.ask("PING") == b"PONG"


def test_idle_clients_are_closed(larder):
    server = larder(timeout=1)
    idle, busy = server.connect(timeout=10), server.connect()
    idle.ask("PING")
    started = time.monotonic()
    while time.monotonic() - started < 3:
        busy.ask("PING")
        time.sleep(0.2)
    assert idle.raw_until_closed() == b""
    assert busy.ask("PING") == b"PONG"


def test_databases(larder):
    with larder(databases=3).connect() as connection:
        assert connection.ask("SELECT", 2) == b"OK"
        assert connection.exchange([("SELECT", 3)])[0] == ("-", b"ERR DB index is out of range")


def test_the_address_to_bind(larder):
    server = larder(bind="127.0.0.1")
    assert server.ask("PING") == b"PONG"
    with pytest.raises(OSError):
        socket.create_connection(("::1", server.port), 2)


@pytest.mark.parametrize("addresses", [" ", "127.0.0.1  -::1", "127.0.0.1 ", "192.0.2.1"])
def test_addresses_that_cannot_be_had_leave_the_old_ones(addresses, larder):
    server = larder()
    with server.connect() as client:
        with pytest.raises(ReplyError, match="Failed to bind to specified addresses"):
            client.ask("CONFIG", "SET", "bind", addresses)
        assert client.ask("CONFIG", "GET", "bind") == [b"bind", b"* -::*"]
    assert server.ask("PING") == b"PONG"


@pytest.mark.parametrize("level", ["debug", "verbose", "notice", "warning"])
def test_levels_of_the_log(level, larder):
    server = larder(start=False, loglevel=level)
    if level == "warning":
        # Then nothing says that it is ready.
        server.launch()
        for _ in range(500):
            try:
                server.connect().close()
                break
            except OSError:
                time.sleep(0.02)
        assert server.ask("PING") == b"PONG"
        assert "Ready to accept" not in server.log()
    else:
        server.start()
        assert "Ready to accept" in server.log()


PROTECTED = """
import sys, json
sys.path.insert(0, sys.argv[1])
from test_configuration import protected_replies
print(json.dumps(protected_replies(sys.argv[2])))
"""


def interface(name, address=None):
    """Brings an interface of this network namespace up, with an address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        if address:
            packed = struct.pack("16sH2s4s8s", name.encode(), socket.AF_INET, b"\0\0", socket.inet_aton(address), b"\0" * 8)
            fcntl.ioctl(control, 0x8916, packed)  # SIOCSIFADDR
        fcntl.ioctl(control, 0x8914, struct.pack("16sh", name.encode(), 0x1 | 0x40))  # SIOCSIFFLAGS, up and running


def protected_replies(binary):
    """What a server says to a stranger and to a neighbour; runs in a network namespace of its own."""
    from servers import Server
    interface("lo")
    interface("lo:1", "192.0.2.1")

    def answer(port, address):
        with socket.create_connection((address, port), 5) as connection:
            connection.settimeout(5)
            connection.sendall(b"PING\r\n")
            return connection.recv(4096).decode()

    replies = {}
    for name, options in {"open": {}, "password": {"requirepass": "x"}, "off": {"protected_mode": "no"}}.items():
        with Server(binary, **options) as server:
            replies[name] = [answer(server.port, "127.0.0.1"), answer(server.port, "192.0.2.1")]
    return replies


def test_protected_mode(larder):
    """Without a password only this machine is served, and a stranger is told why."""
    unshare = [shutil.which("unshare") or "unshare", "--net", "--map-root-user"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("this machine does not let us make a network namespace, and no stranger can call from loopback")
    done = subprocess.run([*unshare, sys.executable, "-c", PROTECTED, ROOT / "Tests" / "EndToEnd", larder(start=False).binary],
                          capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT / "Tools" / "lib")})
    assert done.returncode == 0, done.stderr
    replies = json.loads(done.stdout)
    neighbour, stranger = replies["open"]
    assert neighbour == "+PONG\r\n"
    assert stranger.startswith("-DENIED ") and "protected mode" in stranger and stranger.endswith("\r\n")
    assert stranger.count("\r\n") == 1
    assert replies["password"] == ["-NOAUTH Authentication required.\r\n"] * 2
    assert replies["off"] == ["+PONG\r\n"] * 2


# CONFIG GET and SET, beside a real Valkey

REQUESTS = [
    ("CONFIG", "SET", "nosuch", "1"), ("CONFIG", "SET", "port", "abc"), ("CONFIG", "SET", "appendfsync", "x"),
    ("CONFIG", "SET", "databases", "5"), ("CONFIG", "SET", "save", "1 x"), ("CONFIG", "SET", "timeout", "-1"), ("CONFIG", "SET"),
    ("CONFIG", "SET", "a"), ("CONFIG", "GET"), ("CONFIG", "FOO"), ("CONFIG", "SET", "timeout", "1", "timeout", "2"),
    ("CONFIG", "SET", "maxmemory", "1zb"), ("CONFIG", "SET", "appendonly", "maybe"), ("CONFIG", "SET", "maxmemory-policy", "x"),
    ("CONFIG", "SET", "timeout", "7", "nosuch", "2"), ("CONFIG", "GET", "timeout"), ("CONFIG", "SET", "TIMEOUT", "8"),
    ("CONFIG", "GET", "Timeout"), ("CONFIG", "RESETSTAT"), ("CONFIG", "SET", "proto-max-bulk-len", "1"),
    ("CONFIG", "SET", "timeout", "30", "loglevel", "verbose"), ("CONFIG", "GET", "loglevel"), ("CONFIG", "GET", "nosuch"),
    ("CONFIG", "SET", "save", ""), ("CONFIG", "GET", "save"), ("CONFIG", "SET", "save", "60 100 3600 1"), ("CONFIG", "GET", "save"),
    ("CONFIG", "GET", "maxmemory"), ("CONFIG", "SET", "maxmemory", "100mb"), ("CONFIG", "GET", "maxmemory"),
    ("CONFIG", "GET", "appendonly"), ("CONFIG", "GET", "hash-max-listpack-*"), ("CONFIG", "SET", "hash-max-ziplist-value", "99"),
    ("CONFIG", "GET", "hash-max-*-value"), ("CONFIG", "GET", "slave-priority"), ("CONFIG", "SET", "slave-priority", "44"),
    ("CONFIG", "GET", "replica-priority"), ("CONFIG", "GET", "set-max-intset-entries"), ("CONFIG", "SET", "requirepass", "p"),
    ("CONFIG", "GET", "requirepass"), ("CONFIG", "SET", "requirepass", ""), ("CONFIG", "GET", "appendfsync"),
    ("CONFIG", "SET", "appendfsync", "no"), ("CONFIG", "GET", "appendfsync"), ("CONFIG", "GET", "maxclients"),
    ("CONFIG", "SET", "maxclients", "0"), ("CONFIG", "SET", "dbfilename", "a/b"), ("CONFIG", "SET", "dbfilename", "other.rdb"),
    ("CONFIG", "GET", "dbfilename"), ("CONFIG", "SET", "dir", "/nonexistent"),
    # Not listed, and told when asked by name.
    ("CONFIG", "GET", "rdb-key-save-*"), ("CONFIG", "GET", "rdb-key-save-delay", "watchdog-period", "lua-enable-insecure-api"),
    ("CONFIG", "SET", "rdb-key-save-delay", "-1"), ("CONFIG", "SET", "key-load-delay", "99999999999"), ("CONFIG", "SET", "enable-debug-assert", "yes"),
    *(("CONFIG", "SET", "client-output-buffer-limit", limits) for limits in ("", " ", "   ", "normal  0 0 0", "normal 0 0 0 ", "normal 0 0 0")),
]


def as_set(reply):
    """CONFIG GET lists pairs in no particular order."""
    mark, value = reply
    return (mark, frozenset(zip(value[::2], value[1::2]))) if mark == "*" else reply


def test_config_is_answered_as_valkey_does(larder, peer):
    found = []
    options = {"enable_protected_configs": "yes"}
    ours, theirs = larder(**options), peer("valkey-9.1.2", **options)
    with ours.connect() as left, theirs.connect() as right:
        for request in REQUESTS:
            mine, real = as_set(left.exchange([request])[0]), as_set(right.exchange([request])[0])
            if mine != real:
                found.append(f"{request}\n    ours:   {mine}\n    theirs: {real}")
    assert not found, "\n".join(["", *found])


def test_defaults_are_those_of_valkey(larder, peer):
    """Every directive that both know has the same value at start; ours may know fewer."""
    own = {"port", "dir", "syslog-ident", "logfile", "pidfile", "unixsocket", "save", "bind-source-addr", "server-cpulist",
           # The kernel's and the machine's, and what belongs to the log's own design.
           "tcp-backlog", "maxclients", "io-threads", "hz", "appendcompression", "rdb-version-check", "jemalloc-bg-thread"}
    with larder().connect() as connection:
        ours = connection.ask("CONFIG", "GET", "*")
    with peer("valkey-9.1.2").connect() as connection:
        theirs = connection.ask("CONFIG", "GET", "*")
    ours, theirs = (dict(zip(told[::2], told[1::2])) for told in (ours, theirs))
    both = {name for name in ours.keys() & theirs.keys() if name.decode() not in own}
    assert len(both) > 20
    assert {name: ours[name] for name in both} == {name: theirs[name] for name in both}


def test_config_set_changes_what_happens(larder):
    with larder().connect() as connection:
        connection.ask("CONFIG", "SET", "appendonly", "yes")
        connection.ask("SET", "a", "1")
        assert b"aof_enabled:1" in connection.ask("INFO", "persistence")


def test_the_log_switched_on_while_running_holds_everything(larder):
    server = larder()
    with server.connect() as connection:
        connection.pipeline([("SET", f"before:{i}", i) for i in range(1000)])
        connection.ask("CONFIG", "SET", "appendonly", "yes")
        limit = time.monotonic() + 20
        while time.monotonic() < limit:
            told = connection.ask("INFO", "persistence")
            if b"aof_rewrite_in_progress:0" in told and b"aof_rewrite_scheduled:0" in told:
                break
            time.sleep(0.02)
        connection.pipeline([("SET", f"after:{i}", i) for i in range(1000)])
    server.kill()
    server.options["appendonly"] = "yes"
    server.start()
    assert server.ask("DBSIZE") == 2000


def test_an_unknown_option_of_config_set_changes_nothing(larder):
    with larder(timeout=3).connect() as connection:
        with pytest.raises(ReplyError):
            connection.ask("CONFIG", "SET", "timeout", "9", "maxmemory", "lots")
        assert get(connection, "timeout") == "3"
