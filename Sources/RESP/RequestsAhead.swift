/// Requests that were found in one go and are yet to be lent: where each ends, and its arguments.
///
/// Clients that pipeline have many requests in one piece of input. To know some of them ahead
/// lets whoever executes them ask the memory for what they will read.
///
/// All of it lies behind one pointer: a parser of more words is copied whenever it is lent.
@safe
struct RequestsAhead: ~Copyable, @unchecked Sendable {
    /// Memory can be asked for about so many things at a time.
    static let capacity = 16

    private struct Place {
        var end = 0
        /// Its arguments are those before this place in the table.
        var argumentEnd = 0
    }

    /// The counts (see `count` and `taken`), then the requests.
    private let places: UnsafeMutablePointer<Place>

    init() {
        unsafe places = .allocate(capacity: RequestsAhead.capacity + 1)
        unsafe places.initialize(repeating: Place(), count: RequestsAhead.capacity + 1)
    }

    deinit {
        unsafe places.deallocate()
    }

    private(set) var count: Int {
        get { unsafe places.pointee.end }
        nonmutating set { unsafe places.pointee.end = newValue }
    }

    /// How many of them were taken.
    private(set) var taken: Int {
        get { unsafe places.pointee.argumentEnd }
        nonmutating set { unsafe places.pointee.argumentEnd = newValue }
    }

    var isFull: Bool { count == RequestsAhead.capacity }
    var isEmpty: Bool { taken == count }

    /// Notes a request that ends at `end`, whose arguments are the last ones.
    mutating func append(end: Int, argumentEnd: Int) {
        precondition(!isFull, "no room for another request")
        count += 1
        unsafe places[count] = Place(end: end, argumentEnd: argumentEnd)
    }

    /// Where the next request ends.
    mutating func take() -> Int {
        taken += 1
        return end(of: taken - 1)
    }

    /// Where the request at `index` ends.
    func end(of index: Int) -> Int {
        precondition(index >= 0 && index < count, "no request has this index")
        return unsafe places[index + 1].end
    }

    /// The arguments of the request at `index`, by their places in the table.
    @inline(__always)
    func arguments(of index: Int) -> Range<Int> {
        precondition(index >= 0 && index < count, "no request has this index")
        let end = unsafe places[index + 1].argumentEnd
        return unsafe (index == 0 ? 0 : places[index].argumentEnd)..<end
    }

    mutating func removeAll() {
        count = 0
        taken = 0
    }
}
