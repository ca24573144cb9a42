import Bytes
import Inspect
import RDB

/// Values of modules as lines of JSON, beside the output: what a target without the module can
/// still be filled from by other means.
///
///     {"db":0,"key":"doc","type":"ReJSON-RL","version":3,"deadline":null,"json":"{…}"}
///     {"db":0,"key":"v","type":"vectorset","version":0,…,"element":"e1","vector":[…]}
///     {"db":0,"key":"f","type":"MBbloom--","version":4,…,"items":[8,"…",{"b64":"…"}]}
///
/// A vector set is a line for each element; anything else is one line with the pieces that
/// the module wrote.
final class ModuleExport {
    private let file: any Destinable
    private(set) var lineCount = 0

    init(_ file: any Destinable) {
        self.file = file
    }

    /// What it writes to.
    var destination: any Destinable { file }

    /// Reads the value of the last record of `reader` and writes it.
    func write(
        _ record: KeyRecord,
        _ module: ModuleID,
        at place: Place,
        from reader: inout FileReader
    ) throws(RDBError) {
        let start = LineStart(place: place, module: module, deadline: record.deadline)
        if module.isVectorSet {
            var visitor = VectorSetVisitor(start, self)
            try reader.readValue(into: &visitor)
        } else {
            var visitor = ModuleItemsVisitor(start, self)
            try reader.readValue(into: &visitor)
        }
    }

    fileprivate func write(line: borrowing ByteWriter) throws(RDBError) {
        lineCount += 1
        do {
            try file.write(line.bytes)
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot write the export", cause: error)
        }
    }
}

/// What every line begins with.
private struct LineStart {
    let place: Place
    let module: ModuleID
    let deadline: Int64?

    /// Appends it, without the closing brace.
    func append(to line: inout ByteWriter) {
        line.append("{\"db\":")
        line.append(utf8: String(place.database))
        line.append(",\"key\":")
        line.append(json: place.key.bytes)
        line.append(",\"type\":")
        line.append(.text(module.name))
        line.append(",\"version\":")
        line.append(decimal: Int64(module.version))
        line.append(",\"deadline\":")
        line.append(JSON.optional(deadline))
    }
}

/// Writes the pieces of any value of a module.
private struct ModuleItemsVisitor: PayloadVisitor, ~Copyable {
    private let export: ModuleExport
    private let start: LineStart
    private var line = ByteWriter()
    private var isFirst = true

    init(_ start: LineStart, _ export: ModuleExport) {
        self.start = start
        self.export = export
        start.append(to: &line)
        start.module.isJSONText ? line.append(",\"json\":") : line.append(",\"items\":[")
    }

    mutating func begin(_ encoding: Encoding) -> Reporting { .elements }

    mutating func moduleItem(_ item: ModuleItem) {
        if !isFirst { line.append(UInt8(ascii: ",")) }
        isFirst = false
        switch item {
        case .signed(let value): line.append(decimal: value)
        case .unsigned(let value): line.append(utf8: String(value))
        case .float(let value): line.append(json: Double(value))
        case .double(let value): line.append(json: value)
        case .string(let value): line.append(json: value)
        }
    }

    mutating func end() throws(RDBError) {
        start.module.isJSONText ? line.append("}\n") : line.append("]}\n")
        try export.write(line: line)
    }
}

/// Writes the elements of a vector set of Redis 8.
///
/// Vectors are normalised; what is written is the vector as `VEMB` gives it back.
private struct VectorSetVisitor: PayloadVisitor, ~Copyable {
    private enum Quantisation: UInt64 {
        case float32, int8, binary
    }

    private let export: ModuleExport
    private let start: LineStart
    private var items = VectorSetItems()

    init(_ start: LineStart, _ export: ModuleExport) {
        self.start = start
        self.export = export
    }

    mutating func begin(_ encoding: Encoding) -> Reporting { .elements }

    mutating func moduleItem(_ item: ModuleItem) throws(RDBError) {
        if let element = items.take(item) { try write(element) }
    }

    mutating func end() throws(RDBError) {
        if let element = items.finish() { try write(element) }
    }

    private func write(_ element: VectorSetItems.Element) throws(RDBError) {
        var line = ByteWriter()
        start.append(to: &line)
        line.append(",\"element\":")
        line.append(json: element.name.bytes)
        if let attributes = element.attributes, attributes.byteCount > 0 {
            line.append(",\"attributes\":")
            line.append(json: attributes.bytes)
        }
        line.append(",\"vector\":")
        if let vector = vector(of: element) {
            line.append(utf8: "[" + vector.map { "\($0)" }.joined(separator: ",") + "]")
        } else {
            // Another layout than this one is told as it came.
            line.append(json: element.vector.bytes)
        }
        line.append("}\n")
        try export.write(line: line)
    }

    private func vector(of element: VectorSetItems.Element) -> [Float]? {
        let bytes = element.vector.array
        let dimension = Int(clamping: items.dimension)
        let length = Float(bitPattern: UInt32(truncatingIfNeeded: element.measures))
        switch Quantisation(rawValue: items.quantisation) {
        case .float32 where bytes.count / 4 == dimension:
            return (0..<dimension).map { index in
                let bits = (0..<4).reduce(UInt32(0)) { word, place in
                    word | UInt32(bytes[index * 4 + place]) << UInt32(place * 8)
                }
                return Float(bitPattern: bits) * length
            }
        case .int8 where bytes.count == dimension:
            let range = Float(bitPattern: UInt32(truncatingIfNeeded: element.measures >> 32))
            return bytes.map { Float(Int8(bitPattern: $0)) * range / 127 * length }
        case .binary where bytes.count * 8 >= dimension:
            return (0..<dimension).map { bytes[$0 / 8] >> ($0 % 8) & 1 == 1 ? 1 : -1 }
        default:
            return nil
        }
    }
}
