import AppendLog
import RESP

/// One client's replies in a turn's buffer.
struct Segment {
    let slot: Int
    /// The client the replies are for; its slot may have passed to another.
    let serial: UInt32
    let start: Int
    let end: Int
    /// Whether they may not leave before the turn's effects are safe.
    let awaitsLog: Bool
}

/// The replies of one turn that wait until the log has the turn's effects.
///
/// The buffer that a turn wrote its replies into is put aside whole, so waiting copies nothing.
final class HeldReplies {
    var replies = ReplyWriter()
    var segments: [Segment] = []
    /// Where the stream ends after the turn's effects.
    var offset: StreamOffset = 0
}
