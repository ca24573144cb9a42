import Bytes

/// A format in which single values travel between servers: what DUMP writes and RESTORE reads.
///
/// The store and the commands know none; whoever puts a program together gives them one.
package protocol Serializer: Sendable {
    /// Hands the value of `entry`, without its key and deadline, to `body`.
    func serialize(_ entry: Entry, _ body: (RawSpan) -> Void) throws(SerializationError)

    /// Builds what `payload` holds under `key`, which must be absent in `keyspace`.
    ///
    /// After an error there may be a part of it. Values of modules are refused unless they are to
    /// be kept.
    func build(
        _ payload: RawSpan,
        under key: RawSpan,
        deadline: Int64?,
        in keyspace: Keyspace,
        keepsModules: Bool
    ) throws(SerializationError) -> OpenEntry

    /// The type that a module gave its value; nil for other values.
    func moduleName(of entry: Entry) -> String?

    /// The sources of the libraries in what FUNCTION DUMP wrote.
    func functionLibraries(_ payload: RawSpan) throws(SerializationError) -> [ByteString]
}

/// Why a value could not be written or read.
package enum SerializationError: Error {
    /// The format has no form for it; the text says why.
    case notExpressible(String)
    /// The version or the checksum around it is wrong, or it is cut.
    case wrongEnvelope
    /// It is not what its type says, or of a type that cannot be kept.
    case wrongContent
}
