import Bytes
import RESP
import Store

/// The command core: executes one request after the other against one data set.
///
/// The only way in is `execute`. The engine does no I/O and has no clock: whoever drives it
/// sets `now` once a turn, sends the replies and `deliveries`, and hands `effects` to the log.
package struct Engine: ~Copyable {
    package let dataSet: DataSet
    package var effects = Effects()
    package var statistics = Statistics()
    package var settings = Settings()
    package var deliveries = Deliveries()
    var sessions = SessionTable()
    let table: CommandTable
    unowned let host: any Host

    /// The session whose request is executed.
    var current = SessionID(slot: 0)
    /// The database that it has selected.
    var keyspace: Keyspace
    /// Set by a handler that wrote its own effects, so that the request itself is not written.
    var hasWrittenEffects = false
    /// What a request must be checked for beyond its arity; empty nearly always.
    var gates: Gates = []

    /// What applies to every session and makes requests take the slow way.
    struct Gates: OptionSet {
        let rawValue: UInt32

        /// Keys are watched, so changes must be compared with them.
        static let watching = Gates(rawValue: 1 << 0)
        /// Changes of keys are published.
        static let notifying = Gates(rawValue: 1 << 1)
        /// The data set is being loaded.
        static let loading = Gates(rawValue: 1 << 2)
        /// Writes are refused; `settings.writeRefusal` says why.
        static let refusingWrites = Gates(rawValue: 1 << 3)
        /// A limit of memory is set.
        static let limitedMemory = Gates(rawValue: 1 << 4)
        /// MONITOR is on.
        static let monitoring = Gates(rawValue: 1 << 5)
        /// Clients cache keys on their side.
        static let tracking = Gates(rawValue: 1 << 6)
        /// Clients wait for keys.
        static let waiting = Gates(rawValue: 1 << 7)
    }

    /// What the server has to do after a request.
    package enum Outcome: Sendable {
        /// Nothing but to send the reply.
        case done
        /// Nothing was replied: the session waits, and its reply comes with the deliveries.
        case blocked
        /// Send the reply and close the connection.
        case close
    }

    var outcome = Outcome.done

    /// An engine over an empty data set.
    package init(databaseCount: Int, seed: UInt64, host: any Host) {
        dataSet = DataSet(databaseCount: databaseCount, seed: seed)
        keyspace = dataSet[0]
        table = CommandTable(Command.all)
        self.host = host
    }

    /// Executes one request and writes its reply.
    package mutating func execute(
        _ request: borrowing Request,
        session: SessionID,
        reply: inout ReplyWriter
    ) -> Outcome {
        current = session
        let database = sessions[session].database
        keyspace = dataSet[database]
        guard let index = table.find(request[0]) else {
            refuse(.unknownCommand(request), &reply)
            return .done
        }
        let command = unsafe table.row(index)
        guard table.allows(request.count, at: index) else {
            refuse(.wrongArity(command: unsafe command.pointee.name), &reply)
            return .done
        }
        let isPlain = sessions[session].flags.isEmpty && gates.isEmpty
        if !isPlain, unsafe !mayRun(command.pointee, request, &reply) { return .done }
        outcome = .done
        unsafe run(command, request, &reply)
        return outcome
    }

    /// Runs a command that has passed every check, and writes its effect.
    mutating func run(
        _ command: UnsafePointer<Command>,
        _ request: borrowing Request,
        _ reply: inout ReplyWriter
    ) {
        let mark = reply.mark
        let changesBefore = statistics.changes
        hasWrittenEffects = false
        statistics.commandsProcessed += 1
        do throws(CommandError) {
            unsafe try command.pointee.run(request, &self, &reply)
        } catch {
            reply.rewind(to: mark)
            refuse(error, &reply)
        }
        if statistics.changes != changesBefore, !hasWrittenEffects {
            effects.append(request, database: keyspace.number)
        }
        if gates.contains(.waiting) { serveWaiting() }
    }

    /// Replies with an error.
    mutating func refuse(_ error: CommandError, _ reply: inout ReplyWriter) {
        statistics.errorReplies += 1
        reply.error(error.text)
    }

    /// Runs the subcommand that the second argument names.
    mutating func runSubcommand(
        of name: String,
        _ subcommands: [Command],
        _ request: borrowing Request,
        _ reply: inout ReplyWriter
    ) throws(CommandError) {
        let wanted = request[1]
        for subcommand in subcommands where subcommand.isNamed(wanted, under: name) {
            guard subcommand.arity.allows(request.count) else {
                throw .wrongArity(command: subcommand.name)
            }
            return try subcommand.run(request, &self, &reply)
        }
        throw .text(
            "ERR unknown subcommand '\(wanted.messageText(limit: 128))'. Try \(name.uppercased()) HELP."
        )
    }
}

extension Command {
    /// Whether `wanted` is what follows `parent|` in the name.
    func isNamed(_ wanted: RawSpan, under parent: String) -> Bool {
        let own = ByteString(String(name.dropFirst(parent.utf8.count + 1)))
        guard own.byteCount == wanted.byteCount else { return false }
        for index in 0..<own.byteCount {
            var byte = wanted.byte(at: index)
            if byte >= 0x41 && byte <= 0x5A { byte |= 0x20 }
            if byte != own.bytes.byte(at: index) { return false }
        }
        return true
    }
}

extension CommandError {
    /// The refusal of a name that is not in the table, with the beginning of the arguments.
    static func unknownCommand(_ request: borrowing Request) -> CommandError {
        var text =
            "ERR unknown command '\(request[0].messageText(limit: 128))', with args beginning with: "
        for index in 1..<max(request.count, 1) {
            guard text.utf8.count < 128 + 64 else { break }
            text += "'\(request[index].messageText(limit: 128))' "
        }
        return .text(text)
    }
}

extension RawSpan {
    /// Up to `limit` bytes as text, for an error message.
    func messageText(limit: Int) -> String {
        byteCount <= limit ? text : part(from: 0, count: limit).text
    }
}
