import Bytes
import Structures

/// A string that is a HyperLogLog, to be changed.
package struct OpenHyperLogLog {
    let open: OpenEntry

    /// The sparse value has runs that do not make up all the registers.
    package struct Corrupt: Error {}

    private var encoding: HyperLogLog.Encoding? { HyperLogLog.encoding(of: open.entry.bytes) }

    /// Counts an element in; returns whether that changed a register.
    package func add(_ element: RawSpan) throws(Corrupt) -> Bool {
        let (register, value) = HyperLogLog.place(of: element)
        return try raise(register, to: value)
    }

    /// Raises a register to `value`; returns whether it was lower.
    package func raise(_ register: Int, to value: UInt8) throws(Corrupt) -> Bool {
        guard encoding == .sparse else { return raiseDense(register, to: value) }
        guard value <= HyperLogLog.greatestSparseValue else {
            try makeDense()
            return raiseDense(register, to: value)
        }
        return try raiseSparse(register, to: value)
    }

    private func raiseDense(_ register: Int, to value: UInt8) -> Bool {
        let isRaised = open.withMutableBytes(in: 0..<open.entry.bytes.byteCount) { bytes in
            HyperLogLog.raiseDenseRegister(register, of: &bytes, to: value)
        }
        if isRaised { forgetCardinality() }
        return isRaised
    }

    private func raiseSparse(_ register: Int, to value: UInt8) throws(Corrupt) -> Bool {
        let place = HyperLogLogRun.find(register, in: open.entry.bytes)
        guard let (offset, previous, before, run) = place else { throw Corrupt() }
        if !run.isZero, run.value >= value { return false }
        // The run becomes up to three: what is before the register, itself, what is after.
        let after = run.count - before - 1
        var runs = ByteWriter()
        if run.isZero {
            HyperLogLogRun.append(zeros: before, to: &runs)
            HyperLogLogRun.append(value, count: 1, to: &runs)
            HyperLogLogRun.append(zeros: after, to: &runs)
        } else {
            HyperLogLogRun.append(run.value, count: before, to: &runs)
            HyperLogLogRun.append(value, count: 1, to: &runs)
            HyperLogLogRun.append(run.value, count: after, to: &runs)
        }
        let growth = runs.count - run.byteCount
        let limit = unsafe open.keyspace.environment.pointee.limits.sparseBytes
        if growth > 0, open.entry.bytes.byteCount + growth > limit {
            try makeDense()
            return raiseDense(register, to: value)
        }
        let whole = unsafe open.splice(at: offset, removing: run.byteCount, adding: runs.count)
        unsafe UnsafeMutableRawBufferPointer(rebasing: whole[offset...]).store(runs.bytes)
        mergeRuns(from: previous)
        forgetCardinality()
        return true
    }

    /// Joins neighbours of the same value among the next five runs.
    private func mergeRuns(from start: Int) {
        var offset = start
        for _ in 0..<5 {
            let bytes = open.entry.bytes
            guard let run = HyperLogLogRun(bytes, at: offset) else { return }
            if !run.isZero, let next = HyperLogLogRun(bytes, at: offset + 1),
                next.value == run.value, next.count + run.count <= 4
            {
                unsafe open.splice(at: offset, removing: 1, adding: 0)
                open.withMutableBytes(in: 0..<open.entry.bytes.byteCount) { bytes in
                    let count = run.count + next.count
                    HyperLogLogRun.write(run.value, count: count, to: &bytes, at: offset)
                }
            } else {
                offset += run.byteCount
            }
        }
    }

    /// Turns a sparse value into a dense one; returns whether it was sparse.
    @discardableResult
    package func makeDense() throws(Corrupt) -> Bool {
        guard encoding == .sparse else { return false }
        var registers = HyperLogLogRegisters()
        guard registers.merge(open.entry.bytes) else { throw Corrupt() }
        var dense = ByteWriter(reserving: HyperLogLog.denseByteCount)
        dense.append(open.entry.bytes.part(from: 0, count: HyperLogLog.headerByteCount))
        dense.overwrite(at: 4, with: HyperLogLog.Encoding.dense.rawValue)
        registers.writeDense(to: &dense)
        open.setString(dense.bytes, as: .edited)
        return true
    }

    /// Notes what was estimated, until a register changes.
    package func setCardinality(_ cardinality: Int64) {
        open.withMutableBytes(in: 0..<open.entry.bytes.byteCount) { bytes in
            bytes.storeBytes(of: cardinality.littleEndian, toByteOffset: 8, as: Int64.self)
        }
    }

    /// Marks the noted estimate as out of date.
    package func forgetCardinality() {
        open.withMutableBytes(in: 0..<open.entry.bytes.byteCount) { bytes in
            let top = bytes.bytes.byte(at: 15) | 0x80
            bytes.storeBytes(of: top, toByteOffset: 15, as: UInt8.self)
        }
    }
}

extension OpenEntry {
    /// The value as a HyperLogLog, which `HyperLogLog.encoding(of:)` must have told it is.
    package var hyperLogLog: OpenHyperLogLog { OpenHyperLogLog(open: self) }
}

extension Keyspace {
    /// Adds `key`, which must be absent, with a HyperLogLog that has counted nothing.
    package func insertHyperLogLog(_ key: RawSpan) -> OpenHyperLogLog {
        let open = insertString(key)
        let empty = HyperLogLog.empty
        open.setString(empty.bytes, as: .edited)
        return OpenHyperLogLog(open: open)
    }
}
