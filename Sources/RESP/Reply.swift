import Bytes

/// One reply as a value: what tests compare and what a client of another server reads.
///
/// The daemon never makes one; its commands write through `ReplyWriter`.
public indirect enum Reply: Hashable, Sendable {
    /// A short text that is not data.
    case status(ByteString)
    /// Why a command was refused, the code included.
    case error(ByteString)
    /// An integer.
    case integer(Int64)
    /// A string of any bytes.
    case bulk(ByteString)
    /// Nothing: RESP2's null string, and RESP3's null.
    case null
    /// Nothing, where RESP2 expects an array.
    case nullArray
    /// Replies in order.
    case array([Reply])
    /// Keys with their values, in the order they came.
    case map([Pair])
    /// Members, in the order they came.
    case set([Reply])
    /// What the server sent without being asked just now.
    case push([Reply])
    /// A number, in the text it came in.
    case double(ByteString)
    /// Yes or no.
    case boolean(Bool)
    /// An integer of any size, as text.
    case bigNumber(ByteString)
    /// Text for people, and the three letters that tell its format.
    case verbatim(format: ByteString, text: ByteString)

    /// A key of a map and its value.
    public struct Pair: Hashable, Sendable {
        /// What the value is called.
        public let key: Reply
        /// The value.
        public let value: Reply

        /// Puts a key and its value together.
        public init(_ key: Reply, _ value: Reply) {
            self.key = key
            self.value = value
        }
    }
}
