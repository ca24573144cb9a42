import Bytes
import Migrate
import RDB
import Testing

struct ServerIdentityTests {
    private func identity(_ lines: String...) -> ServerIdentity {
        ServerIdentity(information: ByteString(lines.joined(separator: "\r\n") + "\r\n"))
    }

    @Test func `Valkey says that it is Redis, and is not taken for it`() {
        let server = identity(
            "# Server",
            "redis_version:7.2.4",
            "server_name:valkey",
            "valkey_version:9.1.2",
            "# Cluster",
            "cluster_enabled:1",
            "# Keyspace",
            "db0:keys=12,expires=3,avg_ttl=0",
            "db9:keys=1,expires=0,avg_ttl=0"
        )
        #expect(server.description == "Valkey 9.1.2")
        #expect(server.target == .valkey9)
        #expect(server.isClusterNode && server.keyCounts == [0: 12, 9: 1])
    }

    @Test func `Larder takes what Valkey 9 takes`() {
        let server = identity("redis_version:7.2.4", "server_name:larder", "larder_version:0.1.0")
        #expect(server.program == .larder && server.target == .valkey9)
    }

    @Test(arguments: [
        ("5.0.14", Target.redis5, false), ("6.2.5", .redis6, false), ("7.0.15", .redis70, true),
        ("7.2.1", .redis72, true), ("7.4.1", .redis74, true), ("8.2.3", .redis8, true),
        ("10.0.0", .redis8, true),
    ])
    func `payloads are those of the server's version`(
        version: String,
        target: Target,
        knowsMoments: Bool
    ) {
        let server = identity("redis_version:\(version)")
        #expect(server.program == .redis && server.target == target)
        #expect(server.knowsDeadlineMoments == knowsMoments)
    }

    @Test(arguments: [("7.2.5", Target.valkey72), ("8.1.8", .valkey8), ("9.0.0", .valkey9)])
    func `payloads are those of Valkey's version`(version: String, target: Target) {
        #expect(identity("redis_version:7.2.4", "valkey_version:\(version)").target == target)
    }
}
