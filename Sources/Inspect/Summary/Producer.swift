import Bytes

/// Who wrote a file, and when, as it says itself.
package struct Producer: Equatable, Sendable {
    /// For example `Redis 8.2.3`; nil if the file does not say.
    package var name: String?
    /// Bits of the machine.
    package var bits: Int?
    /// When it was written, in seconds since 1970.
    package var creationTime: Int64?
    /// Bytes of memory that the server had in use.
    package var usedMemory: Int?
    /// Whether it is the base of an append-only log.
    package var isLogBase = false

    /// Reads what the facts at the front of a file say.
    package init(_ auxiliaries: [(name: ByteString, value: ByteString)]) {
        for (name, value) in auxiliaries {
            let text = value.text
            switch name {
            case "valkey-ver": self.name = "Valkey \(text)"
            case "larder-ver": self.name = "Larder \(text)"
            // Valkey and Larder write it, too, for the readers that look for it.
            case "redis-ver" where self.name == nil: self.name = "Redis \(text)"
            case "redis-bits": bits = Int(text)
            case "ctime": creationTime = Int64(text)
            case "used-mem": usedMemory = Int(text)
            case "aof-base", "aof-preamble": isLogBase = text == "1"
            default: break
            }
        }
    }
}
