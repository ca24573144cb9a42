import Bytes
import Platform
import RDB

/// Writes what can still be read of a damaged file into a sound one.
///
/// Sound records are copied byte for byte. Where one is damaged, the next is looked for:
///
/// 1. Its value may be wrong only inside a packed encoding, while its length is right. If it can
///    be read without the checks that servers do not make either, it is written anew; if only its
///    first elements can, those are; else it is left out. The records after it follow at once.
/// 2. Otherwise every following byte is tried as the beginning of a record. Random bytes often
///    look like one record, and seldom like several in a row: a place counts if five keys
///    can be read from it, or all there is to the end of the file, and if these keys look like
///    those read before.
///
/// Which database is selected after a gap is not known if the gap held the change; the one
/// before is assumed.
struct Salvage: ~Copyable {
    let content: SeekableContent
    private let magic: ByteString
    let format: Format
    private var report: SalvageReport
    private var pieces: [Piece] = []
    /// What was written anew.
    let scratch: ScratchFile
    private var keys = KeyLooks()
    private var seen = DuplicateFinder()
    /// Where records of keys begin that came before.
    private var duplicates: [Int] = []
    private var database: UInt64 = 0

    /// Something that goes into the sound file.
    private enum Piece {
        /// Bytes of the damaged file.
        case copied(Range<Int>)
        /// What was written anew of the record at a place, and where that lies.
        case written(Int, Range<Int>)
    }

    /// Saves what can be read of the file at `path` to a file at `output`.
    static func save(
        _ path: String,
        to output: String,
        _ progress: Progress?
    ) throws(InspectError) -> SalvageReport {
        do {
            guard try LogLocation(path) == nil else {
                throw InspectError(
                    path,
                    .unknown("a log is mended by larder-inspect log --repair, not salvaged")
                )
            }
            let content = try SeekableContent(path, progress)
            var head = ByteWriter()
            try content.read(SectionSource.magicByteCount, at: 0, into: &head)
            let magic = ByteString(head.bytes)
            var salvage = try Salvage(content, magic, try format(magic, path), output)
            try salvage.readAll()
            try salvage.write(to: output)
            return salvage.report
        } catch let error as InspectError {
            throw error
        } catch let error as SystemError {
            throw InspectError(path, .system(error))
        } catch {
            throw InspectError(path, .unknown("\(error)"))
        }
    }

    private init(
        _ content: SeekableContent,
        _ magic: ByteString,
        _ format: Format,
        _ output: String
    ) throws(SystemError) {
        scratch = try ScratchFile()
        self.content = content
        self.magic = magic
        self.format = format
        report = SalvageReport(path: output)
    }

    /// The format that the first bytes of a file name; without one nothing can be read.
    private static func format(_ magic: ByteString, _ path: String) throws(InspectError) -> Format {
        var reader = FileReader(MemorySource(magic.array))
        do {
            _ = try reader.next()
        } catch {
            guard let format = reader.format else { throw InspectError(path, error) }
            return format
        }
        throw InspectError(path, .unknown("it has nothing but a magic"))
    }

    private mutating func readAll() throws {
        var position = SectionSource.magicByteCount
        var wasSearched = false
        while position < content.byteCount {
            if wasSearched { position = try skipFields(from: position) }
            let (end, fault) = try readSound(from: position)
            if end > position { pieces.append(.copied(position..<end)) }
            guard let fault else { return }
            if case .transferFailed = fault.code { throw fault }
            (position, wasSearched) = try resume(after: fault, at: end)
        }
        report.isCut = true
    }

    /// Where to begin after a gap so that no more keys are read than the file says it has.
    ///
    /// The fields of a large hash read like keys with string values, down to the last byte. So
    /// if there are too many keys, it is the first of them that are none.
    private mutating func skipFields(from start: Int) throws -> Int {
        guard report.statedKeyCount > 0 else { return start }
        var counter = reader(from: start, [], firstPiece: 64 << 10)
        var ownCount = 0
        var count = 0
        var stated = report.statedKeyCount
        var isOwn = true
        do throws(RDBError) {
            reading: while true {
                switch try counter.next() {
                case .key:
                    try counter.skipValue()
                    count += 1
                    if isOwn { ownCount += 1 }
                case .database: isOwn = false
                case .sizes(let keys, _): stated += Int(clamping: keys)
                case .end: break reading
                default: break
                }
            }
        } catch {
            if error.code == .transferFailed { throw error }
        }
        // Each gap has cost one key at least.
        let excess = report.keyCount + count + report.losses.count - stated
        return try skip(min(excess, ownCount), from: start)
    }

