import Bytes
import RESP

/// All commands and their subcommands, found by name without regard to case.
@safe
struct CommandTable: ~Copyable {
    /// The rows; they never change, so that a handler may run while the engine is held.
    ///
    /// The commands come first, then the subcommands of each, together.
    private let rows: UnsafeMutablePointer<Command>
    /// What every request reads of them, without a reference to count.
    private let heads: UnsafeMutablePointer<Head>
    /// How many commands there are, without their subcommands.
    let count: Int
    /// How many rows: commands and subcommands.
    let rowCount: Int
    /// Open addressing over a power of two: an index into `rows`, or -1.
    private let places: UnsafeMutablePointer<Int16>
    private let mask: Int

    private struct Head {
        let name: CommandName
        /// Negative for a minimum.
        let arity: Int32
        /// Where the subcommands are; their count is 0 for most.
        var firstSubcommand: Int16 = 0
        var subcommandCount: Int16 = 0
    }

    init(_ commands: [Command]) {
        count = commands.count
        rowCount = commands.reduce(commands.count) { $0 + $1.subcommands.count }
        unsafe rows = .allocate(capacity: rowCount)
        unsafe heads = .allocate(capacity: rowCount)
        var size = 64
        while size < count * 4 { size *= 2 }
        mask = size - 1
        unsafe places = .allocate(capacity: size)
        unsafe places.initialize(repeating: -1, count: size)
        var next = count
        for (index, command) in commands.enumerated() {
            let name = add(command, at: index, spelled: command.name)
            var place = name.hash & mask
            while unsafe places[place] >= 0 { place = (place + 1) & mask }
            unsafe places[place] = Int16(index)
            unsafe heads[index].firstSubcommand = Int16(next)
            unsafe heads[index].subcommandCount = Int16(command.subcommands.count)
            for subcommand in command.subcommands {
                let ownName = String(subcommand.name.dropFirst(command.name.utf8.count + 1))
                _ = add(subcommand, at: next, spelled: ownName)
                next += 1
            }
        }
    }

    private func add(_ command: Command, at index: Int, spelled: String) -> CommandName {
        guard let name = CommandName(ByteString(spelled).bytes) else {
            preconditionFailure("the name \(spelled) is too long for the table")
        }
        unsafe (rows + index).initialize(to: command)
        unsafe (heads + index).initialize(
            to: Head(name: name, arity: Int32(command.arity.number))
        )
        return name
    }

    deinit {
        unsafe rows.deinitialize(count: rowCount)
        unsafe rows.deallocate()
        unsafe heads.deallocate()
        unsafe places.deallocate()
    }

    subscript(index: Int) -> Command {
        precondition(index >= 0 && index < rowCount, "no command has this index")
        return unsafe rows[index]
    }

    /// A row whose address stays valid as long as the table.
    func row(_ index: Int) -> UnsafePointer<Command> {
        unsafe UnsafePointer(rows + index)
    }

    /// Whether the command takes this many arguments, its name included.
    func allows(_ argumentCount: Int, at index: Int) -> Bool {
        let arity = unsafe Int(heads[index].arity)
        return arity >= 0 ? argumentCount == arity : argumentCount >= -arity
    }

    /// The index of the command, or of the subcommand, that a request names.
    @inline(__always)
    func find(_ request: borrowing Request) -> Int? {
        guard let index = find(request[0]) else { return nil }
        guard unsafe heads[index].subcommandCount > 0, request.count > 1 else { return index }
        return find(request[1], under: index)
    }

    /// The index of the command with this name.
    func find(_ name: RawSpan) -> Int? {
        guard let wanted = CommandName(name) else { return nil }
        var place = wanted.hash & mask
        while true {
            let index = unsafe Int(places[place])
            if index < 0 { return nil }
            if unsafe heads[index].name == wanted { return index }
            place = (place + 1) & mask
        }
    }

    /// The index of the subcommand with this name.
    func find(_ name: RawSpan, under parent: Int) -> Int? {
        guard let wanted = CommandName(name) else { return nil }
        for index in subcommands(of: parent) where unsafe heads[index].name == wanted {
            return index
        }
        return nil
    }

    /// The indexes of the subcommands of a command.
    func subcommands(of parent: Int) -> Range<Int> {
        let first = unsafe Int(heads[parent].firstSubcommand)
        return unsafe first..<(first + Int(heads[parent].subcommandCount))
    }
}

/// A command's name in lower case, as up to three words that compare at once.
private struct CommandName: Equatable {
    private var low: UInt64 = 0
    private var middle: UInt64 = 0
    private var high: UInt64 = 0
    /// Tells names that end in zeros from shorter ones.
    private let byteCount: Int

    @inline(__always)
    init?(_ name: RawSpan) {
        let count = name.byteCount
        guard count <= 24 else { return nil }
        byteCount = count
        low = CommandName.word(name, 0, min(count, 8))
        if count > 8 { middle = CommandName.word(name, 8, min(count, 16)) }
        if count > 16 { high = CommandName.word(name, 16, count) }
    }

    var hash: Int {
        let mixed = (low ^ middle &* 0x9E37_79B9 ^ high &* 0x85EB_CA6B) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 40)
    }

    /// Up to eight bytes of the name, the first lowest, by loads that overlap.
    @inline(__always)
    private static func word(_ name: RawSpan, _ start: Int, _ end: Int) -> UInt64 {
        func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type) -> UInt64
        {
            UInt64(
                T(littleEndian: unsafe name.unsafeLoadUnaligned(fromByteOffset: offset, as: type))
            )
        }
        let count = end - start
        if count == 8 { return lowercased(load(start, as: UInt64.self)) }
        if count >= 4 {
            let last = load(end - 4, as: UInt32.self) << UInt64(8 * (count - 4))
            return lowercased(load(start, as: UInt32.self) | last)
        }
        guard count > 0 else { return 0 }
        let middle = load(start + count / 2, as: UInt8.self) << UInt64(8 * (count / 2))
        let last = load(end - 1, as: UInt8.self) << UInt64(8 * (count - 1))
        return lowercased(load(start, as: UInt8.self) | middle | last)
    }

    /// Every byte from A to Z in lower case, the others as they are, all eight at once.
    @inline(__always)
    private static func lowercased(_ bytes: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let low = bytes & (ones &* 0x7F)
        let isFromA = low &+ ones &* (0x80 - 0x41)
        let isBehindZ = low &+ ones &* (0x80 - 0x5B)
        let isUpper = isFromA & ~isBehindZ & ~bytes & (ones &* 0x80)
        return bytes | isUpper >> 2
    }
}
