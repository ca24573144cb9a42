import Bytes

/// How a string begins.
///
///     length n, n bytes              as it is
///     C0 + i8                        the text of an integer
///     C1 + i16 LE                    the text of an integer
///     C2 + i32 LE                    the text of an integer
///     C3, length c, length u         LZF: the c bytes that follow expand to u
///
/// Example: `1000` is `C1 E8 03`.
enum StringForm {
    case plain(count: Int)
    case integer(Int64)
    case compressed(count: Int, byteCount: Int)

    /// The special encoding that integers have as elements that an `ElementSource` gives, and that
    /// no file has: C4 + i64 LE.
    static let elementKind: UInt8 = 4
}
