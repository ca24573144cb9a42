/// `appendcompression`: in which form effects are written.
package enum LogCompression: String, Sendable, CaseIterable {
    /// As they are; Redis and Valkey open such a log as their own.
    case no
    /// In LZ4 frames, and in Zstandard frames once a segment is sealed.
    case lz4
    /// In a Zstandard frame for each batch: smaller than LZ4 if batches are large.
    case zstd
}

/// What the bytes of a file of the log are.
package enum SegmentFormat: Sendable {
    case plain
    case lz4
    case zstd

    /// How the name of such a file ends.
    package var suffix: String {
        switch self {
        case .plain: ""
        case .lz4: ".lz4"
        case .zstd: ".zst"
        }
    }

    package init(_ compression: LogCompression) {
        switch compression {
        case .no: self = .plain
        case .lz4: self = .lz4
        case .zstd: self = .zstd
        }
    }
}

extension LogDirectory {
    func incrementName(_ sequence: Int, _ format: SegmentFormat) -> String {
        "\(fileName).\(sequence).incr.aof\(format.suffix)"
    }

    func baseName(_ sequence: Int) -> String {
        "\(fileName).\(sequence).base.rdb"
    }
}
