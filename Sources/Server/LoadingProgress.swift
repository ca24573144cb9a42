import Larder
import Platform

/// How far the loading of data is, for INFO.
struct LoadingProgress {
    /// When it began, in seconds since 1970.
    let start: Int64
    let startedAt: MonotonicTime
    var progress: Recovery.Progress?

    init(start: Int64, startedAt: MonotonicTime) {
        self.start = start
        self.startedAt = startedAt
    }

    /// Percent of the file.
    var share: Double {
        guard let progress, progress.byteCount > 0 else { return 0 }
        return 100 * Double(progress.offset) / Double(progress.byteCount)
    }

    /// Seconds until the end, if it goes on like this.
    func secondsLeft(at now: MonotonicTime) -> Int {
        guard share > 0 else { return 1 }
        let elapsed = Double((now - startedAt).components.seconds)
        return Int(elapsed * (100 - share) / share)
    }
}

extension ServerHost {
    func describeLoading(_ information: inout Information) {
        guard let loading else { return }
        information.line("loading_start_time", loading.start)
        information.line("loading_total_bytes", loading.progress?.byteCount ?? 0)
        information.line("loading_loaded_bytes", loading.progress?.offset ?? 0)
        information.line("loading_loaded_perc", Information.decimals(loading.share, 2))
        information.line("loading_eta_seconds", loading.secondsLeft(at: time.monotonicTime))
        information.line("loading_loaded_keys", loading.progress?.loadedKeys ?? 0)
    }
}
