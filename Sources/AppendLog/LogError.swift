import Platform

/// Why a log cannot be opened, read or written.
package enum LogError: Error, Equatable, Sendable {
    /// The disk refused.
    case storage(SystemError)
    /// The manifest is not one; `line` counts from 1, or is 0 if it is the file as a whole.
    case badManifest(file: String, line: Int, problem: String)
    /// Files of a log lie there, but not the manifest that says which of them count.
    case missingManifest(file: String, found: String)
    /// The manifest names a file that is not there.
    case missingFile(String)
    /// A point of the stream that the base already stands for, up to this offset.
    case beforeBase(StreamOffset)
    /// A file of another server, which tells neither offsets nor times.
    case withoutMarks(String)
    /// Bytes that were once safely on disk have changed or gone.
    case damaged(LogDamage)
}

/// A place in the log that cannot be read although what was written after it can.
package struct LogDamage: Error, Equatable, Sendable {
    /// The file, with its folder.
    package var file: String
    /// Where in the file the first bad byte is.
    package var fileOffset: Int
    /// How much of the stream comes before the damage and is whole.
    package var streamOffset: StreamOffset
    /// How much of the stream once was on disk for certain, if it is known.
    package var durableOffset: StreamOffset?
    /// What is wrong there.
    package var problem: String
}

extension LogError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .storage(let error):
            return error.description
        case .badManifest(let file, 0, let problem):
            return "\(file): \(problem)"
        case .badManifest(let file, let line, let problem):
            return "\(file), line \(line): \(problem)"
        case .missingManifest(let file, let found):
            return "\(file) is missing, but \(found) is there: starting would lose what it holds. "
                + "Put the manifest back, or move the files away to start empty."
        case .missingFile(let file):
            return "\(file) is missing, but the manifest names it"
        case .beforeBase(let offset):
            return "the base of the log stands for all before offset \(offset) of the stream; "
                + "it cannot be taken back to before that"
        case .withoutMarks(let file):
            return "\(file) was written by another server: it tells neither offsets nor times"
        case .damaged(let damage):
            return damage.description
        }
    }
}

extension LogDamage: CustomStringConvertible {
    package var description: String {
        var text = "\(file) is damaged at byte \(fileOffset): \(problem). "
        text += "The stream is whole up to offset \(streamOffset)"
        if let durableOffset {
            text += "; at least \(durableOffset - streamOffset) bytes after it are lost"
        }
        return text + ". To see what can be kept: larder-inspect log \(folder)"
            + "; to cut the log there: larder-inspect log --repair \(folder)"
    }

    private var folder: Substring {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return file[..<slash]
    }
}
