import Bytes
import Platform

/// What lies in the files of a log: for looking at one without starting a server.
package struct LogSurvey: Equatable, Sendable {
    /// The files that count, in the order they are read.
    package private(set) var files: [File] = []
    /// Files in the folder that do not count.
    package private(set) var others: [String] = []

    /// One file.
    package struct File: Equatable, Sendable {
        package var path: String
        package var byteCount: Int
        package var content: Content
    }

    /// What is in a file.
    package enum Content: Equatable, Sendable {
        /// An RDB, and maybe effects after it, which are not looked at.
        case snapshot(Manifest.Position?)
        case segment(Segment)
    }

    /// A file of effects.
    package struct Segment: Equatable, Sendable {
        package var format: SegmentFormat
        package var frames: [Frame] = []
        /// Where the stream stands at its end.
        package var end: StreamOffset = 0
        package var requestCount = 0
        /// Whether the writer ended the log here in good order.
        package var isClosed = false
        /// What cannot be read, if anything.
        package var problem: LogDamage?

        /// Bytes of the stream in it.
        package var streamByteCount: Int { frames.reduce(0) { $0 + $1.streamByteCount } }
    }

    /// The effects between one mark and the next.
    package struct Frame: Equatable, Sendable {
        /// Where in the file it begins; the mark is a part of it.
        package var fileOffset: Int
        /// Bytes of the file.
        package var byteCount = 0
        package var streamByteCount = 0
        package var requestCount = 0
        /// What the log says about itself here; nil if another server wrote it.
        package var mark: Mark?
    }

    /// Reads all of a log; nil if there is none.
    ///
    /// What is damaged is told in the survey, and the files after it are looked at, too.
    package init?(_ directory: LogDirectory) throws(LogError) {
        guard let manifest = try directory.loadManifest(), manifest.isLog else { return nil }
        do throws(SystemError) {
            for entry in manifest.filesToRead {
                let path = directory.path(of: entry, in: manifest)
                let file = try LogFile(entry, path, in: directory)
                let content: Content =
                    file.holdsSnapshot
                    ? .snapshot(entry.position) : .segment(try Segment(file, in: directory))
                files.append(File(path: path, byteCount: file.byteCount, content: content))
            }
            var counted = Set(manifest.filesToRead.map { directory.path($0.name) })
            counted.formUnion([directory.manifestPath, directory.stagePath])
            others = try directory.storage.names(in: directory.folder).sorted().filter { name in
                !counted.contains(directory.path(name))
            }
        } catch {
            throw .storage(error)
        }
    }

    /// The first damage or torn tail.
    package var firstProblem: LogDamage? {
        for file in files {
            if case .segment(let segment) = file.content, let problem = segment.problem {
                return problem
            }
        }
        return nil
    }
}

extension LogSurvey.Segment {
    /// Reads a segment to its end, or to what cannot be read.
    fileprivate init(_ file: LogFile, in directory: LogDirectory) throws(SystemError) {
        let reader = try SegmentReader(directory.storage, file.path)
        format = reader.format
        var cursor = SegmentCursor(reader, at: nil)
        var frame = LogSurvey.Frame(fileOffset: 0)
        var durableOffset: StreamOffset = 0
        reading: while true {
            do throws(SegmentReader.Failure) {
                switch try cursor.advance() {
                case .effects:
                    frame.streamByteCount += cursor.wholeByteCount
                    frame.requestCount += cursor.wholeRequestCount
                    isClosed = false
                    cursor.forgetWhole()
                case .mark(let mark):
                    end(&frame, at: cursor.lastMarkFileOffset ?? 0)
                    frame.mark = mark
                    isClosed = mark.isClosing
                    durableOffset = max(durableOffset, mark.durableOffset)
                case .end:
                    break reading
                }
            } catch {
                switch error {
                case .storage(let error): throw error
                case .cut(let offset, let text), .unreadable(let offset, let text):
                    problem = LogDamage(
                        file: file.path,
                        fileOffset: offset,
                        streamOffset: cursor.wholeStreamOffset,
                        problem: text
                    )
                }
                break reading
            }
        }
        end(&frame, at: cursor.lastCut.fileOffset)
        end = cursor.wholeStreamOffset
        let promise = try Mark.highestPromise(
            in: directory.storage,
            file.path,
            from: cursor.lastCut.fileOffset,
            of: nil
        )
        if let promise, promise > end { problem?.durableOffset = promise }
    }

    /// Keeps a frame, and begins the next one at `fileOffset`.
    private mutating func end(_ frame: inout LogSurvey.Frame, at fileOffset: Int) {
        frame.byteCount = fileOffset - frame.fileOffset
        requestCount += frame.requestCount
        if frame.byteCount > 0 { frames.append(frame) }
        frame = LogSurvey.Frame(fileOffset: fileOffset)
    }
}
