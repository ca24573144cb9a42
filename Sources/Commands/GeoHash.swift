import Glibc

/// A position on earth, in degrees.
struct GeoPosition {
    var longitude: Double
    var latitude: Double

    static let greatestLatitude = 85.05112878

    /// As far north and south as the Mercator projection reaches.
    var isValid: Bool {
        abs(longitude) <= 180 && abs(latitude) <= GeoPosition.greatestLatitude
    }

    /// Meters to another position, on a sphere, by the haversine formula.
    func distance(to other: GeoPosition) -> Double {
        let v = sin((radians(other.longitude) - radians(longitude)) / 2)
        if v == 0 { return GeoPosition.distance(fromLatitude: latitude, to: other.latitude) }
        let one = radians(latitude)
        let another = radians(other.latitude)
        let u = sin((another - one) / 2)
        let a = u * u + cos(one) * cos(another) * v * v
        return 2 * earthRadius * asin(a.squareRoot())
    }

    /// Meters between two latitudes.
    static func distance(fromLatitude one: Double, to other: Double) -> Double {
        earthRadius * abs(radians(other) - radians(one))
    }
}

/// In meters.
let earthRadius = 6372797.560856

func radians(_ degrees: Double) -> Double { degrees * (Double.pi / 180) }
func degrees(_ radians: Double) -> Double { radians / (Double.pi / 180) }

/// A rectangle of longitudes and latitudes.
struct GeoBox {
    var least: GeoPosition
    var greatest: GeoPosition
}

/// A cell of the earth's surface: each step halves it in both directions.
///
/// The bits of latitude and longitude are interleaved, latitude in the even places, so that the
/// numbers of neighbours begin alike (Niemeyer's geohash). Scores of sorted sets hold cells of
/// 26 steps: 52 bits, which a double holds exactly.
struct GeoHash: Equatable {
    var bits: UInt64
    var step: Int

    static let finestStep = 26

    /// The cell of `step` steps that holds a position.
    init(
        _ position: GeoPosition,
        step: Int,
        greatestLatitude: Double = GeoPosition.greatestLatitude
    ) {
        let scale = Double(1 << step)
        let row = (position.latitude + greatestLatitude) / (2 * greatestLatitude) * scale
        let column = (position.longitude + 180) / 360 * scale
        // The greatest of all is beyond the last cell; servers let it be there.
        bits = GeoHash.spread(UInt32(row)) | GeoHash.spread(UInt32(column)) << 1
        self.step = step
    }

    /// The cell that a score holds; numbers that are no cell give what the processor makes of
    /// them, as in other servers.
    init(score: Double) {
        step = GeoHash.finestStep
        let half = 9_223_372_036_854_775_808.0
        if score < half {
            bits = score >= -half ? UInt64(bitPattern: Int64(score)) : 1 << 63
        } else {
            bits = score < 2 * half ? UInt64(score) : 0
        }
    }

    /// What the cell covers.
    var box: GeoBox {
        let row = Double(GeoHash.gather(bits))
        let column = Double(GeoHash.gather(bits >> 1))
        let scale = Double(1 << step)
        let height = 2 * GeoPosition.greatestLatitude
        func latitude(_ row: Double) -> Double {
            -GeoPosition.greatestLatitude + row / scale * height
        }
        func longitude(_ column: Double) -> Double { -180 + column / scale * 360 }
        return GeoBox(
            least: GeoPosition(longitude: longitude(column), latitude: latitude(row)),
            greatest: GeoPosition(longitude: longitude(column + 1), latitude: latitude(row + 1))
        )
    }

    /// The middle of the cell.
    var position: GeoPosition {
        let box = self.box
        let longitude = (box.least.longitude + box.greatest.longitude) / 2
        let latitude = (box.least.latitude + box.greatest.latitude) / 2
        let limit = GeoPosition.greatestLatitude
        return GeoPosition(
            longitude: min(max(longitude, -180), 180),
            latitude: min(max(latitude, -limit), limit)
        )
    }

    /// The scores of the finest cells in this one.
    var scores: Range<UInt64> {
        let shift = UInt64(52 - 2 * step)
        return (bits << shift)..<((bits + 1) << shift)
    }

    /// The cell so many columns to the east and rows to the north, around the earth.
    func moved(east: Int, north: Int) -> GeoHash {
        let mask = UInt64(1) << UInt64(2 * step) - 1
        let columns = 0xAAAA_AAAA_AAAA_AAAA & mask
        let rows = 0x5555_5555_5555_5555 & mask
        var moved = self
        let column = GeoHash.add(east, to: bits & 0xAAAA_AAAA_AAAA_AAAA, among: columns, gaps: rows)
        let row = GeoHash.add(north, to: bits & 0x5555_5555_5555_5555, among: rows, gaps: columns)
        moved.bits =
            (east == 0 ? bits & 0xAAAA_AAAA_AAAA_AAAA : column)
            | (north == 0 ? bits & 0x5555_5555_5555_5555 : row)
        return moved
    }

    /// One more or less among every second bit: the gaps carry over, or lend.
    private static func add(
        _ difference: Int,
        to bits: UInt64,
        among places: UInt64,
        gaps: UInt64
    ) -> UInt64 {
        let sum = difference > 0 ? bits &+ (gaps &+ 1) : (bits | gaps) &- (gaps &+ 1)
        return sum & places
    }

    /// Puts the bits of a number into the even places.
    private static func spread(_ number: UInt32) -> UInt64 {
        var bits = UInt64(number)
        bits = (bits | bits << 16) & 0x0000_FFFF_0000_FFFF
        bits = (bits | bits << 8) & 0x00FF_00FF_00FF_00FF
        bits = (bits | bits << 4) & 0x0F0F_0F0F_0F0F_0F0F
        bits = (bits | bits << 2) & 0x3333_3333_3333_3333
        return (bits | bits << 1) & 0x5555_5555_5555_5555
    }

    /// Takes a number out of the even places.
    private static func gather(_ spread: UInt64) -> UInt32 {
        var bits = spread & 0x5555_5555_5555_5555
        bits = (bits | bits >> 1) & 0x3333_3333_3333_3333
        bits = (bits | bits >> 2) & 0x0F0F_0F0F_0F0F_0F0F
        bits = (bits | bits >> 4) & 0x00FF_00FF_00FF_00FF
        bits = (bits | bits >> 8) & 0x0000_FFFF_0000_FFFF
        return UInt32(truncatingIfNeeded: bits | bits >> 16)
    }
}
