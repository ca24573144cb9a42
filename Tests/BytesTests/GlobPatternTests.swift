import Bytes
import Testing

struct GlobPatternTests {
    private func matches(_ pattern: String, _ text: String, ignoringCase: Bool = false) -> Bool {
        matches(Array(pattern.utf8), Array(text.utf8), ignoringCase: ignoringCase)
    }

    private func matches(
        _ pattern: [UInt8],
        _ text: [UInt8],
        ignoringCase: Bool = false
    ) -> Bool {
        let glob = GlobPattern(pattern.bytes, ignoringCase: ignoringCase)
        return glob.matches(text.bytes)
    }

    @Test(arguments: [
        ("", ""), ("*", "a"), ("**", "ab"), ("a*", "a"), ("a*", "abc"), ("*c", "abc"),
        ("a*c", "ac"), ("a*b*c", "axbxbc"), ("?", "x"), ("h?llo", "hello"), ("[abc]", "b"),
        ("[a-c]x", "bx"), ("[c-a]", "b"), ("[^a]", "b"), ("[^a-c]", "d"), ("\\*", "*"),
        ("[\\]]", "]"), ("a\\", "a\\"), ("[ab", "a"), ("[a-", "-"), ("*[ab", "xb"),
        ("[\\", "\\"), ("user:*:[0-9]?", "user:a:b:12"),
    ])
    func `takes`(pattern: String, text: String) {
        #expect(matches(pattern, text))
    }

    @Test(arguments: [
        ("", "a"), ("*", ""), ("a", ""), ("?", ""), ("a*c", "ab"), ("[abc]", "d"), ("[^a]", "a"),
        ("[]", "a"), ("\\*", "a"), ("a", "A"), ("*a", "ab"), ("a?", "a"), ("[ab", "ab"),
    ])
    func `refuses`(pattern: String, text: String) {
        #expect(!matches(pattern, text))
    }

    @Test func `letters may be compared without case`() {
        #expect(matches("HeL[J-m]o", "hELLO", ignoringCase: true))
        #expect(matches("[L]", "l", ignoringCase: true))
        #expect(!matches("[\\L]", "l", ignoringCase: true))
    }

    @Test func `bytes from 0x80 on come before 0x00 in a range`() {
        let range = [UInt8](ByteString("[").array + [0x01, 0x2D, 0xFF] + ByteString("]").array)
        #expect(matches(range, [0x00]))
        #expect(!matches(range, [0x02]))
    }

    @Test func `many stars take no longer than few`() {
        let pattern = String(repeating: "a*", count: 5000) + "b"
        #expect(!matches(pattern, String(repeating: "a", count: 20000)))
    }

    @Test func `a lone star is known`() {
        let star = ByteString("*")
        let other = ByteString("*a")
        let isEverything = GlobPattern(star.bytes).matchesEverything
        let isNotEverything = GlobPattern(other.bytes).matchesEverything
        #expect(isEverything && !isNotEverything)
    }
}
