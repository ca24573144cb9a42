import Commands
import RESP
import TestKit
import Testing

struct GeoTests {
    let engine = EngineDriver()

    @Test(arguments: ["-9223372036854775808", "9223372036854775807", "2147483648", "x"])
    func `a count of corners that no number holds is refused`(count: String) {
        let refusal: Reply = "-ERR invalid number of vertices"
        #expect(engine("GEOSEARCH key BYPOLYGON \(count) 1 1 2 2 3 1 ASC") == refusal)
    }
}
