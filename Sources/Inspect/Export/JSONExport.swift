import Bytes
import RDB

/// Writes a data set as JSON lines, without loss.
///
/// Each line is an object. Text is a JSON string; bytes that are no UTF-8 are
/// `{"b64":"…"}`; a string of more than a megabyte, also a name, is `{"parts":[…]}`, its pieces
/// in order.
///
///     {"db":0,"key":"k","type":"string","encoding":"STRING","value":"v"}
///     {"db":0,"key":"l","type":"list","encoding":"LIST_QUICKLIST_2","value":["head","tail"]}
///     {"db":0,"key":"s","type":"set","encoding":"SET_LISTPACK","value":["a","b"]}
///     {"db":0,"key":"z","type":"zset","encoding":"ZSET_2","value":[["a",1.5],["b","inf"]]}
///     {"db":0,"key":"h","type":"hash","encoding":"HASH_2","value":[["f","v"],["g","v",1893456000000]]}
///     {"db":0,"key":"x","type":"stream","encoding":"STREAM_LISTPACKS_3","value":{
///         "entries":[["1-1",["f","v"]]],"length":1,"last_id":"1-1","first_id":"1-1",
///         "max_deleted_id":"0-0","entries_added":1,"groups":[{"name":"g","last_id":"1-1",
///         "entries_read":1,"pending":[["1-1",1764111111000,1]],"consumers":[{"name":"c",
///         "seen_time":1764111111000,"active_time":1764111111000,"pending":["1-1"]}]}]}}
///     {"db":0,"key":"m","type":"module","encoding":"MODULE_2","value":{"name":"ReJSON-RL",
///         "version":3,"items":[["unsigned",1],["string","{}"]]}}
///
/// A key has, where the file has them: `deadline` in milliseconds since 1970, `idle` in seconds,
/// `freq`, and `metadata` of modules. The third item of a hash field is its deadline. Scores are
/// numbers, `"inf"` or `"-inf"`. Groups of Redis 8.8 have `unowned` ids, streams of 8.6
/// `producers`. Other lines: `{"aux":["name","value"]}`, `{"function":"source"}`,
/// `{"module_aux":{"name":…,"version":…,"when":…,"items":[…]}}`, and for the commands of a log
/// `{"request":["SET","k","v"]}`.
package struct JSONExport: KeyExport, ~Copyable {
    private var writer: JSONValueWriter
    package var selection: ExportSelection
    package var longText: LongText?
    /// Keys that were written.
    package private(set) var keyCount = 0

    /// Exports what is selected to `printer`.
    package init(_ selection: ExportSelection, to printer: consuming Printer) {
        self.selection = selection
        writer = JSONValueWriter(to: printer)
    }

    package var printedByteCount: Int { writer.printer.byteCount }

    package mutating func takeBack(to byteCount: Int) {
        writer.printer.takeBack(to: byteCount)
    }

    package mutating func write(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        writer.printer.buffer.append("{\"db\":")
        writer.printer.buffer.append(decimal: Int64(clamping: reader.database))
        writer.printer.buffer.append(",\"key\":")
        try writer.append(reader.key, longText)
        appendFacts(record)
        writer.printer.buffer.append(",\"value\":")
        try reader.readValue(into: &writer)
        writer.printer.buffer.append("}\n")
        try writer.printer.flushIfFull()
        keyCount += 1
    }

    package func makePart(_ options: FileReader.Options) -> RunPart<JSONExport> {
        RunPart(options, JSONExport(selection, to: Printer(keeping: ())))
    }

    package mutating func take(_ part: RunPart<JSONExport>) throws(RDBError) {
        keyCount += part.consumer.keyCount
        part.consumer.keyCount = 0
        try writer.printer.take(&part.consumer.writer.printer)
    }

    private mutating func appendFacts(_ record: KeyRecord) {
        writer.printer.buffer.append(",\"type\":\"")
        writer.printer.buffer.append(utf8: record.encoding.kind.commandName)
        writer.printer.buffer.append("\",\"encoding\":\"")
        writer.printer.buffer.append(utf8: record.encoding.name)
        writer.printer.buffer.append("\"")
        if let deadline = record.deadline {
            writer.printer.buffer.append(",\"deadline\":", Int(deadline))
        }
        if let idle = record.idleSeconds {
            writer.printer.buffer.append(",\"idle\":", Int(clamping: idle))
        }
        if let frequency = record.frequency {
            writer.printer.buffer.append(",\"freq\":", Int(frequency))
        }
        if let metadata = record.metadata {
            writer.printer.buffer.append(",\"metadata\":")
            writer.printer.buffer.append(json: metadata.bytes)
        }
    }

    package mutating func record(
        _ record: Record,
        _ reader: inout FileReader
    ) throws(RDBError) {
        guard selection.isEverything else { return }
        switch record {
        case .auxiliary(let name, let value):
            writer.printer.buffer.append("{\"aux\":[")
            writer.printer.buffer.append(json: name.bytes)
            writer.printer.buffer.append(",")
            try writer.append(value.bytes, longText)
            writer.printer.buffer.append("]}")
        case .function(let source):
            writer.printer.buffer.append("{\"function\":")
            try writer.append(source.bytes, longText)
            writer.printer.buffer.append("}")
        case .moduleAuxiliary(let auxiliary):
            writer.printer.buffer.append("{\"module_aux\":")
            try writer.write(auxiliary, &reader)
            writer.printer.buffer.append("}")
        default: return
        }
        writer.printer.buffer.append("\n")
        try writer.printer.flushIfFull()
    }

    package mutating func effects(_ requests: RawSpan, startsFile: Bool) throws(RDBError) {
        guard selection.isEverything else { return }
        var reader = RequestReader(requests)
        while let words = reader.next() {
            writer.printer.buffer.append(
                .object([("request", .array(words.map { .bytes($0) }))])
            )
            writer.printer.buffer.append("\n")
            try writer.printer.flushIfFull()
        }
    }

    /// Writes what there is.
    mutating func flush() throws(InspectError) {
        try writer.printer.flush()
    }

    /// Writes the rest.
    package mutating func finish() throws(InspectError) {
        try writer.printer.finish()
    }
}
