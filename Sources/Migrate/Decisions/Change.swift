import Bytes
import Inspect

/// What a migration meets that not every server has.
package enum Feature: String, Sendable, CaseIterable {
    case format
    case encoding
    case fieldDeadlines = "field-deadlines"
    case expiredFields = "expired-fields"
    case streamProducers = "stream-producers"
    case unownedPending = "unowned-pending"
    case streamCounters = "stream-counters"
    case activeTimes = "consumer-active-times"
    case hashTemplates = "hash-templates"
    case module
    case moduleAuxiliary = "module-data"
    case keyMetadata = "key-metadata"
    case functions
    case scripts
    case slotHints = "slot-hints"
    case importingSlots = "importing-slots"
    case replicationPosition = "replication-position"
    case emptyValues = "empty-values"
    case expiredKeys = "expired-keys"
    case filtered
    case renamed
    case databases
    case splitKeys = "split-keys"
    case unreadable
    case damage
    case logCommands = "log-commands"

    /// What it is, for a table.
    package var title: String {
        switch self {
        case .format: "format of the file"
        case .encoding: "encodings"
        case .fieldDeadlines: "deadlines of hash fields"
        case .expiredFields: "hash fields that have expired"
        case .streamProducers: "ids of stream producers"
        case .unownedPending: "pending stream entries without a consumer"
        case .streamCounters: "counters of streams"
        case .activeTimes: "times of stream consumers' last success"
        case .hashTemplates: "hashes that share their field names"
        case .module: "values of modules"
        case .moduleAuxiliary: "data of modules beyond keys"
        case .keyMetadata: "what modules attached to keys"
        case .functions: "libraries of functions"
        case .scripts: "cached scripts"
        case .slotHints: "sizes of cluster slots"
        case .importingSlots: "keys of slots that were being imported"
        case .replicationPosition: "position of replication"
        case .emptyValues: "collections without elements"
        case .expiredKeys: "keys that have expired"
        case .filtered: "keys that were not asked for"
        case .renamed: "keys under new names"
        case .databases: "databases"
        case .splitKeys: "keys made of hash fields"
        case .unreadable: "values that cannot be read"
        case .damage: "damage"
        case .logCommands: "commands of the log"
        }
    }

    /// What its parts are.
    var partName: String {
        switch self {
        case .fieldDeadlines, .expiredFields: "fields"
        case .streamProducers: "ids"
        case .unownedPending: "entries"
        case .activeTimes: "consumers"
        case .moduleAuxiliary: "indexes"
        default: "parts"
        }
    }

    /// The option that decides about it.
    package var option: String? {
        switch self {
        case .fieldDeadlines: "--field-deadlines"
        case .module, .moduleAuxiliary: "--modules"
        case .functions: "--functions"
        case .importingSlots: "--importing-slots"
        case .expiredKeys: "--expired"
        case .databases: "--map-database"
        case .logCommands: "--log-commands"
        case .damage, .unreadable: "--salvage"
        case .format: "--format"
        default: nil
        }
    }
}

/// What a change means to whoever relies on the data.
package enum Effect: String, Sendable, CaseIterable {
    /// Written in another way; everything is there.
    case converted
    /// Left out or moved because the user asked for that.
    case requested
    /// Something no server would have kept or missed.
    case noted
    /// Gone, or not what it was.
    case lost
    /// Nothing decides what becomes of it: the run stops.
    case undecided
}

/// One kind of difference between what was read and what is written.
package struct Change: Hashable, Sendable {
    /// What it is about.
    package let feature: Feature
    /// What it means.
    package let effect: Effect
    /// What was done, in one or two words: `drop-ttl`, `skip`, `HASH_2`.
    package let rule: String
    /// What it was done to, beyond the feature: the name of a module, an encoding.
    package let subject: String

    /// Names a change.
    package init(_ feature: Feature, _ effect: Effect, _ rule: String, _ subject: String = "") {
        self.feature = feature
        self.effect = effect
        self.rule = rule
        self.subject = subject
    }
}

extension Change {
    /// The rule in a sentence, as far as it needs one.
    var meaning: String {
        let explanation: String? =
            switch (feature, rule) {
            case (.fieldDeadlines, "drop-ttl"): "the fields stay and never expire"
            case (.fieldDeadlines, "drop-field"): "the fields are left out"
            case (.fieldDeadlines, "key-ttl-min"): "the key expires with its first field"
            case (.fieldDeadlines, "key-ttl-max"): "the key expires with its last field"
            case (.fieldDeadlines, "split"): "each field becomes a key of its own"
            case (.fieldDeadlines, "refuse"), (.fieldDeadlines, "keep"):
                "the target has no place for them"
            case (.module, "copy"): "the target needs the module"
            case (.module, "skip"), (.logCommands, "skip"): "left out"
            case (.module, "text") where effect != .undecided:
                "each becomes a string with its text"
            case (.module, "export"): "left out, and written to a file of JSON lines"
            case (.logCommands, "drop") where effect == .undecided: "leaves them out"
            case (.functions, "drop-unloadable"): "the target could not load them"
            case (.expiredKeys, "keep"): "the target drops them while it loads"
            default: nil
            }
        let name = rule.split(separator: "|").joined(separator: " or ")
        return explanation.map { "\(name): \($0)" } ?? name
    }
}

/// Where a change was made.
package struct Place: Hashable, Sendable {
    /// The database.
    package let database: UInt64
    /// The key.
    package let key: ByteString

    /// Names a key.
    package init(_ database: UInt64, _ key: ByteString) {
        self.database = database
        self.key = key
    }
}

extension Place: CustomStringConvertible {
    /// For messages: `key "user:1" of database 0`.
    package var description: String {
        "key \"\(EscapedText.escape(key.bytes))\" of database \(database)"
    }
}
