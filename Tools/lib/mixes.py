"""Generated mixes of keys, to compare an estimate of memory with what real servers take.

The same seed gives the same mix. Every mix has one kind of key in many sizes, so that what a
model has wrong shows where it is; `everything` has all of them.
"""
import random

FAR = 4102444800000  # the year 2100, in milliseconds


class Mix:
    def __init__(self, seed, scale=1.0):
        self.random = random.Random(seed)
        self.scale = scale

    def count(self, number):
        return max(1, int(number * self.scale))

    def text(self, low, high):
        """Letters, so that no text is taken for a number."""
        return "x" + "".join(self.random.choices("abcdefghij", k=self.random.randint(low, high) - 1))

    def name(self, family):
        return f"{family}:{self.random.randrange(10 ** self.random.randint(4, 12))}:{self.text(1, 20)}"

    def strings(self):
        for _ in range(self.count(12000)):
            kind = self.random.random()
            if kind < 0.2:
                value = self.random.randrange(10 ** self.random.randint(1, 15))
            elif kind < 0.9:
                value = self.text(1, self.random.choice([10, 50, 120, 300]))
            else:
                value = self.text(300, 20000)
            yield ("SET", self.name("string"), value) + (("PXAT", FAR) if self.random.random() < 0.3 else ())

    def lists(self):
        for _ in range(self.count(800)):
            length = self.random.choice([5, 20, 60, 200])
            yield ("RPUSH", self.name("list"), *(self.text(1, length) for _ in range(self.random.choice([1, 5, 50, 500]))))

    def sets(self):
        for _ in range(self.count(600)):
            count = self.random.choice([1, 10, 100, 129, 500, 700])
            if self.random.random() < 0.4:
                width = self.random.choice([3, 8, 15])
                yield ("SADD", self.name("integers"), *{self.random.randrange(10 ** width) for _ in range(count)})
            else:
                yield ("SADD", self.name("set"), *(self.text(3, 40) + str(i) for i in range(count)))

    def hashes(self):
        for _ in range(self.count(800)):
            count = self.random.choice([1, 5, 20, 100, 600])
            length = self.random.choice([10, 60, 90, 200])
            yield ("HSET", self.name("hash"), *(part for i in range(count) for part in (f"{self.text(1, 30)}{i}", self.text(1, length))))

    def sorted_sets(self):
        for _ in range(self.count(500)):
            count = self.random.choice([1, 10, 100, 129, 400, 1000])
            yield ("ZADD", self.name("board"), *(part for i in range(count) for part in (round(self.random.random() * 1000, 2), f"{self.text(3, 30)}{i}")))

    def streams(self):
        for _ in range(self.count(40)):
            key = self.name("stream")
            moment = 1700000000000
            entries = self.random.choice([1, 20, 300, 1500])
            for i in range(entries):
                moment += self.random.choice([0, 1, 40, 3000])
                yield ("XADD", key, f"{moment}-{i}", "sensor", i, "value", self.text(3, 30))
            if self.random.random() < 0.5:
                for group in range(self.random.randint(1, 3)):
                    yield ("XGROUP", "CREATE", key, f"group-{group}", "0")
                    for consumer in range(self.random.randint(1, 3)):
                        yield ("XREADGROUP", "GROUP", f"group-{group}", f"consumer-{consumer}", "COUNT", self.random.randint(1, 200), "STREAMS", key, ">")

    def field_deadlines(self):
        """Not for every server: only newer ones give fields a deadline."""
        for _ in range(self.count(400)):
            key = self.name("session")
            fields = [f"{self.text(1, 20)}{i}" for i in range(self.random.choice([1, 10, 100, 600]))]
            yield ("HSET", key, *(part for field in fields for part in (field, self.text(1, 90))))
            due = fields[:self.random.choice([1, len(fields)])]
            yield ("HPEXPIREAT", key, FAR, "FIELDS", len(due), *due)

    def everything(self):
        for kind in KINDS:
            yield from getattr(self, kind)()


KINDS = ["strings", "lists", "sets", "hashes", "sorted_sets", "streams"]
