import Bytes
import RDB

/// Where in the JSON of a stream the writer is: which lists and objects are open.
struct JSONStreamState {
    private var isFirstEntry = true
    private var isFirstField = true
    private var place = Place.entries
    private var isFirstGroup = true
    private var isFirstConsumer = true
    private var isFirstItem = true

    /// The innermost list that is open.
    private enum Place {
        case entries, groups, pending, consumers, consumer, unowned, producers
    }

    mutating func entry(_ id: StreamID, _ writer: inout ByteWriter) {
        closeEntry(&writer)
        if !isFirstEntry { writer.append(",") }
        isFirstEntry = false
        isFirstField = true
        writer.append("[")
        writer.append(json: id)
        writer.append(",[")
    }

    private func closeEntry(_ writer: inout ByteWriter) {
        if !isFirstEntry { writer.append("]]") }
    }

    mutating func field(
        _ field: PackedValue,
        _ value: PackedValue,
        _ writer: inout ByteWriter
    ) {
        separateField(&writer)
        writer.append(json: field)
        writer.append(",")
        writer.append(json: value)
    }

    /// Writes what precedes the name of a field.
    mutating func separateField(_ writer: inout ByteWriter) {
        if !isFirstField { writer.append(",") }
        isFirstField = false
    }

    mutating func state(_ state: StreamState, _ writer: inout ByteWriter) {
        closeEntry(&writer)
        writer.append(utf8: "],\"length\":\(state.length),\"last_id\":")
        writer.append(json: state.lastID)
        writer.append(",\"first_id\":")
        writer.append(json: state.firstID)
        writer.append(",\"max_deleted_id\":")
        writer.append(json: state.maximumDeletedID)
        writer.append(utf8: ",\"entries_added\":\(state.entriesAdded),\"groups\":[")
        place = .groups
    }

    /// Writes what precedes a name.
    mutating func beginName(_ role: StreamNameRole, _ writer: inout ByteWriter) {
        switch role {
        case .group: beginGroup(&writer)
        case .consumer: beginConsumer(&writer)
        }
        writer.append("{\"name\":")
    }

    private mutating func beginGroup(_ writer: inout ByteWriter) {
        closeGroup(&writer)
        if !isFirstGroup { writer.append(",") }
        isFirstGroup = false
        isFirstConsumer = true
        isFirstItem = true
    }

    /// Writes what follows the name of a group.
    mutating func group(_ group: StreamGroup, _ writer: inout ByteWriter) {
        writer.append(",\"last_id\":")
        writer.append(json: group.lastDeliveredID)
        let read = group.entriesRead.map { "\($0)" } ?? "null"
        writer.append(utf8: ",\"entries_read\":\(read),\"pending\":[")
        place = .pending
    }

    private mutating func closeGroup(_ writer: inout ByteWriter) {
        switch place {
        case .entries, .groups, .producers: return
        case .consumer: writer.append("]}]}")
        case .pending, .consumers, .unowned: writer.append("]}")
        }
        place = .groups
    }

    mutating func pending(_ entry: PendingEntry, _ writer: inout ByteWriter) {
        separate(&writer)
        writer.append("[")
        writer.append(json: entry.id)
        writer.append(",", Int(entry.deliveryTime))
        writer.append(utf8: ",\(entry.deliveryCount)]")
    }

    mutating func consumers(_ writer: inout ByteWriter) {
        writer.append("],\"consumers\":[")
        place = .consumers
    }

    private mutating func beginConsumer(_ writer: inout ByteWriter) {
        if place == .consumer { writer.append("]}") }
        if !isFirstConsumer { writer.append(",") }
        isFirstConsumer = false
        isFirstItem = true
    }

    /// Writes what follows the name of a consumer.
    mutating func consumer(_ consumer: StreamConsumer, _ writer: inout ByteWriter) {
        let active = consumer.activeTime.map { "\($0)" } ?? "null"
        writer.append(utf8: ",\"seen_time\":\(consumer.seenTime),\"active_time\":\(active)")
        writer.append(",\"pending\":[")
        place = .consumer
    }

    mutating func consumerPending(_ id: StreamID, _ writer: inout ByteWriter) {
        separate(&writer)
        writer.append(json: id)
    }

    mutating func unowned(_ id: StreamID, _ writer: inout ByteWriter) {
        if place != .unowned {
            if place == .consumer { writer.append("]}") }
            writer.append("],\"unowned\":[")
            place = .unowned
            isFirstItem = true
        }
        separate(&writer)
        writer.append(json: id)
    }

    mutating func producers(_ limits: ProducerLimits, _ writer: inout ByteWriter) {
        closeGroup(&writer)
        writer.append(utf8: "],\"producers\":{\"duration\":\(limits.duration)")
        writer.append(utf8: ",\"maximum\":\(limits.maximumCount),\"ids\":[")
        place = .producers
        isFirstItem = true
    }

    mutating func produced(
        _ producer: PackedValue,
        _ key: PackedValue,
        _ id: StreamID,
        _ writer: inout ByteWriter
    ) {
        separate(&writer)
        writer.append("[")
        writer.append(json: producer)
        writer.append(",")
        writer.append(json: key)
        writer.append(",")
        writer.append(json: id)
        writer.append("]")
    }

    mutating func end(_ writer: inout ByteWriter) {
        if place == .producers { return writer.append("]}}") }
        closeGroup(&writer)
        writer.append("]}")
    }

    private mutating func separate(_ writer: inout ByteWriter) {
        if !isFirstItem { writer.append(",") }
        isFirstItem = false
    }
}

extension ByteWriter {
    /// Appends an id as a JSON string.
    mutating func append(json id: StreamID) {
        append("\"")
        append(id)
        append("\"")
    }

    /// Appends an id as commands spell it.
    mutating func append(_ id: StreamID) {
        append(unsigned: id.milliseconds)
        append("-")
        append(unsigned: id.sequence)
    }

    /// Appends the digits of a number.
    mutating func append(unsigned value: UInt64) {
        if let signed = Int64(exactly: value) {
            append(decimal: signed)
        } else {
            append(utf8: String(value))
        }
    }
}
