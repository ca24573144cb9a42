import Bytes
import RESP

/// What a command does with a request.
package typealias Handler =
    @Sendable (borrowing Request, inout Engine, inout ReplyWriter) throws(CommandError) -> Void

/// A row of the command table: what is known of a command without running it.
package struct Command: Sendable {
    /// The name in lower case; of a subcommand, `parent|child`.
    package let name: String
    /// How many arguments it takes, the name included.
    package let arity: Arity
    package let flags: Flags
    package let keys: KeyPositions
    package let subcommands: [Command]
    let run: Handler

    // Not inlined, for the compiler's sake: there are hundreds of rows.
    @inline(never)
    init(
        _ name: String,
        _ arity: Arity,
        keys: KeyPositions = .none,
        _ flags: Flags,
        subcommands: [Command] = [],
        _ run: @escaping Handler
    ) {
        self.name = name
        self.arity = arity
        self.flags = flags
        self.keys = keys
        self.subcommands = subcommands
        self.run = run
    }

    /// A command that its second argument chooses among.
    @inline(never)
    init(container name: String, _ subcommands: [Command]) {
        self.name = name
        arity = .atLeast(2)
        flags = []
        keys = .none
        self.subcommands = subcommands
        run = { _, _, _ throws(CommandError) in
            throw .wrongArity(command: name)
        }
    }

    /// The arguments a command takes, its name included.
    package enum Arity: Equatable, Sendable {
        case exactly(Int)
        case atLeast(Int)

        /// As COMMAND says it: negative for a minimum.
        package var number: Int {
            switch self {
            case .exactly(let count): count
            case .atLeast(let count): -count
            }
        }

        func allows(_ count: Int) -> Bool {
            switch self {
            case .exactly(let wanted): count == wanted
            case .atLeast(let least): count >= least
            }
        }
    }

    /// Where the keys are among the arguments, as COMMAND says it.
    package struct KeyPositions: Equatable, Sendable {
        package let first: Int
        /// Negative counts from the last argument.
        package let last: Int
        package let step: Int

        package init(_ first: Int, _ last: Int, _ step: Int) {
            self.first = first
            self.last = last
            self.step = step
        }

        static let none = KeyPositions(0, 0, 0)
        static let first = KeyPositions(1, 1, 1)
        static let second = KeyPositions(2, 2, 1)
        static let firstTwo = KeyPositions(1, 2, 1)
        static let all = KeyPositions(1, -1, 1)
        static let allButLast = KeyPositions(1, -2, 1)
    }

    /// The flags of COMMAND, and those by which the core decides whether a command may run.
    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        static let write = Flags(rawValue: 1 << 0)
        static let readonly = Flags(rawValue: 1 << 1)
        static let denyOOM = Flags(rawValue: 1 << 2)
        static let admin = Flags(rawValue: 1 << 3)
        static let pubsub = Flags(rawValue: 1 << 4)
        static let noScript = Flags(rawValue: 1 << 5)
        static let blocking = Flags(rawValue: 1 << 6)
        static let loading = Flags(rawValue: 1 << 7)
        static let stale = Flags(rawValue: 1 << 8)
        static let skipMonitor = Flags(rawValue: 1 << 9)
        static let skipSlowlog = Flags(rawValue: 1 << 10)
        static let fast = Flags(rawValue: 1 << 11)
        static let noAuth = Flags(rawValue: 1 << 12)
        /// Replicas may have to hear of it although it writes nothing; not told, as in Valkey.
        static let mayReplicate = Flags(rawValue: 1 << 13)
        static let noMulti = Flags(rawValue: 1 << 14)
        static let movableKeys = Flags(rawValue: 1 << 15)
        static let allowBusy = Flags(rawValue: 1 << 16)
        static let noAsyncLoading = Flags(rawValue: 1 << 17)
        static let noMandatoryKeys = Flags(rawValue: 1 << 18)
        static let asking = Flags(rawValue: 1 << 19)

        // What COMMAND does not tell.

        /// Runs between MULTI and EXEC instead of being queued.
        static let controlsTransaction = Flags(rawValue: 1 << 24)
        /// Allowed to a subscribed client of RESP2.
        static let whileSubscribed = Flags(rawValue: 1 << 25)

        /// Begins or ends subscriptions: each is confirmed even to a client that wants no replies.
        static let subscribing: Flags = [.pubsub, .whileSubscribed]
    }
}
