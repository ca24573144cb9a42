import Bytes
import Glibc
import TestKit
import Testing

struct DecimalTextTests {
    private func text(_ body: (inout ByteWriter) -> Void) -> String {
        var writer = ByteWriter()
        body(&writer)
        return writer.bytes.text
    }

    private func integer(_ text: String) -> Int64? {
        DecimalText.parseInteger(ByteString(text).bytes)
    }

    @Test(arguments: [0, 1, -1, 9, 10, -10, 99, 100, 1 << 53, Int64.max, Int64.min])
    func `integers read back as written`(value: Int64) {
        let spelled = text { $0.append(decimal: value) }
        #expect(spelled == "\(value)")
        #expect(integer(spelled) == value)
        #expect(DecimalText.byteCount(of: value) == spelled.utf8.count)
    }

    @Test(arguments: [
        "", "-", "+1", "01", "-0", " 1", "1 ", "1.0", "0x10", "9223372036854775808",
        "-9223372036854775809", "99999999999999999999", "123456789012345678901",
    ])
    func `what is not canonical is not an integer`(spelled: String) {
        #expect(integer(spelled) == nil)
    }

    @Test(
        arguments: [
            (0.1, "0.1"), (-2.5, "-2.5"), (3, "3"), (1e17, "100000000000000000"), (1e-7, "1e-7"),
            (0.000001, "0.000001"), (1.7976931348623157e308, "1.7976931348623157e+308"),
            (123456.789, "123456.789"), (.infinity, "inf"),
            (-.infinity, "-inf"), (-0.0, "-0"), (9_007_199_254_740_992, "9007199254740992"),
        ] as [(Double, String)]
    )
    func `doubles take their shortest text`(value: Double, spelled: String) {
        #expect(text { $0.append(shortest: value) } == spelled)
        #expect(DecimalText.parseDouble(ByteString(spelled).bytes) == value)
    }

    @Test(arguments: ["", " 1", "1 ", "nan", "1x", "--1", "1e", ".", "0x10", "+", "infin"])
    func `what is not a number in digits is not a double`(spelled: String) {
        #expect(DecimalText.parseDouble(ByteString(spelled).bytes) == nil)
    }

    /// The C library is the twin, which takes every digit into account.
    @Test func `digits that need more than a double's own are rounded once`() {
        var random = SeededGenerator(seed: 17)
        for round in 0..<100_000 {
            // Every other one lies in the middle between two doubles, or next to it.
            let digits =
                round % 2 == 0
                ? random.next() % 10_000_000_000_000_000_000
                : (1 << 53 + random.next() % (1 << 53)) << 9 - 1 + random.next() % 3
            let exponent = round % 4 < 2 ? 0 : Int(random.next() % 60) - 30
            let spelled = "\(digits)e\(exponent)"
            #expect(DecimalText.parseDouble(ByteString(spelled).bytes) == strtod(spelled, nil))
        }
    }
}
