import Bytes
import RESP
import Store

// Functions are not run here. The libraries of a dump or a log are kept and written back, so that
// nothing is lost to whoever runs them later; whoever asks for them is told so.
extension Command {
    static let functions: [Command] = [
        Command(
            container: "function",
            [
                Command("function|delete", .exactly(3), [.write, .noScript], delete),
                Command("function|dump", .exactly(2), [.noScript], refuse),
                Command("function|flush", .atLeast(2), [.write, .noScript], flush),
                Command("function|help", .exactly(2), [.loading, .stale], refuse),
                Command("function|kill", .exactly(2), [.noScript, .allowBusy], refuse),
                Command("function|list", .atLeast(2), [.noScript], refuse),
                Command("function|load", .atLeast(3), [.write, .denyOOM, .noScript], load),
                Command("function|restore", .atLeast(3), [.write, .denyOOM, .noScript], restore),
                Command("function|stats", .exactly(2), [.noScript, .allowBusy], refuse),
            ]
        ),
        Command(
            "fcall",
            .atLeast(3),
            [.noScript, .stale, .skipMonitor, .noMandatoryKeys, .movableKeys],
            refuse
        ),
        Command(
            "fcall_ro",
            .atLeast(3),
            [.noScript, .readonly, .stale, .skipMonitor, .noMandatoryKeys, .movableKeys],
            refuse
        ),
    ]
}

extension CommandError {
    fileprivate static let noFunctions = CommandError.text(
        "ERR functions are not supported yet: libraries that came with the data are kept and "
            + "written back, but they cannot be listed, changed or called"
    )
}

private func refuse(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    throw .noFunctions
}

/// The name of a library, as its first line gives it: `#!lua name=mylib`.
private func libraryName(_ source: RawSpan) -> ByteString? {
    let line = source.text.prefix { !$0.isNewline }
    let words = line.split(whereSeparator: \.isWhitespace)
    guard let name = words.first(where: { $0.hasPrefix("name=") }) else { return nil }
    return ByteString(String(name.dropFirst("name=".count)))
}

extension Engine {
    /// Keeps a library in the place of one with the same name.
    fileprivate mutating func keepLibrary(_ source: ByteString) {
        let name = libraryName(source.bytes)
        functionLibraries.removeAll { name != nil && libraryName($0.bytes) == name }
        functionLibraries.append(source)
        statistics.changes += 1
    }

    /// Only the log may change libraries: what it tells has been checked by whoever ran them.
    fileprivate func requireReplay() throws(CommandError) {
        guard isReplaying else { throw .noFunctions }
    }
}

private func load(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try engine.requireReplay()
    engine.keepLibrary(ByteString(request[request.count - 1]))
    reply.ok()
}

private func delete(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try engine.requireReplay()
    let name = ByteString(request[2])
    engine.functionLibraries.removeAll { libraryName($0.bytes) == name }
    engine.statistics.changes += 1
    reply.ok()
}

private func flush(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try engine.requireReplay()
    engine.functionLibraries.removeAll()
    engine.statistics.changes += 1
    reply.ok()
}

private func restore(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try engine.requireReplay()
    if request.count > 3, request.is(3, "flush") { engine.functionLibraries.removeAll() }
    do throws(SerializationError) {
        for source in try engine.serializer.functionLibraries(request[2]) {
            engine.keepLibrary(source)
        }
    } catch {
        throw .text("ERR DUMP payload version or checksum are wrong")
    }
    reply.ok()
}
