import Bytes
import RESP
import Store

extension Command {
    static let geoSearch: [Command] = [
        Command("geosearch", .atLeast(7), keys: .first, [.readonly], search),
        Command("geosearchstore", .atLeast(8), keys: .firstTwo, [.write, .denyOOM], storeSearch),
        Command(
            "georadius",
            .atLeast(6),
            keys: .first,
            [.write, .denyOOM, .movableKeys],
            searchRadius
        ),
        Command("georadius_ro", .atLeast(6), keys: .first, [.readonly], readRadius),
        Command(
            "georadiusbymember",
            .atLeast(5),
            keys: .first,
            [.write, .denyOOM, .movableKeys],
            searchMemberRadius
        ),
        Command("georadiusbymember_ro", .atLeast(5), keys: .first, [.readonly], readMemberRadius),
    ]
}

/// What the commands of this family differ in.
private enum SearchForm {
    /// GEOSEARCH: center and shape are options.
    case search
    /// GEOSEARCHSTORE: likewise, behind a destination.
    case storedSearch
    /// GEORADIUS: position and radius come first.
    case radius(isReadOnly: Bool)
    /// GEORADIUSBYMEMBER: member and radius come first.
    case memberRadius(isReadOnly: Bool)

    var isSearch: Bool {
        switch self {
        case .search, .storedSearch: true
        case .radius, .memberRadius: false
        }
    }

    var isStoredSearch: Bool {
        if case .storedSearch = self { true } else { false }
    }

    var mayStore: Bool {
        switch self {
        case .search, .storedSearch: false
        case .radius(let isReadOnly), .memberRadius(let isReadOnly): !isReadOnly
        }
    }
}

/// A search as its arguments tell it.
private struct SearchQuery {
    private let form: SearchForm
    /// The set to search; nil if there is none.
    private let set: SortedSetValue?
    private var center: GeoPosition?
    private var outline: GeoShape.Outline?
    /// Whether the center is a member of a set that does not exist.
    private var lacksCenter = false
    /// Meters in the unit of the shape.
    private(set) var unit = 1.0
    private(set) var withDistance = false
    private(set) var withHash = false
    private(set) var withPosition = false
    private(set) var isAscending: Bool?
    private(set) var takesAny = false
    /// 0: all.
    private(set) var count = 0
    /// The argument that names the destination.
    private(set) var destination: Int?
    private(set) var storesDistance = false

    init(
        _ request: borrowing Request,
        _ form: SearchForm,
        _ engine: inout Engine
    ) throws(CommandError) {
        self.form = form
        set = try engine.lookup(request[form.isStoredSearch ? 2 : 1], .sortedSet)?.sortedSet
        let start: Int
        switch form {
        case .search: start = 2
        case .storedSearch:
            destination = 1
            start = 3
        case .radius:
            center = try request.position(2)
            try readRadius(request, 4)
            start = 6
        case .memberRadius:
            start = 5
            if set == nil {
                lacksCenter = true
            } else {
                try readMember(request, 2)
                try readRadius(request, 3)
            }
        }
        try readOptions(request, from: start)
        try check(request)
    }

    private mutating func readOptions(
        _ request: borrowing Request,
        from start: Int
    ) throws(CommandError) {
        var index = start
        while index < request.count {
            if request.is(index, "withdist") {
                withDistance = true
            } else if request.is(index, "withhash") {
                withHash = true
            } else if request.is(index, "withcoord") {
                withPosition = true
            } else if request.is(index, "any") {
                takesAny = true
            } else if request.is(index, "asc") {
                isAscending = true
            } else if request.is(index, "desc") {
                isAscending = false
            } else if request.is(index, "count"), index + 1 < request.count {
                index += 1
                let number = try request.integer(index)
                guard number > 0 else { throw .text("ERR COUNT must be > 0") }
                count = Int(number)
            } else if form.isStoredSearch, request.is(index, "storedist") {
                storesDistance = true
            } else if form.mayStore, index + 1 < request.count,
                request.is(index, "store") || request.is(index, "storedist")
            {
                storesDistance = request.is(index, "storedist")
                index += 1
                destination = index
            } else if form.isSearch {
                index = try readPlace(request, index)
            } else {
                throw .syntax
            }
            index += 1
        }
    }

