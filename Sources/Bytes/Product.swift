/// What the programs say that they are.
package enum Product {
    package static let name: StaticString = "larder"
    package static let version: StaticString = "0.1.0"
    /// The Redis whose clients and tools find here what they expect, as Valkey says it too.
    package static let compatibleVersion: StaticString = "7.2.4"
}
