import Bytes
import RDB

/// Everything about a migration that its user decides.
package struct Decisions: Sendable {
    /// What it is for.
    package var destination: Destination
    /// The format to write, by its number; nil for the one that fits.
    package var formatVersion: Int?
    /// What becomes of the deadlines of hash fields, by key; nil where they live if they can, else
    /// only the deadlines are left out.
    package var fieldDeadlines = PatternRules<FieldDeadlinePolicy?>(default: nil)
    /// What becomes of values of modules, by the name of the module's type; nil for `skip`, or for
    /// JSON text.
    package var modules = PatternRules<ModulePolicy?>(default: nil)
    /// What becomes of libraries of functions.
    package var functions = FunctionPolicy.keep
    /// Whether keys that have expired are left out.
    package var isDroppingExpired = false
    /// Whether keys of slots whose import had not ended are written; nil stops.
    package var keepsImportingSlots: Bool?
    /// Whether commands of a log that mean nothing to the target are left out.
    package var isDroppingCommands = false
    /// Which keys, and under which names.
    package var selection = Selection()
    /// Into how many files.
    package var split = Split.none
    /// Whether any loss stops it.
    package var isStrict = false
    /// Whether every value is looked through as the inspector does it.
    package var isChecking = false
    /// Whether it goes on after damage with what can be read.
    package var isSalvaging = false
    /// The moment at which it is decided what has expired, in milliseconds since 1970.
    package var now: Int64

    /// Decides nothing but what it is for.
    package init(for destination: Destination, now: Int64) {
        self.destination = destination
        self.now = now
    }
}

/// What becomes of deadlines of hash fields.
package enum FieldDeadlinePolicy: String, Sendable, CaseIterable {
    /// They live; the run stops where they cannot.
    case keep
    /// The fields stay and never expire.
    case dropDeadline = "drop-ttl"
    /// Fields that have one are left out.
    case dropField = "drop-field"
    /// The key expires with the first of its fields.
    case keyEarliest = "key-ttl-min"
    /// The key expires with the last of its fields.
    case keyLatest = "key-ttl-max"
    /// Each such field becomes a key of its own, `<key>:<field>`.
    case split
    /// The run stops.
    case refuse
}

/// What becomes of values that only their module understands.
package enum ModulePolicy: String, Sendable, CaseIterable {
    /// Copied: the target has the module.
    case copy
    /// Left out.
    case skip
    /// Left out, and written to a file of JSON lines.
    case export
    /// JSON becomes a string key with its text.
    case text
    /// The run stops.
    case refuse
}

/// What becomes of libraries of functions.
package enum FunctionPolicy: String, Sendable, CaseIterable {
    /// Copied; one that the target could not load stops the run.
    case keep
    /// Those that the target could not load are left out.
    case dropUnloadable = "drop-unloadable"
    /// All are left out.
    case drop
}

/// Into how many files the keys go.
package enum Split: Hashable, Sendable {
    /// One.
    case none
    /// One for each run of cluster slots.
    case slots([ClosedRange<Int>])
    /// As many as it takes for none to be much larger than so many bytes.
    case byteCount(Int)
}

/// A decision for each name: the first pattern that matches decides, else the default.
package struct PatternRules<Decision: Sendable>: Sendable {
    private var rules: [(pattern: ByteString, decision: Decision)] = []
    /// What holds where no pattern matches.
    package var `default`: Decision

    /// No rules.
    package init(default: Decision) {
        self.default = `default`
    }

    /// Adds a rule after those that are there.
    package mutating func append(_ pattern: ByteString, _ decision: Decision) {
        rules.append((pattern, decision))
    }

    /// What the rules decide, in their order.
    var decisions: [Decision] { rules.map(\.decision) }

    /// What holds for `name`.
    package func decision(for name: RawSpan) -> Decision {
        for rule in rules {
            let pattern = rule.pattern
            if GlobPattern(pattern.bytes).matches(name) { return rule.decision }
        }
        return `default`
    }
}

extension PatternRules where Decision == ModulePolicy? {
    /// Whether a policy may come to be used.
    func decides(_ policy: ModulePolicy) -> Bool {
        `default` == policy || decisions.contains(policy)
    }
}