    /// Reads an option that tells center or shape; returns the index of its last argument.
    private mutating func readPlace(
        _ request: borrowing Request,
        _ index: Int
    ) throws(CommandError) -> Int {
        let rest = request.count - index - 1
        var hasPolygon = false
        if case .polygon = outline { hasPolygon = true }
        let hasCenter = center != nil || lacksCenter
        if request.is(index, "frommember"), rest >= 1, !isFromPosition, !hasPolygon {
            if set == nil { lacksCenter = true } else { try readMember(request, index + 1) }
            return index + 1
        }
        if request.is(index, "fromlonlat"), rest >= 2, !hasCenter || isFromPosition, !hasPolygon {
            center = try request.position(index + 1)
            isFromPosition = true
            return index + 2
        }
        if request.is(index, "byradius"), rest >= 2, !isBox, !hasPolygon {
            try readRadius(request, index + 1)
            return index + 2
        }
        if request.is(index, "bybox"), rest >= 3, !isCircle, !hasPolygon {
            try readBox(request, index + 1)
            return index + 3
        }
        if request.is(index, "bypolygon"), rest >= 1, !isBox, !isCircle, !hasCenter || hasPolygon {
            return try readPolygon(request, index + 1)
        }
        throw .syntax
    }

    private var isFromPosition = false

    private var isCircle: Bool {
        if case .circle = outline { true } else { false }
    }

    private var isBox: Bool {
        if case .rectangle = outline { true } else { false }
    }

    private mutating func readMember(
        _ request: borrowing Request,
        _ index: Int
    ) throws(CommandError) {
        guard let score = set?.score(of: request[index]) else {
            throw .quoting("ERR member ", request[index], " does not exist")
        }
        center = GeoHash(score: score).position
    }

    private mutating func readRadius(
        _ request: borrowing Request,
        _ index: Int
    ) throws(CommandError) {
        guard let radius = DecimalText.parseDoubleInRange(request[index]) else {
            throw .text("ERR need numeric radius")
        }
        guard radius >= 0 else { throw .text("ERR radius cannot be negative") }
        unit = try request.lengthUnit(index + 1)
        outline = .circle(radius: radius * unit)
    }

    private mutating func readBox(_ request: borrowing Request, _ index: Int) throws(CommandError) {
        guard let width = DecimalText.parseDoubleInRange(request[index]) else {
            throw .text("ERR need numeric width")
        }
        guard let height = DecimalText.parseDoubleInRange(request[index + 1]) else {
            throw .text("ERR need numeric height")
        }
        guard width >= 0, height >= 0 else {
            throw .text("ERR height or width cannot be negative")
        }
        unit = try request.lengthUnit(index + 2)
        outline = .rectangle(width: width * unit, height: height * unit)
    }

    private mutating func readPolygon(
        _ request: borrowing Request,
        _ index: Int
    ) throws(CommandError) -> Int {
        let number = DecimalText.parseInteger(request[index])
        guard let number, Int32(exactly: number) != nil else {
            throw .text("ERR invalid number of vertices")
        }
        let cornerCount = Int(number)
        guard cornerCount >= 3, 2 * cornerCount < request.count - index else {
            throw .text("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices")
        }
        var corners: [GeoPosition] = []
        for corner in 0..<cornerCount {
            corners.append(try request.position(index + 1 + 2 * corner))
        }
        outline = .polygon(corners)
        center = GeoShape.center(of: corners)
        return index + 2 * cornerCount
    }

