import Bytes
import RESP

extension Command {
    /// MONITOR: a client that sees every request.
    static let monitors: [Command] = [
        Command("monitor", .exactly(1), [.admin, .noScript, .loading, .stale], monitor)
    ]
}

private func monitor(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard !engine.sessions[engine.current].flags.contains(.monitoring) else { return }
    guard !engine.sessions[engine.current].flags.contains(.executing) else {
        throw .text("ERR MONITOR isn't allowed for DENY BLOCKING client")
    }
    engine.sessions[engine.current].flags.insert(.monitoring)
    engine.monitors.append(engine.current)
    engine.gates.insert(.monitoring)
    reply.ok()
}

extension Engine {
    /// Lets a session see no more requests.
    mutating func endMonitoring(_ session: SessionID) {
        guard sessions[session].flags.remove(.monitoring) != nil else { return }
        monitors.removeAll { $0 == session }
        if monitors.isEmpty { gates.remove(.monitoring) }
    }

    /// Shows a request that was executed to those who monitor.
    mutating func show(_ request: borrowing Request, of index: Int) {
        let command = table[index]
        guard command.flags.isDisjoint(with: [.skipMonitor, .admin]),
            !sessions[current].flags.contains(.trusted)
        else { return }
        let address = host.connection(of: current)?.address ?? ""
        let time = host.timeOfDay
        let hidden = command.secrets(in: request)
        var line = ByteWriter()
        line.append("+")
        line.append(decimal: time / 1_000_000)
        line.append(".")
        line.append(utf8: String(String(1_000_000 + time % 1_000_000).dropFirst()))
        line.append(" [")
        line.append(decimal: Int64(sessions[current].database))
        line.append(utf8: " \(address)]")
        for argument in 0..<request.count {
            line.append(" ")
            if hidden.contains(argument) {
                line.append("\"(redacted)\"")
            } else {
                line.append(quoted: request[argument])
            }
        }
        line.append("\r\n")
        let run = deliveries.append(line.bytes)
        for session in monitors { deliveries.send(run, to: session) }
    }
}

extension ByteWriter {
    /// Appends bytes in quotes, with escapes for those that cannot be printed.
    fileprivate mutating func append(quoted bytes: RawSpan) {
        append("\"")
        for offset in 0..<bytes.byteCount {
            switch bytes.byte(at: offset) {
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\n"): append("\\n")
            case UInt8(ascii: "\r"): append("\\r")
            case UInt8(ascii: "\t"): append("\\t")
            case 7: append("\\a")
            case 8: append("\\b")
            case let byte where 0x20...0x7E ~= byte: append(byte)
            case let byte:
                append(utf8: "\\x")
                append(utf8: String(String(256 + Int(byte), radix: 16).dropFirst()))
            }
        }
        append("\"")
    }
}
