import Bytes
import RDB

/// Puts the pieces of a vector set of Redis 8 together: its elements.
///
///     dimension, count, quantisation + 65536…, flags   numbers; quantisation in the low 8 bits:
///                                                      0 = f32 LE, 1 = i8, 2 = one bit each
///     flag 1: a dimension and a matrix of a projection
///     each element: name, flag 2: attributes; vector   strings
///         count of numbers, the numbers: links, and last the length of the vector as f32,
///         with i8 also what 127 stands for in the upper half
///
/// Links are how a server finds its way, and another after each load: they are no content.
package struct VectorSetItems {
    /// An element.
    package struct Element {
        /// What it is called.
        package var name: ByteString
        /// Text of JSON, if the set has such; empty if this element has none.
        package var attributes: ByteString?
        /// The normalised vector, as the quantisation says.
        package var vector: ByteString
        /// What was said of it last: its length, and the range of its numbers.
        package var measures: UInt64
    }

    /// Whether values of a module are such.
    package static func are(of module: ModuleID) -> Bool {
        module.name == "vectorset" && module.version == 0
    }

    private var head: [UInt64] = []
    private var strings: [ByteString] = []
    private var isInElements = false
    private var lastNumber: UInt64 = 0

    /// Starts with no piece.
    package init() {}

    /// How many numbers a vector has.
    package var dimension: UInt64 { head.first ?? 0 }
    /// How they are kept.
    package var quantisation: UInt64 { head.count > 2 ? head[2] & 0xFF : 0 }
    private var hasProjection: Bool { head.count >= 4 && head[3] & 1 != 0 }
    private var hasAttributes: Bool { head.count >= 4 && head[3] & 2 != 0 }

    /// Takes the next piece; an element that it shows to be complete.
    package mutating func take(_ item: ModuleItem) -> Element? {
        switch item {
        case .unsigned(let number):
            if head.count < (hasProjection ? 5 : 4) { head.append(number) }
            lastNumber = number
            return nil
        case .string(let value):
            // The first is the matrix of a projection.
            let isMatrix = hasProjection && !isInElements
            isInElements = true
            let element = finish()
            if !isMatrix { strings.append(value.byteString) }
            return element
        default:
            return nil
        }
    }

    /// The last element, after the last piece.
    package mutating func finish() -> Element? {
        guard strings.count == (hasAttributes ? 3 : 2), let vector = strings.last else {
            return nil
        }
        let element = Element(
            name: strings[0],
            attributes: hasAttributes ? strings[1] : nil,
            vector: vector,
            measures: lastNumber
        )
        strings.removeAll(keepingCapacity: true)
        return element
    }
}
