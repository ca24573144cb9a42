import Bytes
import RDB

/// Which commands that change data a destination knows.
///
/// A server that replays its log ends at a command that it does not know, and goes on after one
/// that it refuses, whose effect is then lost; so both have to be known beforehand.
struct LogCommands: Sendable {
    private let known: Set<String>
    /// Whether fields of hashes can have deadlines there.
    let holdsFieldDeadlines: Bool
    private let destination: Destination

    init(of destination: Destination) {
        self.destination = destination
        holdsFieldDeadlines = destination.deadlineTarget != nil
        var known = Self.everywhere
        if destination.isFrom(redis: 700, valkey: 0) { known.formUnion(Self.sinceRedis70) }
        if holdsFieldDeadlines { known.formUnion(Self.fieldDeadlines) }
        if destination.isFrom(redis: 800, valkey: 900) { known.insert("HSETEX") }
        if destination.isFrom(redis: 800, valkey: 901) { known.insert("HGETDEL") }
        if destination.isFrom(redis: .max, valkey: 901) { known.insert("MSETEX") }
        if destination.family == .redis, destination.version >= 800 {
            known.formUnion(Self.redis8)
        }
        self.known = known
    }

    /// Whether the server has a command of that name, in capitals.
    func contains(_ name: String) -> Bool { known.contains(name) }

    /// Whether `SET` can depend on the value that was there.
    var hasConditionOnValue: Bool { destination.isFrom(redis: .max, valkey: 801) }
    /// Whether streams can be told what becomes of references to deleted entries.
    var hasReferencePolicies: Bool { contains("XDELEX") }
    /// Whether commands for streams take their counters.
    var hasStreamCounters: Bool { destination.target.holdsStreamCounters }
    /// Whether deadlines can depend on the one that was there.
    var hasDeadlineConditions: Bool { destination.isFrom(redis: 700, valkey: 0) }

    /// What Redis 6.2 has, and all that came after.
    private static let everywhere: Set<String> = Set(
        """
        APPEND BITFIELD BITOP BLMOVE BLPOP BRPOP BRPOPLPUSH BZPOPMAX BZPOPMIN COPY DECR DECRBY DEL
        EVAL EVALSHA EXEC EXPIRE EXPIREAT FLUSHALL FLUSHDB GEOADD GEORADIUS GEORADIUSBYMEMBER
        GEOSEARCHSTORE GETDEL GETEX GETSET HDEL HINCRBY HINCRBYFLOAT HMSET HSET HSETNX INCR INCRBY
        INCRBYFLOAT LINSERT LMOVE LPOP LPUSH LPUSHX LREM LSET LTRIM MOVE MSET MSETNX MULTI PERSIST
        PEXPIRE PEXPIREAT PFADD PFMERGE PSETEX PUBLISH RENAME RENAMENX RESTORE RPOP RPOPLPUSH RPUSH
        RPUSHX SADD SCRIPT SDIFFSTORE SELECT SET SETBIT SETEX SETNX SETRANGE SINTERSTORE SMOVE SORT
        SPOP SREM SUNIONSTORE SWAPDB UNLINK XACK XADD XCLAIM XDEL XGROUP XSETID XTRIM ZADD
        ZDIFFSTORE ZINCRBY ZINTERSTORE ZPOPMAX ZPOPMIN ZRANGESTORE ZREM ZREMRANGEBYLEX
        ZREMRANGEBYRANK ZREMRANGEBYSCORE ZUNIONSTORE
        """
        .split(whereSeparator: \.isWhitespace).map(String.init)
    )

    private static let sinceRedis70: Set<String> = [
        "BLMPOP", "BZMPOP", "FUNCTION", "LMPOP", "ZMPOP",
    ]
    private static let fieldDeadlines: Set<String> = [
        "HEXPIRE", "HEXPIREAT", "HPEXPIRE", "HPEXPIREAT", "HPERSIST",
    ]
    private static let redis8: Set<String> = ["VADD", "VREM", "VSETATTR", "XACKDEL", "XDELEX"]
}

extension Destination {
    /// Whether it is this version of its family or a later one; Larder is as Valkey's newest.
    func isFrom(redis: Int, valkey: Int) -> Bool {
        switch family {
        case .redis: version >= redis
        case .valkey: version >= valkey
        case .larder: true
        }
    }
}
