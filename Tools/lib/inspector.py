"""Running larder-inspect."""
import json
import os
import subprocess
import sys

from servers import ROOT


def inspector():
    return os.environ.get("LARDER_INSPECT") or str(ROOT / ".build" / "release" / "larder-inspect")


def inspect(*arguments, code=0, **options):
    """Its standard output; any other exit code than `code` is a failure with what it said."""
    done = subprocess.run([inspector(), *map(str, arguments)], capture_output=True, text=True, **options)
    if done.returncode != code:
        raise AssertionError(f"exit {done.returncode}, not {code}: larder-inspect {' '.join(map(str, arguments))}\n"
                             f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def inspect_json(*arguments, code=0):
    return json.loads(inspect(*arguments, "--json", code=code))


def peak_memory(*command, code=0):
    """Bytes that a program had in memory at most.

    Asked for by a small process: a child counts what its parent had when it was born.
    """
    asking = ("import os, subprocess, sys; process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL);"
              "_, status, usage = os.wait4(process.pid, 0); print(status, usage.ru_maxrss)")
    done = subprocess.run([sys.executable, "-c", asking, *map(str, command)], capture_output=True, text=True, check=True)
    status, kilobytes = map(int, done.stdout.split())
    assert os.waitstatus_to_exitcode(status) == code, command
    return kilobytes << 10
