"""A generated data set: every type, every encoding, every size at which one gives way to the next.

Only commands that every peer since Redis 6.2 has, so that any of them can be
filled with it. The same seed gives the same data.
"""
import random

FAR = 4102444800000  # the year 2100: deadlines that outlive every test

INTEGERS = [0, 1, -1, 9, 10, 12, 13, 99, 100, 127, 128, -128, -129, 255, 256, 4095, 4096, -4096, 32767, 32768,
            -32768, -32769, 65535, 65536, 8388607, 8388608, -8388608, -8388609, 2147483647, 2147483648,
            -2147483648, -2147483649, 4294967295, 4294967296, 9223372036854775807, -9223372036854775808]

# Look like integers, and are not, or not in the shortest spelling.
LOOK_ALIKES = [b"", b" 1", b"1 ", b"+1", b"-0", b"00", b"01", b"-01", b"1.0", b"1e3", b"0x10", b"9223372036854775808",
               b"-9223372036854775809", b"18446744073709551615", b"18446744073709551616", b"--1", b"-", b"+",
               b"123456789012345678901234567890"]

# Where length prefixes, small encodings and compression begin and end.
LENGTHS = [1, 2, 10, 19, 20, 21, 39, 40, 43, 44, 45, 62, 63, 64, 65, 126, 127, 128, 129, 253, 254, 255, 256, 511, 512,
           4095, 4096, 8191, 8192, 16382, 16383, 16384, 16385, 65535, 65536, 100_000]

# Where listpacks, ziplists and integer sets give way, by the defaults of Redis 6.2 up to Valkey 9.1.
COUNTS = [1, 2, 3, 16, 64, 127, 128, 129, 130, 511, 512, 513, 600]

# Not -0.0: real servers keep its sign in a skiplist and lose it in a listpack.
SCORES = ["0", "1", "-1", "1.5", "0.1", "-0.1", "3.14159265358979", "1e-320", "5e-324", "2.2250738585072014e-308",
          "1.7976931348623157e308", "-1.7976931348623157e308", "inf", "-inf", "9007199254740991", "9007199254740992",
          "9007199254740993", "4503599627370497.5", "1e21", "1e17", "123456789.125", "100", "127", "128", "-128", "65536",
          "9223372036854775807", "-9223372036854775808"]