    private mutating func skip(_ keyCount: Int, from start: Int) throws(RDBError) -> Int {
        guard keyCount > 0 else { return start }
        var reader = reader(from: start, [], firstPiece: 64 << 10)
        var left = keyCount
        while left > 0 {
            guard case .key = try reader.next() else { continue }
            try reader.skipValue()
            left -= 1
        }
        let end = place(reader.offset, start)
        if let last = report.losses.popLast() {
            let range = last.range.lowerBound..<end
            report.losses.append(SalvageReport.Loss(range: range, error: last.error))
        }
        return end
    }
}

// Reading what is sound.

extension Salvage {
    /// Reads records as long as they are sound; where that ends, and why, nil at the end.
    private mutating func readSound(from start: Int) throws -> (Int, RDBError?) {
        var reader = reader(from: start, .containers, firstPiece: 128 << 10)
        var end = start
        var visitor = CheckVisitor()
        do throws(RDBError) {
            while true {
                switch try reader.next() {
                case .key(let record):
                    let name = try reader.readKeyHash()
                    try reader.readValue(into: &visitor)
                    keys.add(reader.key, record)
                    end = place(reader.offset, start)
                    try note(name, at: place(record.offset, start))
                case .moduleAuxiliary:
                    try reader.readValue(into: &visitor)
                case .database(let number):
                    database = number
                case .sizes(let keys, _):
                    report.statedKeyCount += Int(clamping: keys)
                case .end:
                    // Damage may look like the end; then the rest is still to be looked for.
                    guard place(reader.offset, start) < content.byteCount else { return (end, nil) }
                    throw RDBError(.unknownType, at: reader.offset, "the end has more behind it")
                default: break
                }
                end = place(reader.offset, start)
            }
        } catch {
            return (end, moved(error, start))
        }
    }

    func reader(
        from start: Int,
        _ validation: Validation,
        firstPiece: Int,
        patch: SectionSource.Patch? = nil
    ) -> FileReader {
        var options = FileReader.Options()
        options.isVerifyingChecksum = false
        options.largestWholeText = LongText.limit
        options.validation = validation
        let source = SectionSource(
            content,
            magic: magic,
            from: start,
            firstPiece: firstPiece,
            patch: patch
        )
        return FileReader(source, options: options)
    }

    /// Where in the file an offset of a reader is that began at `start`.
    func place(_ offset: Int, _ start: Int) -> Int {
        offset - SectionSource.magicByteCount + start
    }

    private func moved(_ error: RDBError, _ start: Int) -> RDBError {
        error.moved(by: start - SectionSource.magicByteCount)
    }

    /// Remembers a key by the hash of its name, to find those that are there twice.
    private mutating func note(_ name: SipHash128, at start: Int) throws(RDBError) {
        report.keyCount += 1
        var hash = name
        hash.combine(database)
        if let offset = try seen.add(hash.finish(), at: start) { duplicates.append(offset) }
    }
}

extension FileReader {
    /// The hash of the name of the last key; one that is too long to be held is named by what stands
    /// for it.
    mutating func readKeyHash() throws(RDBError) -> SipHash128 {
        if let text = try LongText(&self) {
            let name = text.standIn
            nameKey(name.bytes)
            return text.hash
        }
        var hash = SipHash128()
        hash.combine(text: key)
        return hash
    }
}

// Finding the next record.

extension Salvage {
    /// Keys that have to follow a place for it to be taken for the beginning of a record.
    private static let neededKeyCount = 5

    /// Where to read on after a fault in the record at `start`.
    ///
    /// Says, too, whether the place had to be searched for.
    private mutating func resume(
        after fault: RDBError,
        at start: Int
    ) throws -> (Int, wasSearched: Bool) {
        if let end = skipRecord(at: start), isBeginning(end, mayEnd: true) {
            if let value = rewrite(at: start, fault) {
                pieces.append(.copied(start..<value.typeOffset))
                pieces.append(.written(start, value.type))
                pieces.append(.copied(value.typeOffset + 1..<value.offset))
                pieces.append(.written(start, value.bytes))
                if value.isWhole {
                    report.repaired.append(value.name)
                } else {
                    report.partial.append(value.name)
                }
                try note(value.hash, at: start)
            } else {
                report.losses.append(SalvageReport.Loss(range: start..<end, error: fault))
            }
            return (end, false)
        }
        let next = try search(from: start + 1)
        report.losses.append(SalvageReport.Loss(range: start..<next, error: fault))
        return (next, true)
    }

