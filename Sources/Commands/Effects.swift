import Bytes
import RESP

/// The stream of what commands change, as requests that a replay repeats.
///
/// Written once for the log and for replicas. What depends on the moment is written as what it
/// came to: relative expiry as an absolute one, a random choice as the chosen members.
package struct Effects: ~Copyable {
    /// What was written since the last `removeAll`.
    package private(set) var output = ByteWriter()
    /// Whether anybody reads the stream; without readers nothing is written.
    package var isEnabled = false
    /// The database that the stream has selected last; -1 forces a SELECT.
    package var selectedDatabase = -1
    private(set) var isInTransaction = false
    private var hasBegunTransaction = false

    /// Appends a request as it came.
    mutating func append(_ request: borrowing Request, database: Int) {
        guard isEnabled else { return }
        begin(database)
        request.encode(into: &output)
    }

    /// Starts a request of `count` arguments; that many `argument` calls follow.
    mutating func begin(_ count: Int, database: Int) -> Bool {
        guard isEnabled else { return false }
        begin(database)
        output.append(UInt8(ascii: "*"))
        output.append(decimal: Int64(count))
        output.append("\r\n")
        return true
    }

    mutating func argument(_ bytes: RawSpan) {
        output.append(UInt8(ascii: "$"))
        output.append(decimal: Int64(bytes.byteCount))
        output.append("\r\n")
        output.append(bytes)
        output.append("\r\n")
    }

    mutating func argument(_ text: StaticString) {
        output.append(UInt8(ascii: "$"))
        output.append(decimal: Int64(text.utf8CodeUnitCount))
        output.append("\r\n")
        output.append(text)
        output.append("\r\n")
    }

    mutating func argument(_ integer: Int64) {
        output.append(UInt8(ascii: "$"))
        output.append(decimal: Int64(DecimalText.byteCount(of: integer)))
        output.append("\r\n")
        output.append(decimal: integer)
        output.append("\r\n")
    }

    /// What follows until `endTransaction` is replayed as a whole or not at all.
    mutating func beginTransaction() {
        isInTransaction = true
        hasBegunTransaction = false
    }

    mutating func endTransaction() {
        if hasBegunTransaction { output.append(Effects.exec) }
        isInTransaction = false
        hasBegunTransaction = false
    }

    /// Lets the log take what was written; `take` leaves the buffer empty.
    ///
    /// In the middle of a transaction, which is a command's doing that switches the log off or
    /// reads it, what is taken is one transaction and what follows another.
    package mutating func handOver<Result>(_ take: (inout ByteWriter) -> Result) -> Result {
        if hasBegunTransaction {
            output.append(Effects.exec)
            hasBegunTransaction = false
        }
        return take(&output)
    }

    /// Forgets what was written, once it was handed on.
    package mutating func removeAll() {
        output.removeAll(keepingCapacityUpTo: 1 << 20)
    }

    private static let exec: StaticString = "*1\r\n$4\r\nEXEC\r\n"

    private mutating func begin(_ database: Int) {
        if isInTransaction, !hasBegunTransaction {
            // A replica or a replay must see the whole or nothing, its SELECT included.
            output.append("*1\r\n$5\r\nMULTI\r\n")
            hasBegunTransaction = true
        }
        guard database != selectedDatabase else { return }
        selectedDatabase = database
        output.append("*2\r\n$6\r\nSELECT\r\n")
        argument(Int64(database))
    }
}
