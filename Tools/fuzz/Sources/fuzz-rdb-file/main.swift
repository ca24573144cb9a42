import Bytes
import RDB

/// Reads a file in the way the first byte says, and writes it again.
///
/// What was read without an error must be written without one, or the target cannot hold it; and
/// what was written must read back.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let file = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    let how = start[0]
    var options = FileReader.Options()
    options.isVerifyingChecksum = how & 1 != 0
    options.validation = how & 2 != 0 ? .deep : []
    options.isAcceptingUnknownVersions = how & 4 != 0
    let pieceByteCount = how & 8 != 0 ? 3 : Int.max

    let whole = read(MemorySource(file, pieceByteCount: pieceByteCount), .elements, options)
    let encoded = read(MemorySource(file), .encoded, options)
    precondition(whole == nil || encoded != nil, "readable by element, but not encoded")
    _ = read(MemorySource(file), .nothing, options)
    guard whole != nil else { return 0 }

    let targets: [Target] = [.redis6, .redis70, .neutral, .redis8, .valkey9]
    let target = targets[Int(how >> 4) % targets.count]
    guard let written = rewrite(file, target, options, isTransferring: how & 128 != 0) else {
        return 0
    }
    var strict = FileReader.Options()
    strict.validation = options.validation
    precondition(
        read(MemorySource(written), .elements, strict) != nil,
        "what was written cannot be read"
    )
    return 0
}

/// How many keys there are; nil after an error.
private func read(
    _ source: MemorySource,
    _ reporting: Reporting,
    _ options: FileReader.Options
) -> Int? {
    var reader = FileReader(source, options: options)
    var visitor = Reading(reporting: reporting)
    var keys = 0
    while true {
        do {
            switch try reader.next() {
            case .key:
                keys += 1
                try reader.readValue(into: &visitor)
            case .end: return keys
            default: break
            }
        } catch {
            _ = error.description
            return nil
        }
    }
}

private struct Reading: PayloadVisitor {
    var reporting: Reporting
    mutating func begin(_ encoding: Encoding) -> Reporting { reporting }
}

private func rewrite(
    _ file: [UInt8],
    _ target: Target,
    _ options: FileReader.Options,
    isTransferring: Bool
) -> [UInt8]? {
    let sink = MemorySink()
    do {
        var reader = FileReader(MemorySource(file), options: options)
        var writer = try FileWriter(for: target, to: sink)
        while true {
            switch try reader.next() {
            case .key(let record):
                if isTransferring {
                    try writer.transfer(record, from: &reader)
                } else {
                    try writer.beginKey(reader.key, deadline: record.deadline)
                    try reader.readValue(into: &writer.value)
                }
            case .database(let number): try writer.database(number)
            case .auxiliary(let name, let value): try writer.auxiliary(name, value)
            case .function(let source): try writer.function(source.bytes)
            case .moduleAuxiliary(let module): try writer.transfer(module, from: &reader)
            case .end:
                try writer.finish()
                return sink.array
            default: break
            }
        }
    } catch {
        precondition(error.code == .unsupportedByTarget, "\(error)")
        return nil
    }
}

/// libFuzzer's own main, by the name it has for programs with another.
@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ target: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
_ = runFuzzer(&count, &arguments) { fuzz($0, $1) }