class Generator:
    def __init__(self, seed="larder"):
        self.random = random.Random(seed)

    def noise(self, count):
        return self.random.randbytes(count)

    def words(self, count):
        """Text that compresses, as JSON of a session does."""
        pieces = [b'{"user":', b'"name":', b"larder,", b"2024-11-22T", b"null,", b"true,", b"false}", b"session:"]
        data = b"".join(self.random.choice(pieces) for _ in range(count // 4 + 1))
        return data[:count]

    def requests(self):
        """`(database, request)`, in the order to send them."""
        for request in self.strings() + self.lists() + self.sets() + self.sorted_sets() + self.hashes():
            yield 0, request
        for request in self.keys() + self.deadlines():
            yield 0, request
        for database in (1, 9, 15):
            yield database, ("SET", "where", database)
            yield database, ("RPUSH", "list", "a", "b", database)
            yield database, ("SET", "soon", "x", "PX", 3_600_000)
            for index in range(20):
                yield database, ("SET", f"key:{index}", self.noise(index))

    def strings(self):
        made = [("SET", f"string:integer:{number}", number) for number in INTEGERS]
        made += [("SET", b"string:look:" + value, value) for value in LOOK_ALIKES]
        for count in LENGTHS:
            made.append(("SET", f"string:noise:{count}", self.noise(count)))
            made.append(("SET", f"string:words:{count}", self.words(count)))
            made.append(("SET", f"string:same:{count}", b"a" * count))
        made.append(("SETRANGE", "string:range", 100, "tail"))
        made.append(("APPEND", "string:appended", "one"))
        made.append(("APPEND", "string:appended", "two"))
        made.append(("INCRBYFLOAT", "string:float", "10.5"))
        made.append(("SETBIT", "string:bits", 1000, 1))
        return made

    def lists(self):
        made = []
        for count in COUNTS:
            made.append(("RPUSH", f"list:numbers:{count}", *range(count)))
            made.append(("LPUSH", f"list:words:{count}", *(f"element {i}" for i in range(count))))
        for length in LENGTHS:
            made.append(("RPUSH", f"list:length:{length}", "before", self.noise(length), "after"))
        made.append(("RPUSH", "list:integers", *INTEGERS))
        made.append(("RPUSH", "list:look", *LOOK_ALIKES))
        for start in range(0, 20_000, 500):
            made.append(("RPUSH", "list:long", *(f"item:{i}" for i in range(start, start + 500))))
        made.append(("RPUSH", "list:big", *(self.words(3000) for _ in range(30))))
        made.append(("LTRIM", "list:long", 5, -6))
        made.append(("LINSERT", "list:words:513", "BEFORE", "element 100", "inserted"))
        return made

    def sets(self):
        made = []
        for count in COUNTS:
            made.append(("SADD", f"set:16:{count}", *range(-count // 2, count - count // 2)))
            made.append(("SADD", f"set:words:{count}", *(f"member {i}" for i in range(count))))
        made.append(("SADD", "set:32", *range(2**31 - 300, 2**31)))
        made.append(("SADD", "set:64", -2**63, 2**63 - 1, 0, *range(2**40, 2**40 + 100)))
        made.append(("SADD", "set:integers", *INTEGERS))
        made.append(("SADD", "set:mixed", *INTEGERS, *LOOK_ALIKES))
        for length in LENGTHS:
            made.append(("SADD", f"set:length:{length}", "short", self.noise(length)))
        for start in range(0, 5000, 500):
            made.append(("SADD", "set:big", *(f"member:{i}" for i in range(start, start + 500))))
        return made

    def sorted_sets(self):
        made = []
        for count in COUNTS:
            flat = [part for i in range(count) for part in (i * 1.5, f"player:{i}")]
            made.append(("ZADD", f"zset:players:{count}", *flat))
        made.append(("ZADD", "zset:scores", *(part for score in SCORES for part in (score, f"score {score}"))))
        made.append(("ZADD", "zset:same", *(part for i in range(200) for part in (7, f"{i:03}"))))
        made.append(("ZADD", "zset:members", *(part for i in INTEGERS for part in (i, i))))
        for length in LENGTHS:
            made.append(("ZADD", f"zset:length:{length}", 1, "short", 2, self.noise(length)))
        for start in range(0, 5000, 250):
            flat = [part for i in range(start, start + 250)
                    for part in (repr(self.random.uniform(-1e6, 1e6)), f"player:{i}")]
            made.append(("ZADD", "zset:big", *flat))
        return made

    def hashes(self):
        made = []
        for count in COUNTS:
            made.append(("HSET", f"hash:fields:{count}", *(part for i in range(count) for part in (f"field {i}", i))))
        for length in LENGTHS:
            made.append(("HSET", f"hash:length:{length}", "value", self.noise(length), self.noise(length), "field"))
        made.append(("HSET", "hash:integers", *(part for i in INTEGERS for part in (i, -i if i else i))))
        made.append(("HSET", "hash:look", *(part for look in LOOK_ALIKES for part in (look, look))))
        for start in range(0, 5000, 250):
            made.append(("HSET", "hash:big",
                         *(part for i in range(start, start + 250) for part in (f"field:{i}", f"value {i}"))))
        return made

    def keys(self):
        names = [b"", b"\x00", b"\xff\xfe", b"a\r\nb", b"with space", b"*", b"[x]", "schlüssel".encode(), "鍵🔑".encode(),
                 self.noise(100), self.noise(20_000), b"k" * 64, b"k" * 16384, b"12345", b"-1"]
        return [("SET", name, b"value of " + name[:20]) for name in names]

    def deadlines(self):
        made = []
        for index, (kind, request) in enumerate([
            ("string", ("SET", "ttl:string", "x")), ("integer", ("SET", "ttl:integer", 7)),
            ("list", ("RPUSH", "ttl:list", 1, 2)), ("set", ("SADD", "ttl:set", 1, 2)),
            ("words", ("SADD", "ttl:words", "a", "b")), ("zset", ("ZADD", "ttl:zset", 1, "a")),
            ("hash", ("HSET", "ttl:hash", "f", "v")),
        ]):
            made += [request, ("PEXPIREAT", f"ttl:{kind}", FAR + index)]
        made += [("SET", "ttl:hour", "x", "EX", 3600), ("SET", "ttl:gone", "x", "EX", 100), ("PERSIST", "ttl:gone")]
        for index in range(100):
            made += [("SET", f"ttl:many:{index}", index), ("PEXPIREAT", f"ttl:many:{index}", FAR + index * 86_400_000)]
        return made


def streams():
    """Streams with groups and pending entries, for servers that have them."""
    made = []
    for index in range(1, 301):
        made.append(("XADD", "stream:long", f"{index}-{index % 3}", "sensor", index, "value", index * 2))
    made += [
        ("XADD", "stream:fields", "5-1", "a", "1"), ("XADD", "stream:fields", "5-2", "b", "2", "c", "3"),
        ("XADD", "stream:fields", "6-0", "a", "x" * 5000),
        ("XDEL", "stream:long", "10-1", "11-2"), ("XTRIM", "stream:long", "MAXLEN", "250"),
        ("XADD", "stream:empty", "1-1", "a", "b"), ("XDEL", "stream:empty", "1-1"),
        ("XGROUP", "CREATE", "stream:long", "workers", "0"), ("XGROUP", "CREATE", "stream:long", "idle", "$"),
        ("XGROUP", "CREATE", "stream:made", "first", "$", "MKSTREAM"),
        ("XREADGROUP", "GROUP", "workers", "alice", "COUNT", "20", "STREAMS", "stream:long", ">"),
        ("XREADGROUP", "GROUP", "workers", "bob", "COUNT", "5", "STREAMS", "stream:long", ">"),
        ("XACK", "stream:long", "workers", "60-0", "61-1"),
        ("XGROUP", "CREATECONSUMER", "stream:long", "workers", "carol"),
    ]
    return made


def field_deadlines():
    """Hash fields with deadlines of their own (Valkey 9)."""
    made = [("HSET", "hash:deadlines", *(part for i in range(50) for part in (f"f{i}", i)))]
    made += [("HPEXPIREAT", "hash:deadlines", FAR + i, "FIELDS", 1, f"f{i}") for i in range(0, 50, 2)]
    made += [("HSET", "hash:one", "f", "v"), ("HPEXPIREAT", "hash:one", FAR, "FIELDS", 1, "f")]
    return made


def fill(connection, seed="larder", extra=()):
    """Sends the data set; leaves the connection in database 0."""
    current, batch = 0, []
    for database, request in Generator(seed).requests():
        if database != current:
            batch.append(("SELECT", database))
            current = database
        batch.append(request)
    batch.append(("SELECT", 0))
    batch += extra
    connection.pipeline(batch, depth=100)
