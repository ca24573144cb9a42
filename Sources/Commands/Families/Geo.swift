import Bytes
import RESP
import Store

extension Command {
    static let geo: [Command] = [
        Command("geoadd", .atLeast(5), keys: .first, [.write, .denyOOM], add),
        Command("geodist", .atLeast(4), keys: .first, [.readonly], distance),
        Command("geohash", .atLeast(2), keys: .first, [.readonly], hash),
        Command("geopos", .atLeast(2), keys: .first, [.readonly], positions),
    ]
}

extension Request {
    /// The position whose longitude is the argument at `index`, its latitude the one behind it.
    func position(_ index: Int) throws(CommandError) -> GeoPosition {
        let position = GeoPosition(
            longitude: try double(index),
            latitude: try double(index + 1)
        )
        guard position.isValid else {
            var text = ByteWriter()
            text.append("ERR invalid longitude,latitude pair ")
            text.append(position.longitude, digitsAfterPoint: 6)
            text.append(",")
            text.append(position.latitude, digitsAfterPoint: 6)
            throw .text(text.bytes.text)
        }
        return position
    }

    /// The meters in the unit that the argument at `index` names.
    func lengthUnit(_ index: Int) throws(CommandError) -> Double {
        if self.is(index, "m") { return 1 }
        if self.is(index, "km") { return 1000 }
        if self.is(index, "ft") { return 0.3048 }
        if self.is(index, "mi") { return 1609.34 }
        throw .text("ERR unsupported unit provided. please use M, KM, FT, MI")
    }
}

extension ReplyWriter {
    /// A distance, with four digits after the point.
    mutating func distance(_ value: Double) {
        var text = ByteWriter(reserving: 32)
        let units = Int64((value * 10_000).rounded(.toNearestOrEven))
        text.append(decimal: units / 10_000)
        text.append(UInt8(ascii: "."))
        let fraction = String(10_000 + units % 10_000)
        text.append(utf8: String(fraction.dropFirst()))
        bulk(text.bytes)
    }

    /// A position, as an array of longitude and latitude.
    mutating func position(_ position: GeoPosition) {
        var text = ByteWriter(reserving: 32)
        array(2)
        text.append(expanded: position.longitude)
        double(text: text.bytes)
        text.removeAll()
        text.append(expanded: position.latitude)
        double(text: text.bytes)
    }
}

private func add(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var change = ScoreChange()
    var countsUpdates = false
    var start = 2
    while start < request.count {
        if request.is(start, "nx") {
            change.onlyNew = true
        } else if request.is(start, "xx") {
            change.onlyExisting = true
        } else if request.is(start, "ch") {
            countsUpdates = true
        } else {
            break
        }
        start += 1
    }
    let count = (request.count - start) / 3
    guard count > 0, (request.count - start) % 3 == 0, !(change.onlyNew && change.onlyExisting)
    else { throw .syntax }
    var longest = 0
    for index in stride(from: start, to: request.count, by: 3) {
        _ = try request.position(index)
        longest = max(longest, request[index + 2].byteCount)
    }
    let entry = try engine.lookupForWrite(request.key, .sortedSet)
    if entry == nil, change.onlyExisting { return reply.integer(0) }
    let set =
        entry?.open().sortedSet
        ?? engine.keyspace.insertSortedSet(request.key, toHold: count, longest: longest)
    set.prepare(toHold: count, longest: longest)
    var added = 0
    var updated = 0
    for index in stride(from: start, to: request.count, by: 3) {
        let cell = GeoHash(try request.position(index), step: GeoHash.finestStep)
        switch set.set(request[index + 2], Double(cell.bits), change) {
        case .added: added += 1
        case .updated: updated += 1
        case .same, .refused, .notANumber: break
        }
    }
    if added + updated > 0 {
        engine.changed(request.key, .sortedSet, "zadd", count: added + updated)
    }
    reply.integer(countsUpdates ? added + updated : added)
}

private func distance(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    guard request.count <= 5 else { throw .syntax }
    let unit = request.count == 5 ? try request.lengthUnit(4) : 1
    let set = try engine.lookup(request.key, .sortedSet)?.sortedSet
    guard let set, let one = set.score(of: request[2]), let other = set.score(of: request[3])
    else { return reply.null() }
    reply.distance(
        GeoHash(score: one).position.distance(to: GeoHash(score: other).position) / unit
    )
}

private func positions(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let set = try engine.lookup(request.key, .sortedSet)?.sortedSet
    reply.array(request.count - 2)
    for index in 2..<request.count {
        if let score = set?.score(of: request[index]) {
            reply.position(GeoHash(score: score).position)
        } else {
            reply.nullArray()
        }
    }
}

private func hash(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let set = try engine.lookup(request.key, .sortedSet)?.sortedSet
    reply.array(request.count - 2)
    for index in 2..<request.count {
        if let score = set?.score(of: request[index]) {
            reply.geohash(GeoHash(score: score).position)
        } else {
            reply.null()
        }
    }
}

extension ReplyWriter {
    /// The text that geohash.org knows a position by: eleven digits to the base 32.
    ///
    /// There, latitudes reach to the poles, so that the cell is another than in a score; and
    /// its 52 bits leave nothing for the last digit.
    fileprivate mutating func geohash(_ position: GeoPosition) {
        let bits = GeoHash(position, step: GeoHash.finestStep, greatestLatitude: 90).bits
        let alphabet: StaticString = "0123456789bcdefghjkmnpqrstuvwxyz"
        var text = ByteWriter(reserving: 11)
        for digit in 1...10 {
            let value = Int(bits >> UInt64(52 - 5 * digit) & 0x1F)
            text.append(unsafe alphabet.utf8Start[value])
        }
        text.append(UInt8(ascii: "0"))
        bulk(text.bytes)
    }
}
