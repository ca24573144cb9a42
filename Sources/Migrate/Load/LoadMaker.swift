import Bytes
import RDB
import RESP

/// Makes one value by commands: under another name in the same slot, so that nobody sees half of
/// it, and so that a load that is interrupted can begin it anew.
struct LoadMaker {
    private let key: LoadedKey
    private let target: Target
    private let traffic: LoadTraffic
    private let tally: LoadTally
    private let options: LoadOptions
    private let progress = Progress()

    /// The name under which it is made.
    private let temporary: ByteString

    /// What a value that is being made has come to.
    private final class Progress {
        /// Why the server refused a part; the rest is not sent then.
        var refusal: ByteString?
    }

    init(
        _ key: LoadedKey,
        for target: Target,
        _ traffic: LoadTraffic,
        _ tally: LoadTally,
        _ options: LoadOptions
    ) {
        self.key = key
        self.target = target
        self.traffic = traffic
        self.tally = tally
        self.options = options
        let tag = ClusterSlot.tag(of: ClusterSlot.of(key.name.bytes))
        let place = "\(key.position.file).\(key.position.offset)"
        temporary = ByteString("{\(tag)}:larder-load:\(place)")
    }

    /// Makes the value that `walk` reports.
    func make(_ walk: (inout LoadCommands) throws(RDBError) -> Void) throws(RDBError) {
        try stopping { () throws(LoadError) in
            _ = try traffic.perform(["UNLINK", temporary], for: key)
        }
        var commands = LoadCommands(key: temporary, for: target) { step throws(RDBError) in
            try stopping { () throws(LoadError) in try send(step) }
        }
        try walk(&commands)
        try stopping { () throws(LoadError) in try finish() }
    }

    private func send(_ step: LoadCommands.Step) throws(LoadError) {
        guard progress.refusal == nil else { return }
        tally.outcome.byteCount += step.requests.count
        if let length = step.listLength {
            try push(step, from: length)
        } else if step.isOrdered {
            try transact(step)
        } else {
            note(try perform(step, isRepeatable: true))
        }
    }

    private func perform(
        _ step: LoadCommands.Step,
        isRepeatable: Bool
    ) throws(LoadError) -> Reply? {
        try traffic.perform(
            step.requests,
            replyCount: step.count,
            for: key,
            isRepeatable: isRepeatable
        )
    }

    private func note(_ reply: Reply?) {
        if case .error(let text) = reply { progress.refusal = text }
    }

    /// Adds elements to a list that has `length`; that it had more by then tells of success.
    private func push(_ step: LoadCommands.Step, from length: Int) throws(LoadError) {
        while true {
            if let reply = try perform(step, isRepeatable: false) {
                return note(reply)
            }
            guard case .integer(let found) = try traffic.perform(["LLEN", temporary], for: key),
                Int(found) == length
            else { return }
        }
    }

    /// Sends commands of which none must be done when one before it was not.
    private func transact(_ step: LoadCommands.Step) throws(LoadError) {
        var writer = ByteWriter(reserving: step.requests.count + 64)
        writer.append(request: ["MULTI"])
        writer.append(step.requests.bytes)
        writer.append(request: ["EXEC"])
        let requests = ByteString(writer.bytes).array
        let reply = try traffic.perform(
            requests,
            replyCount: step.count + 2,
            for: key,
            isRepeatable: true
        )
        guard case .array(let replies) = reply else { return note(reply) }
        // What is refused since it was done before comes from a step that was sent twice.
        let refusal = replies.first { reply in
            guard case .error(let text) = reply else { return false }
            return !text.text.contains("equal or smaller")
                && !text.bytes.starts(with: "BUSYGROUP")
        }
        note(refusal)
    }

    /// Gives the value its deadline and its name.
    private func finish() throws(LoadError) {
        if progress.refusal == nil, let deadline = key.deadline {
            let moment = ByteString("\(deadline)")
            _ = try traffic.perform(["PEXPIREAT", temporary, moment], for: key)
        }
        if progress.refusal == nil, try rename() {
            tally.outcome.loaded += 1
            tally.outcome.loadedByCommands += 1
            return
        }
        let refusal = progress.refusal
        progress.refusal = nil
        _ = try traffic.perform(["UNLINK", temporary], for: key)
        if let refusal { return tally.outcome.fail(key, refusal) }
        try tally.foundOccupied(key)
    }

    /// Whether the key has its value; if not, another was there.
    private func rename() throws(LoadError) -> Bool {
        let command: ByteString = options.existing == .replace ? "RENAME" : "RENAMENX"
        while true {
            let request = [command, temporary, key.name]
            switch try traffic.perform(request, for: key, isRepeatable: false) {
            case .integer(let count): return count == 1
            case .error(let text):
                progress.refusal = text
                return false
            case nil:
                let reply = try traffic.perform(["EXISTS", temporary], for: key)
                if case .integer(0) = reply { return true }
            default: return true
            }
        }
    }
}
