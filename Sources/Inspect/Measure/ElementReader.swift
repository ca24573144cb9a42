import Bytes
import RDB

/// A cursor over the elements of a listpack, with errors as those of the file it is in.
struct ElementReader: ~Escapable {
    private var reader: ListpackReader

    @_lifetime(copy listpack)
    init(_ listpack: RawSpan) throws(RDBError) {
        do {
            reader = try ListpackReader(listpack)
        } catch {
            throw Self.damage(error)
        }
    }

    /// The next element, or nil after the last.
    @inline(__always)
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    mutating func next() throws(RDBError) -> PackedValue? {
        do {
            return try reader.next()
        } catch {
            throw Self.damage(error)
        }
    }

    /// The next element, which must be there.
    @inline(__always)
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    mutating func require() throws(RDBError) -> PackedValue {
        guard let element = try next() else {
            throw Self.damage(ListpackError(.wrongCount, at: reader.position))
        }
        return element
    }

    /// The next element, which must be an integer.
    @_lifetime(self: copy self)
    mutating func requireInteger() throws(RDBError) -> Int64 {
        guard case .integer(let value) = try require() else {
            throw Self.damage(ListpackError(.unknownEncoding, at: reader.position))
        }
        return value
    }

    /// The next element, which must be a score.
    @_lifetime(self: copy self)
    mutating func requireScore() throws(RDBError) -> Double {
        switch try require() {
        case .integer(let number): return Double(number)
        case .bytes(let text):
            guard let score = DecimalText.parseDouble(text) else {
                throw RDBError(.invalidScore, at: reader.position, "\"\(text.text)\" is no score")
            }
            return score
        }
    }

    private static func damage(_ error: ListpackError) -> RDBError {
        RDBError(.invalidListpack, at: error.offset, "listpack: \(error.reason)")
    }
}
