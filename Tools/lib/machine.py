"""What a page of measurements says of where they were made."""
import os
import platform
import re
import subprocess
from pathlib import Path

from servers import ROOT


def hardware():
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = int(re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE).group(1)) >> 20
    return f"{model.group(1) if model else platform.processor()}, {os.cpu_count()} cores, {memory} GiB, Linux {platform.release()}"


def commit():
    done = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip()


def described():
    """Machine, commit and how busy the machine is already."""
    return f"{hardware()}; commit {commit()}; load average {os.getloadavg()[0]:.1f} when it began"
