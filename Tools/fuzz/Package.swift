// swift-tools-version: 6.2
import PackageDescription

// Fuzz targets of what reads untrusted bytes; `Tools/fuzz/run` builds and runs them.

func fuzzer(_ name: String, _ products: [String]) -> Target {
    .executableTarget(
        name: name,
        dependencies: products.map { .product(name: $0, package: "larder") },
        swiftSettings: [.enableExperimentalFeature("Lifetimes")]
    )
}

let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "larder", path: "../..")],
    targets: [
        fuzzer("fuzz-rdb-file", ["Bytes", "RDB"]),
        fuzzer("fuzz-rdb-payload", ["Bytes", "RDB"]),
    ]
)
