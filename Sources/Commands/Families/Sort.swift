import Bytes
import RESP
import Store

extension Command {
    static let sorting: [Command] = [
        Command("sort", .atLeast(2), keys: .first, [.write, .denyOOM, .movableKeys], sort),
        Command("sort_ro", .atLeast(2), keys: .first, [.readonly, .movableKeys], sortReadOnly),
    ]
}

private func sort(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try SortOptions(request, mayStore: true)
    let results = try engine.sort(request.key, options)
    guard let destination = options.destination else { return reply.write(results) }
    engine.store(results, at: destination.bytes)
    reply.integer(results.count)
}

private func sortReadOnly(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let options = try SortOptions(request, mayStore: false)
    reply.write(try engine.sort(request.key, options))
}

extension ReplyWriter {
    fileprivate mutating func write(_ results: [ByteString?]) {
        array(results.count)
        for result in results {
            if let result { bulk(result.bytes) } else { null() }
        }
    }
}

/// What SORT is asked for.
private struct SortOptions {
    var isDescending = false
    var comparesText = false
    var offset: Int64 = 0
    /// Negative: no limit.
    var count: Int64 = -1
    var weights: LookupPattern?
    /// BY with a name that does not depend on the element: the order stays.
    var keepsOrder = false
    var gets: [LookupPattern] = []
    var destination: ByteString?

    init(_ request: borrowing Request, mayStore: Bool) throws(CommandError) {
        var index = 2
        while index < request.count {
            let following = request.count - 1 - index
            if request.is(index, "asc") {
                isDescending = false
            } else if request.is(index, "desc") {
                isDescending = true
            } else if request.is(index, "alpha") {
                comparesText = true
            } else if request.is(index, "limit"), following >= 2 {
                offset = try request.integer(index + 1)
                count = try request.integer(index + 2)
                index += 2
            } else if mayStore, request.is(index, "store"), following >= 1 {
                index += 1
                destination = ByteString(request[index])
            } else if request.is(index, "by"), following >= 1 {
                index += 1
                let pattern = LookupPattern(request[index])
                if pattern.dependsOnElement { weights = pattern } else { keepsOrder = true }
            } else if request.is(index, "get"), following >= 1 {
                index += 1
                gets.append(LookupPattern(request[index]))
            } else {
                throw .syntax
            }
            index += 1
        }
    }

    /// Which of `total` elements are wanted.
    func range(of total: Int) -> Range<Int> {
        let first = Int(clamping: max(offset, 0))
        guard first < total else { return 0..<0 }
        let wanted = count < 0 ? total : Int(clamping: count)
        return first..<(first + min(wanted, total - first))
    }
}

/// The name of a key, and of a field, into which an element is put: `user_*->age`.
private struct LookupPattern {
    private let prefix: ByteString
    private let suffix: ByteString
    private let field: ByteString?
    let dependsOnElement: Bool
    let isElementItself: Bool

    init(_ pattern: RawSpan) {
        let text = ByteString(pattern).array
        isElementItself = text == [UInt8(ascii: "#")]
        guard let star = text.firstIndex(of: UInt8(ascii: "*")) else {
            dependsOnElement = false
            (prefix, suffix, field) = (ByteString(pattern), "", nil)
            return
        }
        dependsOnElement = true
        prefix = ByteString(Array(text[..<star]))
        let rest = Array(text[(star + 1)...])
        let arrow = rest.indices.dropLast().first {
            rest[$0] == UInt8(ascii: "-") && rest[$0 + 1] == UInt8(ascii: ">")
        }
        // An arrow with nothing behind it is part of the key's name.
        guard let arrow, arrow + 2 < rest.count else {
            (suffix, field) = (ByteString(rest), nil)
            return
        }
        suffix = ByteString(Array(rest[..<arrow]))
        field = ByteString(Array(rest[(arrow + 2)...]))
    }

    /// What the name leads to, when `element` is put in.
    func value(for element: ByteString, _ engine: inout Engine) -> ByteString? {
        if isElementItself { return element }
        guard dependsOnElement else { return nil }
        let key = ByteString(prefix.array + element.array + suffix.array)
        guard let entry = engine.lookup(key.bytes) else { return nil }
        if let field {
            guard entry.kind == .hash else { return nil }
            return entry.hash.get(field.bytes)?.byteString
        }
        return entry.kind == .string ? ByteString(entry.bytes) : nil
    }
}

