/// When a write may be acknowledged: `appendfsync`.
package enum SyncPolicy: String, Sendable, CaseIterable {
    /// Once a power cut can no longer undo it.
    case always
    /// At once; a power cut undoes the writes of at most the last second.
    case everysec
    /// At once; when it gets to the disk is up to the kernel.
    case no
}

/// How a log is written.
package struct LogSettings: Equatable, Sendable {
    /// `appendfsync`.
    package var syncPolicy = SyncPolicy.everysec
    /// A segment that holds so much of the stream is followed by a new one.
    package var segmentByteCount = 64 << 20
    /// So much may be waiting for the disk before writers have to wait, too.
    package var maximumPendingByteCount = 64 << 20

    package init() {}
}