    private func check(_ request: borrowing Request) throws(CommandError) {
        if destination != nil, withDistance || withHash || withPosition {
            let name = form.isSearch ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS"
            throw .text(
                "ERR \(name) is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            )
        }
        if form.isSearch, center == nil, !lacksCenter {
            throw .text(
                "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for "
                    + request[0].text
            )
        }
        if form.isSearch, outline == nil {
            throw .text(
                "ERR exactly one of BYRADIUS, BYBOX and BYPOLYGON can be specified for "
                    + request[0].text
            )
        }
        if takesAny, count == 0 { throw .text("ERR the ANY argument requires COUNT argument") }
    }

    /// What was found, in the order asked for.
    func results() -> [SearchResult] {
        guard let set, let center, let outline else { return [] }
        let shape = GeoShape(center: center, outline: outline)
        var results: [SearchResult] = []
        let limit = takesAny ? count : .max
        for cell in shape.cells where results.count < limit {
            let scores = cell.scores
            let ranks = set.ranks(
                of: ScoreRange(
                    Double(scores.lowerBound),
                    Double(scores.upperBound),
                    excludesMaximum: true
                )
            )
            // In pieces, because a search that takes any is done after a few.
            for start in stride(from: ranks.lowerBound, to: ranks.upperBound, by: 128) {
                guard results.count < limit else { break }
                let end = min(start + 128, ranks.upperBound)
                set.forEach(in: start..<end) { member, score in
                    let position = GeoHash(score: score).position
                    guard let distance = shape.distance(to: position) else { return }
                    results.append(
                        SearchResult(
                            member: member.byteString,
                            score: score,
                            position: position,
                            distance: distance
                        )
                    )
                }
            }
        }
        if results.count > limit { results.removeSubrange(limit...) }
        // The first ones of many only make sense in an order.
        let isAscending = self.isAscending ?? (count > 0 && !takesAny ? true : nil)
        if let isAscending {
            results.sort {
                isAscending ? $0.distance < $1.distance : $0.distance > $1.distance
            }
        }
        if count > 0, results.count > count { results.removeSubrange(count...) }
        return results
    }
}

/// A member within the shape.
private struct SearchResult {
    let member: ByteString
    let score: Double
    let position: GeoPosition
    /// In meters from the center.
    let distance: Double
}

private func search(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try run(.search, request, &engine, &reply)
}

private func storeSearch(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try run(.storedSearch, request, &engine, &reply)
}

private func searchRadius(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try run(.radius(isReadOnly: false), request, &engine, &reply)
}

private func readRadius(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try run(.radius(isReadOnly: true), request, &engine, &reply)
}

private func searchMemberRadius(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try run(.memberRadius(isReadOnly: false), request, &engine, &reply)
}

private func readMemberRadius(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    try run(.memberRadius(isReadOnly: true), request, &engine, &reply)
}

private func run(
    _ form: SearchForm,
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let query = try SearchQuery(request, form, &engine)
    let results = query.results()
    if let destination = query.destination {
        var set = SortedSetBuilder(in: engine.keyspace)
        for result in results {
            let score = query.storesDistance ? result.distance / query.unit : result.score
            // Around the earth, a member may be found twice.
            set.merge(.bytes(result.member.bytes), score, .greatest)
        }
        let event: StaticString = form.isSearch ? "geosearchstore" : "georadiusstore"
        _ = engine.store(set, at: request[destination], event, countingMembers: true)
        return reply.integer(results.count)
    }
    let extras = [query.withDistance, query.withHash, query.withPosition].count { $0 }
    reply.array(results.count)
    for result in results {
        if extras > 0 { reply.array(extras + 1) }
        reply.bulk(result.member.bytes)
        if query.withDistance { reply.distance(result.distance / query.unit) }
        if query.withHash { reply.integer(Int64(bitPattern: GeoHash(score: result.score).bits)) }
        if query.withPosition { reply.position(result.position) }
    }
}
