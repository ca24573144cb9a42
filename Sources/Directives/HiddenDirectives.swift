extension Directive {
    /// Every directive there is.
    package static let all = listed + hidden

    /// Directives of Valkey 9.1 that CONFIG GET tells when asked by name, and not by pattern.
    ///
    /// They steer how Valkey does what is done otherwise here, or slow it down for its own tests:
    /// taken, so that a file that has them serves, and without effect.
    static let hidden: [Directive] = [
        Directive("aof-disable-auto-gc", .boolean, "no"),
        Directive("cluster-message-gossip-perc", .integer(1...100), "10"),
        Directive("cluster-ping-interval", .number, "0"),
        Directive("debug-context", .text, ""),
        Directive("enable-debug-assert", .boolean, "no", .immutable),
        Directive("io-threads-always-active", .boolean, "no"),
        Directive("key-load-delay", .delay, "0"),
        Directive("loading-process-events-interval-bytes", .interval, "2097152"),
        Directive("lua-enable-deprecated-api", .boolean, "no"),
        Directive("lua-enable-insecure-api", .boolean, "no"),
        Directive("min-io-threads-avoid-copy-reply", .count, "7"),
        Directive("min-string-size-avoid-copy-reply", .count, "16384"),
        Directive("min-string-size-avoid-copy-reply-threaded", .count, "65536"),
        Directive("rdb-key-save-delay", .delay, "0"),
        Directive("use-exit-on-panic", .boolean, "no"),
        Directive("watchdog-period", .count, "0"),
    ]
}

extension Directive.Kind {
    /// Microseconds; below zero, one in so many keys.
    fileprivate static let delay = integer(Int64(Int32.min)...Int64(Int32.max))
    fileprivate static let interval = integer(1024...Int64(Int32.max))
}
