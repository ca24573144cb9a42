"""Figures that those who watch a server read: they move when what they count happens."""
import time


def until(condition, seconds=10):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come to pass"
        time.sleep(0.02)


def test_turns_of_the_loop(larder):
    server = larder()
    before = server.info("stats")
    with server.connect() as connection:
        for _ in range(50):
            connection.ask("PING")
    after = server.info("stats")
    assert int(after["eventloop_cycles"]) >= int(before["eventloop_cycles"]) + 50
    assert int(after["eventloop_duration_sum"]) > int(before["eventloop_duration_sum"])
    assert int(after["eventloop_duration_cmd_sum"]) <= int(after["eventloop_duration_sum"])


def test_those_who_wait(larder):
    server = larder()
    with server.connect() as one, server.connect() as other, server.connect() as asking:
        asking.ask("XGROUP", "CREATE", "stream", "group", "$", "MKSTREAM")
        number = int(one.ask("CLIENT", "ID"))
        one.send(b"BLPOP list 0\r\n")
        other.send(b"XREADGROUP GROUP group me BLOCK 600000 STREAMS stream >\r\n")
        until(lambda: server.info("clients")["blocked_clients"] == "2")
        told = server.info("clients")
        assert told["clients_in_timeout_table"] == "1"
        assert (told["total_blocking_keys"], told["total_blocking_keys_on_nokey"]) == ("2", "1")
        asking.ask("CONFIG", "RESETSTAT")
        asking.ask("CLIENT", "UNBLOCK", str(number), "ERROR")
        assert one.reply()[0] == "-"
        told = server.info("commandstats")["cmdstat_blpop"]
        assert told.startswith("calls=1,") and told.endswith("rejected_calls=1,failed_calls=0")
        assert server.info("errorstats")["errorstat_UNBLOCKED"] == "count=1"


def test_a_wait_that_ends_in_vain_is_one_call(larder):
    server = larder()
    with server.connect() as connection:
        assert connection.ask("BLPOP", "list", "0.05") is None
        told = server.info("commandstats")["cmdstat_blpop"]
        assert told.startswith("calls=1,") and told.endswith("failed_calls=0")


def test_clients_that_a_pause_holds_count_as_blocked(larder):
    server = larder()
    requests = [b"SET a b\r\n", b"PUBLISH channel message\r\n", b"PFCOUNT counter\r\n"]
    clients = [server.connect() for _ in requests]
    with server.connect() as other:
        other.ask("CLIENT", "PAUSE", "100000", "WRITE")
        for client, request in zip(clients, requests):
            client.send(request)
        until(lambda: server.info("clients")["blocked_clients"] == "3")
        other.ask("CLIENT", "UNPAUSE")
        assert [client.reply() for client in clients] == [("+", b"OK"), (":", 0), (":", 0)]
        assert server.info("clients")["blocked_clients"] == "0"


def test_what_is_freed_in_steps(larder):
    server = larder()
    with server.connect() as connection:
        for start in range(0, 20_000, 1000):
            connection.ask("SADD", "set", *map(str, range(start, start + 1000)))
        connection.ask("CONFIG", "RESETSTAT")
        assert server.info("memory")["lazyfreed_objects"] == "0"
        connection.ask("UNLINK", "set")
        until(lambda: server.info("memory")["lazyfreed_objects"] == "1")
        assert server.info("memory")["lazyfree_pending_objects"] == "0"


def test_what_waits_to_be_sent(larder):
    server = larder()
    with server.connect() as slow, server.connect() as asking:
        number = int(slow.ask("CLIENT", "ID"))
        asking.ask("SET", "large", "x" * (8 << 20))
        slow.send(b"GET large\r\n" * 4)
        until(lambda: f"id={number} " in asking.ask("CLIENT", "LIST", "ID", str(number)).decode()
              and int(asking.ask("CLIENT", "LIST", "ID", str(number)).decode().split(" omem=")[1].split()[0]) > 1 << 20)
        asking.ask("MULTI")
        asking.ask("SET", "a", "x" * 1000)
        with server.connect() as third:
            told = third.ask("CLIENT", "LIST").decode()
            assert any(int(line.split(" multi-mem=")[1].split()[0]) >= 1000 for line in told.splitlines())


def test_percentiles_are_spelled_as_valkey_does(larder, peer):
    def told(server):
        server.ask("CONFIG", "SET", "latency-tracking-info-percentiles", "50.0 99.90 0 100")
        server.ask("PING")
        line = server.info("latencystats")["latency_percentiles_usec_ping"]
        return server.ask("CONFIG", "GET", "latency-tracking-info-percentiles"), [part.split("=")[0] for part in line.split(",")]
    assert told(larder()) == told(peer("valkey-9.1.2"))


def test_counters_become_dense_at_the_size_that_is_set(larder, peer):
    def encodings(server):
        found = []
        with server.connect() as connection:
            for limit in ("3000", "20", "0"):
                connection.ask("CONFIG", "SET", "hll-sparse-max-bytes", limit)
                connection.ask("DEL", "counter")
                connection.ask("PFADD", "counter", *"abcdefgh")
                found.append(connection.ask("PFDEBUG", "ENCODING", "counter"))
        return found
    found = encodings(larder())
    assert found == encodings(peer("valkey-9.1.2")) and len(set(found)) == 2


def test_memory_that_is_free_again_lets_writes_through(larder):
    server = larder(maxmemory_policy="allkeys-lru")
    with server.connect() as slow, server.connect() as connection:
        connection.ask("SET", "large", "x" * (8 << 20))
        limit = int(server.info("memory")["used_memory"]) + (12 << 20)
        connection.ask("CONFIG", "SET", "maxmemory", limit)
        for _ in range(3):
            slow.send(b"GET large\r\n" * 8)
            slow.replies(8)
            connection.ask("FLUSHALL")
            # Nothing is left to evict, so that a write is refused if old figures count.
            assert connection.ask("SET", "large", "x" * (8 << 20)) == b"OK"


def test_the_last_use_of_a_key_is_a_moment(larder):
    server = larder(enable_debug_command="yes")
    with server.connect() as connection:
        connection.ask("SET", "a", "1")

        def used():
            return int(connection.ask("DEBUG", "OBJECT", "a").decode().split(" lru:")[1].split()[0])
        first = used()
        connection.ask("CLIENT", "NO-TOUCH", "on")
        time.sleep(1.1)
        connection.ask("GET", "a")
        assert used() == first and abs(first - int(server.info("server")["lru_clock"])) < 5
        connection.ask("CLIENT", "NO-TOUCH", "off")
        connection.ask("GET", "a")
        assert used() > first
