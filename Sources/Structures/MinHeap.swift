/// What happens first: items with a deadline, the earliest on top.
///
/// Each item has a handle, by which its owner changes or removes it. A heap of four children
/// a place is half as deep as one of two and reads its children side by side.
///
///     places:     | deadline, slot | deadline, slot | ...        in heap order
///     slots:      | item, place    | item, place    | ...        by handle
public struct MinHeap<Item> {
    /// Names an item as long as it is here; a removed item's handle is given out again.
    public struct Handle: Hashable, Sendable {
        @usableFromInline let slot: Int32

        @inlinable
        init(slot: Int32) {
            self.slot = slot
        }
    }

    @usableFromInline
    struct Place {
        @usableFromInline var deadline: Int64
        @usableFromInline var slot: Int32

        @inlinable
        init(deadline: Int64, slot: Int32) {
            self.deadline = deadline
            self.slot = slot
        }
    }

    @usableFromInline
    struct Slot {
        @usableFromInline var item: Item?
        /// Where in the heap; for a free slot, the next free one.
        @usableFromInline var place: Int32

        @inlinable
        init(item: Item?, place: Int32) {
            self.item = item
            self.place = place
        }
    }

    @usableFromInline var places: [Place] = []
    @usableFromInline var slots: [Slot] = []
    @usableFromInline var firstFree: Int32 = -1

    /// A heap without items.
    @inlinable
    public init() {}

    /// How many items.
    @inlinable public var count: Int { places.count }

    /// Whether there are none.
    @inlinable public var isEmpty: Bool { places.isEmpty }

    /// The earliest deadline.
    @inlinable public var firstDeadline: Int64? { places.first?.deadline }

    /// Adds an item in O(log n).
    @inlinable
    public mutating func insert(_ item: Item, deadline: Int64) -> Handle {
        let slot = takeSlot()
        slots[Int(slot)].item = item
        places.append(Place(deadline: deadline, slot: slot))
        rise(places.count - 1)
        return Handle(slot: slot)
    }

    /// The item of a handle.
    @inlinable
    public func item(_ handle: Handle) -> Item {
        guard let item = slots[Int(handle.slot)].item else {
            preconditionFailure("the handle's item is gone")
        }
        return item
    }

    /// The deadline of a handle's item.
    @inlinable
    public func deadline(of handle: Handle) -> Int64 {
        places[place(of: handle)].deadline
    }

    /// Gives an item another deadline in O(log n).
    @inlinable
    public mutating func move(_ handle: Handle, to deadline: Int64) {
        let place = place(of: handle)
        let old = places[place].deadline
        places[place].deadline = deadline
        if deadline < old { rise(place) } else { sink(place) }
    }

    /// Removes an item in O(log n).
    @inlinable
    @discardableResult
    public mutating func remove(_ handle: Handle) -> Item {
        let place = place(of: handle)
        let item = freeSlot(handle.slot)
        let last = places.removeLast()
        guard place < places.count else { return item }
        let old = places[place].deadline
        places[place] = last
        slots[Int(last.slot)].place = Int32(place)
        if last.deadline < old { rise(place) } else { sink(place) }
        return item
    }

    /// Removes and returns the earliest item if its deadline is `now` or before.
    @inlinable
    public mutating func popFirst(dueAt now: Int64) -> Item? {
        guard let first = places.first, first.deadline <= now else { return nil }
        return remove(Handle(slot: first.slot))
    }

    @inlinable
    func place(of handle: Handle) -> Int {
        let slot = slots[Int(handle.slot)]
        precondition(slot.item != nil, "the handle's item is gone")
        return Int(slot.place)
    }

    @inlinable
    mutating func takeSlot() -> Int32 {
        let slot = firstFree
        guard slot >= 0 else {
            slots.append(Slot(item: nil, place: -1))
            return Int32(slots.count - 1)
        }
        firstFree = slots[Int(slot)].place
        return slot
    }

    @inlinable
    mutating func freeSlot(_ slot: Int32) -> Item {
        guard let item = slots[Int(slot)].item else {
            preconditionFailure("the handle's item is gone")
        }
        slots[Int(slot)] = Slot(item: nil, place: firstFree)
        firstFree = slot
        return item
    }

    @inlinable
    mutating func rise(_ start: Int) {
        let moving = places[start]
        var place = start
        while place > 0 {
            let parent = (place - 1) / 4
            guard moving.deadline < places[parent].deadline else { break }
            put(places[parent], at: place)
            place = parent
        }
        put(moving, at: place)
    }

    @inlinable
    mutating func sink(_ start: Int) {
        let moving = places[start]
        var place = start
        while true {
            let firstChild = 4 * place + 1
            guard firstChild < places.count else { break }
            var least = firstChild
            for child in firstChild + 1..<max(firstChild + 1, min(firstChild + 4, places.count))
            where places[child].deadline < places[least].deadline {
                least = child
            }
            guard places[least].deadline < moving.deadline else { break }
            put(places[least], at: place)
            place = least
        }
        put(moving, at: place)
    }

    @inlinable
    mutating func put(_ content: Place, at place: Int) {
        places[place] = content
        slots[Int(content.slot)].place = Int32(place)
    }

    /// Checks what must hold between any two calls; tests call it after every step.
    public func checkInvariants() {
        for (index, place) in places.enumerated() {
            precondition(Int(slots[Int(place.slot)].place) == index, "a slot's place is stale")
            precondition(slots[Int(place.slot)].item != nil, "a place has no item")
            guard index > 0 else { continue }
            precondition(places[(index - 1) / 4].deadline <= place.deadline, "not in heap order")
        }
        var free = firstFree
        var freeCount = 0
        while free >= 0 {
            freeCount += 1
            free = slots[Int(free)].place
        }
        precondition(freeCount + places.count == slots.count, "a slot is lost")
    }
}
