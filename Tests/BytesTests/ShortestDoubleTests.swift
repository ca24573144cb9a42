import Bytes
import TestKit
import Testing

struct ShortestDoubleTests {
    private func text(_ value: Double) -> String {
        var writer = ByteWriter()
        writer.append(shortest: value)
        return writer.bytes.text
    }

    @Test(
        arguments: [
            (.leastNonzeroMagnitude, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"),
            (2.2250738585072014e-308, "2.2250738585072014e-308"), (1e-5, "0.00001"),
            (1.5e-6, "1.5e-6"), (1.5e-5, "0.000015"), (123_456.789e-10, "1.23456789e-5"),
            (4_611_686_018_427_387_904, "4611686018427387904"),
            (9.223372036854776e18, "9223372036854776000"), (1e19, "1e+19"),
            (12_345_678_901_234_567_168, "12345678901234567000"), (1.12345e22, "1.12345e+22"),
            (30_406_339.350827016, "3.0406339350827016e+7"),
            // A digit more than needed, as the algorithm has it.
            (75_186_169_999_999_991_808, "75186169999999990000"),
        ] as [(Double, String)]
    )
    func `a score is written as Valkey writes it`(value: Double, spelled: String) {
        #expect(text(value) == spelled)
        #expect(text(-value) == "-" + spelled)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `every number reads back the same`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            let spelled = text(value)
            #expect(DecimalText.parseDouble(ByteString(spelled).bytes) == value, "\(spelled)")
        }
    }
}
