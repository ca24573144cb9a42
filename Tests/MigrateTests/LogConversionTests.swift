import Bytes
import Migrate
import RDB
import Testing

/// Commands as a log has them.
private func log(_ commands: [[String]]) -> [UInt8] {
    var text = ""
    for command in commands {
        text += "*\(command.count)\r\n"
        for word in command { text += "$\(word.utf8.count)\r\n\(word)\r\n" }
    }
    return Array(text.utf8)
}

/// The commands of a log that became of these.
private func converted(_ commands: [[String]], for target: String) throws -> [UInt8] {
    // The reader of logs tells a log from a dump by its first byte.
    let run = try Run([log(commands)], for: target, into: "log/")
    return try run.file("log/appendonly.aof.1.incr.aof")
}

struct LogConversionTests {
    static let translations: [(String, [String], [[String]])] = [
        ("valkey-9.1", ["SET", "k", "v"], [["SET", "k", "v"]]),
        ("valkey-9.1", ["SET", "k", "v", "IFEQ", "w"], [["SET", "k", "v", "IFEQ", "w"]]),
        (
            "valkey-8.0", ["SET", "k", "v", "IFEQ", "w", "PXAT", "9"],
            [["SET", "k", "v", "PXAT", "9"]]
        ),
        ("redis-8", ["SET", "k", "IFEQ"], [["SET", "k", "IFEQ"]]),
        (
            "valkey-9.0", ["MSETEX", "2", "a", "1", "b", "2", "NX", "PXAT", "9"],
            [["SET", "a", "1", "PXAT", "9"], ["SET", "b", "2", "PXAT", "9"]]
        ),
        ("valkey-9.0", ["HGETDEL", "h", "FIELDS", "2", "a", "b"], [["HDEL", "h", "a", "b"]]),
        (
            "redis-7.4", ["HSETEX", "h", "FNX", "PXAT", "9", "FIELDS", "2", "a", "1", "b", "2"],
            [
                ["HSET", "h", "a", "1", "b", "2"],
                ["HPEXPIREAT", "h", "9", "FIELDS", "2", "a", "b"],
            ]
        ),
        (
            "valkey-8.1", ["HSETEX", "h", "FIELDS", "1", "FIELDS", "v"],
            [["HSET", "h", "FIELDS", "v"]]
        ),
        ("valkey-8.1", ["HPEXPIREAT", "h", "9", "FIELDS", "1", "a"], []),
        ("valkey-8.1", ["HPERSIST", "h", "FIELDS", "1", "a"], []),
        ("redis-6.2", ["PEXPIREAT", "k", "9", "GT"], [["PEXPIREAT", "k", "9"]]),
        (
            "valkey-9.1",
            ["XADD", "s", "NOMKSTREAM", "KEEPREF", "MAXLEN", "~", "9", "1-1", "KEEPREF", "v"],
            [["XADD", "s", "NOMKSTREAM", "MAXLEN", "~", "9", "1-1", "KEEPREF", "v"]]
        ),
        (
            "redis-8", ["XADD", "s", "ACKED", "1-1", "f", "v"],
            [["XADD", "s", "ACKED", "1-1", "f", "v"]]
        ),
        (
            "valkey-9.1", ["XDELEX", "s", "KEEPREF", "IDS", "2", "1-1", "2-1"],
            [["XDEL", "s", "1-1", "2-1"]]
        ),
        ("valkey-9.1", ["VADD", "v", "VALUES", "1", "1", "e"], []),
        (
            "redis-8", ["VADD", "v", "VALUES", "1", "1", "e"],
            [["VADD", "v", "VALUES", "1", "1", "e"]]
        ),
        ("valkey-9.1", ["BF.ADD", "b", "x"], []),
    ]

    @Test(arguments: translations.filter { $0.0 != "redis-6.2" })
    func `a command becomes what means the same`(
        target: String,
        command: [String],
        expected: [[String]]
    ) throws {
        #expect(try converted([command], for: target) == log(expected))
    }

    @Test(arguments: [
        ("valkey-9.1", ["BITOP", "DIFF", "d", "a", "b"]), ("valkey-9.1", ["UNHEARDOF", "k"]),
        ("valkey-9.1", ["XDELEX", "s", "ACKED", "IDS", "1", "1-1"]),
        ("valkey-9.1", ["XADD", "s", "DELREF", "1-1", "f", "v"]),
        ("redis-7.4", ["HSETEX", "h", "KEEPTTL", "FIELDS", "1", "a", "1"]),
        ("valkey-9.1", ["JSON.SET", "j", "$", "1"]), ("valkey-9.1", ["RESTORE", "k", "0", "x"]),
        ("valkey-9.1", ["FUNCTION", "LOAD", "#!js name=x"]),
    ])
    func `a command without a counterpart stops the run, or is left out by name`(
        target: String,
        command: [String]
    ) throws {
        let error = #expect(throws: MigrationError.self) { try converted([command], for: target) }
        let text = "\(try #require(error))"
        #expect(text.contains("(\(command[0]))") && text.contains("byte 0 of the commands"))
        let run = try Run([log([command, ["SET", "k", "v"]])], for: target, into: "log/") {
            $0.isDroppingCommands = true
        }
        #expect(try run.file("log/appendonly.aof.1.incr.aof") == log([["SET", "k", "v"]]))
        #expect(run.changes(.logCommands) == ["lost drop 1"])
    }

    @Test func `a log directory comes with its manifest`() throws {
        let run = try Run(
            [log([["SELECT", "3"], ["SET", "k", "v"]])],
            for: "larder",
            into: "log/"
        )
        #expect(
            try run.file("log/appendonly.aof.manifest")
                == Array(
                    """
                    file appendonly.aof.1.base.rdb seq 1 type b
                    file appendonly.aof.1.incr.aof seq 1 type i

                    """.utf8
                )
        )
        #expect(try held(in: run.file("log/appendonly.aof.1.base.rdb")).isEmpty)
    }

    @Test func `a log goes into a log only, and where there is a directory for it`() {
        #expect(throws: MigrationError.self) { try Run([log([["SET", "k", "v"]])], for: "larder") }
        #expect(throws: MigrationError.self) {
            try Run([log([["SET", "k", "v"]])], for: "redis-6.2", into: "log/")
        }
        #expect(throws: MigrationError.self) {
            try Run([log([["SET", "k", "v"]])], for: "larder", into: "log/") {
                $0.selection.included = ["k"]
            }
        }
    }
}
