import Bytes

/// Keys that follow each other, lie whole in the bytes at hand, and go over as they are.
///
///     run.find(in: reader.unreadBytes, reader.format)
///     for key in run.keys { … }
///     try writer.copy(run, from: &reader)
///
/// A quick look ahead for whoever copies files: what it does not know, or what is not as servers
/// write it, ends the run, and is the next thing that the reader reads. Compact collections of a
/// run are sound throughout.
public struct KeyRun: ~Copyable {
    /// The keys found.
    public private(set) var keys: [Key] = []
    /// Whether a compressed string was seen.
    public private(set) var hasCompressedStrings = false
    private let target: Target
    private var forms = InlineArray<256, Form>(repeating: .foreign)
    private var encodings = InlineArray<256, Encoding>(repeating: .string)
    private var dialect: Format.Dialect?

    /// A run ends after so many keys.
    private static let maximumCount = 4096

    /// A key and where it lies, in bytes from the start of the run.
    public struct Key: Sendable {
        /// Where its name begins; what an integer stands for has no bytes.
        public internal(set) var nameStart: UInt32 = 0
        /// How many bytes its name has.
        public internal(set) var nameCount: UInt32 = 0
        /// Where its record begins.
        public internal(set) var start: UInt32 = 0
        /// Where its record ends.
        public internal(set) var end: UInt32 = 0
        /// How many elements a compact collection has.
        public internal(set) var packedCount: UInt32 = 0
        /// How its value is laid out.
        public internal(set) var encoding = Encoding.string
        /// The integer whose text is the name.
        public internal(set) var integer: Int64?
        /// When it expires, in milliseconds since 1970.
        public internal(set) var deadline: Int64?
    }

    /// What has to be done to move past a value.
    enum Form: UInt8, BitwiseCopyable {
        case foreign
        case string
        case strings
        case pairs
        case scores
        case packed
        case scored
        case intset
        case nodes
    }

    /// Finds keys that can be copied for `target`.
    public init(for target: Target) {
        self.target = target
    }

    /// How many bytes the keys take.
    public var byteCount: Int { Int(keys.last?.end ?? 0) }

    /// Looks for keys at the front of `bytes`, which are of a file of `format`; those whose
    /// deadline is past at `now` end the run.
    public mutating func find(in bytes: RawSpan, _ format: Format?, now: Int64) {
        keys.removeAll(keepingCapacity: true)
        // Places in a run are 32 bits.
        guard let format, bytes.byteCount <= Int(UInt32.max) else { return }
        if dialect != format.dialect { learn(format.dialect) }
        var scanner = RunScanner(bytes)
        defer { hasCompressedStrings = scanner.hasCompressedStrings }
        while keys.count < Self.maximumCount {
            var key = Key(start: UInt32(truncatingIfNeeded: scanner.position))
            guard scanner.readHead(&key), let form = form(&scanner, &key),
                scanner.skipValue(form, &key), (key.deadline ?? .max) > now
            else { return }
            key.end = UInt32(truncatingIfNeeded: scanner.position)
            keys.append(key)
        }
    }

    private func form(_ scanner: inout RunScanner, _ key: inout Key) -> Form? {
        let typeByte = scanner.typeByte
        let form = forms[Int(typeByte)]
        guard form != .foreign else { return nil }
        key.encoding = encodings[Int(typeByte)]
        return scanner.readName(&key) ? form : nil
    }

    private mutating func learn(_ dialect: Format.Dialect) {
        self.dialect = dialect
        for index in forms.indices {
            guard let encoding = Encoding(typeByte: UInt8(index), in: dialect),
                target.accepts(encoding)
            else {
                forms[index] = .foreign
                continue
            }
            encodings[index] = encoding
            forms[index] =
                switch encoding {
                case .string: .string
                case .list, .set: .strings
                case .hash: .pairs
                case .sortedSet: .scores
                case .hashListpack, .setListpack: .packed
                case .sortedSetListpack: .scored
                case .setIntset: .intset
                case .listQuicklist2: .nodes
                default: .foreign
                }
        }
    }
}
