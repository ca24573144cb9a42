import Structures

/// A run of bytes too large for its key's block.
///
///     | length 8 B | capacity 8 B | bytes ... | room to grow |
@unsafe
struct Blob {
    static let headerByteCount = 16

    let address: UnsafeMutableRawPointer

    static func allocate(_ length: Int, capacity: Int, in arena: Arena) -> Blob {
        let blob = unsafe Blob(address: arena.allocate(headerByteCount + capacity))
        unsafe blob.address.storeBytes(of: length, as: Int.self)
        unsafe blob.address.storeBytes(of: capacity, toByteOffset: 8, as: Int.self)
        return unsafe blob
    }

    var length: Int { unsafe address.load(as: Int.self) }
    var capacity: Int { unsafe address.load(fromByteOffset: 8, as: Int.self) }
    var bytes: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: address + Blob.headerByteCount, count: length)
    }

    func free(in arena: Arena) {
        unsafe arena.free(address, Blob.headerByteCount + capacity)
    }

    /// The blob with another length; what is added is not initialised.
    ///
    /// Grows by half, at most 1 MiB, beyond what is asked, so that appending is cheap; gives
    /// memory back when less than a quarter is used.
    func resized(to newLength: Int, in arena: Arena) -> Blob {
        let capacity = unsafe self.capacity
        var moved = unsafe self
        if newLength > capacity || newLength < capacity / 4 {
            let grows = newLength > capacity
            let newCapacity = grows ? newLength + min(newLength / 2, 1 << 20) : newLength
            unsafe moved = Blob(
                address: arena.reallocate(
                    address,
                    from: Blob.headerByteCount + capacity,
                    to: Blob.headerByteCount + newCapacity
                )
            )
            unsafe moved.address.storeBytes(of: newCapacity, toByteOffset: 8, as: Int.self)
        }
        unsafe moved.address.storeBytes(of: newLength, as: Int.self)
        return unsafe moved
    }
}
