import Bytes
import RESP

extension Request {
    /// The first key of most commands.
    var key: RawSpan {
        @_lifetime(copy self)
        get { self[1] }
    }

    /// The integer that the argument at `index` spells.
    func integer(_ index: Int) throws(CommandError) -> Int64 {
        guard let value = DecimalText.parseInteger(self[index]) else {
            throw .notAnInteger
        }
        return value
    }

    /// The number that the argument at `index` spells.
    func double(_ index: Int) throws(CommandError) -> Double {
        guard let value = DecimalText.parseDoubleInRange(self[index]) else { throw .notAFloat }
        return value
    }

    /// The number of a database, in use or not, that the argument at `index` gives.
    func databaseNumber(_ index: Int) -> Int64? {
        DecimalText.parseInteger(self[index]).flatMap { Int32(exactly: $0) }.map { Int64($0) }
    }

    /// Whether the argument at `index` is this word; `word` is written in lower case.
    func `is`(_ index: Int, _ word: StaticString) -> Bool {
        self[index].equalsIgnoringCase(word)
    }
}
