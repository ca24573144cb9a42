import Bytes
import RDB
import RESP

/// The server of a load, or the cluster: what it is, and whether it can take the files.
struct LoadedServer {
    let url: ServerURL
    let identity: ServerIdentity
    /// The primaries; nil if it is no cluster.
    let map: ClusterMap?
    /// Whether it has modules, which may know the values of modules in the files.
    private let hasModules: Bool
    /// The highest database that it lets be selected, up to the one asked for.
    private let client: ServerClient

    /// Connects and asks.
    init(at url: ServerURL) throws(LoadError) {
        self.url = url
        do throws(ServerError) {
            client = try ServerClient(connectingTo: url)
            identity = try client.identity()
            map = identity.isClusterNode ? try ServerClient.clusterMap(of: url) : nil
            hasModules = try Self.hasModules(client)
        } catch {
            throw .server(error)
        }
        if identity.isClusterNode, map == nil {
            throw .unsuitable("\(url) is a node of a cluster that has no slots yet")
        }
        if let map, map.missingCount > 0 {
            throw .unsuitable("\(url): \(map.missingCount) slots of the cluster have no primary")
        }
    }

    private static func hasModules(_ client: ServerClient) throws(ServerError) -> Bool {
        client.queue(["MODULE", "LIST"])
        guard case .array(let modules) = try client.nextReplyWaiting() else { return false }
        // Valkey 9 has its scripts from a module, which has no values.
        return modules.contains { module in
            guard case .array(let facts) = module else { return true }
            return !facts.contains(.bulk("lua"))
        }
    }

    /// What payloads are made for.
    var target: Target { identity.target }

    /// What becomes of the commands of a log on their way there.
    func decisions(_ options: LoadOptions) -> Decisions {
        var decisions = Decisions(for: identity.destination, now: 0)
        decisions.isDroppingCommands = options.isSkippingUnsupported
        if hasModules { decisions.modules.default = .copy }
        return decisions
    }

    /// Whether it has a place for values of an encoding.
    func holds(_ encoding: Encoding) -> Bool {
        switch encoding {
        case .module: hasModules
        case .moduleBeforeRelease, .array, .rateLimiter: false
        case .stream4, .stream5: target.accepts(encoding)
        default: !encoding.hasFieldDeadlines || target.holdsFieldDeadlines
        }
    }

    /// Refuses files that do not fit before anything is sent.
    func check(_ survey: LoadSurvey, _ options: LoadOptions) throws(LoadError) {
        try check(highestDatabase: Int(clamping: survey.highestDatabase))
        guard !options.isSkippingUnsupported else { return }
        let foreign = survey.encodings.filter { !holds($0.key) }
        guard foreign.isEmpty else { throw .unsuitable(text(about: foreign, survey)) }
        if survey.functionCount > 0, !target.holdsFunctions || identity.program == .larder {
            throw .unsuitable(
                "\(identity) has no functions, and the files have \(survey.functionCount) "
                    + "libraries; --skip-unsupported leaves them out"
            )
        }
    }

    /// Refuses a log whose commands cannot all be done there.
    func check(_ log: LoadLogSurvey, _ options: LoadOptions) throws(LoadError) {
        guard map == nil else {
            throw .unsuitable(
                "the log has commands behind its base, which a cluster cannot do in their order: "
                    + "load it into a single server, or load a dump of the data set"
            )
        }
        try check(highestDatabase: Int(clamping: log.highestDatabase))
        guard let losses = log.losses, !options.isSkippingUnsupported else { return }
        throw .unsuitable(
            "\(identity) has no place for commands of the log: \(losses). "
                + "--skip-unsupported leaves them out"
        )
    }

    /// Refuses commands where they would find something else than they did when they were logged.
    func checkIsEmpty() throws(LoadError) {
        guard identity.keyCounts.values.contains(where: { $0 > 0 }) else { return }
        throw .unsuitable(
            "the log has commands behind its base, whose outcome depends on what is there before, "
                + "and \(url) has keys: empty it first, or load a dump of the data set"
        )
    }

    private func text(about foreign: [Encoding: Int], _ survey: LoadSurvey) -> String {
        let parts = foreign.sorted { $0.key.rawValue < $1.key.rawValue }.map { encoding, count in
            let names = survey.samples[encoding, default: []].map { "\"\($0)\"" }
            let more = count > names.count ? ", …" : ""
            return "\(count) of \(encoding.name) (\(names.joined(separator: ", "))\(more))"
        }
        return "\(identity) has no place for keys of the files: "
            + parts.joined(separator: "; ")
            + ". Convert the files for it first (larder-migrate convert), "
            + "or leave these keys out with --skip-unsupported"
    }

    private func check(highestDatabase: Int) throws(LoadError) {
        guard highestDatabase > 0 else { return }
        do throws(ServerError) {
            try client.select(highestDatabase)
        } catch {
            guard case .refused(_, let text) = error.problem else { throw .server(error) }
            throw .unsuitable(
                "the files have keys in database \(highestDatabase), which \(url) does not have "
                    + "(\(text.text)): raise its `databases`, or map the databases with "
                    + "larder-migrate convert"
            )
        }
    }
}
