import Bytes

/// The registers of one value or of the union of several, a byte each.
package struct HyperLogLogRegisters: ~Copyable {
    private var registers = [UInt8](repeating: 0, count: HyperLogLog.registerCount)

    /// All registers are 0.
    package init() {}

    /// The register at `index`.
    package subscript(index: Int) -> UInt8 { registers[index] }

    /// Raises each register to that of a value; returns false if a sparse one is corrupt.
    package mutating func merge(_ bytes: RawSpan) -> Bool {
        if HyperLogLog.encoding(of: bytes) == .dense {
            mergeDense(bytes)
            return true
        }
        var offset = HyperLogLog.headerByteCount
        var index = 0
        while let run = HyperLogLogRun(bytes, at: offset) {
            offset += run.byteCount
            guard index + run.count <= registers.count else { return false }
            if !run.isZero {
                for register in index..<index + run.count where registers[register] < run.value {
                    registers[register] = run.value
                }
            }
            index += run.count
        }
        return index == registers.count && offset == bytes.byteCount
    }

    private mutating func mergeDense(_ bytes: RawSpan) {
        // Four registers are three bytes.
        for group in 0..<registers.count / 4 {
            let offset = HyperLogLog.headerByteCount + group * 3
            var word = UInt32(bytes.byte(at: offset))
            word |= UInt32(bytes.byte(at: offset + 1)) << 8
            word |= UInt32(bytes.byte(at: offset + 2)) << 16
            for index in group * 4..<group * 4 + 4 {
                registers[index] = max(registers[index], UInt8(word & 63))
                word >>= 6
            }
        }
    }

    /// Appends the registers in the dense form, without a header.
    package func writeDense(to writer: inout ByteWriter) {
        for group in 0..<registers.count / 4 {
            var word: UInt32 = 0
            for index in (group * 4..<group * 4 + 4).reversed() {
                word = word << 6 | UInt32(registers[index])
            }
            writer.append(UInt8(truncatingIfNeeded: word))
            writer.append(UInt8(truncatingIfNeeded: word >> 8))
            writer.append(UInt8(truncatingIfNeeded: word >> 16))
        }
    }

    /// About how many different elements there were.
    ///
    /// Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017: needs no
    /// tables and no special cases for few and for many elements.
    package var cardinality: Int64 {
        var histogram = [Int](repeating: 0, count: 64)
        for register in registers { histogram[Int(register)] += 1 }
        let count = Double(registers.count)
        let highest = HyperLogLog.hashBits + 1
        var sum = count * tau((count - Double(histogram[highest])) / count)
        for value in stride(from: HyperLogLog.hashBits, through: 1, by: -1) {
            sum += Double(histogram[value])
            sum *= 0.5
        }
        sum += count * sigma(Double(histogram[0]) / count)
        // 0.5 / ln 2
        let factor = 0.721347520444481703680
        return Int64((factor * count * count / sum).rounded(.toNearestOrAwayFromZero))
    }

    private func sigma(_ share: Double) -> Double {
        if share == 1 { return .infinity }
        var power = share
        var weight = 1.0
        var sum = share
        var previous: Double
        repeat {
            power *= power
            previous = sum
            sum += power * weight
            weight += weight
        } while previous != sum
        return sum
    }

    private func tau(_ share: Double) -> Double {
        if share == 0 || share == 1 { return 0 }
        var root = share
        var weight = 1.0
        var sum = 1 - share
        var previous: Double
        repeat {
            root = root.squareRoot()
            previous = sum
            weight *= 0.5
            sum -= (1 - root) * (1 - root) * weight
        } while previous != sum
        return sum / 3
    }
}
