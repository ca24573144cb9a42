/// How far the reading of all files has come, for whoever shows it.
package final class Progress {
    /// Bytes of all files as they lie on disk; nil if one of them is a pipe.
    package internal(set) var totalByteCount: Int?
    /// Bytes of the files before the one being read.
    private var finishedByteCount = 0
    private var currentByteCount = 0
    private let show: (Progress) -> Void

    /// Calls `show` each time some more was read: every few thousand bytes.
    package init(_ show: @escaping (Progress) -> Void) {
        self.show = show
    }

    /// Bytes read so far.
    package var byteCount: Int { finishedByteCount + currentByteCount }

    func advance(to offset: Int) {
        currentByteCount = offset
        show(self)
    }

    func finishFile(byteCount: Int) {
        finishedByteCount += byteCount
        currentByteCount = 0
    }
}
