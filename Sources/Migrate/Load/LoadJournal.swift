import Platform

/// What a load notes on disk about its own progress.
///
/// Before anything is sent, the place up to which may be sent is on disk: a power cut at any
/// moment leaves no key that was sent unbeknownst.
final class LoadJournal {
    private let path: String
    private let file: LoadStateFile
    private var state: LoadState
    private var savedAt: MonotonicTime?
    private let time = SystemTime()

    /// Every key before this place was dealt with by an earlier load.
    let resumedFrom: LoadPosition
    /// No key from this place on was sent by an earlier load.
    let doubtfulUpTo: LoadPosition

    /// How far ahead of what was sent the note reaches.
    private static let aheadByteCount = 32 << 20
    private static let interval = Duration.seconds(1)

    /// Reads what an earlier load has noted, and refuses what another load has noted.
    init(_ survey: LoadSurvey, _ url: ServerURL, _ options: LoadOptions) throws(LoadError) {
        path = options.statePath ?? survey.files[0].path + ".larder-load"
        let fresh = LoadState(server: url.description, files: survey.files)
        let text: String?
        do throws(SystemError) {
            file = try LoadStateFile(path: path)
            text = options.isStartingAnew ? nil : try file.read()
        } catch {
            throw .system(error)
        }
        guard let earlier = text.map({ LoadState($0) }) else {
            state = fresh
            (resumedFrom, doubtfulUpTo) = (fresh.done, fresh.sent)
            return
        }
        guard let earlier, earlier.isOf(fresh) else {
            throw .unsuitable(
                "\(path) is the note of a load of other files or into another server; "
                    + "--restart passes it over, --state FILE names another"
            )
        }
        state = earlier
        resumedFrom = state.done
        doubtfulUpTo = state.sent
    }

    /// Whether an earlier load was interrupted.
    var isResuming: Bool { resumedFrom != LoadPosition(file: 0, offset: 0) || isDoubtful }

    private var isDoubtful: Bool { doubtfulUpTo > resumedFrom }

    /// Lets a key at `position` be sent; `done` is the place before which everything is done.
    ///
    /// To find out what is done takes a look at everything under way: it is asked for when needed.
    func willSend(
        _ position: LoadPosition,
        done: @autoclosure () -> LoadPosition
    ) throws(LoadError) {
        guard position >= state.sent else { return }
        state.sent = LoadPosition(
            file: position.file,
            offset: position.offset + Self.aheadByteCount
        )
        try save(done: done())
    }

    /// Notes that everything before `position` is done, and lets what is there be sent.
    func reach(_ position: LoadPosition) throws(LoadError) {
        state.sent = max(state.sent, .end)
        try save(done: position)
    }

    /// Notes what is done, once a second.
    func note(done: @autoclosure () -> LoadPosition) throws(LoadError) {
        let now = time.monotonicTime
        if let savedAt, now - savedAt < Self.interval { return }
        try save(done: done())
    }

    /// Notes what is done, now; says where, unless nothing was sent.
    func stop(done: LoadPosition) throws(LoadError) -> String? {
        guard state.sent > resumedFrom else { return nil }
        try save(done: done)
        return path
    }

    private func save(done: LoadPosition) throws(LoadError) {
        state.done = max(state.done, done)
        do throws(SystemError) { try file.write(state) } catch { throw .system(error) }
        savedAt = time.monotonicTime
    }

    /// The load has ended.
    func remove() throws(LoadError) {
        do throws(SystemError) { try file.remove() } catch { throw .system(error) }
    }
}
