import Bytes

/// A cursor over the fields of a listpack of field, value, deadline, …; 0 = none.
public struct DeadlineFields: ~Escapable {
    private var reader: PackedReader
    /// Where in the file the last deadline is.
    private(set) var position = 0

    /// A field of a hash.
    public struct Field: ~Escapable {
        /// Its name.
        public let field: PackedValue
        /// Its value.
        public let value: PackedValue
        /// When it expires, in milliseconds since 1970.
        public let deadline: Int64?

        @_lifetime(copy field, copy value)
        fileprivate init(_ field: PackedValue, _ value: PackedValue, _ deadline: Int64?) {
            self.field = field
            self.value = value
            self.deadline = deadline
        }
    }

    @_lifetime(copy reader)
    init(_ reader: PackedReader) {
        self.reader = reader
    }

    /// Stands before the first field of a listpack.
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) throws(RDBError) {
        reader = try PackedReader(bytes, offset: 0, checks: .bounds)
    }

    /// The next field, or nil after the last.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func next() throws(RDBError) -> Field? {
        guard let field = try reader.next() else { return nil }
        let value = try reader.require(.oddCount)
        position = reader.position
        let number = try reader.requireInteger(.invalidDeadline)
        return Field(field, value, try Self.deadline(number, position))
    }

    /// The deadline that the element at `offset` stands for.
    static func deadline(_ number: Int64, _ offset: Int) throws(RDBError) -> Int64? {
        guard number >= 0 else {
            throw RDBError(.invalidDeadline, at: offset, "\(number) is no deadline")
        }
        return number == 0 ? nil : try checked(UInt64(number), after: 0, offset)
    }

    /// `number` milliseconds after `start`, within what Redis keeps.
    static func checked(
        _ number: UInt64,
        after start: Int64,
        _ offset: Int
    ) throws(RDBError) -> Int64 {
        guard let number = Int64(exactly: number) else {
            throw RDBError(.invalidDeadline, at: offset, "\(number) is no deadline of a field")
        }
        let (deadline, overflow) = start.addingReportingOverflow(number)
        guard !overflow, deadline >= 0, deadline < 1 << 48 else {
            throw RDBError(.invalidDeadline, at: offset, "\(number) is no deadline of a field")
        }
        return deadline
    }
}
