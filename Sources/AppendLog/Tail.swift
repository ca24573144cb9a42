import Bytes
import Platform

/// Where a segment really ends, found before any of it is used.
struct Tail {
    /// The last place at which nothing is open.
    private(set) var cut: SegmentCursor.Cut
    /// Requests that could be read after it.
    private(set) var requestCount = 0
    /// Why the segment does not go on to the end of the file; nil if it does.
    private(set) var problem: Problem?
    /// Whether there are marks: whether a Larder wrote the segment.
    private(set) var hasMarks = false
    /// Bytes of the file that were synced before its last marks were written.
    private(set) var provenByteCount = 0

    struct Problem: Equatable {
        var fileOffset: Int
        var text: String
        /// Whether the bytes just end, as when a write was cut.
        var isAtEnd: Bool
    }

    /// Reads the segment to its end; `next` is the mark that the file after it begins with.
    init(_ cursor: consuming SegmentCursor, before next: Mark?) throws(SystemError) {
        var marks: [(offset: StreamOffset, fileOffset: Int)] = []
        var promise: StreamOffset = 0
        cut = cursor.lastCut
        reading: while true {
            do throws(SegmentReader.Failure) {
                switch try cursor.advance() {
                case .effects:
                    cursor.forgetWhole()
                case .mark(let mark):
                    marks.append((mark.offset, cursor.lastMarkFileOffset ?? 0))
                    promise = max(promise, mark.durableOffset)
                case .end:
                    break reading
                }
            } catch {
                switch error {
                case .storage(let error): throw error
                case .cut(let offset, let text):
                    problem = Problem(fileOffset: offset, text: text, isAtEnd: true)
                case .unreadable(let offset, let text):
                    problem = Problem(fileOffset: offset, text: text, isAtEnd: false)
                }
                break reading
            }
        }
        cut = cursor.lastCut
        requestCount = cursor.requestCountSinceCut
        hasMarks = !marks.isEmpty
        provenByteCount = marks.last { $0.offset <= promise }?.fileOffset ?? 0
        guard problem == nil else { return }
        if let next, next.offset > cut.streamOffset {
            let text = "the stream goes on at offset \(next.offset) in the next file"
            problem = Problem(fileOffset: cut.fileOffset, text: text, isAtEnd: true)
        } else if cut.needsEndMark {
            problem = Problem(
                fileOffset: cut.fileOffset,
                text: "the last frame is not closed",
                isAtEnd: true
            )
        }
    }
}