/// An element and what it is sorted by.
private struct SortElement {
    let element: ByteString
    var score = 0.0
    var weight: ByteString?
}

extension Engine {
    fileprivate mutating func sort(
        _ key: RawSpan,
        _ options: SortOptions
    ) throws(CommandError) -> [ByteString?] {
        var options = options
        guard let entry = lookup(key) else { return [] }
        let kind = entry.kind
        if kind == .set, options.keepsOrder, options.destination != nil {
            // A replay must store the same, but the order of a set is a matter of chance.
            options.keepsOrder = false
            options.comparesText = true
            options.weights = nil
        }
        var elements = try elements(of: entry, options)
        if !options.keepsOrder {
            try weigh(&elements, options)
            elements.sort { SortElement.precedes($0, $1, options) }
        }
        let wanted = elements[options.range(of: elements.count)]
        guard !options.gets.isEmpty else { return wanted.map { $0.element } }
        var results: [ByteString?] = []
        for element in wanted {
            for pattern in options.gets {
                results.append(pattern.value(for: element.element, &self))
            }
        }
        return results
    }

    /// The elements in their own order; backwards if that is kept and shall descend.
    private func elements(
        of entry: Entry,
        _ options: SortOptions
    ) throws(CommandError) -> [SortElement] {
        var elements: [SortElement] = []
        let isReversed = options.keepsOrder && options.isDescending
        switch entry.kind {
        case .list:
            entry.list.forEach(in: 0..<entry.list.count, isReversed: isReversed) {
                elements.append(SortElement(element: $0.byteString))
            }
        case .set:
            entry.set.forEachMember { elements.append(SortElement(element: $0.byteString)) }
        case .sortedSet:
            entry.sortedSet.forEach(in: 0..<entry.sortedSet.count, isReversed: isReversed) {
                member,
                _ in
                elements.append(SortElement(element: member.byteString))
            }
        case .string, .hash, .stream, .module: throw .wrongType
        }
        return elements
    }

    private mutating func weigh(
        _ elements: inout [SortElement],
        _ options: SortOptions
    ) throws(CommandError) {
        for index in elements.indices {
            var weight: ByteString? = elements[index].element
            if let pattern = options.weights {
                weight = pattern.value(for: elements[index].element, &self)
            }
            if options.comparesText {
                elements[index].weight = weight
            } else if let weight {
                guard let score = number(weight.bytes) else {
                    throw .text("ERR One or more scores can't be converted into double")
                }
                elements[index].score = score
            }
        }
    }

    fileprivate mutating func store(_ results: [ByteString?], at key: RawSpan) {
        guard !results.isEmpty else { return storeNothing(at: key) }
        if let old = liveEntry(key) { keyspace.remove(old) }
        let list = keyspace.insertList(key)
        for result in results {
            let element = result ?? ""
            list.append(element.bytes)
        }
        changed(key, .list, "sortstore", count: results.count)
    }
}

/// The number that a weight spells, up to its first zero byte: as servers have it, whose strings
/// end there.
private func number(_ weight: RawSpan) -> Double? {
    var count = 0
    while count < weight.byteCount, weight.byte(at: count) != 0 { count += 1 }
    return DecimalText.parseDoubleInRange(weight.part(from: 0, count: count))
}

extension SortElement {
    /// Whether one comes before the other; where scores are equal, the elements decide.
    static func precedes(_ one: SortElement, _ other: SortElement, _ options: SortOptions) -> Bool {
        let order = options.comparesText ? compareText(one, other) : compareScores(one, other)
        return options.isDescending ? order > 0 : order < 0
    }

    private static func compareText(_ one: SortElement, _ other: SortElement) -> Int {
        switch (one.weight, other.weight) {
        case (let one?, let other?): one.bytes.compared(to: other.bytes)
        case (nil, nil): 0
        case (nil, _): -1
        case (_, nil): 1
        }
    }

    private static func compareScores(_ one: SortElement, _ other: SortElement) -> Int {
        if one.score != other.score { return one.score < other.score ? -1 : 1 }
        return one.element.bytes.compared(to: other.element.bytes)
    }
}
