"""A cluster of real servers on loopback, made by commands alone."""
import time

from servers import Server, StartFailure, free_port

SLOTS = 16384


class Cluster:
    """Primaries that share the slots; options are directives of each node."""

    def __init__(self, binary, folder, count=3, **options):
        self.nodes = []
        for index in range(count):
            directory = folder / f"node-{index}"
            directory.mkdir(parents=True)
            # The bus is on a port of its own, or a high port would make it one that does not exist.
            self.nodes.append(Server(binary, directory=directory, cluster_enabled="yes", cluster_port=free_port(),
                                     cluster_node_timeout=5000, **options))

    def start(self, within=60.0):
        for node in self.nodes:
            node.start()
        shares = self.shares()
        for node, (first, last) in zip(self.nodes, shares):
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
        for number, node in enumerate(self.nodes, 1):
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number)
        for node in self.nodes[1:]:
            self.nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", node.port, node.options["cluster_port"])
        limit = time.monotonic() + within
        while not all(self.is_ready(node) for node in self.nodes):
            if time.monotonic() > limit:
                raise StartFailure(f"no cluster after {within} s:\n{self.nodes[0].ask('CLUSTER', 'NODES').decode()}")
            time.sleep(0.05)
        return self

    def shares(self):
        """The first and last slot of each node."""
        count = len(self.nodes)
        cuts = [SLOTS * index // count for index in range(count + 1)]
        return [(first, following - 1) for first, following in zip(cuts, cuts[1:])]

    def is_ready(self, node):
        told = node.ask("CLUSTER", "INFO").decode()
        return "cluster_state:ok" in told and f"cluster_size:{len(self.nodes)}" in told

    def key_count(self):
        return sum(node.ask("DBSIZE") for node in self.nodes)

    def kill(self):
        for node in self.nodes:
            node.kill()
