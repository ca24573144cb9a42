import AppendLog
import Bytes
import Commands
import Directives
import Glibc
import Larder
import Logging
import Platform
import RESP
import Store
import Transport

// CONFIG, and what follows from each directive.
extension ServerHost {
    package func getConfiguration(_ patterns: [ByteString], _ reply: inout ReplyWriter) {
        let found = configuration.matching(patterns)
        reply.map(found.count)
        for (name, value) in found {
            reply.bulk(name.bytes)
            reply.bulk(value.bytes)
        }
    }

    package func setConfiguration(
        _ pairs: [(name: ByteString, value: ByteString)],
        _ engine: inout Engine
    ) throws(CommandError) {
        let change: Configuration.Change
        do throws(ConfigurationError) {
            change = try configuration.change(pairs)
        } catch {
            throw .text(error.text)
        }
        let before = configuration
        configuration = change.configuration
        // Of a change that failed, too: the listeners of before were opened anew.
        defer { noteConfigurationChange() }
        for name in change.changed.sorted() {
            do throws(RefusedValue) {
                try follow(name, &engine)
            } catch {
                configuration = before
                // What followed the new values already follows the old ones again; those held
                // until now, so nothing can refuse them.
                for name in change.changed { try? follow(name, &engine) }
                throw .text(ConfigurationError.refused(name, error.reason).text)
            }
        }
    }

    package func rewriteConfiguration() throws(CommandError) {
        guard let path = configuration.path else {
            throw .text("ERR The server is running without a config file")
        }
        let (folder, name) = Paths.split(path)
        do throws(SystemError) {
            var rewrite = ConfigurationRewrite(of: try Paths.contents(path))
            let contents = rewrite.apply(configuration)
            let storage = try DiskStorage(path: folder)
            let temporary = "\(name).\(getpid()).tmp"
            let file = try storage.create(temporary)
            try file.write(contents.bytes, at: 0)
            try file.sync()
            try storage.rename(temporary, to: name)
            try storage.syncDirectory("")
            messages.notice("CONFIG REWRITE executed with success.")
        } catch {
            messages.warning("CONFIG REWRITE failed: \(error)")
            throw .text("ERR Rewriting config file: \(error)")
        }
    }

    /// Makes everything follow the configuration as it was read at the start.
    func followAll(_ engine: inout Engine) throws(RefusedValue) {
        for directive in Directive.all where !Self.followedElsewhere.contains(directive.name) {
            try follow(directive.name, &engine)
        }
    }

    /// The start opens these itself, in its own order.
    private static let followedElsewhere: Set<String> = ["appendonly", "bind", "dir", "port"]

    /// Makes what depends on a directive follow its new value.
    ///
    /// What is not named here is looked up where it is needed.
    private func follow(_ name: String, _ engine: inout Engine) throws(RefusedValue) {
        switch name {
        case "loglevel": diagnostics.level = Diagnostics.Level(configuration.text(name))
        case "logfile":
            let path = configuration.text(name)
            diagnostics.path = path.isEmpty ? nil : path
        case "requirepass": engine.settings.password = configuration[name]
        case "proto-max-bulk-len": engine.settings.longestString = configuration.integer(name)
        case "module-data": engine.settings.keepsModules = configuration.text(name) == "keep"
        case "enable-debug-command":
            engine.settings.debugPermission =
                switch configuration.text(name) {
                case "yes": .everybody
                case "local": .local
                default: .nobody
                }
        case "maxmemory", "maxmemory-samples", "maxmemory-eviction-tenacity":
            followMemoryLimit(&engine)
        case "tracking-table-max-keys":
            engine.setTrackedKeyLimit(configuration.integer(name))
        case "import-mode": engine.settings.isImporting = configuration.isOn(name)
        case let name where name.hasPrefix("commandlog-"): followCommandLogs(&engine)
        case "latency-monitor-threshold":
            engine.measures.latency.threshold = Int64(configuration.integer(name))
            engine.measures.followThresholds()
        case "latency-tracking":
            engine.measures.keepsHistograms = configuration.isOn(name)
        case "notify-keyspace-events":
            engine.setNotifications(Notification(letters: configuration.text(name)) ?? [])
        case "maxclients": try reserveDescriptors()
        case "bind": try rebind(orElse: "Failed to bind to specified addresses.")
        case "port": try rebind(orElse: "Unable to listen on this port. Check server logs.")
        case "dir": try changeDirectory()
        case "appendonly":
            guard isServing else {
                throw RefusedValue("the log cannot be switched while data is loaded")
            }
            try followLogSwitch(&engine)
        case "appendfsync": log?.change(syncPolicy: syncPolicy)
        case "appendcompression": isLogFormDue = log != nil
        case "maxmemory-policy":
            followMemoryLimit(&engine)
            keeper.settings = saveSettings
        case "save", "dbfilename", "rdbcompression", "rdbchecksum", "rdb-format",
            "auto-aof-rewrite-percentage", "auto-aof-rewrite-min-size",
            "auto-aof-rewrite-garbage-percentage":
            keeper.settings = saveSettings
        case let name where name.contains("-max-") || name.hasPrefix("stream-node-"):
            engine.dataSet.limits = encodingLimits
        default: break
        }
    }

    private func followCommandLogs(_ engine: inout Engine) {
        let logs: [(CommandLogs.Kind, threshold: String, capacity: String)] = [
            (.slow, "commandlog-execution-slower-than", "commandlog-slow-execution-max-len"),
            (
                .largeRequest, "commandlog-request-larger-than",
                "commandlog-large-request-max-len"
            ),
            (.largeReply, "commandlog-reply-larger-than", "commandlog-large-reply-max-len"),
        ]
        for (kind, threshold, capacity) in logs {
            engine.setCommandLog(
                kind,
                threshold: Int64(configuration.integer(threshold)),
                capacity: configuration.integer(capacity)
            )
        }
    }

