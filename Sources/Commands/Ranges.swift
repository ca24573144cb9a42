import Bytes
import RESP

/// The elements that two positions name, the last included; negative ones count from the end.
///
/// Out of range is not an error: what is outside is cut off.
func slice(_ first: Int64, _ last: Int64, of count: Int) -> Range<Int> {
    let lower = max(first < 0 ? first + Int64(count) : first, 0)
    let upper = min(last < 0 ? last + Int64(count) : last, Int64(count) - 1)
    guard lower <= upper else { return 0..<0 }
    return Int(lower)..<(Int(upper) + 1)
}

/// The element that one position names, if there is one; negative ones count from the end.
func position(_ position: Int64, of count: Int) -> Int? {
    let index = position < 0 ? position + Int64(count) : position
    return index >= 0 && index < count ? Int(index) : nil
}

extension Request {
    /// The count at `index`: an integer that is not negative.
    func positiveInteger(_ index: Int) throws(CommandError) -> Int {
        guard let value = DecimalText.parseInteger(self[index]), value >= 0 else {
            throw .notPositive
        }
        return Int(value)
    }

    /// The integer at `index`, which must be `least` or more.
    func integer(_ index: Int, atLeast least: Int64, else text: String) throws(CommandError) -> Int
    {
        guard let value = DecimalText.parseInteger(self[index]), value >= least else {
            throw .text(text)
        }
        return Int(value)
    }
}
