"""Running larder-migrate."""
import json
import os
import subprocess
import time

from servers import ROOT

LOSSLESS, FAILED, MISUSED, LOSSY = 0, 1, 2, 3
SAME, DIFFERENT = LOSSLESS, FAILED


def migrate_binary():
    return os.environ.get("LARDER_MIGRATE") or str(ROOT / ".build" / "release" / "larder-migrate")


def migrate(*arguments, expect=LOSSLESS, timeout=300):
    """Runs the program to its end and checks its exit code (one, or one of several); returns what it printed."""
    done = subprocess.run([migrate_binary(), *map(str, arguments)], capture_output=True, text=True, timeout=timeout)
    assert done.returncode in (expect if isinstance(expect, tuple) else (expect,)), \
        f"{arguments} exited with {done.returncode}, not {expect}:\n{done.stdout}\n{done.stderr}"
    return done


def start(*arguments):
    """The program, going on by itself."""
    return subprocess.Popen([migrate_binary(), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)


def wait_until(condition, within=60.0):
    limit = time.monotonic() + within
    while not condition():
        assert time.monotonic() < limit, "it did not come to that"
        time.sleep(0.01)


def load(files, server, *options, expect=LOSSLESS, timeout=300):
    """`load --json` into a server (or the URL of one); returns the outcome."""
    files = files if isinstance(files, (list, tuple)) else [files]
    done = migrate("load", *files, "--into", url(server), "--json", *options, expect=expect, timeout=timeout)
    return json.loads(done.stdout) if done.stdout else done.stderr


def verify(first, *second, options=(), expect=SAME, timeout=300):
    """`verify --json` of files and servers; returns the summary, and the differences."""
    done = migrate("verify", url(first), *map(url, second), "--json", *options, expect=expect, timeout=timeout)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines, done.stderr
    return lines[-1]["summary"], lines[:-1]


def url(server):
    """What names a server on a command line; a file's name stays as it is."""
    return f"redis://127.0.0.1:{server.port}" if hasattr(server, "port") else str(server)
