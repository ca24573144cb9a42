import Platform
import RDB

/// Threads that read runs of keys: the one that reads the file, and a few that help it.
///
/// The reader of the file gives runs away until some wait. Then it takes in what is finished, in
/// the order of the file, and reads a waiting run itself if the oldest is not finished.
final class KeyTeam<Consumer: SharedConsumer & ~Copyable>: @unchecked Sendable {
    private struct State {
        /// Runs that nobody has begun.
        var waiting = 0..<0
        var isFinished: [Bool]
        var hasEnded = false

        mutating func claim() -> Int? {
            defer { waiting = waiting.dropFirst() }
            return waiting.first
        }
    }

    // Runs have numbers, in the order of the file; their places serve in turn.
    private let places: [Consumer.Part]
    private let monitor: Monitor<State>
    private let helperCount: Int
    private var helpers: [WorkerThread] = []
    /// Runs that were given away and not taken in.
    private var outstanding = 0..<0

    /// More do not help: whoever reads the file has work of its own.
    private static var maximumHelperCount: Int { 3 }

    /// A team for the keys of a file; nil on a machine with one processor.
    init?(_ consumer: borrowing Consumer, _ options: FileReader.Options) {
        helperCount = min(Machine.processorCount - 1, Self.maximumHelperCount)
        guard helperCount > 0, consumer.isShared else { return nil }
        var places: [Consumer.Part] = []
        for _ in 0..<(2 * (helperCount + 1)) { places.append(consumer.makePart(options)) }
        self.places = places
        monitor = Monitor(State(isFinished: Array(repeating: false, count: places.count)))
    }

    /// Stops the helpers and waits for them; to be called before the team goes.
    func stop() {
        monitor.update { $0.hasEnded = true }
        for helper in helpers { helper.join() }
        helpers = []
    }

    /// Gives the next keys away; false if the next record is to be read by the caller.
    func give(
        _ reader: inout FileReader,
        _ consumer: inout Consumer
    ) throws(RDBError) -> Bool {
        if outstanding.count == places.count { try takeOldest(&consumer) }
        let number = outstanding.upperBound
        guard try places[number % places.count].fill(from: &reader) else { return false }
        outstanding = outstanding.lowerBound..<(number + 1)
        monitor.update { state in
            state.isFinished[number % places.count] = false
            state.waiting = (state.waiting.first ?? number)..<(number + 1)
        }
        if helpers.isEmpty { startHelpers() }
        return true
    }

    /// Takes in all that was given away.
    func takeAll(_ consumer: inout Consumer) throws(RDBError) {
        while !outstanding.isEmpty { try takeOldest(&consumer) }
    }

    private func takeOldest(_ consumer: inout Consumer) throws(RDBError) {
        let place = outstanding.lowerBound % places.count
        while let number = claim(unlessFinished: place) { read(number) }
        outstanding = outstanding.dropFirst()
        try consumer.take(places[place])
        try places[place].readRest(into: &consumer)
        if let failure = places[place].failure { throw failure }
    }

    private func claim(unlessFinished place: Int) -> Int? {
        monitor.wait { state, _ -> Int?? in
            if state.isFinished[place] { return .some(nil) }
            return state.claim().map { .some($0) }
        }
    }

    private func read(_ number: Int) {
        places[number % places.count].read()
        monitor.update { $0.isFinished[number % places.count] = true }
    }

    /// A thread that cannot be had is missed by nobody: its runs are read by the others.
    private func startHelpers() {
        for _ in 0..<helperCount {
            guard let helper = try? WorkerThread("read keys", { [unowned self] in help() }) else {
                return
            }
            helpers.append(helper)
        }
    }

    private func help() {
        while let number = claimUntilEnd() { read(number) }
    }

    private func claimUntilEnd() -> Int? {
        monitor.wait { state, _ -> Int?? in
            if state.hasEnded { return .some(nil) }
            return state.claim().map { .some($0) }
        }
    }
}
