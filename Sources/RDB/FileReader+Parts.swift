import Bytes

// Several readers of one file: one goes through it and gives most keys away, in runs of a
// hundred kilobytes, to others that read them at the same time.
extension FileReader {
    /// What a run has if nothing ends it earlier.
    static let runByteCount = 128 << 10
    /// How many keys a run has at the most.
    private static let runKeyCount = 4096
    /// What is not worth being given away.
    private static let shortestRun = 16 << 10

    /// A reader of runs that a reader with the same options gives away.
    package init(ofRunsWith options: Options) {
        self.init(Input(copying: RawSpan()), options)
        pending = .nothing
    }

    /// Gives the next keys to `other`, which has read all that it was given before; false if there
    /// are too few of them here, or what comes next is something else.
    ///
    /// What begins here ends here: `next` goes on behind the run.
    package mutating func giveRun(to other: inout FileReader) throws(RDBError) -> Bool {
        try finishPending()
        guard let dialect = format?.dialect else { return false }
        try walk.input.gather(Self.runByteCount)
        var scanner = RunScanner(walk.input.window(at: 0, count: walk.input.available))
        var byteCount = 0
        var hasCompressed = false
        for _ in 0..<Self.runKeyCount {
            guard byteCount < Self.runByteCount, scanner.skipKey(dialect) else { break }
            byteCount = scanner.position
            hasCompressed = scanner.hasCompressedStrings
        }
        guard byteCount >= Self.shortestRun else { return false }
        other.followsCompressedStrings = hasCompressedStrings
        other.walk.input.hasCompressedStrings = hasCompressedStrings
        if hasCompressed { walk.input.hasCompressedStrings = true }
        try walk.input.move(byteCount, to: &other.walk.input)
        other.format = format
        other.database = database
        other.walk.templates = walk.templates
        return true
    }

    /// Reads the next key of a run; nil after the last.
    package mutating func nextOfRun() throws(RDBError) -> KeyRecord? {
        try finishPending()
        guard walk.input.available > 0 else { return nil }
        guard case .key(let record) = try next() else {
            preconditionFailure("a run has keys only")
        }
        return record
    }

    /// Goes back to the beginning of the last key of a run.
    package mutating func repeatOfRun() {
        walk.input.rewind(to: offsetOfRecord)
        pending = .nothing
    }

    /// Goes back to the beginning of a run, whatever reading it came to.
    package mutating func repeatRun() {
        var again = FileReader(ofRunsWith: options)
        again.followsCompressedStrings = followsCompressedStrings
        again.walk.input.hasCompressedStrings = followsCompressedStrings
        walk.input.moveAll(to: &again.walk.input)
        again.format = format
        again.database = database
        again.walk.templates = walk.templates
        self = again
    }
}
