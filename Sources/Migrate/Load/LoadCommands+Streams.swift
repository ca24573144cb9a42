import Bytes
import RDB

/// What a stream's commands need to know from one call to the next.
struct StreamCommands {
    /// Fields of the entry being spelled that are still to come.
    var missingFields = 0
    var group = ByteString("")
    var pending: [StreamID: PendingEntry] = [:]
    var consumer = ByteString("")
    /// Whether the stream is there by now.
    var isMade = false
}

/// Streams: what the servers' own logs are rewritten to, so that only the times at which
/// consumers were seen are lost.
extension LoadCommands {
    package mutating func streamEntry(_ id: StreamID, fieldCount: Int) throws(RDBError) {
        let key = key
        others.beginRequest(count: 3 + fieldCount * 2)
        others.append(argument: "XADD")
        others.append(argument: key.bytes)
        others.append(argument: ByteString("\(id)").bytes)
        stream.missingFields = fieldCount
        stream.isMade = true
        otherCount += 1
    }

    package mutating func streamField(_ field: PackedValue, value: PackedValue) throws(RDBError) {
        others.append(argument: field)
        others.append(argument: value)
        stream.missingFields -= 1
        if stream.missingFields == 0 { try flushIfFull() }
    }

    package mutating func streamState(_ state: StreamState) throws(RDBError) {
        if !stream.isMade {
            // An empty stream is only made by making a group.
            other("XGROUP", "CREATE", count: 3) {
                $0.append(argument: "larder-load")
                $0.append(argument: "0")
                $0.append(argument: "MKSTREAM")
            }
            other("XGROUP", "DESTROY", count: 1) { $0.append(argument: "larder-load") }
        }
        let hasCounters = target.holdsStreamCounters
        guard state.lastID > .zero else { return }
        other("XSETID", count: hasCounters ? 5 : 1) {
            $0.append(argument: ByteString("\(state.lastID)").bytes)
            guard hasCounters else { return }
            $0.append(argument: "ENTRIESADDED")
            $0.append(argument: Int64(clamping: state.entriesAdded))
            $0.append(argument: "MAXDELETEDID")
            $0.append(argument: ByteString("\(state.maximumDeletedID)").bytes)
        }
    }

    package mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) throws(RDBError) {
        stream.group = name.byteString
        stream.pending = [:]
        let read = target.holdsStreamCounters ? group.entriesRead : nil
        other("XGROUP", "CREATE", count: read == nil ? 2 : 4) {
            $0.append(argument: name)
            $0.append(argument: ByteString("\(group.lastDeliveredID)").bytes)
            guard let read else { return }
            $0.append(argument: "ENTRIESREAD")
            $0.append(argument: Int64(clamping: read))
        }
    }

    package mutating func pendingEntry(_ entry: PendingEntry) throws(RDBError) {
        stream.pending[entry.id] = entry
    }

    package mutating func streamConsumer(
        _ name: PackedValue,
        _ consumer: StreamConsumer
    ) throws(RDBError) {
        stream.consumer = name.byteString
        let group = stream.group
        other("XGROUP", "CREATECONSUMER", count: 2) {
            $0.append(argument: group.bytes)
            $0.append(argument: name)
        }
        try flushIfFull()
    }

    package mutating func consumerPending(_ id: StreamID) throws(RDBError) {
        guard let entry = stream.pending[id] else { return }
        let (group, consumer) = (stream.group, stream.consumer)
        other("XCLAIM", count: 10) {
            $0.append(argument: group.bytes)
            $0.append(argument: consumer.bytes)
            $0.append(argument: 0)
            $0.append(argument: ByteString("\(id)").bytes)
            $0.append(argument: "TIME")
            $0.append(argument: entry.deliveryTime)
            $0.append(argument: "RETRYCOUNT")
            $0.append(argument: Int64(clamping: entry.deliveryCount))
            $0.append(argument: "JUSTID")
            $0.append(argument: "FORCE")
        }
        try flushIfFull()
    }
}
