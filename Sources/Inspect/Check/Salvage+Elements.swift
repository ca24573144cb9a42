import Bytes
import Platform
import RDB

// Values of damaged records that are written anew.

/// A value that was written anew, in place of the one after the name of a key.
struct RewrittenValue {
    let name: ByteString
    let hash: SipHash128
    /// Where in the damaged file its type byte is, and where its value begins.
    let typeOffset: Int
    let offset: Int
    /// Where in the scratch file the new type byte and the new value are.
    let type: Range<Int>
    let bytes: Range<Int>
    /// Whether nothing was left out but what was there twice.
    let isWhole: Bool
}

extension Salvage {
    /// Writes the value of the record at `start` anew, as far as it can be read; nil if it cannot.
    ///
    /// The count in a listpack's header is not needed: FF FF stands for unknown.
    func rewrite(at start: Int, _ fault: RDBError) -> RewrittenValue? {
        let hasWrongCount =
            fault.code == .invalidListpack
            && fault.detail == "listpack: \(ListpackError.Reason.wrongCount)"
        let patch =
            hasWrongCount
            ? SectionSource.Patch(offset: fault.offset, bytes: [0xFF, 0xFF]) : nil
        do throws(RDBError) {
            var reader = reader(from: start, [], firstPiece: 64 << 10, patch: patch)
            guard case .key(let record) = try reader.next() else { return nil }
            let hash = try reader.readKeyHash()
            let offset = reader.offset
            var survey = ElementSurvey()
            var isWhole = true
            do throws(RDBError) {
                try reader.readValue(into: &survey)
            } catch {
                guard record.encoding.isOneListpack else { throw error }
                isWhole = false
            }
            try survey.finish()
            let range: Range<Int>
            if !isWhole, survey.count == 0 {
                guard let packed = try writeElements(at: start, record, reader.offsetOfEncoding)
                else { return nil }
                range = packed
            } else {
                range = try write(survey, at: start, patch)
            }
            return RewrittenValue(
                name: ByteString(reader.key),
                hash: hash,
                typeOffset: place(reader.offsetOfEncoding, start),
                offset: place(offset, start),
                type: range.prefix(1),
                bytes: range.dropFirst(1),
                isWhole: isWhole
            )
        } catch {
            return nil
        }
    }

    /// Writes the elements of the record at `start` that were looked at.
    private func write(
        _ survey: borrowing ElementSurvey,
        at start: Int,
        _ patch: SectionSource.Patch?
    ) throws(RDBError) -> Range<Int> {
        var reader = reader(from: start, [], firstPiece: 64 << 10, patch: patch)
        _ = try reader.next()
        if survey.isSmall {
            var collected = CollectedValue()
            // What ends it has been seen before.
            try? reader.readValue(into: &collected)
            return try write(collected)
        }
        let before = scratch.byteCount
        var elements = SurveyedElements(survey.count, survey.duplicates, to: try writer())
        try survey.begin(&elements.writer)
        try? reader.readValue(into: &elements)
        guard elements.isComplete else { throw .stopped }
        try survey.end(&elements.writer)
        return try finish(&elements.writer, before)
    }

    /// Writes the elements before the damage of a listpack that is short enough to be held.
    ///
    /// The listpack lies in a string, compressed or not. So with the type byte of a string before
    /// it, it can be read as one.
    private func writeElements(
        at start: Int,
        _ record: KeyRecord,
        _ typeOffset: Int
    ) throws(RDBError) -> Range<Int>? {
        let patch = SectionSource.Patch(
            offset: place(typeOffset, start),
            bytes: [Encoding.string.typeByte]
        )
        var reader = reader(from: start, [], firstPiece: 64 << 10, patch: patch)
        guard case .key = try reader.next() else { return nil }
        var whole = WholeString()
        try reader.readValue(into: &whole)
        var collected = CollectedValue()
        _ = try collected.begin(record.encoding)
        guard collected.take(listpack: whole.bytes.bytes) else { return nil }
        return try write(collected)
    }

    private func write(_ collected: CollectedValue) throws(RDBError) -> Range<Int> {
        let before = scratch.byteCount
        var writer = try writer()
        try collected.write(to: &writer.value)
        return try finish(&writer, before)
    }

    private func writer() throws(RDBError) -> FileWriter {
        try FileWriter(for: Target(keeping: format), to: scratch)
    }

    /// Ends a file of one value in the scratch file, and tells where in it the value is.
    private func finish(
        _ writer: inout FileWriter,
        _ before: Int
    ) throws(RDBError) -> Range<Int> {
        let end = before + writer.count
        try writer.finish()
        return before + SectionSource.magicByteCount..<end
    }
}

extension ScratchFile: ByteSink {
    /// Takes all of `bytes`.
    package func write(_ bytes: RawSpan) throws(SystemError) {
        try append(bytes)
    }
}

/// A string value, all of it, unless it is as long as no listpack is that is read whole.
private struct WholeString: PayloadVisitor {
    private(set) var bytes = ByteString([])

    mutating func begin(_ encoding: Encoding) -> Reporting { .elements }

    var largestWholeString: Int { LongPacked.limit }

    mutating func string(_ value: PackedValue) {
        bytes = value.byteString
    }
}

extension Encoding {
    /// Whether the value is one listpack.
    fileprivate var isOneListpack: Bool {
        switch self {
        case .hashListpack, .sortedSetListpack, .setListpack: true
        default: false
        }
    }
}
