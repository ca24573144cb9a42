"""What a program takes: CPU seconds, time, memory."""
import os
import subprocess
import time
from pathlib import Path


def peak(pid):
    """The most memory it had so far, in MiB; a process that has ended has none to tell."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def run(command, stdin=subprocess.DEVNULL, accepted=(0,)):
    """CPU seconds, elapsed seconds and peak memory in MiB."""
    start = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # The kernel's own figure of a child that ended has this program's memory in it.
    memory = 0
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        memory = max(memory, peak(process.pid))
        time.sleep(0.005)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in accepted:
        raise SystemExit(f"{' '.join(map(str, command))} failed")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - start, memory


def best(command, runs, accepted=(0,)):
    """The same of several runs: the least time, the most memory."""
    found = [run(command, accepted=accepted) for _ in range(runs)]
    return min(one[0] for one in found), min(one[1] for one in found), max(one[2] for one in found)
