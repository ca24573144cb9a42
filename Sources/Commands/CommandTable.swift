import Bytes

/// All commands, found by name without regard to case.
@safe
struct CommandTable: ~Copyable {
    /// The rows; they never change, so that a handler may run while the engine is held.
    private let rows: UnsafeMutablePointer<Command>
    let count: Int
    /// Open addressing over a power of two: an index into `rows`, or -1.
    private let places: UnsafeMutablePointer<Int16>
    private let mask: Int

    init(_ commands: [Command]) {
        count = commands.count
        unsafe rows = .allocate(capacity: count)
        unsafe rows.initialize(from: commands, count: count)
        var size = 64
        while size < count * 4 { size *= 2 }
        mask = size - 1
        unsafe places = .allocate(capacity: size)
        unsafe places.initialize(repeating: -1, count: size)
        for index in 0..<count {
            let name = ByteString(commands[index].name)
            var place = CommandTable.hash(name.bytes) & mask
            while unsafe places[place] >= 0 { place = (place + 1) & mask }
            unsafe places[place] = Int16(index)
        }
    }

    deinit {
        unsafe rows.deinitialize(count: count)
        unsafe rows.deallocate()
        unsafe places.deallocate()
    }

    subscript(index: Int) -> Command {
        unsafeAddress {
            precondition(index >= 0 && index < count)
            return unsafe UnsafePointer(rows + index)
        }
    }

    /// A row whose address stays valid as long as the table.
    func row(_ index: Int) -> UnsafePointer<Command> {
        unsafe UnsafePointer(rows + index)
    }

    /// The index of the command with this name.
    func find(_ name: RawSpan) -> Int? {
        var place = CommandTable.hash(name) & mask
        while true {
            let index = unsafe places[place]
            if index < 0 { return nil }
            if unsafe rows[Int(index)].isNamed(name) { return Int(index) }
            place = (place + 1) & mask
        }
    }

    @inline(__always)
    private static func hash(_ name: RawSpan) -> Int {
        var hash: UInt = 0xCBF2_9CE4
        for offset in 0..<name.byteCount {
            // Setting this bit makes letters lower case; what it does to others is no matter.
            hash = (hash ^ UInt(name.byte(at: offset) | 0x20)) &* 0x100_0193
        }
        return Int(truncatingIfNeeded: hash >> 3)
    }
}

extension Command {
    @inline(__always)
    func isNamed(_ name: RawSpan) -> Bool {
        var own = self.name
        return own.withUTF8 { own in
            guard own.count == name.byteCount else { return false }
            for index in 0..<own.count {
                var byte = name.byte(at: index)
                if byte >= 0x41 && byte <= 0x5A { byte |= 0x20 }
                if unsafe byte != own[index] { return false }
            }
            return true
        }
    }
}
