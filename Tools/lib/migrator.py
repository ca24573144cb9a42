"""Running larder-migrate."""
import json
import os
import subprocess

from servers import ROOT

LOSSLESS, FAILED, MISUSED, LOSSY = 0, 1, 2, 3


def migrate_binary():
    return os.environ.get("LARDER_MIGRATE") or str(ROOT / ".build" / "release" / "larder-migrate")


def migrate(*arguments, expect=LOSSLESS, timeout=300):
    """Runs the program to its end and checks its exit code; returns what it printed."""
    done = subprocess.run([migrate_binary(), *map(str, arguments)], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == expect, \
        f"{arguments} exited with {done.returncode}, not {expect}:\n{done.stdout}\n{done.stderr}"
    return done


def load(files, server, *options, expect=LOSSLESS, timeout=300):
    """`load --json` into a server (or the URL of one); returns the outcome."""
    files = files if isinstance(files, (list, tuple)) else [files]
    done = migrate("load", *files, "--into", url(server), "--json", *options, expect=expect, timeout=timeout)
    return json.loads(done.stdout) if done.stdout else done.stderr


def url(server):
    return server if isinstance(server, str) else f"redis://127.0.0.1:{server.port}"
