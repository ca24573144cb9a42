import Bytes
import RESP
import Store

extension Command {
    static let hashFieldLists: [Command] = [
        Command("hgetdel", .atLeast(5), keys: .first, [.write, .fast], getAndRemove),
        Command("hgetex", .atLeast(5), keys: .first, [.write, .fast], getAndSetDeadlines),
        Command("hsetex", .atLeast(6), keys: .first, [.write, .denyOOM, .fast], setWithDeadlines),
    ]
}

private func getAndRemove(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let fields = try FieldList(request)
    let hash = try engine.hashForWrite(request.key)
    reply.array(fields.count)
    guard let open = hash?.open() else {
        for _ in fields.indices { reply.null() }
        return
    }
    var effect = FieldEffect(request.key, .removal)
    for index in fields.indices {
        let field = request[index]
        guard !open.value.isEmpty, let value = open.value.get(field) else {
            reply.null()
            continue
        }
        reply.bulk(value)
        _ = open.remove(field)
        effect.append(field)
    }
    engine.write(effect, of: open, "hdel")
}

private func getAndSetDeadlines(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let word = try FieldList.word(request, from: 2)
    var option = DeadlineOption()
    var index = 2
    while index < word {
        guard option.take(request, &index, before: word, persist: true) else { throw .syntax }
        index += 1
    }
    let fields = try FieldList(request, after: word)
    let hash = try engine.hashForWrite(request.key)
    if hash == nil { engine.announceMiss(request.key) }
    let moment = try option.moment(
        request,
        now: engine.dataSet.now,
        command: "hgetex",
        least: 0
    )
    reply.array(fields.count)
    guard let hash else {
        for _ in fields.indices { reply.null() }
        return
    }
    let isPast = moment.map { engine.isPast($0) } ?? false
    let changes = moment != nil || option.choice == .persist
    // Reading alone must not pass the door.
    let open = changes ? hash.open() : nil
    var effect = FieldEffect(request.key, isPast ? .removal : .deadline(moment))
    for index in fields.indices {
        let field = request[index]
        guard !hash.isEmpty, let value = hash.get(field) else {
            reply.null()
            continue
        }
        reply.bulk(value)
        guard let open, moment != nil || hash.deadline(of: field) != nil else { continue }
        effect.append(field)
        if isPast {
            _ = open.remove(field)
        } else {
            open.setDeadline(moment, of: field)
        }
    }
    guard let open else { return }
    engine.write(effect, of: open, isPast ? "hexpired" : moment == nil ? "hpersist" : "hexpire")
}

/// What precedes the fields of HSETEX.
private struct SetOptions {
    /// Whether the key must be there, or must not.
    var keyExists: Bool?
    /// Whether all fields must be there, or none.
    var fieldsExist: Bool?
    var deadline = DeadlineOption()

    init(_ request: borrowing Request, before word: Int) throws(CommandError) {
        var index = 2
        while index < word {
            if request.is(index, "nx"), keyExists != true {
                keyExists = false
            } else if request.is(index, "xx"), keyExists != false {
                keyExists = true
            } else if request.is(index, "fnx"), fieldsExist != true {
                fieldsExist = false
            } else if request.is(index, "fxx"), fieldsExist != false {
                fieldsExist = true
            } else if !deadline.take(request, &index, before: word, keep: true) {
                throw .syntax
            }
            index += 1
        }
    }

    /// Whether the key may be there, or may be missing.
    func allows(_ hash: HashValue?) -> Bool {
        keyExists.map { $0 == (hash != nil) } ?? true
    }

    /// Whether the fields may be there, or may be missing.
    func allows(
        _ hash: HashValue?,
        _ request: borrowing Request,
        _ fields: FieldList
    ) -> Bool {
        guard let fieldsExist else { return true }
        for index in fields.indices
        where (hash?.contains(request[index]) ?? false) != fieldsExist {
            return false
        }
        return true
    }
}

private func setWithDeadlines(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let word = try FieldList.word(request, from: 2)
    let options = try SetOptions(request, before: word)
    let fields = try FieldList(request, after: word, stride: 2)
    let found = try engine.hashForWrite(request.key)
    guard options.allows(found) else { return reply.integer(0) }
    let moment = try options.deadline.moment(
        request,
        now: engine.dataSet.now,
        command: "hsetex",
        least: 0
    )
    guard options.allows(found, request, fields) else { return reply.integer(0) }
    reply.integer(1)
    if let moment, engine.isPast(moment) {
        if found == nil { engine.announceArrival(of: request.key, in: engine.keyspace) }
        return engine.removeInsteadOfSetting(fields, of: found, request)
    }
    let hash = found?.open() ?? engine.keyspace.insertHash(request.key)
    hash.prepare(for: fields.count)
    let keeps = options.deadline.choice == .keep
    for index in fields.indices {
        hash.set(request[index], request[index + 1], deadline: moment, keepingDeadline: keeps)
    }
    engine.writeFields(fields, request, moment, keepsDeadlines: keeps)
    engine.changed(request.key, .hash, "hset", count: fields.count)
    if moment != nil, !engine.gates.isEmpty {
        engine.announce(request.key, .hash, "hexpire", in: engine.keyspace)
    }
}

