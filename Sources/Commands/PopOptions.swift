import Bytes
import RESP

/// One of two ends from which a command takes, as its argument names it.
protocol PoppedEnd {
    init(_ request: borrowing Request, _ index: Int) throws(CommandError)
}

/// What LMPOP, ZMPOP and their blocking forms take: so many keys, an end, and a count.
struct PopOptions<End: PoppedEnd> {
    /// The arguments that are keys.
    let keys: Range<Int>
    let end: End
    private(set) var count = 1

    /// Reads the arguments from the number of keys, at `start`, to the last.
    init(_ request: borrowing Request, _ start: Int) throws(CommandError) {
        let keyCount = try request.integer(
            start,
            atLeast: 1,
            else: "ERR numkeys should be greater than 0"
        )
        guard keyCount < request.count - start - 1 else { throw .syntax }
        keys = (start + 1)..<(start + 1 + keyCount)
        end = try End(request, keys.upperBound)
        var index = keys.upperBound + 1
        var hasCount = false
        while index < request.count {
            guard !hasCount, request.is(index, "count"), index + 1 < request.count else {
                throw .syntax
            }
            hasCount = true
            count = try request.integer(
                index + 1,
                atLeast: 1,
                else: "ERR count should be greater than 0"
            )
            index += 2
        }
    }
}

extension ListEnd: PoppedEnd {
    init(_ request: borrowing Request, _ index: Int) throws(CommandError) {
        self = try request.listEnd(index)
    }
}

extension ScoreEnd: PoppedEnd {
    init(_ request: borrowing Request, _ index: Int) throws(CommandError) {
        if request.is(index, "min") {
            self = .least
        } else if request.is(index, "max") {
            self = .greatest
        } else {
            throw .syntax
        }
    }
}
