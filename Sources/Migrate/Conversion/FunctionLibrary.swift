import Bytes

/// The first line of a library of functions, which says what runs it and what it is called.
///
///     #!lua name=counters
struct FunctionLibrary {
    /// What runs it, in lower case; empty if the line does not say.
    let engine: String
    /// What it is called; empty if the line does not say.
    let name: String

    /// Reads the first line of a library's source.
    init(source: RawSpan) {
        var end = 0
        while end < min(source.byteCount, 1024), source.byte(at: end) != 0x0A { end += 1 }
        let line = source.part(from: 0, count: end).text
        let words = line.split(whereSeparator: \.isWhitespace)
        let isScript = line.hasPrefix("#!")
        engine = isScript ? (words.first.map { $0.dropFirst(2).lowercased() } ?? "") : ""
        let named = words.dropFirst().first { $0.lowercased().hasPrefix("name=") }
        name = isScript ? String(named?.dropFirst(5) ?? "") : ""
    }

    /// Why a server that has functions would refuse the library; nil if nothing is wrong.
    ///
    /// Whether it compiles only the server can tell.
    var flaw: String? {
        if engine.isEmpty { return "its first line does not name an engine" }
        if engine != "lua" { return "its engine is \(engine), and only lua is there" }
        return name.isEmpty ? "its first line does not name it" : nil
    }
}
