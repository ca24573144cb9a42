import Bytes
import RESP
import Store

/// The arguments of XREAD and XREADGROUP.
struct StreamReadOptions {
    /// Entries of each stream, 0 for any number.
    private(set) var limit = 0
    /// BLOCK.
    private(set) var isBlocking = false
    /// Until when to wait, in the host's microseconds; nil for ever.
    private(set) var deadline: Int64?
    private(set) var noAcknowledge = false
    /// Where the name of the group is; that of the consumer follows.
    private(set) var group: Int?
    /// The keys; as many ids follow.
    private(set) var keys = 0..<0

    init(
        _ request: borrowing Request,
        _ engine: borrowing Engine,
        readsGroup: Bool
    ) throws(CommandError) {
        var index = 1
        while index < request.count, keys.isEmpty {
            let more = request.count - index - 1
            if request.is(index, "block"), more > 0 {
                index += 1
                guard let milliseconds = DecimalText.parseInteger(request[index]) else {
                    throw .text("ERR timeout is not an integer or out of range")
                }
                isBlocking = true
                deadline = try engine.deadline(after: milliseconds)
            } else if request.is(index, "count"), more > 0 {
                index += 1
                limit = Int(max(try request.integer(index), 0))
            } else if request.is(index, "streams"), more > 0 {
                guard more.isMultiple(of: 2) else { throw .unbalanced(readsGroup) }
                keys = (index + 1)..<(index + 1 + more / 2)
            } else if request.is(index, "group"), more > 1 {
                guard readsGroup else { throw .onlyForGroups("GROUP") }
                group = index + 1
                index += 2
            } else if request.is(index, "noack") {
                guard readsGroup else { throw .onlyForGroups("NOACK") }
                noAcknowledge = true
            } else {
                throw .syntax
            }
            index += 1
        }
        guard !keys.isEmpty else { throw .syntax }
        if readsGroup, group == nil {
            throw .text("ERR Missing GROUP option for XREADGROUP")
        }
    }

    /// Where the id for the stream at `key` is.
    func idIndex(_ key: Int) -> Int { key + keys.count }
}

extension CommandError {
    fileprivate static func unbalanced(_ readsGroup: Bool) -> CommandError {
        let (command, symbol) = readsGroup ? ("xreadgroup", ">") : ("xread", "$")
        return .text(
            "ERR Unbalanced '\(command)' list of streams: for each stream key an ID or '\(symbol)' "
                + "must be specified."
        )
    }

    fileprivate static func onlyForGroups(_ option: String) -> CommandError {
        .text(
            "ERR The \(option) option is only supported by XREADGROUP. You called XREAD instead."
        )
    }

    /// What an id of XREAD means nothing for.
    static func meaningless(_ id: String) -> CommandError {
        .text(
            "ERR The \(id) ID is meaningless in the context of XREADGROUP: you want to read the "
                + "history of this consumer by specifying a proper ID, or use the > ID to get new "
                + "messages. The \(id) ID would just return an empty result set."
        )
    }

    /// The refusal of a key or group that is not there.
    static func noGroup(_ key: RawSpan, _ group: RawSpan, _ after: String = "") -> CommandError {
        .bytes(
            ByteString(
                Array("NOGROUP No such key '".utf8) + key.message()
                    + Array("' or consumer group '".utf8) + group.message()
                    + Array("'\(after)".utf8)
            )
        )
    }

    /// The refusal of a group that a stream does not have.
    static func noGroup(_ group: RawSpan, of key: RawSpan) -> CommandError {
        .bytes(
            ByteString(
                Array("NOGROUP No such consumer group '".utf8) + group.message()
                    + Array("' for key name '".utf8) + key.message() + Array("'".utf8)
            )
        )
    }
}
