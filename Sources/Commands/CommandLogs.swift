import Bytes

/// The last requests that were slow, long, or had a long reply: SLOWLOG and COMMANDLOG.
package struct CommandLogs {
    /// What makes a request worth keeping.
    package enum Kind: Int, CaseIterable, Sendable {
        case slow
        case largeRequest
        case largeReply

        /// As COMMANDLOG calls it.
        var name: StaticString {
            switch self {
            case .slow: "slow"
            case .largeRequest: "large-request"
            case .largeReply: "large-reply"
            }
        }
    }

    /// One request that was kept.
    struct Entry {
        let number: Int64
        /// When it came, in seconds since 1970.
        let time: Int64
        /// Microseconds, or bytes.
        let value: Int64
        let arguments: [ByteString]
        let address: String
        let clientName: ByteString
    }

    /// The requests of one kind.
    package struct Log {
        /// What a request has to exceed; negative: nothing is kept.
        package var threshold: Int64 = -1
        package var capacity = 128
        /// The latest comes first.
        fileprivate(set) var entries: [Entry] = []
        fileprivate var nextNumber: Int64 = 0

        func isExceeded(by value: Int64) -> Bool {
            threshold >= 0 && value >= threshold && capacity > 0
        }
    }

    private var logs = [Log](repeating: Log(), count: Kind.allCases.count)

    package subscript(kind: Kind) -> Log {
        get { logs[kind.rawValue] }
        set {
            logs[kind.rawValue] = newValue
            let extra = newValue.entries.count - max(newValue.capacity, 0)
            if extra > 0 { logs[kind.rawValue].entries.removeLast(extra) }
        }
    }

    mutating func add(
        to kind: Kind,
        time: Int64,
        value: Int64,
        arguments: [ByteString],
        address: String,
        clientName: ByteString
    ) {
        let number = logs[kind.rawValue].nextNumber
        logs[kind.rawValue].nextNumber += 1
        logs[kind.rawValue].entries.insert(
            Entry(
                number: number,
                time: time,
                value: value,
                arguments: arguments,
                address: address,
                clientName: clientName
            ),
            at: 0
        )
        let extra = logs[kind.rawValue].entries.count - max(logs[kind.rawValue].capacity, 0)
        if extra > 0 { logs[kind.rawValue].entries.removeLast(extra) }
    }

    mutating func removeAll(_ kind: Kind) {
        logs[kind.rawValue].entries.removeAll()
    }
}

extension Engine {
    /// What a kind of log keeps: above which value, and how many.
    package mutating func setCommandLog(
        _ kind: CommandLogs.Kind,
        threshold: Int64,
        capacity: Int
    ) {
        var log = measures.logs[kind]
        log.threshold = threshold
        log.capacity = capacity
        measures.logs[kind] = log
        measures.followThresholds()
    }
}
