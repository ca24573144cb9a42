import ArgumentParser
import Bytes
import Inspect
import Migrate
import Platform
import RDB

/// What `plan` and `convert` have in common: the input, the target and every decision.
struct ConversionOptions: ParsableArguments {
    @Argument(
        help: """
            RDB files (also in gzip, zstd or lz4; - is standard input), or an append-only log: \
            its directory, or its one file. Several RDB files are merged.
            """
    )
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "What it is for: \(Destination.all.map(\.name).joined(separator: ", ")).",
            valueName: "target"
        )
    )
    var to: String

    @Option(
        help: ArgumentHelp(
            """
            Version of RDB to write: 9, 10, 11, 12 or 80, which is Valkey 9's. Without it, the \
            one that most servers read and that holds everything.
            """,
            valueName: "version"
        )
    )
    var format: Int?

    @Option(
        help: ArgumentHelp(
            """
            Deadlines of hash fields, see above: POLICY for all keys, PATTERN=POLICY for some, \
            the first that matches. Without it they are kept where the target can, else drop-ttl.
            """,
            valueName: "policy"
        )
    )
    var fieldDeadlines: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            Values of modules, see above: POLICY for all, PATTERN=POLICY for some types, such as \
            'ReJSON-RL=copy'. Without it JSON becomes text, and others are skipped.
            """,
            valueName: "policy"
        )
    )
    var modules: [String] = []

    @Option(
        help: ArgumentHelp(
            "Libraries of functions: keep (one that the target cannot load stops the run), "
                + "drop-unloadable or drop.",
            valueName: "policy"
        )
    )
    var functions = "keep"

    @Option(
        help: ArgumentHelp(
            "Keys that have expired: keep (the target drops them) or drop.",
            valueName: "policy"
        )
    )
    var expired = "keep"

    @Option(
        help: ArgumentHelp(
            "Keys of cluster slots whose import had not ended: keep or drop. Without it they stop the run.",
            valueName: "policy"
        )
    )
    var importingSlots: String?

    @Option(
        help: ArgumentHelp(
            "Commands of a log that the target does not know and that nothing there means the same as: refuse or drop.",
            valueName: "policy"
        )
    )
    var logCommands = "refuse"

    @Option(
        help: ArgumentHelp(
            "Only keys that match, such as 'user:*'; may be repeated.",
            valueName: "pattern"
        )
    )
    var include: [String] = []

    @Option(help: ArgumentHelp("No keys that match; may be repeated.", valueName: "pattern"))
    var exclude: [String] = []

    @Option(
        help: ArgumentHelp(
            "Only these types: string,list,set,zset,hash,stream,module.",
            valueName: "types"
        )
    )
    var types: String?

    @Option(help: ArgumentHelp("Only these databases: 0,3.", valueName: "numbers"))
    var databases: String?

    @Option(
        help: ArgumentHelp(
            "New names: 'user:*=u:*'; may be repeated, the first that matches counts.",
            valueName: "from=to"
        )
    )
    var rename: [String] = []

    @Option(
        help: ArgumentHelp("New numbers of databases: 3=0; may be repeated.", valueName: "from=to")
    )
    var mapDatabase: [String] = []

    @Option(
        help: ArgumentHelp(
            "One file per shard of a cluster: how many shards, or 0-5460,5461-10922,10923-16383.",
            valueName: "slots"
        )
    )
    var splitSlots: String?

    @Option(help: ArgumentHelp("Files of about this size: 500mb, 2gb.", valueName: "size"))
    var splitSize: ByteCount?

    @Flag(help: "Any loss stops the run.")
    var strict = false

    @Flag(help: "Look through every value as larder-inspect check does, not the compact ones only.")
    var check = false

    @Flag(help: "Go on after damage with what can be read, and list the rest.")
    var salvage = false

    @Flag(name: .shortAndLong, help: "No progress on the terminal.")
    var quiet = false

    func validate() throws {
        _ = try migration()
    }

    /// The run that the options describe.
    func migration() throws -> Migration {
        guard let destination = Destination(named: to) else {
            throw ValidationError(
                "no target is called \(to); there are "
                    + Destination.all.map(\.name).joined(separator: ", ")
            )
        }
        guard !files.isEmpty else { throw ValidationError("no file was named") }
        if let splitSize, splitSize.value < 1024 {
            throw ValidationError("--split-size takes 1kb or more")
        }
        let now = SystemTime().wallTime.milliseconds
        var decisions = Decisions(for: destination, now: now)
        decisions.formatVersion = format
        decisions.isStrict = strict
        decisions.isSalvaging = salvage
        decisions.isChecking = check
        try decide(&decisions)
        decisions.selection = try selection()
        decisions.split = try split()
        return Migration(files, decisions)
    }

    /// Runs `body` with progress on the terminal.
    func withProgress<Result>(_ body: (Progress?) throws -> Result) rethrows -> Result {
        let shown = ProgressBar.progress(isQuiet: quiet)
        defer { shown?.1.clear() }
        return try body(shown?.0)
    }
}

/// What the policies mean, for the help of both commands.
let policies = """
    Policies for deadlines of hash fields:
      keep         as they are; the target has to have them
      drop-ttl     the fields stay and never expire
      drop-field   fields that have one are left out
      key-ttl-min  the key expires with its first field
      key-ttl-max  the key expires with its last field
      split        each such field becomes a key of its own, KEY:FIELD
      refuse       they stop the run

    Policies for values of modules:
      copy         as they are; the target has to have the module
      text         JSON documents become strings with their text
      export       left out, and written to OUTPUT.modules.jsonl
      skip         left out
      refuse       they stop the run

    Exit: 0 nothing lost, 3 something lost as declared, 1 failed or not decided, 2 wrong usage.
    """
