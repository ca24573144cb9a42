import RESP
import Store

/// The options of XADD before the id, and those of XTRIM.
struct StreamTrimOptions {
    private(set) var trimming: StreamTrimming?
    /// NOMKSTREAM.
    private(set) var needsStream = false
    /// Where the id of XADD is, or where the arguments end.
    private(set) var end = 2

    /// Reads the options of a request; those of the log trim without limits.
    init(
        _ request: borrowing Request,
        isAdding: Bool,
        nodeEntries: Int,
        isReplaying: Bool
    ) throws(CommandError) {
        var limit: Int64?
        while end < request.count {
            let hasMore = end + 1 < request.count
            if isAdding, request[end].isText("*") { break }
            if request.is(end, "maxlen"), hasMore {
                try takeGoal(request) { request, index throws(CommandError) in
                    let length = try request.integer(index)
                    guard length >= 0 else {
                        throw .text("ERR The MAXLEN argument must be >= 0.")
                    }
                    return .length(Int(length))
                }
            } else if request.is(end, "minid"), hasMore {
                try takeGoal(request) { request, index throws(CommandError) in
                    .firstID(try request.streamID(index))
                }
            } else if request.is(end, "limit"), hasMore {
                let count = try request.integer(end + 1)
                guard count >= 0 else { throw .text("ERR The LIMIT argument must be >= 0.") }
                limit = count
                end += 2
            } else if isAdding, request.is(end, "nomkstream") {
                needsStream = true
                end += 1
            } else {
                guard isAdding else { throw .syntax }
                break
            }
        }
        // A wrong id is found before what is wrong with the options.
        if isAdding, end < request.count, !request[end].isText("*"),
            StreamIDText(request[end], allowsOpen: true) == nil
        {
            throw .invalidStreamID
        }
        try applyLimit(limit, isAdding: isAdding, nodeEntries, isReplaying: isReplaying)
    }

    private mutating func takeGoal(
        _ request: borrowing Request,
        _ read: (borrowing Request, Int) throws(CommandError) -> StreamTrimming.Goal
    ) throws(CommandError) {
        guard trimming == nil else {
            throw .text(
                "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
            )
        }
        var index = end + 1
        var isApproximate = false
        if index + 1 < request.count {
            isApproximate = request[index].isText("~")
            if isApproximate || request[index].isText("=") { index += 1 }
        }
        var trimming = StreamTrimming(try read(request, index))
        trimming.isApproximate = isApproximate
        self.trimming = trimming
        end = index + 1
    }

    private mutating func applyLimit(
        _ limit: Int64?,
        isAdding: Bool,
        _ nodeEntries: Int,
        isReplaying: Bool
    ) throws(CommandError) {
        guard trimming != nil else {
            if limit ?? 0 != 0 {
                throw .text(
                    "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
                )
            }
            guard isAdding else {
                throw .text(
                    "ERR syntax error, XTRIM must be called with a trimming strategy"
                )
            }
            return
        }
        guard !isReplaying else { return }
        if let limit {
            guard trimming?.isApproximate == true else {
                throw .text(
                    "ERR syntax error, LIMIT cannot be used without the special ~ option"
                )
            }
            trimming?.limit = Int(limit)
        } else if trimming?.isApproximate == true {
            // A hundred nodes, so that nobody waits long.
            let hundredNodes = nodeEntries.multipliedReportingOverflow(by: 100)
            let usual = hundredNodes.overflow ? 1_000_000 : hundredNodes.partialValue
            trimming?.limit = usual <= 0 ? 10_000 : min(usual, 1_000_000)
        }
    }
}
