// swift-tools-version: 6.2
import PackageDescription

// Swift 6 and no warnings, everywhere; in the modules, every unsafe expression is marked too.
let testSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
]
let settings = testSettings + [.strictMemorySafety()]

/// A module of the house; `imports` is its line in the layer table.
func module(
    _ name: String,
    imports: [Target.Dependency] = [],
    resources: [Resource]? = nil
) -> Target {
    .target(name: name, dependencies: imports, resources: resources, swiftSettings: settings)
}

/// The tests of one module, in the folder of the same name.
func tests(of name: String, imports: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: imports, swiftSettings: testSettings)
}

let package = Package(
    name: "larder",
    products: [
        .library(name: "Bytes", targets: ["Bytes"]),
        .library(name: "Structures", targets: ["Structures"]),
        .library(name: "RDB", targets: ["RDB"]),
        .library(name: "RESP", targets: ["RESP"]),
        .library(name: "Inspect", targets: ["Inspect"]),
    ],
    dependencies: [
        // The daemon's messages.
        .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
        // The arguments of the two tools; it brings FoundationEssentials, so not the daemon's.
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
    ],
    targets: [
        // Floor 0: bytes, and the C libraries.
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CDecimal"),
        .target(name: "CCarrylessMultiply"),
        .target(name: "CProcessor"),
        module("Bytes", imports: ["CCarrylessMultiply", "CDecimal", "CLZ4", "CZstd"]),
        .target(name: "CLinux"),

        // Floor 1: structures and formats that know no Redis store, and the world outside.
        module("Structures", imports: ["Bytes", "CProcessor"]),
        module("RDB", imports: ["Bytes"]),
        module("RESP", imports: ["Bytes"]),
        module(
            "Platform",
            imports: ["Bytes", "CLinux", .product(name: "Logging", package: "swift-log")]
        ),

        // Floor 2: the data set, the log, the sockets, the configuration.
        module("Store", imports: ["Bytes", "Structures"]),
        module("Transport", imports: ["Bytes", "CLinux", "Platform"]),
        module("AppendLog", imports: ["Bytes", "Platform"]),
        module("Directives", imports: ["Bytes", "Platform", "RESP"]),

        // Floor 3: what commands mean, and a stored value serialised.
        module("Commands", imports: ["Bytes", "RESP", "Store"]),
        module("Dump", imports: ["Bytes", "RDB", "Store"]),

        // Floor 4: what a snapshot is.
        module("Snapshots", imports: ["Bytes", "Platform", "RDB", "Store", "Dump"]),

        // Floor 5: one durable data set without a socket.
        module(
            "Larder",
            imports: [
                "Bytes", "RESP", "RDB", "Platform", "Store", "AppendLog", "Commands", "Snapshots",
            ]
        ),

        // Floor 6: the daemon put together.
        module(
            "Server",
            imports: [
                "Bytes", "Structures", "RESP", "Platform", "Store", "Transport", "AppendLog",
                "Directives", "Dump", "Commands", "Larder",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),

        module(
            "Inspect",
            imports: ["Bytes", "CZlib", "Platform", "RESP", "RDB", "AppendLog"],
            // The page that a report is; in the code, so that the program is one file.
            resources: [.embedInCode("Report/page.html")]
        ),
        module(
            "Migrate",
            imports: ["Bytes", "Platform", "RESP", "RDB", "Transport", "Inspect"]
        ),

        // Roof: the programs.
        .executableTarget(
            name: "larder-server",
            dependencies: ["Server"],
            swiftSettings: settings
        ),

        .executableTarget(
            name: "larder-inspect",
            dependencies: [
                "Inspect", "AppendLog", "Bytes", "Platform", "RDB",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "larder-migrate",
            dependencies: [
                "Migrate", "Inspect", "Bytes", "Platform", "RDB",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),

        // Tests mirror the modules; what several of them use is in TestKit.
        .target(
            name: "TestKit",
            dependencies: ["Bytes", "RESP", "Platform", "Store", "Dump", "Commands"],
            path: "Tests/TestKit",
            swiftSettings: testSettings
        ),
        tests(of: "Bytes", imports: ["Bytes", "TestKit"]),
        tests(of: "RESP", imports: ["RESP", "Bytes", "TestKit"]),
        tests(of: "Transport", imports: ["Transport", "Bytes", "Platform", "TestKit"]),
        tests(of: "AppendLog", imports: ["AppendLog", "Bytes", "Platform", "TestKit"]),
        tests(of: "Store", imports: ["Store", "Bytes", "TestKit"]),
        tests(of: "Structures", imports: ["Structures", "Bytes", "TestKit"]),
        tests(of: "Commands", imports: ["Commands", "Store", "RESP", "Bytes", "TestKit"]),
        tests(of: "RDB", imports: ["RDB", "Bytes"]),
        tests(
            of: "Larder",
            imports: [
                "Larder", "Bytes", "RDB", "RESP", "Platform", "Store", "Dump", "Commands",
                "Snapshots", "TestKit",
            ]
        ),
        tests(of: "Inspect", imports: ["Inspect", "RDB", "Bytes", "Platform", "TestKit"]),
        tests(
            of: "Migrate",
            imports: [
                "Migrate", "Inspect", "RDB", "RESP", "Bytes", "Platform", "Transport", "TestKit",
            ]
        ),
        tests(of: "Directives", imports: ["Directives", "Bytes"]),
        tests(of: "Tidy", imports: []),
    ]
)
