/// How one line of servers lays out keys and values: the figures a `ServerModel` works with.
///
/// All sizes are those of 64-bit builds, before the allocator rounds them. They are the sizes of
/// the structures in memory, not what `MEMORY USAGE` says, which leaves some of them out.
package struct ServerLayout: Sendable {
    /// Where a key is.
    enum Keys: Sendable {
        /// Three blocks: an entry of the table with key and value (24), the key as a string, the
        /// object of the value (16) with its bytes inside up to 44 of them.
        case separate
        /// Object (16), deadline (8) if there is one, 1, key as a string, in one block; a string
        /// value too if all of it has at most `limit` bytes.
        case embedded(limit: Int, reusesPointer: Bool)
    }

    /// How a hash table finds its entries.
    package enum Tables: Sendable {
        /// A pointer for each of 2^n places, and a chain of entries (24 bytes) at each.
        case chains
        /// The same, but what has no value needs an entry (16) only if it is not the last of its
        /// chain.
        case bareChains
        /// 2^n buckets of 64 bytes for seven entries each, on average at most 6.4 when made;
        /// more of them for what does not fit.
        case buckets
    }

    /// Where a field of a hash and its value are.
    enum Fields: Sendable {
        /// An entry (24) and a string each.
        case entry
        /// The same, and a field that has a deadline begins with 18 bytes for it.
        case taggedEntry
        /// One block of field and value up to 128 bytes, else the value as a string of its own.
        case embedded
    }

    /// How the deadlines of a hash's fields are kept.
    enum FieldDeadlines: Sendable {
        /// In the listpack of a small hash; else in the fields, listed up to 16 of them.
        case listpack
        /// Never in a listpack; the fields that have one are in an array or a table of their own.
        case table
    }

    let keys: Keys
    let mainTable: Tables
    let memberTable: Tables
    let fields: Fields
    /// Whether a sorted set's node holds its member, instead of a pointer to it.
    let nodesHoldMembers: Bool
    /// Members up to which a set of strings is a listpack; 0 = never.
    let packedSetLimit: Int
    /// Whether a list that fits one node is that listpack and nothing else.
    let packsLists: Bool
    /// Where the deadlines of a hash's fields are.
    let fieldDeadlines: FieldDeadlines
    /// Whether values 0 to 9999 are objects that all keys share.
    let sharesIntegers: Bool

    /// The structure of a hash table, without its places.
    let tableHeader: Int
    /// A stream; its radix trees come to it.
    let stream: Int
    /// A consumer group, and a consumer.
    let group: Int
    let consumer: Int
    /// A pending entry.
    let pending: Int
    /// Whether each pending entry is also found by its id, with a list of its groups.
    let indexesPending: Bool
    /// A radix tree, without its nodes.
    let radixTree: Int

    static let object = 16
    static let chainEntry = 24
    static let bareEntry = 16
    static let bucket = 64
    static let embeddedStringLimit = 44
    static let quicklist = 40
    static let quicklistNode = 40
    static let nodeByteLimit = 8192
    /// A list of groups, and one group in it.
    static let groupList = 48
    static let groupListNode = 24
    /// What a listpack with deadlines has beside it.
    static let packedDeadlines = 24
    /// What finds the earliest deadline of a hash, and up to how many fields that is all.
    static let deadlineRoot = 64
    static let listedDeadlines = 16
    /// A field's share of a segment of 16.
    static let indexedDeadline = 7
    static let packedHashLimit = 512
    static let packedSortedSetLimit = 128
    static let packedElementLimit = 64
    static let integerSetLimit = 512
    static let sharedIntegers: Range<Int64> = 0..<10_000
}

extension ServerLayout {
    package static let redis70 = ServerLayout(
        keys: .separate,
        mainTable: .chains,
        memberTable: .chains,
        fields: .entry,
        nodesHoldMembers: false,
        packedSetLimit: 0,
        packsLists: false,
        fieldDeadlines: .table,
        sharesIntegers: true,
        tableHeader: 56,
        stream: 80,
        group: 40,
        consumer: 24,
        pending: 24,
        indexesPending: false,
        radixTree: 24
    )
    package static let redis74 = ServerLayout(
        keys: .separate,
        mainTable: .chains,
        memberTable: .bareChains,
        fields: .taggedEntry,
        nodesHoldMembers: false,
        packedSetLimit: 128,
        packsLists: true,
        fieldDeadlines: .listpack,
        sharesIntegers: true,
        tableHeader: 56,
        stream: 80,
        group: 40,
        consumer: 32,
        pending: 24,
        indexesPending: false,
        radixTree: 24
    )
    package static let redis82 = ServerLayout(
        keys: .embedded(limit: 64, reusesPointer: false),
        mainTable: .bareChains,
        memberTable: .bareChains,
        fields: .taggedEntry,
        nodesHoldMembers: false,
        packedSetLimit: 128,
        packsLists: true,
        fieldDeadlines: .listpack,
        sharesIntegers: false,
        tableHeader: 56,
        stream: 120,
        group: 48,
        consumer: 32,
        pending: 32,
        indexesPending: true,
        radixTree: 24
    )
    package static let valkey81 = ServerLayout(
        keys: .embedded(limit: 64, reusesPointer: false),
        mainTable: .buckets,
        memberTable: .buckets,
        fields: .embedded,
        nodesHoldMembers: false,
        packedSetLimit: 128,
        packsLists: true,
        fieldDeadlines: .table,
        sharesIntegers: false,
        tableHeader: 72,
        stream: 80,
        group: 40,
        consumer: 32,
        pending: 24,
        indexesPending: false,
        radixTree: 24
    )
    package static let valkey91 = ServerLayout(
        keys: .embedded(limit: 128, reusesPointer: true),
        mainTable: .buckets,
        memberTable: .buckets,
        fields: .embedded,
        nodesHoldMembers: true,
        packedSetLimit: 128,
        packsLists: true,
        fieldDeadlines: .table,
        sharesIntegers: false,
        tableHeader: 80,
        stream: 80,
        group: 40,
        consumer: 32,
        pending: 24,
        indexesPending: false,
        radixTree: 24
    )
}
