import Bytes
import Platform

/// How far a load has come, on disk: what an interrupted load goes on from.
///
///     larder-load 1
///     server redis://127.0.0.1:7000
///     file 1048576 9ae16a3b2f90404f /data/dump.rdb
///     done 0 524288            every key before this place is dealt with
///     sent 0 589824            no key from this place on was sent
///
/// Between the two places are keys of which nobody knows whether the server got them. They are
/// sent again, and one that is there already then counts as loaded.
package struct LoadState: Equatable {
    /// The server.
    package var server: String
    /// The files.
    package var files: [LoadedFile]
    /// Every key before this place is dealt with.
    package var done = LoadPosition(file: 0, offset: 0)
    /// No key from this place on was sent.
    package var sent = LoadPosition(file: 0, offset: 0)

    private static let heading = "larder-load 1"

    /// Reads a state; nil if the text is none.
    package init?(_ text: String) {
        var lines = text.split(separator: "\n")[...]
        guard lines.popFirst() == Self.heading[...] else { return nil }
        (server, files) = ("", [])
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 3)
            switch words.first {
            case "server" where words.count == 2: server = String(words[1])
            case "file" where words.count == 4:
                guard let byteCount = Int(words[1]) else { return nil }
                let checksum = UInt64(words[2], radix: 16)
                files.append(
                    LoadedFile(path: String(words[3]), byteCount: byteCount, checksum: checksum)
                )
            case "done": guard Self.read(words, into: &done) else { return nil }
            case "sent": guard Self.read(words, into: &sent) else { return nil }
            default: return nil
            }
        }
    }

    /// Nothing was done yet.
    package init(server: String, files: [LoadedFile]) {
        self.server = server
        self.files = files
    }

    private static func read(_ words: [Substring], into position: inout LoadPosition) -> Bool {
        guard words.count == 3, let file = Int(words[1]), let offset = Int(words[2]) else {
            return false
        }
        position = LoadPosition(file: file, offset: offset)
        return true
    }

    /// The state as text.
    package var text: String {
        var lines = [Self.heading, "server \(server)"]
        for file in files {
            let checksum = file.checksum.map { String($0, radix: 16) } ?? "-"
            lines.append("file \(file.byteCount) \(checksum) \(file.path)")
        }
        lines.append("done \(done.file) \(done.offset)")
        lines.append("sent \(sent.file) \(sent.offset)")
        return lines.joined(separator: "\n") + "\n"
    }

    /// Whether it is about the same files and the same server.
    package func isOf(_ other: LoadState) -> Bool {
        server == other.server
            && files.map(\.byteCount) == other.files.map(\.byteCount)
            && files.map(\.checksum) == other.files.map(\.checksum)
    }
}

/// The file of a `LoadState`.
struct LoadStateFile {
    private let storage: DiskStorage
    private let name: String

    init(path: String) throws(SystemError) {
        let (folder, name) = Paths.split(path)
        storage = try DiskStorage(path: folder)
        self.name = name
    }

    /// What is in the file: nil if there is none.
    func read() throws(SystemError) -> String? {
        guard try storage.exists(name) else { return nil }
        let file = try storage.open(name, writable: false)
        var contents = ByteWriter()
        _ = try file.read(try file.byteCount(), at: 0, into: &contents)
        return ByteString(contents.bytes).text
    }

    /// Replaces the file; after a power cut it is the old one or the new one.
    func write(_ state: LoadState) throws(SystemError) {
        let temporary = name + ".tmp"
        if try storage.exists(temporary) { try storage.remove(temporary) }
        let file = try storage.create(temporary)
        try file.write(ByteString(state.text).bytes, at: 0)
        try file.sync()
        try storage.rename(temporary, to: name)
    }

    /// Removes it: the load has ended.
    func remove() throws(SystemError) {
        if try storage.exists(name) { try storage.remove(name) }
    }
}
