import AppendLog
import Bytes
import Commands
import Directives
import Glibc
import Larder
import Platform
import Store
import Transport

/// INFO: what there is to know of the running daemon, as lines of `name:value` under headings.
///
/// Names are those of Redis and Valkey, since monitoring reads them; what Larder does not have
/// is either left out or has the value that says so.
struct Information: ~Copyable {
    private var text = ""

    /// The sections there are, in the order they are told.
    enum Section: String, CaseIterable {
        case server
        case clients
        case memory
        case persistence
        case stats
        case replication
        case cpu
        case modules
        case commandstats
        case errorstats
        case latencystats
        case cluster
        case keyspace

        /// As its heading says it.
        var title: String {
            switch self {
            case .cpu: "CPU"
            default: rawValue.prefix(1).uppercased() + rawValue.dropFirst()
            }
        }

        /// Whether it is told only to those who ask for it or for all.
        private var isOnRequest: Bool { self == .commandstats || self == .latencystats }

        /// The sections that these arguments of INFO name.
        static func named(_ names: [ByteString]) -> [Section] {
            let words = names.map { $0.bytes.text.lowercased() }
            let isAll = words.contains("all") || words.contains("everything")
            let isDefault = words.isEmpty || words.contains("default")
            return allCases.filter {
                isAll || isDefault && !$0.isOnRequest || words.contains($0.rawValue)
            }
        }
    }

    mutating func begin(_ section: Section) {
        if !text.isEmpty { text += "\r\n" }
        text += "# \(section.title)\r\n"
    }

    mutating func line(_ name: String, _ value: some CustomStringConvertible) {
        text += "\(name):\(value)\r\n"
    }

    mutating func line(_ name: String, isTrue: Bool) {
        line(name, isTrue ? 1 : 0)
    }

    /// Figures of what is not there to be counted.
    ///
    /// That is replication, defragmentation, and threads that only move bytes. Agents of
    /// monitoring ask for them all the same.
    static let absentFigures = [
        "total_net_repl_input_bytes", "total_net_repl_output_bytes",
        "instantaneous_input_repl_kbps", "instantaneous_output_repl_kbps",
        "active_defrag_hits", "active_defrag_misses",
        "active_defrag_key_hits", "active_defrag_key_misses",
        "total_active_defrag_time", "current_active_defrag_time",
        "io_threaded_reads_processed", "io_threaded_writes_processed",
        "evicted_scripts",
    ]

    /// A count of bytes, and the same as people read it.
    mutating func bytes(_ name: String, _ count: Int) {
        line(name, count)
        line("\(name)_human", Self.human(count))
    }

    mutating func ratio(_ name: String, _ value: Double) {
        line(name, Self.decimals(value, 2))
    }

    mutating func seconds(_ name: String, _ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        line(name, Self.decimals(Double(seconds) + Double(attoseconds) / 1e18, 6))
    }

    consuming func finish() -> ByteString { ByteString(text) }

    /// `1023B`, `1.50K`, `2.00G`.
    static func human(_ count: Int) -> String {
        let units = ["K", "M", "G", "T", "P"]
        var value = Double(count)
        guard value >= 1024 else { return "\(count)B" }
        var unit = -1
        while value >= 1024, unit + 1 < units.count {
            value /= 1024
            unit += 1
        }
        return decimals(value, 2) + units[unit]
    }

    /// `value` with so many decimals.
    static func decimals(_ value: Double, _ count: Int) -> String {
        guard value.isFinite else { return "0" }
        let scale = (0..<count).reduce(1.0) { product, _ in product * 10 }
        let scaled = Int64((value.magnitude * scale).rounded())
        let whole = scaled / Int64(scale)
        let fraction = String(Int64(scale) + scaled % Int64(scale)).dropFirst()
        return "\(value < 0 && scaled > 0 ? "-" : "")\(whole).\(fraction)"
    }
}

extension ServerHost {
    package func information(_ sections: [ByteString], _ engine: borrowing Engine) -> ByteString {
        var information = Information()
        for section in Information.Section.named(sections) {
            information.begin(section)
            switch section {
            case .server: describeServer(&information)
            case .clients: describeClients(&information, engine)
            case .memory: describeMemory(&information, engine)
            case .persistence: describePersistence(&information, engine)
            case .stats: describeStatistics(&information, engine)
            case .replication: describeReplication(&information)
            case .cpu: describeProcessor(&information, engine)
            case .modules: break
            case .commandstats: describeCommands(&information, engine)
            case .errorstats: describeErrors(&information, engine)
            case .latencystats: describeLatencies(&information, engine)
            case .cluster: information.line("cluster_enabled", 0)
            case .keyspace: describeKeyspace(&information, engine)
            }
        }
        return information.finish()
    }

