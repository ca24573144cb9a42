"""What applications do, with the clients they do it with."""
import threading
import time

import pytest
import redis
import valkey


@pytest.fixture(params=["redis-py", "redis-py RESP3", "valkey-py", "valkey-py RESP3"])
def client(request, larder):
    server = larder(appendonly="yes")
    library = redis.Redis if request.param.startswith("redis") else valkey.Valkey
    made = library(port=server.port, decode_responses=True, protocol=3 if "RESP3" in request.param else 2)
    made.server = server
    yield made
    made.close()


class Sessions:
    """A session store with a sliding time to live, as a web application writes one."""

    def __init__(self, client, seconds):
        self.client = client
        self.seconds = seconds

    def login(self, token, user):
        self.client.setex(f"session:{token}", self.seconds, user)

    def user(self, token):
        key = f"session:{token}"
        user = self.client.get(key)
        if user is not None:
            self.client.expire(key, self.seconds)
        return user

    def logout(self, token):
        return self.client.delete(f"session:{token}") == 1


class Leaderboard:
    """The best score of every player, as a game writes one."""

    def __init__(self, client, name):
        self.client = client
        self.key = f"leaderboard:{name}"

    def submit(self, player, score):
        """Keeps the better of the old and the new score."""
        return self.client.zadd(self.key, {player: score}, gt=True, ch=True) == 1

    def rank(self, player):
        place = self.client.zrevrank(self.key, player)
        return None if place is None else place + 1

    def top(self, count):
        return self.client.zrevrange(self.key, 0, count - 1, withscores=True)

    def around(self, player, reach):
        place = self.client.zrevrank(self.key, player)
        return self.client.zrevrange(self.key, max(0, place - reach), place + reach, withscores=True)


def pairs(reply):
    """RESP3 clients give lists where RESP2 clients give tuples."""
    return [tuple(pair) for pair in reply]


def test_sessions_slide(client):
    sessions = Sessions(client, seconds=2)
    sessions.login("used", "ada")
    sessions.login("idle", "bob")
    assert client.ttl("session:used") in (1, 2)
    for _ in range(4):
        time.sleep(0.75)
        assert sessions.user("used") == "ada"
    assert sessions.user("idle") is None
    assert sessions.logout("used")
    assert not sessions.logout("used")
    assert client.dbsize() == 0


def test_sessions_survive_a_crash_with_their_time_left(client):
    sessions = Sessions(client, seconds=1000)
    for index in range(500):
        sessions.login(f"token{index}", f"user{index}")
    client.expire("session:token7", 5000)
    client.server.kill()
    client.server.start()
    assert sessions.user("token3") == "user3"
    assert 4990 <= client.ttl("session:token7") <= 5000
    assert 900 <= client.ttl("session:token8") <= 1000
    assert client.dbsize() == 500


def test_leaderboard(client):
    board = Leaderboard(client, "season")
    for index in range(1, 1001):
        assert board.submit(f"player:{index:04}", index * 10)
    assert not board.submit("player:0500", 1)
    assert board.submit("player:0500", 20_000.5)
    assert board.rank("player:0500") == 1
    assert board.rank("player:1000") == 2
    assert board.rank("nobody") is None
    assert pairs(board.top(3)) == [("player:0500", 20000.5), ("player:1000", 10000.0), ("player:0999", 9990.0)]
    assert pairs(board.around("player:0998", 1)) == [
        ("player:0999", 9990.0), ("player:0998", 9980.0), ("player:0997", 9970.0)]
    assert client.zincrby("leaderboard:season", 5, "player:0999") == 9995.0
    assert client.zscore("leaderboard:season", "player:0999") == 9995.0
    assert client.zcard("leaderboard:season") == 1000


def test_leaderboard_of_equal_scores_is_ordered_by_name(client):
    client.zadd("board", {name: 7 for name in ["carol", "ada", "bob"]})
    assert client.zrevrange("board", 0, -1) == ["carol", "bob", "ada"]
    assert client.zrange("board", 0, -1) == ["ada", "bob", "carol"]


def test_rate_limit_in_a_pipeline(client):
    def allowed(user):
        with client.pipeline(transaction=False) as batch:
            count, _ = batch.incr(f"rate:{user}").expire(f"rate:{user}", 60).execute()
        return count <= 5

    assert [allowed("ada") for _ in range(7)] == [True] * 5 + [False] * 2
    assert allowed("bob")


def test_queue(client):
    client.rpush("jobs", *[f"job {i}" for i in range(100)])
    taken = [client.lpop("jobs") for _ in range(60)]
    assert taken == [f"job {i}" for i in range(60)]
    assert client.lmove("jobs", "working", "LEFT", "RIGHT") == "job 60"
    assert client.llen("jobs") == 39
    assert client.lrange("jobs", 0, 1) == ["job 61", "job 62"]


def test_shopping_cart(client):
    client.hset("cart:ada", mapping={"apples": 3, "pears": 1})
    client.hincrby("cart:ada", "apples", 2)
    client.hdel("cart:ada", "pears")
    assert client.hgetall("cart:ada") == {"apples": "5"}


def test_tags(client):
    client.sadd("tags:1", "swift", "cache", "fast")
    client.sadd("tags:2", "swift", "slow")
    assert set(client.sinter("tags:1", "tags:2")) == {"swift"}
    assert set(client.smembers("tags:2")) == {"swift", "slow"}
    assert client.sismember("tags:1", "fast")


def test_scan_iterator(client):
    client.mset({f"key:{i}": i for i in range(2000)})
    assert len(set(client.scan_iter("key:*", count=100))) == 2000
    assert set(client.scan_iter("key:199*")) == {"key:199"} | {f"key:199{i}" for i in range(10)}


def test_many_threads_count_right(client):
    def work():
        for _ in range(200):
            client.incr("hits")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get("hits") == "1600"
