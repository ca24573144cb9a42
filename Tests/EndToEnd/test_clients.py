"""The client libraries' own features, as applications use them."""
import asyncio
import socket
import threading
import time

import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio

from wire import encode


@pytest.fixture(params=["redis-py", "redis-py RESP3", "valkey-py", "valkey-py RESP3"])
def connect(request, larder):
    """Makes clients of one server."""
    server = larder(enable_debug_command="yes")
    library = redis if request.param.startswith("redis") else valkey
    made = []

    def make(**options):
        kind = library.Redis if library is redis else library.Valkey
        client = kind(port=server.port, decode_responses=True, protocol=3 if "RESP3" in request.param else 2, **options)
        client.errors = library.exceptions
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


class Lock:
    """A lock of one owner at a time, released by nobody else, without scripts."""

    def __init__(self, client, name, owner):
        self.client, self.name, self.owner = client, name, owner

    def acquire(self, milliseconds=10_000):
        return bool(self.client.set(self.name, self.owner, nx=True, px=milliseconds))

    def release(self):
        with self.client.pipeline() as batch:
            batch.watch(self.name)
            if batch.get(self.name) != self.owner:
                return False
            batch.multi()
            batch.delete(self.name)
            return batch.execute() == [1]


def test_a_lock_has_one_owner(connect):
    ada, bob = (Lock(connect(), "lock", name) for name in ("ada", "bob"))
    assert ada.acquire()
    assert not bob.acquire()
    assert not bob.release()
    assert ada.release()
    assert bob.acquire(milliseconds=50)
    time.sleep(0.1)
    assert ada.acquire(), "a lock whose time is up is free"


