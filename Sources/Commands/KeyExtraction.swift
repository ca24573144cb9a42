import Bytes
import RESP

extension Command {
    /// Visits the indexes of the keys among the arguments; false if the request has none, or
    /// does not say properly where they are.
    func forEachKey(in request: borrowing Request, _ visit: (Int) -> Void) -> Bool {
        switch name {
        case "zunion", "zinter", "zdiff", "zintercard", "sintercard", "lmpop", "zmpop",
            "msetex":
            return counted(at: 1, in: request, stride: name == "msetex" ? 2 : 1, visit)
        case "blmpop", "bzmpop", "eval", "eval_ro", "evalsha", "evalsha_ro", "fcall",
            "fcall_ro":
            return counted(at: 2, in: request, visit)
        case "zunionstore", "zinterstore", "zdiffstore":
            visit(1)
            return counted(at: 2, in: request, visit)
        case "xread", "xreadgroup":
            return streams(in: request, visit)
        case "sort":
            visit(1)
            return storing(in: request, visit)
        case "georadius", "georadiusbymember":
            visit(1)
            return storing(in: request, visit)
        case "migrate":
            return migrated(in: request, visit)
        default:
            return fixed(in: request, visit)
        }
    }

    private func fixed(in request: borrowing Request, _ visit: (Int) -> Void) -> Bool {
        guard keys.first > 0 else { return false }
        let last = keys.last < 0 ? request.count + keys.last : keys.last
        guard keys.first <= last, last < request.count else { return false }
        for index in stride(from: keys.first, through: last, by: keys.step) { visit(index) }
        return true
    }

    /// Keys behind their count.
    private func counted(
        at place: Int,
        in request: borrowing Request,
        stride step: Int = 1,
        _ visit: (Int) -> Void
    ) -> Bool {
        guard place < request.count, let count = DecimalText.parseInteger(request[place]),
            count > 0, count <= (request.count - place - 1) / step
        else { return false }
        for index in 0..<Int(count) { visit(place + 1 + index * step) }
        return true
    }

    /// The first half of what follows STREAMS.
    private func streams(in request: borrowing Request, _ visit: (Int) -> Void) -> Bool {
        for index in 1..<request.count where request.is(index, "streams") {
            let rest = request.count - index - 1
            guard rest > 0, rest.isMultiple(of: 2) else { return false }
            for offset in 0..<(rest / 2) { visit(index + 1 + offset) }
            return true
        }
        return false
    }

    /// The key behind the last STORE.
    private func storing(in request: borrowing Request, _ visit: (Int) -> Void) -> Bool {
        var found: Int?
        var index = 2
        while index < request.count {
            if request.is(index, "limit") {
                index += 2
            } else if request.is(index, "get") || request.is(index, "by") {
                index += 1
            } else if request.is(index, "store") || request.is(index, "storedist"),
                index + 1 < request.count
            {
                found = index + 1
                index += 1
            }
            index += 1
        }
        if let found { visit(found) }
        return true
    }

    private func migrated(in request: borrowing Request, _ visit: (Int) -> Void) -> Bool {
        guard request.count > 3 else { return false }
        guard request[3].byteCount == 0 else {
            visit(3)
            return true
        }
        for index in 6..<max(request.count, 6) where request.is(index, "keys") {
            for key in (index + 1)..<request.count { visit(key) }
            return true
        }
        return false
    }
}

extension KeySpec {
    /// Whether it tells of arguments that look like keys and are none, as channels do.
    var isNoKey: Bool { flags.contains { "\($0)" == "not_key" } }
}

extension Command {
    /// What becomes of the key that is the argument at `index`.
    func keyFlags(at index: Int, in request: borrowing Request) -> [StaticString] {
        let specs = facts.keySpecs
        let spec = specs.first { $0.covers(index, in: request) } ?? specs.last
        guard let spec else { return [] }
        let flags = spec.flags.filter { "\($0)" != "variable_flags" && "\($0)" != "incomplete" }
        return variedFlags(in: request) ?? flags
    }

    /// The same where it depends on other arguments.
    private func variedFlags(in request: borrowing Request) -> [StaticString]? {
        switch name {
        case "set":
            for index in 3..<max(request.count, 3) where request.is(index, "get") { return nil }
            return ["OW", "update"]
        case "bitfield":
            var index = 2
            while index < request.count {
                if request.is(index, "get") {
                    index += 3
                } else if request.is(index, "overflow") {
                    index += 2
                } else {
                    return nil
                }
            }
            // One that is not whole may become anything.
            return index == request.count ? ["RO", "access"] : nil
        default: return nil
        }
    }
}

extension KeySpec {
    /// Whether the argument at `index` is one of the keys that this tells of.
    fileprivate func covers(_ index: Int, in request: borrowing Request) -> Bool {
        guard let start = start(in: request) else { return false }
        switch find {
        case .unknown: return false
        case .count(let step):
            guard start < request.count, let count = DecimalText.parseInteger(request[start])
            else { return false }
            return index > start && index <= start + Int(clamping: count) * step
                && (index - start - 1).isMultiple(of: step)
        case .range(let last, let step, let limit):
            var end = last >= 0 ? start + last : request.count + last
            if limit > 1, last == -1 { end = start + (request.count - start) / limit - 1 }
            return start...max(end, start) ~= index && (index - start).isMultiple(of: step)
        }
    }

    private func start(in request: borrowing Request) -> Int? {
        switch search {
        case .unknown: return nil
        case .index(let index): return index
        case .keyword(let word, let from):
            let places =
                from >= 0
                ? Array(min(from, request.count)..<request.count)
                : Array((0..<max(request.count + from, 0)).reversed())
            for place in places where request[place].text.uppercased() == word {
                return place + 1
            }
            return nil
        }
    }
}
