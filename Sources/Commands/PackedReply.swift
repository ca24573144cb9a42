import Bytes
import RESP

extension ReplyWriter {
    /// A string that a packed value holds as bytes or as an integer.
    mutating func bulk(_ value: borrowing PackedValue) {
        switch value {
        case .integer(let integer): bulk(decimal: integer)
        case .bytes(let bytes): bulk(bytes)
        }
    }
}

extension PackedValue {
    /// The integer that the text spells, if it does.
    var integer: Int64? {
        switch self {
        case .integer(let integer): integer
        case .bytes(let bytes): DecimalText.parseInteger(bytes)
        }
    }
}
