import Bytes
import Glibc
import RDB

// Reads a file in one of several ways and prints MB per CPU second and peak memory.
//
//     rdb-bench FILE [skip|encoded|elements|deep|transfer-N|rewrite-N|plain-N ...]   N a version
//     rdb-bench parts
//     rdb-bench lzf FILE BLOCK
//     rdb-bench grow FILE OTHER TIMES          a larger file of the same keys
//     rdb-bench large FILE ELEMENTS MEGABYTES  a file of one list and one string

/// A file read in pieces.
struct FileSource: ByteSource {
    let descriptor: Int32
    var remaining: Int

    init(_ path: String) {
        descriptor = open(path, O_RDONLY)
        precondition(descriptor >= 0, "cannot open \(path)")
        remaining = Int(lseek(descriptor, 0, SEEK_END))
        lseek(descriptor, 0, SEEK_SET)
    }

    mutating func read(into room: inout OutputRawSpan) {
        let count = room.withUnsafeMutableBytes { buffer, initialized in
            let got = Glibc.read(
                descriptor,
                buffer.baseAddress.unsafelyUnwrapped + initialized,
                buffer.count - initialized
            )
            initialized += max(got, 0)
            return got
        }
        remaining -= max(count, 0)
    }

    var remainingByteCount: Int? { remaining }
}

/// A sink that counts.
final class NullSink: ByteSink {
    var count = 0
    func write(_ bytes: RawSpan) { count += bytes.byteCount }
}

/// Takes in every element, as a consumer in another module does.
struct Summing: PayloadVisitor {
    var reporting: Reporting
    var elements = 0
    var bytes = 0

    private mutating func add(_ value: PackedValue) {
        elements += 1
        switch value {
        case .integer(let integer): bytes &+= Int(truncatingIfNeeded: integer)
        case .bytes(let text): bytes &+= text.byteCount
        }
    }

    mutating func begin(_ encoding: Encoding) -> Reporting { reporting }
    var largestWholeString: Int { 1 << 20 }
    mutating func string(_ value: PackedValue) { add(value) }
    mutating func stringPart(_ part: RawSpan, at offset: Int, of byteCount: Int) {
        bytes &+= part.byteCount
    }
    mutating func listElement(_ element: PackedValue) { add(element) }
    mutating func setMember(_ member: PackedValue) { add(member) }
    mutating func sortedSetMember(_ member: PackedValue, score: Double) { add(member) }
    mutating func hashField(_ field: PackedValue, value: PackedValue, deadline: Int64?) {
        add(field)
        add(value)
    }
    mutating func streamField(_ field: PackedValue, value: PackedValue) {
        add(field)
        add(value)
    }
    mutating func listpack(_ bytes: RawSpan, count: Int) { elements += count }
    mutating func listNode(_ listpack: RawSpan, count: Int) { elements += count }
    mutating func intset(_ bytes: RawSpan, count: Int) { elements += count }
}

func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func peakMegabytes() -> Int {
    var usage = rusage()
    getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss / 1024
}

func measure(_ name: String, byteCount: Int, _ body: () throws -> String) rethrows {
    let start = cpuSeconds()
    let note = try body()
    let seconds = cpuSeconds() - start
    let rate = Double(byteCount) / seconds / 1e6
    print(
        "\(name): \(Int(rate)) MB per CPU second, \(Int(seconds * 1000)) ms,"
            + " peak \(peakMegabytes()) MiB, \(note)"
    )
}

func read(_ path: String, _ reporting: Reporting, _ validation: Validation) throws -> String {
    var options = FileReader.Options()
    options.validation = validation
    var reader = FileReader(FileSource(path), options: options)
    var visitor = Summing(reporting: reporting)
    var keys = 0
    while true {
        switch try reader.next() {
        case .key:
            keys += 1
            try reader.readValue(into: &visitor)
        case .end: return "\(keys) keys, \(visitor.elements) elements"
        default: break
        }
    }
}

func rewrite(
    _ path: String,
    _ version: Int,
    isTransferring: Bool,
    isCompressing: Bool
) throws -> String {
    var reader = FileReader(FileSource(path))
    let sink = NullSink()
    guard let target = Target(forcedVersion: version) else { return "no such version" }
    var options = FileWriter.Options()
    options.isCompressing = isCompressing
    var writer = try FileWriter(for: target, to: sink, options: options)
    while true {
        switch try reader.next() {
        case .key(let record):
            if isTransferring {
                try writer.transfer(record, from: &reader)
            } else {
                try writer.beginKey(reader.key, deadline: record.deadline)
                try reader.readValue(into: &writer.value)
            }
        case .end:
            try writer.finish()
            return "\(sink.count) bytes written"
        default: break
        }
    }
}

/// A sink that writes to a file.
final class FileSink: ByteSink {
    let descriptor: Int32

    init(_ path: String) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        precondition(descriptor >= 0, "cannot create \(path)")
    }

    func write(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = Glibc.write(
                    descriptor,
                    buffer.baseAddress.unsafelyUnwrapped + done,
                    buffer.count - done
                )
                precondition(count > 0, "cannot write")
                done += count
            }
        }
    }
}

/// Writes the keys of a file several times, under as many databases.
func grow(_ path: String, _ other: String, _ times: Int) throws {
    var writer = try FileWriter(for: .neutral, to: FileSink(other))
    for database in 0..<times {
        var reader = FileReader(FileSource(path))
        try writer.database(UInt64(database))
        reading: while true {
            switch try reader.next() {
            case .key(let record): try writer.transfer(record, from: &reader)
            case .end: break reading
            default: break
            }
        }
    }
    try writer.finish()
}

