import Glibc
import Migrate

/// What the user says about servers: URLs, and passwords that have no place on a command line.
enum ServerAccess {
    /// The server that `text` names; its password may come from the environment.
    ///
    /// `REDISCLI_AUTH` is what redis-cli takes it from, `VALKEYCLI_AUTH` valkey-cli.
    static func url(_ text: String) throws(ServerURL.Invalid) -> ServerURL {
        var url = try ServerURL(text)
        if url.password == nil {
            url.password = variable("VALKEYCLI_AUTH") ?? variable("REDISCLI_AUTH")
        }
        return url
    }

    private static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}
