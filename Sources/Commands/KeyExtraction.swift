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
