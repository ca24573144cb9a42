import RDB

/// A consumer whose work on keys several threads can share.
///
/// Runs of keys go to parts, each on some thread, and what the parts found comes back in the order
/// of the file. So a part does what is most of the work and depends on nothing but the key; the
/// rest is done by `take`.
package protocol SharedConsumer: RecordConsumer, SendableMetatype, ~Copyable {
    /// What consumes the keys of runs.
    associatedtype Part: SharedPart

    /// Whether it can do without the order of keys.
    var isShared: Bool { get }
    /// A part that has seen nothing, for runs of a file that is read with `options`.
    func makePart(_ options: FileReader.Options) -> Part
    /// Takes in what a part found, and leaves nothing in it; the part throws `RDBError.stopped`
    /// when it can keep no more.
    ///
    /// If the run is damaged these are the keys before that.
    mutating func take(_ part: Part) throws(RDBError)
}

extension SharedConsumer where Self: ~Copyable {
    package var isShared: Bool { true }
}

/// What reads a run of keys; it belongs to one thread at a time.
package protocol SharedPart: AnyObject {
    /// What is wrong behind the keys that were read of the last run.
    var failure: RDBError? { get }
    /// Gets a run; false if there is none.
    func fill(from reader: inout FileReader) throws(RDBError) -> Bool
    /// Reads the run.
    func read()
    /// Reads what `read` has left, once everything before it was taken in.
    func readRest(into whole: inout some RecordConsumer & ~Copyable) throws(RDBError)
}

/// A reader of runs and the consumer it reads them to, which gets no calls but for keys.
package final class RunPart<Consumer: RecordConsumer & ~Copyable>: SharedPart {
    var consumer: Consumer
    private var reader: FileReader
    /// Whether the consumer can keep no more.
    private var hasRest = false
    package private(set) var failure: RDBError?

    init(_ options: FileReader.Options, _ consumer: consuming Consumer) {
        reader = FileReader(ofRunsWith: options)
        self.consumer = consumer
    }

    package func fill(from whole: inout FileReader) throws(RDBError) -> Bool {
        try whole.giveRun(to: &reader)
    }

    package func read() {
        do {
            try consumer.readRun(&reader)
        } catch .stopped {
            reader.repeatOfRun()
            hasRest = true
        } catch {
            failure = error
        }
    }

    package func readRest(into whole: inout some RecordConsumer & ~Copyable) throws(RDBError) {
        guard hasRest else { return }
        hasRest = false
        try whole.readRun(&reader)
    }
}

extension RecordConsumer where Self: ~Copyable {
    fileprivate mutating func readRun(_ reader: inout FileReader) throws(RDBError) {
        while let record = try reader.nextOfRun() { try take(.key(record), &reader) }
    }
}