    private func describeServer(_ information: inout Information) {
        let uptime = (time.monotonicTime - startedAt).components.seconds
        information.line("redis_version", Product.compatibleVersion)
        information.line("server_name", "larder")
        information.line("larder_version", Product.version)
        information.line("redis_git_sha1", "00000000")
        information.line("redis_git_dirty", 0)
        information.line("redis_build_id", 0)
        information.line("redis_mode", "standalone")
        information.line("server_mode", "standalone")
        information.line("os", Machine.systemDescription)
        information.line("arch_bits", Int.bitWidth)
        information.line("monotonic_clock", "POSIX clock_gettime")
        information.line("multiplexing_api", "epoll")
        information.line("process_id", getpid())
        information.line("process_supervised", "no")
        information.line("run_id", identity)
        information.line("tcp_port", configuration.integer("port"))
        information.line("server_time_usec", time.wallTimeMicroseconds)
        information.line("uptime_in_seconds", uptime)
        information.line("uptime_in_days", uptime / 86400)
        information.line("hz", configuration.integer("hz"))
        information.line("configured_hz", configuration.integer("hz"))
        information.line("lru_clock", time.wallTime.milliseconds / 1000 & 0xFF_FFFF)
        information.line("executable", Machine.executablePath)
        information.line("config_file", configuration.path ?? "")
        information.line("io_threads_active", 0)
        for (index, listener) in listeners.enumerated() {
            information.line(
                "listener\(index)",
                "name=\(listener.kind),address=\(listener.address)"
            )
        }
    }

    private func describeClients(_ information: inout Information, _ engine: borrowing Engine) {
        var longestInput = 0
        var longestOutput = 0
        var blockedCount = 0
        for slot in 0..<clients.slotCount where clients.hasClient(slot) {
            longestInput = max(longestInput, clients[slot].connection.input.count)
            longestOutput = max(longestOutput, clients[slot].connection.output.count)
            // Those whose next request waits for the end of a pause count, too.
            if clients[slot].phase == .blocked || clients[slot].phase == .postponed {
                blockedCount += 1
            }
        }
        information.line("connected_clients", clients.count)
        information.line("cluster_connections", 0)
        information.line("maxclients", configuration.integer("maxclients"))
        information.line("client_recent_max_input_buffer", longestInput)
        information.line("client_recent_max_output_buffer", longestOutput)
        let sessions = engine.sessionFigures
        information.line("blocked_clients", blockedCount)
        information.line("tracking_clients", sessions.tracking)
        information.line("pubsub_clients", sessions.subscribed)
        information.line("watching_clients", sessions.watching)
        information.line("clients_in_timeout_table", engine.timedWaitCount)
        information.line("total_watched_keys", sessions.watchedKeys)
        information.line("total_blocking_keys", engine.waitedKeyCount)
        information.line("total_blocking_keys_on_nokey", engine.waitedKeyCountIfGone)
        let pause = engine.pauseFigures
        information.line("paused_reason", pause == nil ? "none" : "client_pause")
        information.line(
            "paused_actions",
            pause.map { $0.isForWrites ? "write" : "all" } ?? "none"
        )
        information.line("paused_timeout_milliseconds", pause?.milliseconds ?? 0)
    }

    private func describePersistence(
        _ information: inout Information,
        _ engine: borrowing Engine
    ) {
        let running = keeper.progress(engine.dataSet)
        describeSaves(&information, running, changes: engine.statistics.changes)
        describeLoading(&information)
        describeLog(&information, engine)
    }

    private func describeSaves(
        _ information: inout Information,
        _ running: SaveKeeper.Progress?,
        changes: Int64
    ) {
        let status = keeper.status
        let progress = keeper.isSaving ? running : nil
        information.line("loading", isTrue: !isServing)
        information.line("async_loading", 0)
        information.line("current_cow_size", running?.heldByteCount ?? 0)
        information.line("current_fork_perc", "0.00")
        information.line("current_save_keys_processed", running?.taken ?? 0)
        information.line("current_save_keys_total", running?.total ?? 0)
        information.line("current_save_bytes", running?.byteCount ?? 0)
        information.line("snapshot_pauses_usec", Self.text(of: status.pauses))
        information.line("snapshot_pauses_cpu_usec", Self.text(of: status.work))
        information.line("rdb_changes_since_last_save", changes - status.savedChanges)
        information.line("rdb_bgsave_in_progress", isTrue: keeper.isSaving)
        information.line("rdb_last_save_time", status.lastSave)
        information.line("rdb_last_bgsave_status", status.lastSucceeded ? "ok" : "err")
        information.line("rdb_last_bgsave_time_sec", status.lastDuration?.components.seconds ?? -1)
        information.line(
            "rdb_current_bgsave_time_sec",
            progress.map { (time.monotonicTime - $0.start).components.seconds } ?? -1
        )
        information.line("rdb_saves", status.saveCount)
        information.line("rdb_last_save_bytes", status.lastByteCount)
        information.line("rdb_last_cow_size", status.lastPeakByteCount)
        information.line("rdb_last_load_keys_expired", recovered.expiredKeys)
        information.line("rdb_last_load_keys_loaded", recovered.loadedKeys)
    }

