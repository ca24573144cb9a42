import Bytes
import RDB

/// Streams, functions and payloads.
extension CommandTranslator {
    /// `KEEPREF`, `DELREF` or `ACKED` among the options of `XADD` and `XTRIM`.
    ///
    /// `KEEPREF` is what every server does.
    func withoutReferencePolicy(_ request: LoggedRequest) -> CommandTranslation {
        guard !commands.hasReferencePolicies else { return .same }
        for index in 2..<max(2, optionsEnd(of: request)) {
            switch request.word(index) {
            case "KEEPREF": return .exact([request.removing(index..<(index + 1))])
            case "DELREF", "ACKED":
                let name = decisions.destination.name
                return .impossible("\(name) would refuse it and go on without the entry")
            default: break
            }
        }
        return .same
    }

    /// Where the id of a new entry is, after which everything is data.
    private func optionsEnd(of request: LoggedRequest) -> Int {
        guard request.name == "XADD" else { return request.arguments.count }
        var index = 2
        while index < request.arguments.count {
            switch request.word(index) {
            case "NOMKSTREAM", "KEEPREF", "DELREF", "ACKED", "=", "~": index += 1
            case "MAXLEN", "MINID":
                let hasOperator = ["=", "~"].contains(request.word(index + 1))
                index += hasOperator ? 3 : 2
            case "LIMIT": index += 2
            default: return index
            }
        }
        return index
    }

    /// `XDELEX key [KEEPREF] IDS count id …`.
    func deleteEntries(_ request: LoggedRequest) -> CommandTranslation {
        guard let (policy, ids) = entries(of: request, from: 2) else {
            return .impossible("its arguments are not understood")
        }
        guard policy == "KEEPREF" else {
            return .impossible("\(policy) has no counterpart in \(decisions.destination.name)")
        }
        return .exact([LoggedRequest(["XDEL", request.key] + ids)])
    }

    /// `XACKDEL key group [KEEPREF] IDS count id …`.
    ///
    /// An entry that was not pending is not deleted, which takes a script to say.
    func acknowledgeAndDelete(_ request: LoggedRequest) -> CommandTranslation {
        guard let (policy, ids) = entries(of: request, from: 3) else {
            return .impossible("its arguments are not understood")
        }
        guard policy == "KEEPREF" else {
            return .impossible("\(policy) has no counterpart in \(decisions.destination.name)")
        }
        guard decisions.destination.family != .larder else {
            return .impossible("larder runs no scripts yet, which would have to say it")
        }
        let script: ByteString = """
            for i = 2, #ARGV do \
            if redis.call('XACK', KEYS[1], ARGV[1], ARGV[i]) == 1 then \
            redis.call('XDEL', KEYS[1], ARGV[i]) end end
            """
        return .exact([
            LoggedRequest(["EVAL", script, "1", request.key, request.arguments[2]] + ids)
        ])
    }

    private func entries(
        of request: LoggedRequest,
        from start: Int
    ) -> (policy: String, ids: [ByteString])? {
        guard let index = request.index(of: "IDS", from: start), index <= start + 1,
            index + 2 < request.arguments.count
        else { return nil }
        let policy = index == start ? "KEEPREF" : request.word(start)
        return (policy, Array(request.arguments[(index + 2)...]))
    }

    /// `ENTRIESREAD`, `ENTRIESADDED` and `MAXDELETEDID`, which Redis 6.2 does not have.
    func withoutCounters(_ request: LoggedRequest) -> CommandTranslation {
        guard !commands.hasStreamCounters else { return .same }
        var shorter = request
        for word in ["ENTRIESREAD", "ENTRIESADDED", "MAXDELETEDID"] {
            guard let index = shorter.index(of: word, from: 3) else { continue }
            shorter = shorter.removing(index..<min(index + 2, shorter.arguments.count))
        }
        if shorter.arguments.count == request.arguments.count { return .same }
        return .lossy([shorter], .streamCounters, "dropped")
    }

    /// `FUNCTION LOAD [REPLACE] source` and others.
    func function(_ request: LoggedRequest) -> CommandTranslation {
        if decisions.functions == .drop { return .lossy([], .functions, "drop") }
        var flaw: String?
        if !commands.contains("FUNCTION") {
            flaw = "\(decisions.destination.name) has no functions"
        } else if request.word(1) == "LOAD", let source = request.arguments.last {
            flaw = FunctionLibrary(source: source.bytes).flaw
        }
        guard let flaw else { return .same }
        if decisions.functions == .dropUnloadable {
            return .lossy([], .functions, "drop-unloadable")
        }
        return .impossible("\(flaw); --functions decides")
    }

    /// `RESTORE key ttl payload …`: the payload in the destination's own version.
    func restore(_ request: LoggedRequest) -> CommandTranslation {
        guard request.arguments.count >= 4 else {
            return .impossible("its arguments are not understood")
        }
        do {
            let bytes = request.arguments[3]
            var payload = try Payload(bytes.bytes)
            // Up to version 79 it is Redis's, though the two agree on most of that.
            let version = payload.format.version
            let format = Format(version < 80 ? .redis : .valkey, version: version)
            if decisions.destination.reads(format), target.accepts(payload.encoding) {
                return .same
            }
            var writer = PayloadWriter(for: target)
            try payload.readValue(into: &writer)
            var changed = request
            writer.finishPayload { changed.arguments[3] = ByteString($0) }
            return .exact([changed])
        } catch {
            return .impossible("its payload: \(error)")
        }
    }
}