    private func followMemoryLimit(_ engine: inout Engine) {
        engine.setMemoryLimit(
            configuration.integer("maxmemory"),
            policy: EvictionPolicy(rawValue: configuration.text("maxmemory-policy")) ?? .noEviction,
            samples: configuration.integer("maxmemory-samples")
        )
        engine.settings.evictionTime = evictionMicroseconds
    }

    /// How long evicting may hold up a request: 0.5 ms at a tenacity of 10, 15 % more with each
    /// step above, and without a limit at 100.
    private var evictionMicroseconds: Int64 {
        let tenacity = configuration.integer("maxmemory-eviction-tenacity")
        guard tenacity > 10 else { return Int64(50 * tenacity) }
        guard tenacity < 100 else { return .max / 2 }
        return Int64((0..<(tenacity - 10)).reduce(500.0) { time, _ in time * 1.15 })
    }

    private var encodingLimits: EncodingLimits {
        var limits = EncodingLimits()
        limits.hashEntries = configuration.integer("hash-max-listpack-entries")
        limits.hashValue = configuration.integer("hash-max-listpack-value")
        limits.listSize = configuration.integer("list-max-listpack-size")
        limits.setIntegers = configuration.integer("set-max-intset-entries")
        limits.setEntries = configuration.integer("set-max-listpack-entries")
        limits.setValue = configuration.integer("set-max-listpack-value")
        limits.sortedSetEntries = configuration.integer("zset-max-listpack-entries")
        limits.sortedSetValue = configuration.integer("zset-max-listpack-value")
        limits.sparseBytes = configuration.integer("hll-sparse-max-bytes")
        limits.streamBytes = configuration.integer("stream-node-max-bytes")
        limits.streamEntries = configuration.integer("stream-node-max-entries")
        return limits
    }

    private var saveSettings: SaveKeeper.Settings {
        var settings = SaveKeeper.Settings()
        settings.name = configuration.text("dbfilename")
        settings.savePoints = configuration.savePoints
        settings.isCompressing = configuration.isOn("rdbcompression")
        settings.isWritingChecksum = configuration.isOn("rdbchecksum")
        settings.forcedVersion = Int(configuration.text("rdb-format"))
        let policy = configuration.text("maxmemory-policy")
        settings.keepsAccess = policy.hasSuffix("lru") || policy.hasSuffix("lfu")
        settings.compactionPercentage = configuration.integer("auto-aof-rewrite-percentage")
        settings.compactionMinimumByteCount = configuration.integer("auto-aof-rewrite-min-size")
        settings.compactionGarbagePercentage =
            configuration.integer("auto-aof-rewrite-garbage-percentage")
        return settings
    }

    private func changeDirectory() throws(RefusedValue) {
        guard unsafe access(configuration.text("dir"), F_OK) == 0 else {
            throw RefusedValue("No such file or directory")
        }
        throw RefusedValue("the directory cannot change while its files are open")
    }

    /// Takes descriptors for as many clients as may come, and some for the daemon itself.
    private func reserveDescriptors() throws(RefusedValue) {
        let reserved = 32
        let wanted = configuration.integer("maxclients") + reserved
        let available = ProcessLimits.raiseDescriptors(to: wanted)
        guard available < wanted else { return }
        let possible = max(available - reserved, 1)
        guard !isServing else {
            throw RefusedValue(
                "The operating system is not able to handle the specified number of clients, "
                    + "try with \(possible)"
            )
        }
        messages.warning(
            """
            You requested maxclients of \(wanted - reserved) requiring at least \(wanted) max \
            file descriptors. Larder can open \(available), so maxclients has been \
            reduced to \(possible).
            """
        )
        configuration.limitClients(to: possible)
    }
}

// Where connections arrive.
extension ServerHost {
    /// Listens wherever the configuration says; throws with what failed.
    func listen() throws(SystemError) {
        listeners = try listenOnPort() + listenOnPath()
    }

    private func listenOnPort() throws(SystemError) -> [Listener] {
        let port = configuration.integer("port")
        guard port != 0 else { return [] }
        var opened: [Listener] = []
        for word in configuration.bindAddresses {
            let isOptional = word.hasPrefix("-")
            let host = isOptional ? String(word.dropFirst()) : word
            do throws(SystemError) {
                opened.append(try Listener(host: host, port: port, backlog: backlog))
            } catch {
                messages.warning(
                    "Warning: Could not create server TCP listening socket \(host):\(port): \(error)"
                )
                if isOptional && error.code == EADDRNOTAVAIL { continue }
                if error.isUnsupportedAddress { continue }
                throw error
            }
        }
        return opened
    }

    private func listenOnPath() throws(SystemError) -> [Listener] {
        let path = configuration.text("unixsocket")
        guard !path.isEmpty else { return [] }
        let permissions = configuration.socketPermissions
        return [try Listener(path: path, permissions: permissions, backlog: backlog)]
    }

    private var backlog: Int { configuration.integer("tcp-backlog") }

    /// CONFIG SET of `bind` and `port`.
    ///
    /// The new addresses may overlap the old ones, so those are given back first. When the new
    /// ones cannot be had, the old configuration is followed again, and takes the old ones.
    private func rebind(orElse reason: String) throws(RefusedValue) {
        var others: [Listener] = []
        for listener in listeners {
            if case .unix = listener.address { others.append(listener) } else { listener.stop() }
        }
        listeners = others
        do throws(SystemError) {
            listeners += try listenOnPort()
        } catch {
            throw RefusedValue(reason)
        }
    }
}