    /// Where the record at `start` ends, if its lengths can be followed.
    private func skipRecord(at start: Int) -> Int? {
        var reader = reader(from: start, [], firstPiece: 4096)
        do throws(RDBError) {
            guard case .key = try reader.next() else { return nil }
            try reader.skipValue()
        } catch {
            return nil
        }
        return place(reader.offset, start)
    }

    /// Looks for the next place where records begin; the end of the file if there is none.
    private mutating func search(from start: Int) throws -> Int {
        var window = ByteWriter()
        var position = start
        while position < content.byteCount {
            window.removeAll()
            try content.read(1 << 20, at: position, into: &window)
            // Candidates near the end of the window are looked at in the next.
            let isLast = position + window.count == content.byteCount
            let usable = isLast ? window.count : window.count - 1024
            for offset in 0..<usable {
                let isCandidate = RecordStart.isPossible(
                    window.bytes,
                    at: offset,
                    format.dialect,
                    keys
                )
                if isCandidate, isBeginning(position + offset, mayEnd: false) {
                    return position + offset
                }
            }
            position += usable
        }
        return content.byteCount
    }

    /// Whether records begin at `start`.
    ///
    /// The end of the file counts as well if there is a reason to expect a record: with `mayEnd`.
    private func isBeginning(_ start: Int, mayEnd: Bool) -> Bool {
        guard start < content.byteCount else { return mayEnd }
        var reader = reader(from: start, [.containers, .keys], firstPiece: 4096)
        var keyCount = 0
        var otherCount = 0
        var visitor = CheckVisitor()
        do throws(RDBError) {
            while keyCount < Self.neededKeyCount, otherCount < 8 {
                switch try reader.next() {
                case .key(let record):
                    guard keys.resemble(reader.key, record) else { return false }
                    try reader.readValue(into: &visitor)
                    keyCount += 1
                case .end:
                    return place(reader.offset, start) == content.byteCount
                case .moduleAuxiliary:
                    try reader.readValue(into: &visitor)
                    otherCount += 1
                default: otherCount += 1
                }
            }
            return keyCount == Self.neededKeyCount
        } catch {
            // A file that is cut, too: what is there up to the cut is records.
            let isCut = error.code == .truncated && place(error.offset, start) <= content.byteCount
            return isCut && keyCount >= (mayEnd ? 1 : 2)
        }
    }
}

// Writing.

extension Salvage {
    private mutating func write(to path: String) throws {
        duplicates += try seen.finishAll()
        report.duplicateCount = duplicates.count
        report.keyCount -= duplicates.count
        let excluded = duplicates.sorted().compactMap { start in
            skipRecord(at: start).map { start..<$0 }
        }
        let output = try OutputStream(path: path)
        var checksum = CRC64()
        func emit(_ bytes: RawSpan) throws {
            checksum.update(bytes)
            try output.write(bytes)
        }
        func emit(
            _ range: Range<Int>,
            _ read: (Int, Int, inout ByteWriter) throws -> Void
        ) throws {
            var position = range.lowerBound
            while position < range.upperBound {
                var buffer = ByteWriter()
                let count = min(256 << 10, range.upperBound - position)
                try read(count, position, &buffer)
                try emit(buffer.bytes)
                position += count
            }
        }
        try emit(magic.bytes)
        for piece in pieces {
            switch piece {
            case .written(let start, let range):
                if !duplicates.contains(start) { try emit(range, scratch.read(_:at:into:)) }
            case .copied(let range):
                for part in range.removing(excluded) {
                    try emit(part, content.read(_:at:into:))
                }
            }
        }
        try emit(([0xFF] as [UInt8]).bytes)
        if format.version >= 5 {
            var trailer = ByteWriter()
            trailer.appendInteger(checksum.value)
            try output.write(trailer.bytes)
        }
        try output.publish()
    }
}

extension Range<Int> {
    /// What is left of the range without the sorted `others`.
    fileprivate func removing(_ others: [Range<Int>]) -> [Range<Int>] {
        var left: [Range<Int>] = []
        var position = lowerBound
        for other in others where other.upperBound > lowerBound && other.lowerBound < upperBound {
            if other.lowerBound > position { left.append(position..<other.lowerBound) }
            position = Swift.max(position, other.upperBound)
        }
        if position < upperBound { left.append(position..<upperBound) }
        return left
    }
}