/// Writes one list of many elements and one long string.
func makeLarge(_ path: String, elements: Int, byteCount: Int) throws {
    var options = FileWriter.Options()
    options.isCompressing = false
    var writer = try FileWriter(for: .neutral, to: FileSink(path), options: options)
    let list: [UInt8] = [0x6C]
    try writer.beginKey(list.bytes, deadline: nil)
    _ = try writer.value.begin(.list)
    try writer.value.announce(Extent(count: elements))
    for index in 0..<elements {
        try writer.value.listElement(.integer(Int64(index) &* 0x9E37_79B9_7F4A))
    }
    try writer.value.end()
    let string: [UInt8] = [0x73]
    let part = [UInt8](repeating: 0x78, count: 1 << 16)
    try writer.beginKey(string.bytes, deadline: nil)
    _ = try writer.value.begin(.string)
    for offset in stride(from: 0, to: byteCount, by: part.count) {
        try writer.value.stringPart(part.bytes, at: offset, of: byteCount)
    }
    try writer.value.end()
    try writer.finish()
}

func measureParts() throws {
    var state: UInt64 = 1
    func random() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }
    var noise: [UInt8] = []
    for _ in 0..<(1 << 20) { noise.append(UInt8(truncatingIfNeeded: random())) }
    var checksum = CRC64()
    measure("crc64", byteCount: noise.count * 1000) {
        for _ in 0..<1000 { checksum.update(noise.bytes) }
        return "\(checksum.value)"
    }
    let words = ["amber", "fjord", "maple", "onyx", "session", "\":{\"", "\",\"city\":\"", "2025-"]
    var text = ""
    while text.utf8.count < 8000 {
        text += words[Int(random() % 8)]
        if random() % 3 == 0 { text += String(random() % 10000) }
    }
    let original = Array(text.utf8)
    var compressor = LZFCompressor()
    var compressed = ByteWriter()
    measure("lzf compress", byteCount: original.count * 10_000) {
        for _ in 0..<10_000 {
            compressed.removeAll()
            _ = compressor.compress(original.bytes, limit: original.count, to: &compressed)
        }
        return "\(original.count) to \(compressed.count)"
    }
    var output = ByteWriter()
    try measure("lzf decompress", byteCount: original.count * 50_000) {
        for _ in 0..<50_000 {
            output.removeAll()
            try LZF.decompress(compressed.bytes, byteCount: original.count, to: &output)
        }
        return "\(output.count)"
    }
}

/// Compresses and expands a file in blocks, as `lzf FILE BLOCK`.
func measureCompression(_ path: String, _ block: Int) throws {
    var source = FileSource(path)
    var file = ByteWriter()
    let size = source.remaining
    file.append(upTo: size) { room in
        var output = OutputRawSpan(buffer: room, initializedCount: 0)
        source.read(into: &output)
        return output.finalize(for: room)
    }
    var compressor = LZFCompressor()
    var output = ByteWriter()
    var expanded = ByteWriter()
    let rounds = max(1, 40_000_000 / size)
    let blocks = size / block
    var total = 0
    measure("compress blocks of \(block)", byteCount: blocks * block * rounds) {
        for _ in 0..<rounds {
            total = 0
            for index in 0..<blocks {
                output.removeAll()
                let text = file.bytes.part(from: index * block, count: block)
                let isShorter = compressor.compress(text, limit: block - 4, to: &output)
                total += isShorter ? output.count : block
            }
        }
        return "ratio \(Double(total) / Double(blocks * block))"
    }
    output.removeAll()
    let text = file.bytes.part(from: 0, count: block)
    guard compressor.compress(text, limit: block - 4, to: &output) else { return }
    let count = max(1, 400_000_000 / block)
    try measure("expand", byteCount: block * count) {
        for _ in 0..<count {
            expanded.removeAll()
            try LZF.decompress(output.bytes, byteCount: block, to: &expanded)
        }
        return "\(expanded.count)"
    }
}

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "parts" {
    try measureParts()
} else if arguments.first == "lzf", arguments.count == 3 {
    let words = Array(arguments)
    try measureCompression(words[1], Int(words[2]) ?? 8192)
} else if arguments.first == "grow", arguments.count == 4 {
    let words = Array(arguments)
    try grow(words[1], words[2], Int(words[3]) ?? 1)
} else if arguments.first == "large", arguments.count == 4 {
    let words = Array(arguments)
    let byteCount = (Int(words[3]) ?? 1) << 20
    try makeLarge(words[1], elements: Int(words[2]) ?? 1, byteCount: byteCount)
} else if let path = arguments.first {
    let byteCount = FileSource(path).remaining
    for mode in arguments.dropFirst() {
        try measure(mode, byteCount: byteCount) {
            switch mode {
            case "skip": try read(path, .nothing, [])
            case "encoded": try read(path, .encoded, [])
            case "elements": try read(path, .elements, [])
            case "deep": try read(path, .elements, .containers)
            default:
                try rewrite(
                    path,
                    Int(mode.drop { !$0.isNumber }) ?? 11,
                    isTransferring: mode.hasPrefix("transfer"),
                    isCompressing: !mode.hasPrefix("plain")
                )
            }
        }
    }
} else {
    print("rdb-bench FILE MODE... | rdb-bench parts")
}
