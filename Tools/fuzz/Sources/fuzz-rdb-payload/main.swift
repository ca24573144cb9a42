import Bytes
import RDB

/// Reads bytes as the payload of RESTORE, with the footer put right, and writes the value again.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 2 else { return 0 }
    let versions: [UInt8] = [9, 10, 11, 12, 14, 15, 80]
    let how = start[0]
    let version = versions[Int(how & 15) % versions.count]
    var payload = Array(UnsafeBufferPointer(start: start + 1, count: count - 1)) + [version, 0]
    let checksum = CRC64.checksum(payload.bytes)
    withUnsafeBytes(of: checksum.littleEndian) { payload += $0 }
    do {
        var reader = try Payload(payload.bytes, validation: how & 16 != 0 ? .deep : [])
        var writer = PayloadWriter(for: how & 32 != 0 ? .valkey9 : .neutral)
        try reader.readValue(into: &writer)
        var written: [UInt8] = []
        writer.finishPayload { written = ByteString($0).array }
        var again = try Payload(written.bytes)
        var visitor = CheckingVisitor()
        do {
            try again.readValue(into: &visitor)
        } catch {
            precondition(how & 16 == 0, "what was written cannot be read: \(error)")
        }
    } catch {
        _ = error.description
    }
    return 0
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
