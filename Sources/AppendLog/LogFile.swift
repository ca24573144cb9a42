import Bytes
import Platform

/// One file of a log that is being read, as far as its first bytes tell.
struct LogFile: Sendable {
    var entry: Manifest.Entry
    var path: String
    var byteCount: Int
    /// Whether it begins with an RDB.
    var holdsSnapshot: Bool
    /// The mark it begins with; other servers write none.
    var firstMark: Mark?

    init(
        _ entry: Manifest.Entry,
        _ path: String,
        in directory: LogDirectory
    ) throws(SystemError) {
        self.entry = entry
        self.path = path
        let file = try directory.storage.open(path, writable: false)
        byteCount = try file.byteCount()
        var head = ByteWriter()
        _ = try file.read(RequestScanner.maximumRemarkByteCount, at: 0, into: &head)
        let bytes = head.bytes
        holdsSnapshot = bytes.begins(with: "REDIS") || bytes.begins(with: "VALKEY")
        firstMark = Mark(beginning: bytes)
    }
}

extension Mark {
    /// The mark at the front of `bytes`, in either form; nil if there is none.
    init?(beginning bytes: RawSpan) {
        if bytes.begins(with: Mark.linePrefix) {
            guard case .remark(let end) = RequestScanner.next(in: bytes, at: 0) else {
                return nil
            }
            self.init(line: bytes.part(from: 0, count: end))
        } else {
            guard bytes.byteCount >= Frame.markByteCount else { return nil }
            self.init(frame: bytes.part(from: 0, count: Frame.markByteCount))
        }
    }

    /// Whether `bytes` are all of a file that was to begin with a mark, or a part of that.
    static func mayBeginLog(_ bytes: RawSpan) -> Bool {
        if bytes.isZero || bytes.isPart(ofFront: Mark.linePrefix) { return true }
        if bytes.begins(with: Mark.linePrefix) {
            switch RequestScanner.next(in: bytes, at: 0) {
            case .remark(let end): return end == bytes.byteCount
            case .incomplete: return true
            case .request, .malformed: return false
            }
        }
        return bytes.byteCount <= Frame.markByteCount && bytes.byte(at: 0) == 0x50
    }

    /// The most that any mark in a file, from `start` on, promises to be on disk.
    ///
    /// For telling damage from a torn tail: the bytes around a mark may be anything.
    static func highestPromise(
        in storage: any Storage,
        _ path: String,
        from start: Int,
        of id: ReplicationID?
    ) throws(SystemError) -> StreamOffset? {
        let file = try storage.open(path, writable: false)
        var buffer = ByteWriter()
        var position = start
        var highest: StreamOffset?
        while true {
            let got = try file.read(1 << 20, at: position, into: &buffer)
            // A mark may lie across the end of what was read.
            let overlap = got == 0 ? 0 : RequestScanner.maximumRemarkByteCount
            let usable = max(0, buffer.count - overlap)
            for offset in 0..<usable where buffer.bytes.mayBeginMark(at: offset) {
                let rest = buffer.bytes.part(from: offset, count: buffer.count - offset)
                guard let mark = Mark(beginning: rest) else { continue }
                let isOurs = id.map { mark.lineage.id == $0 || mark.lineage.previous?.id == $0 }
                if isOurs ?? true { highest = max(highest ?? 0, mark.durableOffset) }
            }
            if got == 0 { return highest }
            buffer.removeFirst(usable)
            position += got
        }
    }
}

extension RawSpan {
    func begins(with text: StaticString) -> Bool {
        byteCount >= text.utf8CodeUnitCount && agreesWith(text)
    }

    /// Whether there is nothing but some of the first bytes of `text`.
    fileprivate func isPart(ofFront text: StaticString) -> Bool {
        byteCount < text.utf8CodeUnitCount && agreesWith(text)
    }

    /// Whether this and `text` are the same as far as both go.
    private func agreesWith(_ text: StaticString) -> Bool {
        for index in 0..<min(byteCount, text.utf8CodeUnitCount)
        where unsafe byte(at: index) != text.utf8Start[index] {
            return false
        }
        return true
    }

    /// Whether there is nothing but zeros.
    var isZero: Bool {
        for offset in 0..<byteCount where byte(at: offset) != 0 { return false }
        return true
    }

    fileprivate func mayBeginMark(at offset: Int) -> Bool {
        switch byte(at: offset) {
        case UInt8(ascii: "#"): offset + 1 < byteCount && byte(at: offset + 1) == 0x4C
        case 0x50: offset + 1 < byteCount && byte(at: offset + 1) == 0x2A
        default: false
        }
    }
}
