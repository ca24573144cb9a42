/// What a user can choose about a load.
package struct LoadOptions: Sendable {
    /// What happens to a key that is there already.
    package enum Existing: String, Sendable {
        /// The load stops.
        case refuse
        /// The server's key stays.
        case skip
        /// The file's key takes its place.
        case replace
    }

    /// What happens to a key that is there already.
    package var existing = Existing.refuse
    /// Values that take more bytes in the file are sent as commands, in parts.
    package var splitByteCount = 8 << 20
    /// Whether every value is sent as commands, none as a payload.
    package var isUsingCommands = false
    /// Whether keys that the server cannot hold are left out, instead of stopping the load.
    package var isSkippingUnsupported = false
    /// The most bytes sent in a second; nil: as many as the server takes.
    package var bytesPerSecond: Int?
    /// How long a server may refuse everything before the load stops, in seconds.
    package var patienceSeconds = 600
    /// Whether what an earlier, interrupted load has noted is passed over.
    package var isStartingAnew = false
    /// Where is noted how far the load has come; nil: beside the first file.
    package var statePath: String?

    /// The defaults.
    package init() {}

    /// The most bytes that are under way.
    static let windowByteCount = 8 << 20
    /// About how many bytes of a large value go out at a time.
    static let stepByteCount = 512 << 10
}
