"""Tasks of Celery from one process to a worker and back."""
import os
import subprocess
import sys

import tasks
from celery import chord, group

command = [sys.executable, "-m", "celery", "-A", "tasks", "worker", "--loglevel", "WARNING", "--concurrency", "2", "--pool", "threads",
           "--without-heartbeat"]
has_scripts = "WITHOUT_SCRIPTS" not in os.environ
if not has_scripts:
    command += ["--without-mingle", "--without-gossip"]
worker = subprocess.Popen(command)
try:
    results = [tasks.multiply.delay(number, 3) for number in range(20)]
    assert [result.get(timeout=60) for result in results] == [number * 3 for number in range(20)]
    assert group(tasks.multiply.s(2, number) for number in range(5))().get(timeout=60) == [0, 2, 4, 6, 8]
    if has_scripts:
        # Whether all parts of a chord are there is counted by a script.
        assert chord((tasks.multiply.s(1, number) for number in range(4)), tasks.total.s())().get(timeout=60) == 6
    assert tasks.third_time_lucky.delay().get(timeout=60) == 2
finally:
    worker.terminate()
    worker.wait(60)
print("round trip done")
