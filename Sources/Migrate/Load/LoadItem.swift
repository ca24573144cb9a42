import Bytes
import RESP

/// A place in the files of a load: everything before it has been dealt with, or has not.
package struct LoadPosition: Comparable, Hashable, Sendable {
    /// Which of the files.
    package var file: Int
    /// Bytes from the start of that file's dump.
    package var offset: Int

    /// Names a place.
    package init(file: Int, offset: Int) {
        self.file = file
        self.offset = offset
    }

    /// Orders by file, then offset.
    package static func < (one: LoadPosition, other: LoadPosition) -> Bool {
        (one.file, one.offset) < (other.file, other.offset)
    }
}

/// What is sent for a key, kept until the server has answered: it may have to be sent again.
struct LoadItem {
    /// The key.
    let key: LoadedKey
    /// What is sent, as requests that are spelled out.
    let requests: [UInt8]
    /// How many replies will come.
    let replyCount: Int
    /// What it is for.
    let purpose: Purpose
    /// Whether it may have been done before: then a key that is there may be its own.
    var mayBeDone = false

    enum Purpose {
        /// A key with its value; `payload` is where it stands in the requests.
        case restore(payload: Range<Int>)
        /// A part of the making of a value, whose maker waits for the outcome.
        case step(LoadStep)
    }

    var byteCount: Int { requests.count }
}

/// Where the outcome of a step is left for whoever waits for it.
final class LoadStep {
    /// Whether doing it twice comes to the same as doing it once.
    let isRepeatable: Bool
    /// What the server answered at last; nil until then.
    var outcome: Reply?
    /// Whether the step was cut off by a lost connection: it may have been done, or not.
    var isInDoubt = false

    init(isRepeatable: Bool) {
        self.isRepeatable = isRepeatable
    }
}
