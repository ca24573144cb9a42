import Bytes
import RESP

/// What a request says of the deadline of what it writes: one of EX, PX, EXAT, PXAT with a
/// number, or KEEPTTL, or PERSIST.
///
/// The words are taken while the arguments are read; the number is looked at afterwards, because
/// a wrong word anywhere comes before a wrong number.
struct DeadlineOption {
    enum Choice: Equatable {
        case unsaid
        case keep
        case persist
        case given(Form)
    }

    /// How a number gives a moment.
    enum Form: Equatable {
        case seconds
        case milliseconds
        case secondsSince1970
        case millisecondsSince1970
    }

    private(set) var choice = Choice.unsaid
    /// Where the number is among the arguments.
    private var index = 0

    /// Nothing said yet.
    init() {}

    /// As if `form` had been given with the number at `index`.
    init(_ form: Form, at index: Int) {
        choice = .given(form)
        self.index = index
    }

    /// Whether a moment was given.
    var isGiven: Bool {
        if case .given = choice { return true }
        return false
    }

    /// Takes the word at `index`, and its number, if it is one of these; a word that contradicts
    /// an earlier one is not taken.
    mutating func take(
        _ request: borrowing Request,
        _ index: inout Int,
        before end: Int? = nil,
        keep: Bool = false,
        persist: Bool = false
    ) -> Bool {
        if keep, request.is(index, "keepttl") { return choose(.keep) }
        if persist, request.is(index, "persist") { return choose(.persist) }
        guard index + 1 < end ?? request.count, let form = DeadlineOption.form(request[index]),
            choose(.given(form))
        else { return false }
        index += 1
        self.index = index
        return true
    }

    private mutating func choose(_ wanted: Choice) -> Bool {
        guard choice == .unsaid || choice == wanted else { return false }
        choice = wanted
        return true
    }

    private static func form(_ word: RawSpan) -> Form? {
        if word.equalsIgnoringCase("ex") { return .seconds }
        if word.equalsIgnoringCase("px") { return .milliseconds }
        if word.equalsIgnoringCase("exat") { return .secondsSince1970 }
        if word.equalsIgnoringCase("pxat") { return .millisecondsSince1970 }
        return nil
    }

    /// The moment that was given, in milliseconds since 1970; nil if none was.
    ///
    /// Numbers below `least` are refused.
    func moment(
        _ request: borrowing Request,
        now: Int64,
        command: StaticString,
        least: Int64 = 1
    ) throws(CommandError) -> Int64? {
        guard case .given(let form) = choice else { return nil }
        let number = try request.integer(index)
        guard number >= least, let moment = form.moment(number, now: now) else {
            throw .invalidExpire(command: "\(command)")
        }
        return moment
    }
}

extension DeadlineOption.Form {
    /// The moment that `number` means, unless it is too far away to be told.
    func moment(_ number: Int64, now: Int64) -> Int64? {
        switch self {
        case .millisecondsSince1970: return number
        case .secondsSince1970:
            let (moment, overflows) = number.multipliedReportingOverflow(by: 1000)
            return overflows ? nil : moment
        case .milliseconds:
            let (moment, overflows) = number.addingReportingOverflow(now)
            return overflows ? nil : moment
        case .seconds:
            guard let span = Self.secondsSince1970.moment(number, now: now) else { return nil }
            return Self.milliseconds.moment(span, now: now)
        }
    }
}
