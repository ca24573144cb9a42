import Bytes
import RESP
import Store

extension Command {
    static let commonSubsequence: [Command] = [
        Command("lcs", .atLeast(3), keys: .firstTwo, [.readonly], longestCommonSubsequence)
    ]
}

/// What follows the keys of LCS.
private struct Options {
    var repliesLength = false
    var repliesMatches = false
    var repliesMatchLengths = false
    var shortestMatch: Int64 = 0

    init(_ request: borrowing Request) throws(CommandError) {
        var index = 3
        while index < request.count {
            if request.is(index, "idx") {
                repliesMatches = true
            } else if request.is(index, "len") {
                repliesLength = true
            } else if request.is(index, "withmatchlen") {
                repliesMatchLengths = true
            } else if request.is(index, "minmatchlen"), index + 1 < request.count {
                index += 1
                shortestMatch = max(0, try request.integer(index))
            } else {
                throw .syntax
            }
            index += 1
        }
        guard !repliesLength || !repliesMatches else {
            throw .text("ERR If you want both the length and indexes, please just use IDX.")
        }
    }
}

private func longestCommonSubsequence(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let one = engine.lookup(request[1])
    let other = engine.lookup(request[2])
    guard one?.kind ?? .string == .string, other?.kind ?? .string == .string else {
        throw .text("ERR The specified keys must contain string values")
    }
    let options = try Options(request)
    let oneCount = one?.bytes.byteCount ?? 0
    let otherCount = other?.bytes.byteCount ?? 0
    // Both counts are below 2^32, so this cannot overflow.
    guard (oneCount + 1) * (otherCount + 1) <= engine.settings.longestString / 4 else {
        throw .text(
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
        )
    }
    if let one, let other {
        let lengths = SubsequenceLengths(one.bytes, other.bytes)
        lengths.write(one.bytes, other.bytes, options, &reply)
    } else {
        SubsequenceLengths(RawSpan(), RawSpan()).write(RawSpan(), RawSpan(), options, &reply)
    }
}

/// How long the longest common subsequence of every two prefixes is.
///
/// The textbook's table (Wagner and Fischer, 1974): a row for each prefix of the one string,
/// a column for each of the other.
private struct SubsequenceLengths {
    private let table: [UInt32]
    private let columnCount: Int

    init(_ one: RawSpan, _ other: RawSpan) {
        let columnCount = other.byteCount + 1
        var table = [UInt32](repeating: 0, count: (one.byteCount + 1) * columnCount)
        var cells = table.mutableSpan
        for row in 0..<one.byteCount {
            let byte = one.byte(at: row)
            var left: UInt32 = 0
            for column in 0..<other.byteCount {
                let place = row * columnCount + column
                if other.byte(at: column) == byte {
                    left = cells[place] + 1
                } else {
                    left = max(left, cells[place + 1])
                }
                cells[place + columnCount + 1] = left
            }
        }
        self.columnCount = columnCount
        self.table = table
    }

    private subscript(row: Int, column: Int) -> UInt32 { table[row * columnCount + column] }

    /// Writes what `options` ask for, walking the table from its last cell to the first.
    func write(
        _ one: RawSpan,
        _ other: RawSpan,
        _ options: Options,
        _ reply: inout ReplyWriter
    ) {
        let total = Int(self[one.byteCount, other.byteCount])
        if options.repliesLength { return reply.integer(total) }
        guard options.repliesMatches else {
            var text = [UInt8](repeating: 0, count: total)
            var place = total
            walk(one, other) { row, _, count in
                for offset in stride(from: count - 1, through: 0, by: -1) {
                    place -= 1
                    text[place] = one.byte(at: row + offset)
                }
            }
            return reply.bulk(text.bytes)
        }
        reply.map(2)
        reply.bulk("matches")
        let mark = reply.beginArray()
        var matches = 0
        walk(one, other) { row, column, count in
            guard count >= options.shortestMatch else { return }
            matches += 1
            reply.array(options.repliesMatchLengths ? 3 : 2)
            for start in [row, column] {
                reply.array(2)
                reply.integer(start)
                reply.integer(start + count - 1)
            }
            if options.repliesMatchLengths { reply.integer(count) }
        }
        reply.endArray(mark, count: matches)
        reply.bulk("len")
        reply.integer(total)
    }

    /// Visits the runs that are common and lie together in both, the last first.
    private func walk(
        _ one: RawSpan,
        _ other: RawSpan,
        _ visit: (_ row: Int, _ column: Int, _ count: Int) -> Void
    ) {
        var row = one.byteCount
        var column = other.byteCount
        var count = 0
        while row > 0, column > 0 {
            if one.byte(at: row - 1) == other.byte(at: column - 1) {
                row -= 1
                column -= 1
                count += 1
                continue
            }
            if count > 0 { visit(row, column, count) }
            count = 0
            if self[row - 1, column] > self[row, column - 1] { row -= 1 } else { column -= 1 }
        }
        if count > 0 { visit(row, column, count) }
    }
}
