import CLinux
import Glibc

/// What the kernel allows this process.
package enum ProcessLimits {
    /// Allows `count` open descriptors, or as many as the user may have; returns how many.
    package static func raiseDescriptors(to count: Int) -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return 1024
        }
        if limit.rlim_cur >= rlim_t(count) { return count }
        var wanted = limit
        wanted.rlim_cur = rlim_t(count)
        wanted.rlim_max = max(limit.rlim_max, wanted.rlim_cur)
        // Only root may raise the upper limit; others get as far as it allows.
        if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &wanted) == 0 {
            return count
        }
        wanted.rlim_cur = min(rlim_t(count), limit.rlim_max)
        wanted.rlim_max = limit.rlim_max
        if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &wanted) == 0 {
            return Int(clamping: wanted.rlim_cur)
        }
        return Int(clamping: limit.rlim_cur)
    }
}

/// The C library's allocator, which everything but the data set's own pages comes from.
package enum ProcessHeap {
    /// Bytes in blocks that are in use.
    package static var usedByteCount: Int { Int(clinux_malloc_in_use()) }

    /// Gives what is free back to the system.
    package static func release() {
        clinux_trim_malloc()
    }
}

/// What the process has used so far.
package struct ProcessFigures: Sendable {
    /// Processor time of all threads, and of this one.
    package let user: Duration
    package let system: Duration
    package let threadUser: Duration
    package let threadSystem: Duration
    /// Bytes of memory that are not swapped out.
    package let residentByteCount: Int

    /// Asks the kernel.
    package init() {
        (user, system) = Self.usage(of: RUSAGE_SELF.rawValue)
        (threadUser, threadSystem) = Self.usage(of: 1)
        let pages =
            (try? Paths.contents("/proc/self/statm")).flatMap { text in
                text.split(separator: UInt8(ascii: " ")).dropFirst().first.flatMap {
                    Int(String(decoding: $0, as: UTF8.self))
                }
            } ?? 0
        residentByteCount = pages * Int(sysconf(CInt(_SC_PAGESIZE)))
    }

    private static func usage(of who: CInt) -> (user: Duration, system: Duration) {
        var usage = rusage()
        unsafe getrusage(who, &usage)
        func duration(_ time: timeval) -> Duration {
            .seconds(time.tv_sec) + .microseconds(Int64(time.tv_usec))
        }
        return (duration(usage.ru_utime), duration(usage.ru_stime))
    }
}

/// The machine and its system.
package enum Machine {
    /// Bytes of memory there are.
    package static var memoryByteCount: Int {
        Int(sysconf(CInt(_SC_PHYS_PAGES))) * Int(sysconf(CInt(_SC_PAGESIZE)))
    }

    /// Processors that this process may run on.
    package static var processorCount: Int { Int(clinux_processor_count()) }

    /// For example `Linux 6.1.0-18-amd64 x86_64`.
    package static var systemDescription: String {
        var name = utsname()
        guard unsafe uname(&name) == 0 else { return "Linux" }
        return [text(name.sysname), text(name.release), text(name.machine)].joined(separator: " ")
    }

    private static func text<Field>(_ field: Field) -> String {
        unsafe withUnsafeBytes(of: field) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// The path of the program's file.
    package static var executablePath: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return 0 }
            let room = unsafe start.assumingMemoryBound(to: CChar.self)
            return unsafe readlink("/proc/self/exe", room, bytes.count)
        }
        return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    }
}
