"""Running larder-inspect."""
import json
import os
import subprocess

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
