"""Job queues that keep their jobs in a Redis, with their own workers."""
import os
import subprocess
from pathlib import Path

import pytest

import scope
from servers import ROOT, is_larder, larder_binary

JOBS = Path(__file__).resolve().parent / "jobs"


@pytest.fixture(scope="session")
def job_python():
    done = subprocess.run([ROOT / "Tools" / "peers", "--job-python"], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("program", ["rq_round_trip.py", "celery_round_trip.py"])
def test_jobs_come_back_done(program, larder, job_python, tmp_path):
    server = larder(appendonly="yes")
    environment = {**os.environ, "REDIS_PORT": str(server.port), "PYTHONPATH": str(JOBS), "PYTHONDONTWRITEBYTECODE": "1"}
    if "scripts" in scope.NOT_YET and is_larder(larder_binary()):
        environment["WITHOUT_SCRIPTS"] = "1"
    done = subprocess.run([job_python, str(JOBS / program)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=160)
    assert done.returncode == 0 and "round trip done" in done.stdout, done.stdout[-3000:] + done.stderr[-6000:]
