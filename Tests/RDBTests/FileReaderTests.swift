import Bytes
import Foundation
import RDB
import Testing

struct FileReaderTests {
    @Test(arguments: Fixture.all(kind: "rdb"))
    func `reads what the server said was in its file`(fixture: Fixture) throws {
        let description = try fixture.description()
        let file = try fixture.file()
        guard !(description["content_from"] is NSNull) else {
            // No server could load it; what is asked here is only that it ends in an orderly way.
            _ = try? Content(reading: file)
            return
        }
        for reporting in [Reporting.elements, .encoded] {
            var differences = Differences()
            let content = try Content(reading: file, reporting: reporting)
            differences.compare(content, description)
            #expect(differences.found == [])
        }
    }

    @Test(arguments: Fixture.all(kind: "rdb", isCorrupt: true))
    func `refuses what is damaged and takes what is merely odd`(fixture: Fixture) throws {
        let file = try fixture.file()
        let found: RDBError?
        do {
            _ = try Content(reading: file, validation: .deep)
            found = nil
        } catch {
            found = error
        }
        switch try fixture.description()["expect"] as? String {
        case "refuse": #expect(found != nil)
        case "accept": #expect(found == nil)
        default: break
        }
    }

    @Test(arguments: Fixture.all(kind: "rdb"))
    func `any cut into pieces reads the same`(fixture: Fixture) throws {
        let file = try fixture.file()
        guard file.count < 20_000, let whole = try? Content(reading: file) else { return }
        for pieceByteCount in [1, 7, 4096] {
            let pieces = try Content(reading: file, pieceByteCount: pieceByteCount)
            #expect(pieces == whole)
        }
    }
    @Test(arguments: Fixture.all(kind: "rdb"))
    func `strings in parts are the same strings`(fixture: Fixture) throws {
        let file = try fixture.file()
        guard file.count < 20_000, let whole = try? Content(reading: file) else { return }
        for limit in [0, 1, 20, 63, 300] {
            let parts = try Content(
                reading: file,
                pieceByteCount: limit + 1,
                largestWholeString: limit
            )
            #expect(parts == whole)
        }
    }
}
