import Foundation
import Testing

/// The rules that the compiler does not know: the tests read the repository.
struct TidyTests {
    /// What each module may import, floor by floor; the README draws the house.
    private static let layers: [String: Set<String>] = [
        "Bytes": ["CCarrylessMultiply", "CDecimal", "CLZ4", "CZstd"],
        "Structures": ["Bytes", "CProcessor"],
        "RDB": ["Bytes"],
        "RESP": ["Bytes"],
        "Platform": ["Bytes", "CLinux", "Logging"],
        "Store": ["Bytes", "Structures"],
        "AppendLog": ["Bytes", "Platform"],
        "Transport": ["Bytes", "CLinux", "Platform"],
        "Directives": ["Bytes", "Platform", "RESP"],
        "Dump": ["Bytes", "RDB", "Store"],
        "Commands": ["Bytes", "RESP", "Store"],
        "Snapshots": ["Bytes", "Platform", "RDB", "Store", "Dump"],
        "Larder": [
            "Bytes", "RESP", "RDB", "Platform", "Store", "AppendLog", "Dump", "Commands",
            "Snapshots",
        ],
        "Server": [
            "Bytes", "Structures", "RESP", "Platform", "Store", "AppendLog", "Transport",
            "Directives", "Dump", "Commands", "Snapshots", "Larder", "Logging",
        ],
        "Inspect": ["Bytes", "CZlib", "Platform", "RDB", "AppendLog", "RESP"],
        "Migrate": ["Bytes", "Platform", "RESP", "RDB", "Inspect", "Transport"],
        "larder-server": ["Server", "Platform"],
        "larder-inspect": ["AppendLog", "Inspect", "Bytes", "Platform", "RDB", "ArgumentParser"],
        "larder-migrate": ["Migrate", "Inspect", "Bytes", "Platform", "RDB", "ArgumentParser"],
    ]

    /// What every module may import: the system, and what is part of the language.
    private static let system: Set<String> = ["Glibc", "Synchronization"]

    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func sources(in folder: String) -> [URL] {
        let files = FileManager.default.enumerator(
            at: Self.root.appending(path: folder),
            includingPropertiesForKeys: nil
        )
        return (files?.allObjects as? [URL] ?? []).filter { $0.pathExtension == "swift" }
    }

    private func lines(of file: URL) throws -> [Substring] {
        try String(contentsOf: file, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    @Test func `a module imports only what its floor allows`() throws {
        let files = sources(in: "Sources")
        try #require(files.count > 50, "the sources were not found")
        for file in files {
            let path = file.path.dropFirst(Self.root.path.count + "/Sources/".count)
            let module = String(path.prefix { $0 != "/" })
            let allowed = try #require(Self.layers[module], "\(module) has no floor")
            for line in try lines(of: file) {
                let words = line.split(separator: " ")
                guard let keyword = words.firstIndex(of: "import"), keyword < 2,
                    !line.hasPrefix(" "), !line.hasPrefix("/")
                else { continue }
                let imported = String(words[keyword + 1])
                #expect(
                    allowed.contains(imported) || Self.system.contains(imported),
                    "\(path) imports \(imported)"
                )
            }
        }
    }

    @Test func `nothing is forced, and nothing fails without a word`() throws {
        for file in sources(in: "Sources") {
            for (index, line) in try lines(of: file).enumerated() {
                let code = line.prefix { $0 != "/" }
                for banned in ["try!", "fatalError(", "catch {}", " as! "]
                where code.contains(banned) {
                    Issue.record("\(file.lastPathComponent):\(index + 1) has \(banned)")
                }
            }
        }
    }

    @Test func `the product speaks of itself alone`() throws {
        for file in sources(in: "Sources") + sources(in: "Tests") {
            for (index, line) in try lines(of: file).enumerated() {
                for banned in ["/" + "work/", "/tmp/" + "hub", "TO" + "DO", "FIX" + "ME"]
                where line.contains(banned) {
                    Issue.record("\(file.lastPathComponent):\(index + 1) has \(banned)")
                }
            }
        }
    }
}
