"""Starting and stopping servers: Larder's and its peers', on loopback and free ports."""
import functools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from wire import Connection

ROOT = Path(__file__).resolve().parent.parent.parent
READY = re.compile("ready to accept connections", re.IGNORECASE)


class StartFailure(Exception):
    """A server that did not come up, with what it said."""


def larder_binary():
    return os.environ.get("LARDER_SERVER") or str(ROOT / ".build" / "release" / "larder-server")


def is_larder(binary):
    """Whether tests may expect what only Larder has; a peer can stand in to check the tests."""
    return "larder" in os.path.basename(str(binary))


@functools.cache
def peer_binary(name):
    done = subprocess.run([ROOT / "Tools" / "peers", "--path", name], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise StartFailure(f"the peer {name} is missing and could not be installed")
    return done.stdout.strip()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def directives(options):
    """Keyword options as arguments: `save=""` becomes `--save ""`; lists repeat a directive."""
    arguments = []
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            words = one if isinstance(one, tuple) else (one,)
            arguments += ["--" + name.replace("_", "-"), *map(str, words)]
    return arguments


class Server:
    """One server process in a directory of its own.

    Options are directives. Without `save` there are no save points, and nothing
    is written that a test did not ask for.
    """

    def __init__(self, binary, directory=None, config=None, prefix=(), ready_within=60.0, **options):
        self.binary = str(binary)
        self.owns_directory = directory is None
        self.directory = Path(directory or tempfile.mkdtemp(prefix="larder-test-"))
        self.config = config
        self.prefix = list(prefix)
        self.ready_within = ready_within
        self.options = options
        self.port = options.get("port")
        self.process = None
        self.output = self.directory / "server.out"

    # Life

    def command_line(self):
        options = {"port": self.port, "dir": self.directory, "save": "", **self.options}
        if options["dir"] is None:
            del options["dir"]
        if options["save"] is None:
            del options["save"]
        options["port"] = self.port
        return self.prefix + [self.binary] + ([str(self.config)] if self.config else []) + directives(options)

    def launch(self):
        """Starts the process without waiting for it to be ready."""
        if self.port is None:
            self.port = free_port()
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(
                self.command_line(), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                cwd=self.directory)
        return self

    def start(self):
        chosen = self.port is None
        for attempt in range(3):
            if chosen:
                self.port = free_port()
            written = self.output.stat().st_size if self.output.exists() else 0
            self.launch()
            try:
                self.wait_until_ready(written)
                return self
            except StartFailure:
                # Somebody else took the port between our looking and the server's binding.
                said = self.log()[written:]
                if not (chosen and attempt < 2 and "in use" in said):
                    self.kill()
                    raise
            except BaseException:
                # Whoever started it leaves, and will not stop what has not come up.
                self.close()
                raise
        return self

    def wait_until_ready(self, written=0):
        limit = time.monotonic() + self.ready_within
        while time.monotonic() < limit:
            if READY.search(self.log(), written):
                return
            if self.process.poll() is not None:
                raise StartFailure(f"{self.binary} exited with {self.process.returncode}:\n{self.log()[written:]}")
            time.sleep(0.005)
        raise StartFailure(f"{self.binary} was not ready after {self.ready_within} s:\n{self.log()[written:]}")

    def log(self):
        """What it printed, and its log file where it has one."""
        text = self.output.read_text("utf-8", "replace") if self.output.exists() else ""
        if self.options.get("logfile"):
            logfile = self.directory / self.options["logfile"]
            if logfile.exists():
                text += logfile.read_text("utf-8", "replace")
        return text

    def stop(self, number=signal.SIGTERM, within=30.0):
        """Stops it with a signal; returns its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(within)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise StartFailure(f"{self.binary} did not stop within {within} s:\n{self.log()[-4000:]}")
        return self.process.returncode

    def kill(self):
        """What a crash of the process is: nothing is flushed, nothing is closed."""
        return self.stop(signal.SIGKILL)

    def restart(self, number=signal.SIGTERM, **changes):
        self.stop(number)
        self.options.update(changes)
        return self.start()

    def close(self):
        self.kill()
        if self.owns_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # Use

    def connect(self, timeout=30.0):
        return Connection(self.port, timeout=timeout)

    def ask(self, *arguments):
        with self.connect() as connection:
            return connection.ask(*arguments)

    def info(self, section="everything"):
        lines = self.ask("INFO", section).decode("utf-8", "replace").splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def save(self):
        """Saves in the foreground; returns the dump's path."""
        self.ask("SAVE")
        return self.directory / self.options.get("dbfilename", "dump.rdb")

    @property
    def is_larder(self):
        return is_larder(self.binary)

    @property
    def version(self):
        """`(7, 0, 15)`, as the program tells it."""
        said = subprocess.run([self.binary, "--version"], capture_output=True, text=True).stdout
        found = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
        return tuple(map(int, found.groups())) if found else (0, 0, 0)
