"""What the workers of the job queues do."""
import os

try:
    from celery import Celery
except ImportError:
    app = None
else:
    url = f"redis://127.0.0.1:{os.environ['REDIS_PORT']}/1"
    app = Celery("tasks", broker=url, backend=url)
    app.conf.update(broker_connection_retry_on_startup=True, task_acks_late=True, worker_hijack_root_logger=False)
    if "WITHOUT_SCRIPTS" in os.environ:
        # What a worker took and did not finish is then not given to others, and nobody can steer it: both take scripts.
        app.conf.update(broker_transport_options={"ack_emulation": False}, worker_enable_remote_control=False)


def add(left, right):
    return left + right


def fail():
    raise ValueError("this job fails")


if app is not None:
    @app.task
    def multiply(left, right):
        return left * right

    @app.task
    def total(numbers):
        return sum(numbers)

    @app.task(bind=True, max_retries=3, default_retry_delay=0)
    def third_time_lucky(self):
        if self.request.retries < 2:
            raise self.retry()
        return self.request.retries
