/// When a write may be acknowledged: `appendfsync`.
package enum SyncPolicy: String, Sendable, CaseIterable {
    /// Once a power cut can no longer undo it.
    case always
    /// At once; a power cut undoes the acknowledged writes of at most one second.
    case everysec
    /// At once; when it gets to the disk is up to the kernel.
    case no
}

/// How a log is written.
package struct LogSettings: Equatable, Sendable {
    /// `appendfsync`.
    package var syncPolicy = SyncPolicy.everysec
    /// `appendcompression`.
    package var compression = LogCompression.lz4
    /// Whether complete segments are turned into smaller ones in the background.
    ///
    /// Never done to a log that other servers are meant to read.
    package var sealsSegments = true
    /// A segment that holds so much of the stream is followed by a new one.
    package var segmentByteCount = 64 << 20
    /// Whether effects are staged before they are written.
    package var stagesEffects = true
    /// When so much waits to be written, writers have to wait.
    package var backlogByteCount = 64 << 20
    /// When so much waits to be synced, writers have to wait, unless the policy is `no`.
    package var unsyncedByteCount = 512 << 20

    /// The defaults.
    package init() {}

    /// Whether complete segments are sealed in a log of this form.
    func seals(_ compression: LogCompression) -> Bool { sealsSegments && compression != .no }
}
