import Bytes
import RDB

/// What becomes of a logged command at its destination.
enum CommandTranslation {
    /// It means the same there.
    case same
    /// These mean the same there; none if nothing is left to do.
    case exact([LoggedRequest])
    /// These are what is left of it there; what is not is a loss.
    case lossy([LoggedRequest], Feature, String)
    /// Nothing there means the same; why.
    case impossible(String)
    /// It belongs to values that are left out; the rule by which they are.
    case withoutValue(String)
}

/// Finds for each logged command what means the same at a destination.
///
/// A translation is made only where the result is the same whatever the data. A command was
/// logged because it had an effect, so a condition that it came with was met and can go.
struct CommandTranslator {
    let commands: LogCommands
    let decisions: Decisions
    let target: Target

    init(_ decisions: Decisions, _ target: Target) {
        self.decisions = decisions
        self.target = target
        commands = LogCommands(of: decisions.destination)
    }

    /// What becomes of a request.
    func translate(_ request: LoggedRequest) -> CommandTranslation {
        let name = request.name
        switch name {
        case "SET": return set(request)
        case "MSETEX" where !commands.contains(name): return setAll(request)
        case "HSETEX": return setFields(request)
        case "HGETDEL" where !commands.contains(name): return deleteFields(request)
        case "HEXPIRE", "HEXPIREAT", "HPEXPIRE", "HPEXPIREAT", "HPERSIST":
            return commands.contains(name) ? keepDeadlines(request) : dropDeadlines(request)
        case "PEXPIREAT", "EXPIREAT", "PEXPIRE", "EXPIRE":
            guard !commands.hasDeadlineConditions, request.arguments.count > 3 else { return .same }
            return .exact([request.removing(3..<request.arguments.count)])
        case "XADD", "XTRIM": return withoutReferencePolicy(request)
        case "XDELEX" where !commands.contains(name): return deleteEntries(request)
        case "XACKDEL" where !commands.contains(name): return acknowledgeAndDelete(request)
        case "XGROUP", "XSETID": return withoutCounters(request)
        case "BITOP": return combineBits(request)
        case "FUNCTION": return function(request)
        case "RESTORE", "RESTORE-ASKING": return restore(request)
        default: return other(request)
        }
    }

    private func other(_ request: LoggedRequest) -> CommandTranslation {
        let name = request.name
        if commands.contains(name) { return .same }
        guard name.contains(".") || ["VADD", "VREM", "VSETATTR"].contains(name) else {
            return .impossible("\(decisions.destination.name) has no such command")
        }
        switch decisions.modules.default {
        case .copy: return .same
        case .skip: return .withoutValue("skip")
        case .export: return .withoutValue("export")
        case nil where !name.hasPrefix("JSON."): return .withoutValue("skip")
        default:
            return .impossible("it belongs to a module, which --modules copy or skip decides about")
        }
    }

    // Strings.

    /// `SET key value … IFEQ value`.
    private func set(_ request: LoggedRequest) -> CommandTranslation {
        guard !commands.hasConditionOnValue else { return .same }
        guard let index = request.index(of: "IFEQ", from: 3) else {
            let others = ["IFNE", "IFDEQ", "IFDNE"].compactMap { request.index(of: $0, from: 3) }
            guard let index = others.first else { return .same }
            return .exact([request.removing(index..<min(index + 2, request.arguments.count))])
        }
        return .exact([request.removing(index..<min(index + 2, request.arguments.count))])
    }

    /// `MSETEX count key value … [NX|XX] [PXAT moment|KEEPTTL]`.
    private func setAll(_ request: LoggedRequest) -> CommandTranslation {
        guard let count = Int(request.word(1)), count > 0,
            request.arguments.count >= 2 + count * 2
        else { return .impossible("its arguments are not understood") }
        var options = Array(request.arguments[(2 + count * 2)...])
        options.removeAll { ["NX", "XX"].contains($0.text.uppercased()) }
        return .exact(
            (0..<count).map { index in
                let start = 2 + index * 2
                return LoggedRequest(["SET"] + request.arguments[start..<(start + 2)] + options)
            }
        )
    }

    private func combineBits(_ request: LoggedRequest) -> CommandTranslation {
        let isNew = !["AND", "OR", "XOR", "NOT"].contains(request.word(1))
        let destination = decisions.destination
        guard isNew, !(destination.family == .redis && destination.version >= 800) else {
            return .same
        }
        return .impossible("\(destination.name) would refuse it and go on without the result")
    }

    // Hashes.

    /// `HSETEX key [FNX|FXX] [PXAT moment|KEEPTTL] FIELDS count field value …`.
    private func setFields(_ request: LoggedRequest) -> CommandTranslation {
        if commands.contains("HSETEX") { return keepDeadlines(request) }
        guard let fields = request.index(of: "FIELDS", from: 2),
            fields + 2 <= request.arguments.count
        else { return .impossible("its arguments are not understood") }
        let pairs = Array(request.arguments[(fields + 2)...])
        let set = LoggedRequest(["HSET", request.key] + pairs)
        guard request.index(of: "KEEPTTL", from: 2).map({ $0 < fields }) != true else {
            if commands.holdsFieldDeadlines {
                return .impossible("HSET would end the deadlines that it keeps")
            }
            return .exact([set])
        }
        guard let option = request.index(of: "PXAT", from: 2), option < fields else {
            return .exact([set])
        }
        guard commands.holdsFieldDeadlines else {
            return withoutDeadline([set], request.key)
        }
        let names = stride(from: 0, to: pairs.count, by: 2).map { pairs[$0] }
        let count = ByteString(String(names.count))
        let deadline = LoggedRequest(
            ["HPEXPIREAT", request.key, request.arguments[option + 1], "FIELDS", count] + names
        )
        return .exact([set, deadline])
    }

    /// `HGETDEL key FIELDS count field …`.
    private func deleteFields(_ request: LoggedRequest) -> CommandTranslation {
        guard request.word(2) == "FIELDS", request.arguments.count > 4 else {
            return .impossible("its arguments are not understood")
        }
        return .exact([LoggedRequest(["HDEL", request.key] + request.arguments[4...])])
    }

    private func dropDeadlines(_ request: LoggedRequest) -> CommandTranslation {
        // The deadline that it takes away was never written.
        if request.name == "HPERSIST" { return .exact([]) }
        return withoutDeadline([], request.key)
    }

    private func withoutDeadline(
        _ rest: [LoggedRequest],
        _ key: ByteString
    ) -> CommandTranslation {
        switch decisions.fieldDeadlines.decision(for: key.bytes) {
        case nil, .dropDeadline?: .lossy(rest, .fieldDeadlines, "drop-ttl")
        case let policy?:
            .impossible(Self.explanation(policy))
        }
    }

    /// A policy that takes deadlines away from keys of the snapshot has to do so here, too.
    private func keepDeadlines(_ request: LoggedRequest) -> CommandTranslation {
        let key = request.key
        switch decisions.fieldDeadlines.decision(for: key.bytes) {
        case nil, .keep?: return .same
        case let policy?:
            return .impossible(Self.explanation(policy))
        }
    }

    /// A policy asks for what a hash has in the end, which no command of a log says.
    private static func explanation(_ policy: FieldDeadlinePolicy) -> String {
        "--field-deadlines \(policy.rawValue) is for dumps: let the source rewrite its log, or "
            + "save, and convert that"
    }
}
