"""Jobs of RQ from one process to a worker and back."""
import os
import subprocess
import sys

import tasks
from redis import Redis
from rq import Queue
from rq.job import Job

connection = Redis(port=int(os.environ["REDIS_PORT"]))
queue = Queue(connection=connection)
jobs = [queue.enqueue(tasks.add, number, 1000) for number in range(20)]
failing = queue.enqueue(tasks.fail)
first = queue.enqueue(tasks.add, 1, 2)
second = queue.enqueue(tasks.add, 3, 4, depends_on=first)
assert len(queue) == 22, len(queue)
worker = [sys.executable, "-m", "rq.cli", "worker", "--burst", "--url", f"redis://127.0.0.1:{os.environ['REDIS_PORT']}"]
subprocess.run(worker, check=True, timeout=100)
for number, job in enumerate(jobs):
    assert job.get_status(refresh=True) == "finished", (number, job.get_status())
    assert job.return_value() == number + 1000
assert failing.get_status(refresh=True) == "failed"
assert second.get_status(refresh=True) == "finished" and second.return_value() == 7
assert len(queue) == 0
assert Job.fetch(jobs[0].id, connection=connection).return_value() == 1000
print("round trip done")