def test_a_watched_key_keeps_increments_whole(connect):
    def work(client):
        for _ in range(50):
            client.transaction(lambda batch: (lambda value: (batch.multi(), batch.set("counter", value + 1)))(int(batch.get("counter") or 0)), "counter")

    threads = [threading.Thread(target=work, args=(connect(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert connect().get("counter") == "200"


def test_a_transaction_fails_when_a_watched_key_changes(connect):
    one, other = connect(), connect()
    with one.pipeline() as batch:
        batch.watch("key")
        other.set("key", "changed")
        batch.multi()
        batch.set("key", "mine")
        with pytest.raises(one.errors.WatchError):
            batch.execute()
    assert one.get("key") == "changed"


def test_an_error_in_a_pipeline_is_that_of_its_command(connect):
    client = connect()
    client.set("text", "not a list")
    with client.pipeline(transaction=False) as batch:
        replies = batch.set("a", 1).lpush("text", 1).get("a").execute(raise_on_error=False)
    assert replies[0] is True and replies[2] == "1"
    assert isinstance(replies[1], client.errors.ResponseError)


def test_messages_reach_channels_and_patterns_in_order(connect):
    client = connect()
    with connect().pubsub() as listener:
        listener.subscribe("news")
        listener.psubscribe("news*")
        for _ in range(2):
            assert listener.get_message(timeout=5)["type"] in ("subscribe", "psubscribe")
        for number in range(100):
            assert client.publish("news", f"message {number}") == 2
        assert client.publish("news:local", "near") == 1
        came = [listener.get_message(timeout=5) for _ in range(201)]
    assert [message["data"] for message in came if message["type"] == "message"] == [f"message {number}" for number in range(100)]
    assert [message["data"] for message in came if message["type"] == "pmessage"] == [f"message {number}" for number in range(100)] + ["near"]


def test_a_listener_hears_of_keys_that_expire(connect):
    client = connect()
    client.config_set("notify-keyspace-events", "Ex")
    with connect().pubsub() as listener:
        listener.psubscribe("__keyevent@0__:expired")
        listener.get_message(timeout=5)
        client.set("session", "x", px=50)
        message = listener.get_message(timeout=5)
    assert message["data"] == "session"


@pytest.mark.parametrize("options,event", [((), b"expired"), (("REPLACE",), None)])
def test_a_restored_value_replaces_a_key_without_a_look_at_its_deadline(options, event, larder, peer):
    for server in (larder(enable_debug_command="yes"), peer("valkey-9.1.2", enable_debug_command="yes")):
        with server.connect() as client, server.connect() as listener:
            client.ask("DEBUG", "SET-ACTIVE-EXPIRE", "0")
            client.ask("MSETEX", "1", "key", "old", "PXAT", "1")
            client.ask("CONFIG", "SET", "notify-keyspace-events", "EA")
            listener.ask("SUBSCRIBE", "__keyevent@0__:expired")
            client.exchange([("RESTORE", "key", "0", "no payload", *options)])
            listener.send(encode(("PING",)))
            heard = listener.reply()[1][0][1]
            assert heard == (b"message" if event else b"pong")


def test_a_worker_waits_for_its_queue(connect):
    client, worker = connect(), connect()
    taken = []

    def work():
        while (job := worker.blpop(["urgent", "later"], timeout=5)) and job[1] != "stop":
            taken.append(tuple(job))

    thread = threading.Thread(target=work)
    thread.start()
    client.rpush("later", *range(10))
    client.rpush("urgent", "now")
    client.rpush("later", "stop")
    thread.join(20)
    assert sorted(taken) == sorted([("later", str(number)) for number in range(10)] + [("urgent", "now")])


def test_scan_iterators_see_everything_that_stays(connect):
    client = connect()
    client.hset("hash", mapping={f"field:{number}": number for number in range(1000)})
    client.sadd("set", *[f"member:{number}" for number in range(1000)])
    client.zadd("zset", {f"member:{number}": number for number in range(1000)})
    client.mset({f"key:{number}": number for number in range(1000)})
    seen = set()
    for number, key in enumerate(client.scan_iter("key:*", count=20)):
        seen.add(key)
        # Keys that come and go while the iteration lasts change nothing for those that stay.
        client.set(f"other:{number}", "x")
        client.delete(f"other:{number - 5}")
    assert seen == {f"key:{number}" for number in range(1000)}
    assert len(dict(client.hscan_iter("hash", count=50))) == 1000
    assert len(set(client.sscan_iter("set", count=50))) == 1000
    assert len(dict(client.zscan_iter("zset", count=50))) == 1000
    assert set(client.scan_iter(_type="ZSET")) == {"zset"}


def test_a_group_of_workers_shares_a_stream(connect):
    client = connect()
    client.xgroup_create("orders", "workers", id="0", mkstream=True)
    for number in range(90):
        client.xadd("orders", {"number": number})

    def entries(reply):
        # A list of pairs, or a dictionary whose values hold one list each.
        streams = reply.values() if isinstance(reply, dict) else [stream[1] for stream in reply]
        for stream in streams:
            yield from (stream[0] if stream and isinstance(stream[0], list) and stream[0] and not isinstance(stream[0][0], str) else stream)

    done, lock = [], threading.Lock()

    def work(worker, name):
        while taken := list(entries(worker.xreadgroup("workers", name, {"orders": ">"}, count=7, block=200))):
            for identifier, fields in taken:
                with lock:
                    done.append(int(fields["number"]))
                if name != "dying":
                    worker.xack("orders", "workers", identifier)
            if name == "dying":
                return

    threads = [threading.Thread(target=work, args=(connect(), name)) for name in ("ada", "bob", "dying")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(done) == list(range(90)), "each order went to one worker"
    left = client.xpending("orders", "workers")["pending"]
    claimed = client.xautoclaim("orders", "workers", "heir", min_idle_time=0, count=100)
    assert len(claimed[1]) == left
    assert client.xack("orders", "workers", *[identifier for identifier, _ in claimed[1]]) == left if left else True
    assert client.xpending("orders", "workers")["pending"] == 0


@pytest.mark.parametrize("library", [redis, valkey])
@pytest.mark.parametrize("protocol", [2, 3])
def test_an_event_loop_works_with_many_connections(library, protocol, larder):
    server = larder()
    kind = library.asyncio.Redis if library is redis else library.asyncio.Valkey

    async def work():
        async with kind(port=server.port, protocol=protocol, decode_responses=True, single_connection_client=False) as client:
            async def increment():
                async with client.pipeline() as batch:
                    while True:
                        try:
                            await batch.watch("count")
                            count = int(await batch.get("count") or 0)
                            batch.multi()
                            return await batch.set("count", count + 1).execute()
                        except library.exceptions.WatchError:
                            continue

            async def take(number):
                return [await client.blpop("jobs", timeout=20) for _ in range(number)]

            await asyncio.gather(*[increment() for _ in range(20)])
            assert await client.get("count") == "20"

            workers = [asyncio.create_task(take(10)) for _ in range(10)]
            for number in range(100):
                await client.rpush("jobs", number)
            taken = [int(job[1]) for done in await asyncio.gather(*workers) for job in done]
            assert sorted(taken) == list(range(100))

            async with client.pubsub() as listener:
                await listener.subscribe("channel")
                await listener.psubscribe("chan*")
                for kind_ in ("subscribe", "psubscribe"):
                    assert (await listener.get_message(timeout=5))["type"] == kind_
                assert await client.publish("channel", "hello") == 2
                heard = [await listener.get_message(timeout=5) for _ in range(2)]
                assert [message["type"] for message in heard] == ["message", "pmessage"]
                assert {message["data"] for message in heard} == {"hello"}

            await client.mset({f"key:{number}": number for number in range(500)})
            assert len({key async for key in client.scan_iter("key:*")}) == 500
            waiting = asyncio.create_task(client.blpop("nothing", timeout=20))
            await asyncio.sleep(0.1)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            # The connection of who waits no longer is not used again with a reply under way.
            await client.rpush("nothing", "x")
            assert [await client.ping() for _ in range(5)] == [True] * 5

    asyncio.run(work())


def test_monitor_shows_what_others_do(connect):
    client, watcher = connect(), connect()
    with watcher.monitor() as monitor:
        client.set("key", 'a "quoted" value')
        client.config_get("maxmemory")
        client.get("key")
        commands = []
        while not commands or not commands[-1].upper().startswith("GET"):
            commands.append(monitor.next_command()["command"])
    assert any(command.startswith("SET key") for command in commands)
    assert not any(command.startswith("CONFIG") for command in commands), "what administrators do is not shown"


def test_slow_requests_are_kept(connect):
    client = connect()
    client.config_set("slowlog-log-slower-than", 20_000)
    client.slowlog_reset()
    client.execute_command("DEBUG", "SLEEP", "0.05")
    entries = client.slowlog_get(10)
    slowest = max(entries, key=lambda entry: entry["duration"])
    assert slowest["duration"] >= 49_000
    assert "SLEEP" in str(slowest["command"])
    assert client.slowlog_len() == len(entries)
    client.config_set("latency-monitor-threshold", 20)
    client.execute_command("DEBUG", "SLEEP", "0.05")
    assert "command" in [event[0] for event in client.latency_latest()]
    assert client.latency_history("command")
    assert client.latency_reset() >= 1


@pytest.mark.parametrize("transaction", [False, True])
def test_a_slow_request_is_kept_before_those_that_it_lets_go_on(transaction, larder, peer):
    told = []
    for server in (larder(slowlog_log_slower_than=0), peer("valkey-9.1.2", slowlog_log_slower_than=0)):
        with server.connect() as waiting, server.connect() as other:
            waiting.send(encode(("BLPOP", "list", "0")))
            while server.info("clients")["blocked_clients"] == "0":
                time.sleep(0.01)
            other.ask("SLOWLOG", "RESET")
            requests = [("MULTI",), ("LPUSH", "list", "a"), ("EXEC",)] if transaction else [("LPUSH", "list", "a")]
            other.pipeline(requests)
            waiting.reply()
            told.append([entry[3][0] for entry in other.ask("SLOWLOG", "GET")])
    assert told[0] == told[1]
    assert told[0][0] == b"BLPOP"


def test_figures_of_commands_and_memory(connect):
    client = connect()
    client.config_resetstat()
    for number in range(10):
        client.set(f"key:{number}", "x" * 1000)
    with pytest.raises(client.errors.ResponseError):
        client.execute_command("INCR", "key:1")
    figures = client.info("commandstats")
    assert figures["cmdstat_set"]["calls"] == 10
    assert figures["cmdstat_incr"]["failed_calls"] == 1
    assert client.info("errorstats")["errorstat_ERR"]["count"] == 1
    assert client.info("latencystats")["latency_percentiles_usec_set"]["p50"] > 0
    assert 1000 <= client.memory_usage("key:1") < 1300
    assert client.memory_usage("nobody") is None
    assert client.memory_stats()["keys.count"] == 10
    assert client.object("encoding", "key:1") == "raw"
    assert client.command_getkeys("MSET", "a", 1, "b", 2) == ["a", "b"]
    assert "get" in client.command()
    assert client.lolwut().lower().count("ver. ")


def test_clients_are_listed_named_and_closed(connect):
    client, other = connect(), connect(client_name="victim")
    other.ping()
    listed = {entry["name"]: entry for entry in client.client_list()}
    assert listed["victim"]["cmd"] == "ping"
    assert client.client_kill_filter(_id=listed["victim"]["id"]) == 1
    assert client.client_id() > 0
    client.client_no_evict("ON")
    client.client_no_touch("ON")
    assert "e" in client.client_info()["flags"] and "T" in client.client_info()["flags"]


CLIENT_REQUESTS = [
    f"CLIENT LIST {filters}" for filters in (
        "DB", "DB x", "DB 2147483648", "NOT-DB x", "not-db 16", "ID", "NOT-ID", "ID x", "TYPE normal ID", "ID 1 x", "NOT-FLAGS Q", "FLAGS Q",
        "NOT-CAPA q", "NOT-MAXAGE 5", "NOT-IDLE 5", "MAXAGE 0", "TYPE x", "NOT-USER nope", "NOT-SKIPME yes", "DB 0 NOT-DB 0", "NAME b NAME a",
        "LIB-VER 1 NOT-ID")
] + ["CLIENT UNBLOCK 123456 x y", "CLIENT UNBLOCK 123456 x", "CLIENT PAUSE 0 x x", "CLIENT PAUSE 0 x", "CLIENT PAUSE x x x", "CLIENT KILL TYPE pubsub ID"]


def test_clients_are_chosen_as_valkey_chooses_them(larder, peer):
    found = []
    with larder().connect() as left, peer("valkey-9.1.2").connect() as right:
        for request in CLIENT_REQUESTS:
            mine, real = (connection.exchange([request.split()])[0] for connection in (left, right))
            if mine != real:
                found.append(f"{request}\n    ours:   {mine}\n    theirs: {real}")
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize("filters,expected", [
    ("ID {0} ID {1}", "01"), ("NOT-ID {0} NOT-ID {1}", ""), ("DB 0 DB 1", "1"), ("NOT-DB 0 NOT-DB 1", "0"), ("NAME b NAME a", ""),
    ("TYPE pubsub TYPE normal", "01"), ("NOT-NAME a NOT-NAME b", "0"), ("TYPE normal ID", ""), ("TYPE normal NOT-ID", "01")])
def test_the_last_condition_of_a_kind_counts_and_any_of_all_ids(filters, expected, larder):
    server = larder()
    with server.connect() as one, server.connect() as other:
        other.ask("SELECT", "1")
        other.ask("CLIENT", "SETNAME", "b")
        ids = [str(connection.ask("CLIENT", "ID")) for connection in (one, other)]
        listed = one.ask("CLIENT", "LIST", *filters.format(*ids).split()).decode().splitlines()
        assert [line.split()[0] for line in listed] == [f"id={ids[int(which)]}" for which in expected]


class Cache:
    """Values kept on the client's side until the server says that they changed.

    Made by hand: redis-py has one, but it refuses servers that do not call themselves Redis.
    """

    def __init__(self, server, *options):
        self.connection = server.connect(timeout=5)
        self.connection.ask("HELLO", "3")
        self.connection.ask("CLIENT", "TRACKING", "ON", *options)
        self.values = {}
        self.asked = 0

    def get(self, key):
        self.hear()
        if key not in self.values:
            self.asked += 1
            self.connection.send(encode(("GET", key)))
            while (reply := self.connection.reply())[0] == ">":
                self.forget(reply)
            self.values[key] = reply[1]
        return self.values[key]

    def hear(self):
        """What the server has pushed by now; the reply to PING comes behind it."""
        self.connection.send(encode(("PING",)))
        while (reply := self.connection.reply())[0] == ">":
            self.forget(reply)

    def forget(self, push):
        kind, keys = push[1]
        assert kind == ("$", b"invalidate")
        if keys[1] is None:
            return self.values.clear()
        for _, key in keys[1]:
            self.values.pop(key.decode(), None)


@pytest.mark.parametrize("options", [(), ("BCAST",), ("BCAST", "PREFIX", "key")])
def test_a_cache_on_the_client_is_told_of_changes(options, larder):
    server = larder()
    cache = Cache(server, *options)
    with server.connect() as other:
        other.ask("SET", "key", "one")
        assert [cache.get("key") for _ in range(50)] == [b"one"] * 50
        assert cache.asked == 1, "answered from the cache"
        other.ask("SET", "key", "two")
        assert cache.get("key") == b"two"
        other.ask("PEXPIRE", "key", "30")
        cache.get("key")
        time.sleep(0.3)
        assert cache.get("key") is None, "it expires on both sides"
        other.ask("SET", "key", "three")
        assert cache.get("key") == b"three"
        other.ask("FLUSHALL")
        assert cache.get("key") is None


def test_what_is_evicted_is_told_before_the_next_reply(larder):
    """Else a client would drop what it has just been told of the key that came back."""
    server = larder(maxmemory_policy="allkeys-random")
    with server.connect() as client:
        client.ask("HELLO", "3")
        client.ask("CLIENT", "TRACKING", "ON")
        for number in range(10):
            client.ask("SET", f"key:{number}", "value")
            client.ask("GET", f"key:{number}")
        client.send(encode(("CONFIG", "SET", "maxmemory", "1")) + encode(("PING",)))
        assert client.reply() == ("+", b"OK")
        pushes = [client.reply() for _ in range(10)]
        assert {push[0] for push in pushes} == {">"}
        assert client.reply() == ("+", b"PONG")


def test_the_own_cache_of_a_library_stays_true(larder):
    """valkey-py's; that of redis-py wants a server that calls itself redis."""
    server = larder()
    with valkey.Valkey(port=server.port, protocol=3, decode_responses=True, cache_enabled=True) as reader, \
            valkey.Valkey(port=server.port, decode_responses=True) as writer:
        for value in ("one", "two", "three"):
            writer.set("key", value)
            writer.hset("hash", "field", value)
            time.sleep(0.05)
            assert [reader.get("key") for _ in range(20)] == [value] * 20
            assert [reader.hget("hash", "field") for _ in range(20)] == [value] * 20
        figures = writer.info("commandstats")
        assert [figures[f"cmdstat_{name}"]["calls"] for name in ("get", "hget")] == [3, 3], "all others came from the cache"
        writer.flushall()
        time.sleep(0.05)
        assert reader.get("key") is None and reader.hget("hash", "field") is None


def test_another_connection_may_hear_for_one_of_the_old_protocol(larder):
    server = larder()
    with server.connect() as reader, server.connect() as hearer, server.connect() as other:
        hearer.ask("SUBSCRIBE", "__redis__:invalidate")
        with server.connect() as asking:
            listed = asking.ask("CLIENT", "LIST", "TYPE", "pubsub").decode()
        number = listed.split("id=")[1].split(" ")[0]
        reader.ask("CLIENT", "TRACKING", "ON", "REDIRECT", number)
        reader.ask("GET", "key")
        other.ask("SET", "key", "changed")
        assert hearer.reply() == ("*", (("$", b"message"), ("$", b"__redis__:invalidate"), ("*", (("$", b"key"),))))


def test_broadcasts_are_told_once_a_prefix_as_in_valkey(larder, peer):
    def heard(server):
        with server.connect() as hearer, server.connect() as reader:
            number = hearer.ask("CLIENT", "ID")
            hearer.ask("SUBSCRIBE", "__redis__:invalidate")
            reader.ask("CLIENT", "TRACKING", "ON", "BCAST", "REDIRECT", str(number), "PREFIX", "b:", "PREFIX", "a:")
            reader.exchange([("MULTI",), *(("INCR", key) for key in ("b:1", "a:1", "a:2", "c:1", "b:1", "b:2")), ("EXEC",)])
            reader.ask("SET", "a:3", "x")
            reader.ask("PUBLISH", "__redis__:invalidate", "end")
            messages = []
            while (message := hearer.reply())[1][2] != ("$", b"end"):
                messages.append(message)
            # Which prefix comes first is left open.
            return sorted(map(str, messages))
    assert heard(larder()) == heard(peer("valkey-9.1.2"))


def all_that_comes(client, requests):
    """The bytes that a client gets for requests, to the end of the connection, which it ends itself."""
    client.send(b"".join(map(encode, [*requests, ("ECHO", "the end")])))
    client.socket.shutdown(socket.SHUT_WR)
    came = b""
    while data := client.socket.recv(1 << 16):
        came += data
    return came


ON, OFF, SKIP, PING = ("CLIENT", "REPLY", "ON"), ("CLIENT", "REPLY", "OFF"), ("CLIENT", "REPLY", "SKIP"), ("PING", "a")


@pytest.mark.parametrize("protocol", ["2", "3"])
@pytest.mark.parametrize("requests", [
    [SKIP, PING, PING], [SKIP, ON, PING], [SKIP, SKIP, PING, PING], [SKIP, OFF, PING, ON], [OFF, SKIP, PING, ON, PING],
    [SKIP, ("NO-SUCH",), PING], [SKIP, ("GET",), PING], [SKIP, ("RESET",), PING], [OFF, ("RESET",), PING],
    [SKIP, ("BLPOP", "nothing", "0.05"), PING], [OFF, ("BLPOP", "nothing", "0.05"), ON, PING],
    [SKIP, ("MULTI",), PING, ("EXEC",)], [("MULTI",), SKIP, PING, ("EXEC",), PING],
    [SKIP, ("SUBSCRIBE", "a", "b"), PING], [OFF, ("SUBSCRIBE", "a"), ("UNSUBSCRIBE", "a"), ON, PING], [SKIP, ("SUBSCRIBE",), PING],
], ids=lambda requests: " ".join(word for request in requests for word in request))
def test_a_client_may_want_no_replies(requests, protocol, larder, peer):
    said = []
    for server in (larder(), peer("valkey-9.1.2")):
        with server.connect() as client:
            client.exchange([("HELLO", protocol)])
            said.append(all_that_comes(client, requests))
    assert said[0] == said[1]


def test_requests_that_waited_are_kept_and_counted_as_in_valkey(larder, peer):
    told = []
    for server in (larder(appendonly="yes"), peer("valkey-9.1.2", appendonly="yes")):
        with server.connect() as waiting, server.connect() as other:
            for name in ("execution-slower-than", "request-larger-than", "reply-larger-than"):
                other.ask("CONFIG", "SET", "commandlog-" + name, "0")
            client = waiting.ask("CLIENT", "ID")
            for request, then in [
                    (("BLPOP", "list", "0"), ("RPUSH", "list", "x" * 1000)), (("BLPOP", "list", "0.05"), None),
                    (("XREAD", "BLOCK", "50", "STREAMS", "stream", "$"), None), (("WAITAOF", "1", "0", "0"), None),
                    (("BLPOP", "list", "0"), ("CLIENT", "UNBLOCK", client)), (("BLPOP", "list", "0"), ("CLIENT", "UNBLOCK", client, "ERROR"))]:
                waiting.ask("SET", "key", "value")
                waiting.send(encode(request))
                if then:
                    while server.info("clients")["blocked_clients"] == "0":
                        time.sleep(0.01)
                    other.ask(*then)
                waiting.reply()
            for kind in ("slow", "large-request", "large-reply"):
                kept = other.ask("COMMANDLOG", "GET", "-1", kind)
                told.append(sorted((None if kind == "slow" else value, words) for _, _, value, words, *_ in kept
                                   if words[0] in (b"BLPOP", b"XREAD", b"WAITAOF")))
            counted = server.info("commandstats")
            told.append([[part for part in counted["cmdstat_" + name].split(",") if "usec" not in part] for name in ("blpop", "xread", "waitaof")])
    assert told[:4] == told[4:]


@pytest.mark.parametrize("requests", [
    [("CLIENT", "CACHING", "YES")], [("CLIENT", "TRACKING", "ON"), ("CLIENT", "CACHING", "YES"), ("CLIENT", "CACHING", "NO"), ("CLIENT", "CACHING", "X")],
    [("CLIENT", "TRACKING", "ON", "OPTIN"), ("CLIENT", "CACHING", "NO"), ("CLIENT", "CACHING", "YES")],
    [("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a"), ("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a")],
    [("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "z", "PREFIX", "b"), ("CLIENT", "TRACKING", "ON", "BCAST"), ("CLIENT", "TRACKINGINFO"),
     ("MSET", "z", "1", "b2", "1", "c", "1", "b1", "1")],
    [("CLIENT", "TRACKING", "ON", "BCAST"), ("CLIENT", "TRACKING", "ON", "BCAST"), ("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a")],
    [("MULTI",), ("SSUBSCRIBE", "a"), ("SUBSCRIBE", "b"), ("EXEC",)],
    # One's own change is not told, be it that the key is gone by it.
    *([("SET", "key", "a"), ("CLIENT", "TRACKING", "ON", "NOLOOP"), ("GET", "key"), change] for change in [
        ("EXPIRE", "key", "-1"), ("GETEX", "key", "PXAT", "1"), ("SET", "key", "b", "PXAT", "1"), ("DEL", "key")]),
], ids=lambda requests: " ".join(word for request in requests for word in request))
def test_clients_hear_what_valkey_tells_them(requests, larder, peer):
    said = []
    for server in (larder(), peer("valkey-9.1.2")):
        with server.connect() as client:
            client.ask("HELLO", "3")
            said.append(all_that_comes(client, requests))
    assert said[0] == said[1]


def test_what_a_waiting_request_reads_is_tracked_each_time(larder, peer):
    heard = []
    for server in (larder(), peer("valkey-9.1.2")):
        with server.connect() as waiting, server.connect() as other:
            waiting.ask("HELLO", "3")
            waiting.ask("CLIENT", "TRACKING", "ON")
            waiting.send(encode(("XREAD", "BLOCK", "0", "STREAMS", "stream", "0")))
            while server.info("clients")["blocked_clients"] == "0":
                time.sleep(0.01)
            other.ask("XGROUP", "CREATE", "stream", "group", "0", "MKSTREAM")
            other.ask("XADD", "stream", "1-1", "field", "value")
            other.ask("DEL", "stream")
            other.ask("SET", "key", "value")
            heard.append([waiting.reply() for _ in range(4)])
    assert heard[0] == heard[1]