    private static func text(of pauses: Pauses) -> String {
        "count=\(pauses.count),p50=\(pauses.microseconds(forThousandths: 500)),"
            + "p99=\(pauses.microseconds(forThousandths: 990)),"
            + "p99.9=\(pauses.microseconds(forThousandths: 999)),max=\(pauses.longest)"
    }

    private func describeStatistics(
        _ information: inout Information,
        _ engine: borrowing Engine
    ) {
        let counted = engine.statistics
        let traffic = statistics.traffic
        information.line("total_connections_received", counted.connectionsReceived)
        information.line("total_commands_processed", counted.commandsProcessed)
        information.line("instantaneous_ops_per_sec", Int(statistics.requests.perSecond))
        information.line("total_net_input_bytes", traffic.receivedByteCount)
        information.line("total_net_output_bytes", traffic.sentByteCount)
        information.ratio("instantaneous_input_kbps", statistics.received.perSecond / 1024)
        information.ratio("instantaneous_output_kbps", statistics.sent.perSecond / 1024)
        information.line("rejected_connections", statistics.rejectedConnections)
        information.line("sync_full", 0)
        information.line("sync_partial_ok", 0)
        information.line("sync_partial_err", 0)
        information.line("expired_keys", counted.expiredKeys)
        information.line("expired_fields", counted.expiredFields)
        information.line("expired_stale_perc", Information.decimals(engine.staleShare * 100, 2))
        information.line("expired_time_cap_reached_count", counted.expiryCutShort)
        information.line("evicted_keys", counted.evictedKeys)
        information.line("evicted_clients", statistics.evictedClients)
        information.line("keyspace_hits", counted.keyspaceHits)
        information.line("keyspace_misses", counted.keyspaceMisses)
        let sessions = engine.sessionFigures
        information.line("pubsub_channels", sessions.channels)
        information.line("pubsub_patterns", sessions.patterns)
        information.line("pubsubshard_channels", sessions.shardChannels)
        information.line("latest_fork_usec", 0)
        information.line("total_forks", 0)
        information.line("migrate_cached_sockets", 0)
        information.line("slave_expires_tracked_keys", 0)
        information.line("tracking_total_keys", sessions.trackedKeys)
        information.line("tracking_total_items", sessions.trackedReaders)
        information.line("tracking_total_prefixes", sessions.trackedPrefixes)
        information.line("unexpected_error_replies", 0)
        information.line("total_error_replies", counted.errorReplies)
        information.line("total_reads_processed", traffic.receiveCount)
        information.line("total_writes_processed", traffic.sendCount)
        information.line(
            "client_query_buffer_limit_disconnections",
            statistics.inputLimitDisconnections
        )
        information.line(
            "client_output_buffer_limit_disconnections",
            statistics.outputLimitDisconnections
        )
        describeTurns(&information, engine)
        information.line("acl_access_denied_auth", counted.refusedPasswords)
        information.line("acl_access_denied_cmd", 0)
        information.line("acl_access_denied_key", 0)
        information.line("acl_access_denied_channel", 0)
        for name in Information.absentFigures { information.line(name, 0) }
    }

    private func describeTurns(_ information: inout Information, _ engine: borrowing Engine) {
        let pace = engine.measures.ticksPerMicrosecond
        let turns = statistics.turns
        let perTurn = statistics.turnTime.perSecond / max(statistics.turnRate.perSecond, 1)
        information.line("eventloop_cycles", turns.count)
        information.line("eventloop_duration_sum", Int64(Double(turns.ticks) / pace))
        information.line("eventloop_duration_cmd_sum", Int64(engine.commandMicroseconds))
        information.line(
            "instantaneous_eventloop_cycles_per_sec",
            Int(statistics.turnRate.perSecond)
        )
        information.line("instantaneous_eventloop_duration_usec", Int(perTurn / pace))
        information.line(
            "expire_cycle_cpu_milliseconds",
            Int64(Double(turns.expiryTicks) / pace / 1000)
        )
    }

    private func describeProcessor(
        _ information: inout Information,
        _ engine: borrowing Engine
    ) {
        let figures = ProcessFigures()
        information.seconds("used_cpu_sys", figures.system)
        information.seconds("used_cpu_user", figures.user)
        information.seconds("used_cpu_sys_children", .zero)
        information.seconds("used_cpu_user_children", .zero)
        information.seconds("used_cpu_sys_main_thread", figures.threadSystem)
        information.seconds("used_cpu_user_main_thread", figures.threadUser)
        let active = Double(statistics.turns.ticks) / engine.measures.ticksPerMicrosecond
        information.seconds("used_active_time_main_thread", .microseconds(active))
    }

    private func describeKeyspace(
        _ information: inout Information,
        _ engine: borrowing Engine
    ) {
        for number in 0..<engine.dataSet.databaseCount {
            let keyspace = engine.dataSet[number]
            guard keyspace.count > 0 else { continue }
            information.line(
                "db\(number)",
                "keys=\(keyspace.count),expires=\(keyspace.deadlineCount),"
                    + "avg_ttl=\(engine.meanTimeToLive(in: keyspace))"
            )
        }
    }
}
