import Bytes
import Foundation
import Inspect
import TestKit
import Testing

struct `Text for people` {
    @Test
    func `shows any bytes and takes them back`() {
        var generator = SeededGenerator(seed: 3)
        for count in 0..<300 {
            let bytes = ByteString(
                (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            )
            let text = EscapedText.escape(bytes.bytes)
            #expect(EscapedText.unescape(text) == bytes)
            #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
        }
    }

    @Test(arguments: [
        ("größe", "größe"), ("a\\b", "a\\\\b"), ("a\nb", "a\\x0ab"),
        ("\u{202E}x", "\\xe2\\x80\\xaex"),
        ("\u{85}", "\\xc2\\x85"), ("日本", "日本"),
    ])
    func `leaves what can be read`(text: String, expected: String) {
        #expect(EscapedText.escape(ByteString(text).bytes) == expected)
    }

    @Test
    func `of which an escape is not whole is refused`() {
        #expect(EscapedText.unescape("a\\") == nil)
        #expect(EscapedText.unescape("\\x1") == nil)
        #expect(EscapedText.unescape("\\q") == nil)
    }

    @Test
    func `is JSON that others read`() throws {
        var generator = SeededGenerator(seed: 5)
        for count in 0..<200 {
            let isText = count % 2 == 0
            let bytes: [UInt8] =
                isText
                ? Array(
                    String(
                        (0..<count).map { _ in
                            "aä\"\\\n\u{1}日😀 ".randomElement(using: &generator) ?? "a"
                        }
                    ).utf8
                )
                : (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            var writer = ByteWriter()
            writer.append(json: bytes.bytes)
            let data = Data(ByteString(writer.bytes).array)
            let found = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
            if let text = found as? String {
                #expect(Array(text.utf8) == bytes)
            } else {
                let base64 = (found as? [String: String])?["b64"]
                #expect(Data(base64Encoded: base64 ?? "").map(Array.init) == bytes)
            }
        }
    }

    @Test(
        arguments: [
            (0, "1970-01-01 00:00:00"), (951_782_400_000, "2000-02-29 00:00:00"),
            (4_102_444_800_000, "2100-01-01 00:00:00"), (-1000, "1969-12-31 23:59:59"),
            (1_764_111_551_000, "2025-11-25 22:59:11"),
        ] as [(Int64, String)]
    )
    func `tells moments as calendars do`(milliseconds: Int64, text: String) {
        #expect(Moments.text(milliseconds) == text)
        #expect(Moments.parse(text, now: 0) == milliseconds)
        #expect(
            Moments.parse(text.replacingOccurrences(of: " ", with: "T") + "Z", now: 0)
                == milliseconds
        )
    }

    @Test(
        arguments: [
            ("90s", 90_000), ("15min", 900_000), ("12h", 43_200_000), ("7d", 604_800_000),
            ("-1d", -86_400_000), ("123", 123),
        ] as [(String, Int64)]
    )
    func `reads intervals from now on`(text: String, expected: Int64) {
        #expect(Moments.parse(text, now: 0) == expected)
    }

    @Test(arguments: [
        "", "x", "1x", "2024-13-01", "2024-01-01T25:00", "--1d", "99999999999999999999d",
    ])
    func `is refused if it is no moment`(text: String) {
        #expect(Moments.parse(text, now: 0) == nil)
    }

    @Test
    func `tells and reads amounts`() {
        #expect(Quantities.count(1_234_567) == "1,234,567")
        #expect(Quantities.count(-1234) == "-1,234")
        #expect(Quantities.bytes(999) == "999 B")
        #expect(Quantities.bytes(1500) == "1.50 kB")
        #expect(Quantities.bytes(123_456_789) == "123 MB")
        #expect(Quantities.parseBytes("10kb") == 10_240)
        #expect(Quantities.parseBytes("10k") == 10_000)
        #expect(Quantities.parseBytes("1 kb") == nil)
        #expect(Quantities.parseBytes("99999999999999gb") == nil)
    }
}
