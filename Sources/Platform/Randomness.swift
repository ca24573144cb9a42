import CLinux
import Glibc

/// Unpredictable bytes from the kernel: seeds, identifiers, nothing that needs many.
///
/// What the data set needs in bulk comes from a generator that one seed of these determines,
/// so that a test can pass its own.
package enum Randomness {
    /// A number nobody can guess.
    package static func seed() -> UInt64 {
        var value: UInt64 = 0
        unsafe withUnsafeMutableBytes(of: &value) { unsafe fill($0) }
        return value
    }

    /// `digitCount` hexadecimal digits, as run and replication identifiers have.
    package static func hexadecimal(digitCount: Int) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var bytes = [UInt8](repeating: 0, count: digitCount)
        unsafe bytes.withUnsafeMutableBytes { unsafe fill($0) }
        return String(decoding: bytes.map { digits[Int($0 & 0xF)] }, as: UTF8.self)
    }

    private static func fill(_ room: UnsafeMutableRawBufferPointer) {
        var filled = 0
        while filled < room.count {
            let result = unsafe getrandom(
                room.baseAddress.unsafelyUnwrapped + filled,
                room.count - filled,
                0
            )
            // Blocks until the kernel has entropy; after that it only ever fails for a signal.
            precondition(result >= 0 || errno == EINTR, "the kernel gives no random bytes")
            filled += max(0, result)
        }
    }
}
