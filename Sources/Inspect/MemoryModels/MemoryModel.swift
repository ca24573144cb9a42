import Bytes
import RDB

/// A key as a model sees it.
struct ModelKey {
    let length: Int
    let hasDeadline: Bool
}

/// The model of one target: the one place where the two families of layouts part.
enum MemoryModel: Sendable {
    case server(ServerModel)
    case larder(LarderModel)

    init(_ target: MemoryTarget, _ allocator: MemoryAllocator) {
        switch target {
        case .redis70: self = .server(ServerModel(.redis70, allocator))
        case .redis74: self = .server(ServerModel(.redis74, allocator))
        case .redis82: self = .server(ServerModel(.redis82, allocator))
        case .valkey81: self = .server(ServerModel(.valkey81, allocator))
        case .valkey91: self = .server(ServerModel(.valkey91, allocator))
        case .larder: self = .larder(LarderModel())
        }
    }

    /// What blocks take; Larder brings its own allocator, and is not asked.
    var blocks: BlockSizes {
        switch self {
        case .server(let model): model.blocks
        case .larder(let model): model.blocks
        }
    }

    /// A radix tree without keys.
    var emptyTree: RadixTreeSize {
        switch self {
        case .server(let model): RadixTreeSize(model.blocks, header: model.layout.radixTree)
        case .larder(let model): RadixTreeSize(model.blocks, header: 0)
        }
    }

    /// Whether an element too large for a listpack is a list node without one.
    var keepsLargeElementsPlain: Bool {
        switch self {
        case .server(let model): model.layout.packsLists
        case .larder: true
        }
    }

    /// Whether a collection of `count` short elements, not all integers, is a listpack.
    func packs(_ kind: ValueKind, count: Int) -> Bool {
        switch kind {
        case .set: count <= packedSetLimit
        case .sortedSet: count <= ServerLayout.packedSortedSetLimit
        default: count <= ServerLayout.packedHashLimit
        }
    }

    private var packedSetLimit: Int {
        switch self {
        case .server(let model): model.layout.packedSetLimit
        case .larder: LarderModel.packedSetLimit
        }
    }

    func string(_ key: ModelKey, _ value: StringShape) -> Int {
        switch self {
        case .server(let model):
            model.string(key.length, hasDeadline: key.hasDeadline, value: value)
        case .larder(let model): model.bytes(key, value.byteCount)
        }
    }

    func list(_ key: ModelKey, _ shape: ListShape) -> Int {
        switch self {
        case .server(let model): model.key(key) + model.list(shape)
        case .larder(let model): model.list(key, shape)
        }
    }

    func set(_ key: ModelKey, _ shape: CollectionShape) -> Int {
        switch self {
        case .server(let model): model.key(key) + model.set(shape)
        case .larder(let model): model.set(key, shape)
        }
    }

    func sortedSet(_ key: ModelKey, _ shape: CollectionShape) -> Int {
        switch self {
        case .server(let model): model.key(key) + model.sortedSet(shape)
        case .larder(let model): model.sortedSet(key, shape)
        }
    }

    func hash(_ key: ModelKey, _ shape: CollectionShape) -> Int {
        switch self {
        case .server(let model): model.key(key) + model.hash(shape)
        case .larder(let model): model.hash(key, shape)
        }
    }

    func stream(_ key: ModelKey, _ shape: StreamShape) -> Int {
        switch self {
        case .server(let model): model.key(key) + model.stream(shape)
        case .larder(let model): model.stream(key, shape)
        }
    }

    /// A module value: what its pieces take, as nobody but the module knows more.
    func module(_ key: ModelKey, _ byteCount: Int) -> Int {
        switch self {
        case .server(let model): model.key(key) + model.blocks(16) + byteCount
        case .larder(let model): model.structure(key, byteCount)
        }
    }

    func moduleItem(_ item: ModuleItem) -> Int {
        switch item {
        case .string(let text): blocks(text.byteCount)
        default: 8
        }
    }

    func member(_ length: Int) -> Int {
        switch self {
        case .server(let model): model.member(length)
        case .larder(let model): model.member(length)
        }
    }

    func scoredMember(_ length: Int) -> Double {
        switch self {
        case .server(let model): model.scoredMember(length)
        case .larder(let model): Double(model.scoredMember(length))
        }
    }

    func field(_ field: Int, value: Int, hasDeadline: Bool) -> Int {
        switch self {
        case .server(let model): model.field(field, value: value, hasDeadline: hasDeadline)
        case .larder(let model): model.field(field, value: value, hasDeadline: hasDeadline)
        }
    }

    /// A consumer group, and a consumer, without what is pending for them.
    func group(_ name: Int) -> Int {
        switch self {
        case .server(let model): model.group(name)
        case .larder(let model): model.group(name)
        }
    }

    func consumer(_ name: Int) -> Int {
        switch self {
        case .server(let model): model.consumer(name)
        case .larder(let model): model.consumer(name)
        }
    }

    func database(keys: Int, deadlines: Int) -> Int {
        switch self {
        case .server(let model): model.database(keys: keys, deadlines: deadlines)
        case .larder(let model): model.table(keys)
        }
    }
}

extension ServerModel {
    fileprivate func key(_ key: ModelKey) -> Int {
        self.key(key.length, hasDeadline: key.hasDeadline)
    }
}
