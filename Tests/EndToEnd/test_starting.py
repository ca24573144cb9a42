"""Coming up, going down, and saying what is wrong when it does not work."""
import os
import signal
import socket
import subprocess
import time

import pytest


def exit_of(server, within=20):
    """Starts what cannot start; its exit code and what it said."""
    server.launch()
    code = server.process.wait(within)
    return code, server.log()


def wait_for(condition, what, within=10):
    limit = time.monotonic() + within
    while time.monotonic() < limit:
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError(f"{what}: not within {within} s")


# Errors


def test_a_taken_port_is_named(larder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = exit_of(larder(start=False, port=port, bind="127.0.0.1"))
    assert code == 1
    assert str(port) in said and "in use" in said
    assert "Ready to accept" not in said


def test_a_missing_directory_is_named(larder, tmp_path):
    code, said = exit_of(larder(start=False, dir=tmp_path / "nowhere"))
    assert code == 1
    assert "nowhere" in said and "No such file or directory" in said


def test_a_file_in_place_of_the_directory_is_named(larder, tmp_path):
    (tmp_path / "file").write_text("not a directory")
    code, said = exit_of(larder(start=False, dir=tmp_path / "file"))
    assert code == 1
    assert str(tmp_path / "file") in said and "Not a directory" in said


DAMAGES = {
    "not an RDB file": lambda data: b"this is not a dump at all, and has never been one",
    "cut in the middle": lambda data: data[:len(data) // 2],
    "cut before the checksum": lambda data: data[:-8],
    "one bit flipped": lambda data: data[:len(data) // 2] + bytes([data[len(data) // 2] ^ 0x10]) + data[len(data) // 2 + 1:],
    "from the future": lambda data: b"REDIS9999" + data[9:],
    "only the header": lambda data: data[:9],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_dump_stops_the_start(damage, larder):
    server = larder()
    with server.connect() as connection:
        connection.pipeline([("SET", f"key:{i}", "value" * 20) for i in range(200)])
        dump = server.save()
    server.kill()
    damaged = DAMAGES[damage](dump.read_bytes())
    dump.write_bytes(damaged)
    (server.directory / "server.out").unlink()
    code, said = exit_of(server)
    assert code == 1
    assert "Ready to accept" not in said
    if server.is_larder:
        complaints = [line for line in said.splitlines() if "dump.rdb" in line]
        assert complaints, "no line names the file"
    assert dump.read_bytes() == damaged, "a damaged file is evidence: it stays as it was"


def test_an_empty_dump_file_is_damaged_too(larder):
    server = larder(start=False)
    (server.directory / "dump.rdb").touch()
    code, said = exit_of(server)
    assert code == 1
    assert "Ready to accept" not in said


CONFIGURATION_ERRORS = [
    ("port 7000\n\n# x\nmaxmemroy 1gb\n", "line 4", "maxmemroy 1gb", "Bad directive or wrong number of arguments"),
    ("port abc\n", "line 1", "port abc", "argument couldn't be parsed into an integer"),
    ("port 99999\n", "line 1", "port 99999", "argument must be between 0 and 65535 inclusive"),
    ('save "3600\n', "line 1", 'save "3600', "Unbalanced quotes in configuration line"),
    ("appendfsync sometimes\n", "line 1", "appendfsync sometimes", "one of the following: everysec, always, no"),
    ("maxmemory 12xb\n", "line 1", "maxmemory 12xb", "argument must be a memory value"),
    ("appendonly maybe\n", "line 1", "appendonly maybe", "argument must be 'yes' or 'no'"),
    ("save 60 x\n", "line 1", "save 60 x", "Invalid save parameters"),
    ("port\n", "line 1", "port", "wrong number of arguments"),
    ("shutdown-on-sigint\n", "line 1", "shutdown-on-sigint", "argument(s) must be one of the following"),
    ("timeout 1 2\n", "line 1", "timeout 1 2", "wrong number of arguments"),
    ("databases 0\n", "line 1", "databases 0", "argument must be between 1 and"),
    ("loglevel loud\n", "line 1", "loglevel loud", "argument(s) must be one of the following"),
]


@pytest.mark.parametrize("text,line,quoted,reason", CONFIGURATION_ERRORS, ids=lambda value: value if "\n" not in value else "")
def test_a_wrong_line_of_the_configuration_is_quoted(text, line, quoted, reason, larder, tmp_path):
    config = tmp_path / "wrong.conf"
    config.write_text(text)
    server = larder(start=False, config=config, dir=None, save=None, port=None)
    server.command_line = lambda: [server.binary, str(config)]
    code, said = exit_of(server)
    assert code == 1
    assert "FATAL CONFIG FILE ERROR" in said
    assert f"Reading the configuration file, at {line}" in said
    assert f">>> '{quoted}'" in said
    assert reason in said


@pytest.mark.parametrize("wrong,nearest", [("maxmemroy", "maxmemory"), ("appendonyl", "appendonly"), ("apendfsync", "appendfsync")])
def test_an_unknown_directive_is_named(wrong, nearest, larder):
    server = larder(start=False, **{wrong: "1gb"})
    code, said = exit_of(server)
    assert code == 1
    assert wrong in said
    if server.is_larder:
        assert nearest in said


def test_a_missing_configuration_file_is_named(larder, tmp_path):
    server = larder(start=False, config=tmp_path / "nowhere.conf")
    code, said = exit_of(server)
    assert code == 1
    assert "nowhere.conf" in said and "No such file or directory" in said


# Coming up


def test_the_lines_that_supervisors_wait_for(larder):
    said = larder(appendonly="yes").log()
    for line in ["Server initialized", "Ready to accept connections"]:
        assert line in said
    if larder().is_larder:
        assert "Ready to accept connections tcp" in said
    line = next(line for line in said.splitlines() if "Server initialized" in line)
    # 12345:M 24 Nov 2026 10:11:12.131 * Server initialized
    process, *_ = line.split(":")
    assert process.isdigit()
    assert " * " in line or " # " in line


def test_version_and_help(larder):
    binary = larder(start=False).binary
    for option in ("--version", "-v"):
        done = subprocess.run([binary, option], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0 and "v=" in done.stdout
    for option in ("--help", "-h"):
        done = subprocess.run([binary, option], capture_output=True, text=True, timeout=20)
        assert "Usage:" in done.stdout + done.stderr


def test_configuration_from_standard_input(larder):
    server = larder(start=False)
    done = subprocess.run([server.binary, "-"], input="maxmemroy 1\n", capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and "maxmemroy" in done.stdout + done.stderr


# Going down


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_where_there_are_save_points(number, larder):
    server = larder(save="3600 1")
    server.ask("SET", "key", "kept")
    assert server.stop(number) == 0
    assert (server.directory / "dump.rdb").exists()
    server.start()
    assert server.ask("GET", "key") == b"kept"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_does_not_save_without_save_points(number, larder):
    server = larder(save="")
    server.ask("SET", "key", "value")
    assert server.stop(number) == 0
    assert not (server.directory / "dump.rdb").exists()


def test_nothing_temporary_is_left_behind(larder):
    server = larder(save="3600 1", appendonly="yes")
    with server.connect() as connection:
        connection.pipeline([("SET", f"key:{i}", i) for i in range(1000)])
        connection.ask("SAVE")
    assert server.stop() == 0
    assert not [name for name in os.listdir(server.directory) if "temp" in name or "tmp" in name]


def test_the_log_is_complete_after_a_signal(larder):
    server = larder(appendonly="yes", appendfsync="no")
    with server.connect() as connection:
        connection.pipeline([("RPUSH", "list", i) for i in range(10_000)])
    assert server.stop() == 0
    server.start()
    assert server.ask("LLEN", "list") == 10_000


@pytest.mark.parametrize("words,saved", [((), True), (("SAVE",), True), (("NOSAVE",), False)])
def test_shutdown(words, saved, larder):
    server = larder(save="3600 1")
    with server.connect() as connection:
        connection.ask("SET", "key", "value")
        connection.send(b" ".join([b"SHUTDOWN", *(w.encode() for w in words)]) + b"\r\n")
        assert connection.raw_until_closed() == b""
    assert server.process.wait(20) == 0
    assert (server.directory / "dump.rdb").exists() == saved


def test_save_points_save_by_themselves(larder):
    server = larder(save="1 10")
    with server.connect() as connection:
        connection.pipeline([("SET", f"key:{i}", i) for i in range(20)])
    wait_for(lambda: (server.directory / "dump.rdb").exists(), "the save after 10 changes in a second")
    server.kill()
    server.start()
    assert server.ask("DBSIZE") == 20


def test_an_empty_environment_is_enough(larder):
    server = larder(start=False, prefix=["/usr/bin/env", "-i"])
    server.start()
    assert server.ask("PING") == b"PONG"
