// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "rdb-bench",
    dependencies: [.package(name: "larder", path: "../../..")],
    targets: [
        .executableTarget(
            name: "rdb-bench",
            dependencies: [
                .product(name: "Bytes", package: "larder"),
                .product(name: "RDB", package: "larder"),
            ],
            swiftSettings: [.enableExperimentalFeature("Lifetimes")]
        )
    ]
)
