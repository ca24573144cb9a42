import Glibc

/// The clients by the slot of their session; a client stays where it is in memory.
///
/// The handle copies freely; whoever made the table destroys it. The subscript gives the client in place, so that one of its parts can be used while a
/// command looks at another. Nothing frees a client but `remove`, which the loop calls at the
/// end of a turn and at no other time.
@safe
struct ClientTable {
    /// Reserved address space for more clients than a process can have descriptors; memory is
    /// used only for as many as there were at once.
    private let places: UnsafeMutablePointer<UnsafeMutablePointer<Client>?>
    private let state: UnsafeMutablePointer<State>

    private struct State {
        var count = 0
        var slotCount = 0
    }

    var count: Int { unsafe state.pointee.count }
    /// One more than the last slot ever used.
    var slotCount: Int { unsafe state.pointee.slotCount }

    static let capacity = 1 << 20
    private static let byteCount = capacity * MemoryLayout<Int>.size

    init() {
        // Zeroed by the system, a page when it is first used: nil is zero.
        let mapped = unsafe mmap(
            nil,
            Self.byteCount,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
            -1,
            0
        )
        guard let room = unsafe mapped, unsafe room != MAP_FAILED else {
            preconditionFailure("out of memory: no address space for clients")
        }
        unsafe places = room.bindMemory(
            to: UnsafeMutablePointer<Client>?.self,
            capacity: Self.capacity
        )
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State())
    }

    /// Removes every client and gives the memory back.
    func destroy() {
        for slot in 0..<slotCount where hasClient(slot) { remove(slot) }
        unsafe state.deallocate()
        unsafe munmap(places, Self.byteCount)
    }

    /// Whether a slot has a client.
    func hasClient(_ slot: Int) -> Bool {
        unsafe slot < slotCount && places[slot] != nil
    }

    /// The client in a slot, which must have one.
    subscript(slot: Int) -> Client {
        unsafeAddress { unsafe UnsafePointer(place(slot)) }
        nonmutating unsafeMutableAddress { unsafe place(slot) }
    }

    @unsafe
    private func place(_ slot: Int) -> UnsafeMutablePointer<Client> {
        guard slot >= 0, slot < Self.capacity, let place = unsafe places[slot] else {
            preconditionFailure("no client has slot \(slot)")
        }
        return unsafe place
    }

    func insert(_ client: consuming Client, at slot: Int) {
        precondition(!hasClient(slot), "the slot has a client")
        let place = UnsafeMutablePointer<Client>.allocate(capacity: 1)
        unsafe place.initialize(to: client)
        unsafe places[slot] = place
        unsafe state.pointee.count += 1
        unsafe state.pointee.slotCount = max(slotCount, slot + 1)
    }

    func remove(_ slot: Int) {
        let place = unsafe place(slot)
        unsafe place.deinitialize(count: 1)
        unsafe place.deallocate()
        unsafe places[slot] = nil
        unsafe state.pointee.count -= 1
    }
}
