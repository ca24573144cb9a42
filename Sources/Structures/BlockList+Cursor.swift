import Bytes

/// A place between two elements of a `BlockList`, from which to step either way.
@safe
public struct BlockListCursor: ~Escapable {
    @usableFromInline let ring: UnsafeMutablePointer<ListBlock>?
    @usableFromInline let mask: Int
    @usableFromInline let head: Int
    @usableFromInline let blocks: Int
    @usableFromInline var ordinal: Int
    /// Elements of the block before this place, and behind it.
    @usableFromInline var before: Int
    @usableFromInline var behind: Int
    @usableFromInline var place: UnsafeMutableRawPointer?

    @_lifetime(borrow list)
    init(_ list: borrowing BlockList, index: Int) {
        unsafe ring = unsafe list.ring
        mask = list.ringCapacity - 1
        head = list.head
        blocks = list.blocks
        guard list.blocks > 0 else {
            ordinal = 0
            before = 0
            behind = 0
            unsafe place = nil
            return
        }
        (ordinal, before) = list.locate(index)
        let block = list[ordinal]
        behind = block.count - before
        unsafe place = unsafe block.first + block.offset(of: before)
    }

    @inlinable var block: ListBlock {
        unsafe ring.unsafelyUnwrapped[(head &+ ordinal) & mask]
    }

    /// The element behind this place, or nil at the end; moves past it.
    ///
    /// Its bytes are valid as long as the list does not change.
    @inlinable
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func next() -> PackedValue? {
        if behind == 0 {
            guard ordinal &+ 1 < blocks else { return nil }
            ordinal &+= 1
            before = 0
            behind = block.count
            unsafe place = unsafe block.first
        }
        before &+= 1
        behind &-= 1
        let entry = unsafe PackedEntry(at: place.unsafelyUnwrapped)
        if block.isPlain {
            unsafe place = unsafe block.end
            return .bytes(block.bytes)
        }
        unsafe place = unsafe entry.place + entry.byteCount
        return unsafe entry.value
    }

    /// The element before this place, or nil at the start; moves before it.
    ///
    /// Its bytes are valid as long as the list does not change.
    @inlinable
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func previous() -> PackedValue? {
        if before == 0 {
            guard ordinal > 0 else { return nil }
            ordinal &-= 1
            before = block.count
            behind = 0
            unsafe place = unsafe block.end
        }
        before &-= 1
        behind &+= 1
        if block.isPlain {
            unsafe place = unsafe block.first
            return .bytes(block.bytes)
        }
        let entry = unsafe PackedEntry(before: place.unsafelyUnwrapped)
        unsafe place = unsafe entry.place
        return unsafe entry.value
    }
}

extension BlockList {
    /// The place before the element at `index`; `count` is the one behind the last.
    @_lifetime(borrow self)
    public func cursor(at index: Int) -> BlockListCursor {
        precondition(index >= 0 && index <= elements, "no element has this index")
        return BlockListCursor(self, index: index)
    }
}
