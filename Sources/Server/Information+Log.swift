import AppendLog
import Commands
import Directives
import Larder
import Platform

// What INFO says of the log and of the stream that it keeps.
extension ServerHost {
    func describeLog(_ information: inout Information, _ engine: borrowing Engine) {
        let status = keeper.status
        information.line("aof_enabled", isTrue: log != nil)
        information.line("aof_rewrite_in_progress", isTrue: keeper.isCompacting)
        information.line("aof_rewrite_scheduled", isTrue: keeper.isCompactionScheduled)
        information.line(
            "aof_last_rewrite_time_sec",
            status.lastCompactionDuration?.components.seconds ?? -1
        )
        information.line(
            "aof_current_rewrite_time_sec",
            status.compactionStart.map { (time.monotonicTime - $0).components.seconds } ?? -1
        )
        information.line(
            "aof_last_bgrewrite_status",
            status.lastCompactionSucceeded ? "ok" : "err"
        )
        information.line("aof_rewrites", status.compactionCount)
        information.line(
            "aof_last_write_status",
            isLogTroubled && !(log?.isBeginning ?? false) ? "err" : "ok"
        )
        information.line("aof_last_cow_size", 0)
        guard let log else { return }
        let statistics = log.statistics
        information.line("aof_current_size", statistics.growth.totalByteCount)
        information.line("aof_base_size", statistics.growth.baseByteCount)
        information.line("aof_pending_rewrite", isTrue: keeper.isCompactionScheduled)
        information.line("aof_buffer_length", statistics.bufferedByteCount)
        information.line("aof_pending_bio_fsync", 0)
        information.line("aof_delayed_fsync", 0)
        describe(statistics, &information)
        information.ratio("log_garbage_ratio", keeper.garbageRatio(engine))
        information.line("log_compaction_estimated_bytes", keeper.baseEstimate(engine))
        if !status.lastCompactionFailure.isEmpty {
            information.line("log_last_compaction_error", status.lastCompactionFailure)
        }
    }

    private func describe(_ statistics: LogStatistics, _ information: inout Information) {
        information.line("log_condition", statistics.condition.word)
        information.line("log_end_offset", statistics.endOffset)
        information.line("log_written_offset", statistics.writtenOffset)
        information.line("log_durable_offset", statistics.durableOffset)
        information.line("log_pending_bytes", statistics.pendingByteCount)
        information.line("log_pending_bytes_limit", statistics.unsyncedLimit)
        information.line("log_buffer_limit", statistics.backlogLimit)
        information.line("log_staged", isTrue: statistics.hasStage)
        information.line("log_segments", statistics.segmentCount)
        if let ratio = statistics.compressionRatio {
            information.line("log_compression_ratio", Information.decimals(ratio, 3))
        }
        if let error = statistics.lastSealError { information.line("log_last_seal_error", error) }
        let syncs = statistics.syncs
        information.line("log_fsync_count", syncs.count)
        information.line("log_fsync_failures", syncs.failureCount)
        information.line(
            "log_last_fsync_time",
            syncs.lastTime.map { $0.milliseconds / 1000 } ?? -1
        )
        information.line("log_last_fsync_usec", syncs.last.microseconds)
        information.line("log_longest_fsync_usec", syncs.longest.microseconds)
        information.line("log_fsync_usec_histogram", syncs.text)
    }

    func describeReplication(_ information: inout Information) {
        let previous = log?.lineage.previous
        information.line("role", "master")
        information.line("connected_slaves", 0)
        information.line("master_failover_state", "no-failover")
        information.line("master_replid", log.map { "\($0.lineage.id)" } ?? identity)
        information.line(
            "master_replid2",
            previous.map { "\($0.id)" } ?? String(repeating: "0", count: 40)
        )
        information.line("master_repl_offset", replicationOffset)
        information.line("second_repl_offset", previous.map { $0.end + 1 } ?? -1)
        information.line("repl_backlog_active", 0)
        information.line("repl_backlog_size", configuration.integer("repl-backlog-size"))
        information.line("repl_backlog_first_byte_offset", 0)
        information.line("repl_backlog_histlen", 0)
    }
}

extension LogCondition {
    fileprivate var word: String {
        switch self {
        case .writable: "writable"
        case .beginning: "beginning"
        case .full: "full"
        case .failed: "failed"
        }
    }
}

extension SyncStatistics {
    /// `<64=12,<128=3,...,longer=1`: how many syncs took less than so many microseconds.
    fileprivate var text: String {
        counts.indices.filter { counts[$0] > 0 }.map { index in
            let bound = SyncStatistics.bound(of: index).map { "<\($0.microseconds)" }
            return "\(bound ?? "longer")=\(counts[index])"
        }.joined(separator: ",")
    }
}

extension Duration {
    fileprivate var microseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
}