/// Which arguments of a request are fields: `FIELDS count field ...`.
struct FieldList {
    let count: Int
    let indices: StrideTo<Int>

    /// Where the word FIELDS is, looked for from `start` on.
    static func word(_ request: borrowing Request, from start: Int) throws(CommandError) -> Int {
        for index in start..<request.count - 1 where request.is(index, "fields") { return index }
        throw .fieldCount
    }

    /// Reads the list behind the word FIELDS; with a stride of 2, a value follows each field.
    init(
        _ request: borrowing Request,
        after word: Int,
        stride step: Int = 1,
        mismatch: CommandError = .fieldCount
    ) throws(CommandError) {
        let number = try request.integer(word + 1)
        let rest = request.count - word - 2
        guard number > 0, rest % step == 0, number == rest / step else { throw mismatch }
        count = Int(number)
        indices = stride(from: word + 2, to: request.count, by: step)
    }

    /// Reads a list that follows the key.
    init(_ request: borrowing Request, mismatch: CommandError = .fieldCount) throws(CommandError) {
        guard request.is(2, "fields") else { throw .syntax }
        try self.init(request, after: 2, mismatch: mismatch)
    }

    /// Replies the same for each field.
    func reply(_ value: Int, _ reply: inout ReplyWriter) {
        reply.array(count)
        for _ in 0..<count { reply.integer(value) }
    }
}

extension CommandError {
    fileprivate static let fieldCount = CommandError.text(
        "ERR numfields should be greater than 0 and match the provided number of fields"
    )
}

/// What a command did to some fields of a hash, to be written in place of the request.
struct FieldEffect: ~Copyable {
    enum Kind {
        case removal
        /// A new deadline, or none any more.
        case deadline(Int64?)
    }

    let key: ByteString
    let kind: Kind
    private var names: [ByteString] = []

    init(_ key: RawSpan, _ kind: Kind) {
        self.key = ByteString(key)
        self.kind = kind
    }

    var isEmpty: Bool { names.isEmpty }
    var count: Int { names.count }

    mutating func append(_ field: RawSpan) {
        names.append(ByteString(field))
    }

    /// The request that does the same.
    var request: RequestBuffer {
        var request = RequestBuffer()
        switch kind {
        case .removal:
            unsafe request.append("HDEL".utf8.span.bytes)
            request.append(key.bytes)
        case .deadline(let moment):
            unsafe request.append((moment == nil ? "HPERSIST" : "HPEXPIREAT").utf8.span.bytes)
            request.append(key.bytes)
            if let moment { request.append(decimal: moment) }
            unsafe request.append("FIELDS".utf8.span.bytes)
            request.append(decimal: Int64(names.count))
        }
        for name in names { request.append(name.bytes) }
        return request
    }
}

extension Engine {
    /// Writes what was done to fields, and removes the key if none is left.
    mutating func write(
        _ effect: borrowing FieldEffect,
        of hash: OpenHash,
        _ event: StaticString
    ) {
        guard !effect.isEmpty else { return }
        hasWrittenEffects = true
        effects.append(effect.request.request, database: keyspace.number)
        changed(effect.key.bytes, .hash, event, count: effect.count)
        if hash.value.isEmpty { removeEmptied(hash.open.entry, effect.key.bytes) }
    }

    /// Writes that fields were set, each with its value.
    fileprivate mutating func writeFields(
        _ fields: FieldList,
        _ request: borrowing Request,
        _ moment: Int64?,
        keepsDeadlines: Bool
    ) {
        hasWrittenEffects = true
        let isPlain = moment == nil && !keepsDeadlines
        let head = isPlain ? 2 : moment == nil ? 5 : 6
        guard effects.begin(head + 2 * fields.count, database: keyspace.number) else { return }
        effects.argument(isPlain ? "HSET" : "HSETEX")
        effects.argument(request.key)
        if let moment {
            effects.argument("PXAT")
            effects.argument(moment)
        } else if keepsDeadlines {
            effects.argument("KEEPTTL")
        }
        if !isPlain {
            effects.argument("FIELDS")
            effects.argument(Int64(fields.count))
        }
        for index in fields.indices {
            effects.argument(request[index])
            effects.argument(request[index + 1])
        }
    }

    /// Removes fields that were to be set with a deadline that is past.
    fileprivate mutating func removeInsteadOfSetting(
        _ fields: FieldList,
        of hash: HashValue?,
        _ request: borrowing Request
    ) {
        hasWrittenEffects = true
        changed(request.key, .hash, "hset")
        if !gates.isEmpty { announce(request.key, .hash, "hexpire", in: keyspace) }
        guard let open = hash?.open() else {
            guard !gates.isEmpty else { return }
            announce(request.key, .hash, "hexpired", in: keyspace)
            return announce(request.key, .generic, "del", in: keyspace)
        }
        var effect = FieldEffect(request.key, .removal)
        for index in fields.indices where !open.value.isEmpty && open.remove(request[index]) {
            effect.append(request[index])
        }
        guard effect.isEmpty else { return write(effect, of: open, "hexpired") }
        if !gates.isEmpty { announce(request.key, .hash, "hexpired", in: keyspace) }
    }
}
