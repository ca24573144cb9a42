import Bytes

/// A directory of files, as much of one as the log and the snapshots need.
///
/// Names are relative to the directory and may lead into a folder of it (`appendonlydir/x`).
/// Calls move whole batches, so dynamic dispatch costs nothing that shows. The tests give the
/// same callers a directory in memory that tears, loses and reorders what was not synced.
///
/// What survives a power cut:
/// - bytes of a file, once `StorageFile.sync` returned;
/// - that a file exists under a name, or no longer does, once `syncDirectory` of its folder
///   returned. A renamed file is under its old name or its new one, never under neither.
package protocol Storage: AnyObject, Sendable {
    /// Creates an empty file for writing; throws `EEXIST` if the name is taken.
    func create(_ name: String) throws(SystemError) -> any StorageFile

    /// Opens a file that exists, for reading, and for writing too if `writable`.
    func open(_ name: String, writable: Bool) throws(SystemError) -> any StorageFile

    /// Creates a file of `byteCount` bytes, or opens it, to be written like memory.
    func map(_ name: String, byteCount: Int) throws(SystemError) -> any MappedFile

    /// Gives a file another name; whatever had that name is gone.
    func rename(_ name: String, to newName: String) throws(SystemError)

    /// Removes a name.
    func remove(_ name: String) throws(SystemError)

    /// Whether something has that name.
    func exists(_ name: String) throws(SystemError) -> Bool

    /// The names in a folder, without the folder and in no order; `""` is the directory itself.
    ///
    /// A folder that is not there holds none.
    func names(in folder: String) throws(SystemError) -> [String]

    /// Creates a folder unless it is there.
    func createFolder(_ name: String) throws(SystemError)

    /// Makes creations, renames and removals in a folder survive a power cut.
    func syncDirectory(_ folder: String) throws(SystemError)

    /// Bytes that can still be written by this user before the disk is full.
    func freeByteCount() throws(SystemError) -> Int

    /// Refuses a second process that would write here too; throws `EWOULDBLOCK` if there is one.
    ///
    /// Holds until the storage goes away.
    func lock() throws(SystemError)
}

/// An open file of a `Storage`; closed when the last reference goes away.
///
/// One thread may sync while another writes: the sync then covers what was written before
/// it began.
package protocol StorageFile: AnyObject, Sendable {
    /// The name it was opened by.
    var name: String { get }

    /// How long the file is.
    func byteCount() throws(SystemError) -> Int

    /// Appends up to `count` bytes from `offset` on to `buffer`; returns how many.
    ///
    /// Fewer than `count` only at the end of the file.
    func read(
        _ count: Int,
        at offset: Int,
        into buffer: inout ByteWriter
    ) throws(SystemError) -> Int

    /// Writes all of `bytes` at `offset`. When it throws, any part of them may be there.
    func write(_ bytes: RawSpan, at offset: Int) throws(SystemError)

    /// Makes what was written survive a power cut.
    ///
    /// After it threw once, what was written before is in doubt for ever: the kernel marks
    /// pages clean even when it could not write them, so a second call that returns proves
    /// nothing.
    func sync() throws(SystemError)

    /// Begins to bring what was written in `range` to the disk, and does not wait for it.
    ///
    /// Promises nothing; but a `sync` that follows has less to do.
    func beginWriteBack(of range: Range<Int>)

    /// Reserves room so that writing up to `byteCount` cannot fail for want of space.
    ///
    /// The file does not get longer by it. A file system that cannot reserve does nothing.
    func reserve(upTo byteCount: Int) throws(SystemError)

    /// Makes the file `byteCount` long and gives back what was reserved beyond.
    func truncate(to byteCount: Int) throws(SystemError)
}

/// A file that is written like memory, and costs no call.
///
/// What was written has left the process: it survives the process's death like what a call
/// has written. A power cut keeps any part of it. Its blocks are reserved, so that writing
/// cannot fail.
package protocol MappedFile: AnyObject {
    /// Writes `bytes` at `offset`, all of them inside the file.
    func write(_ bytes: RawSpan, at offset: Int)

    /// Writes a little-endian word.
    func write(_ word: UInt64, at offset: Int)
}
