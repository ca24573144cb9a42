import Glibc

/// An area to search.
struct GeoShape {
    enum Outline {
        /// In meters.
        case circle(radius: Double)
        /// In meters.
        case rectangle(width: Double, height: Double)
        case polygon([GeoPosition])
    }

    var center: GeoPosition
    var outline: Outline

    /// Meters from the center to a position inside; nil outside.
    func distance(to position: GeoPosition) -> Double? {
        switch outline {
        case .circle(let radius):
            let distance = center.distance(to: position)
            return distance > radius ? nil : distance
        case .rectangle(let width, let height):
            let latitudes = (center.latitude, position.latitude)
            if GeoPosition.distance(fromLatitude: latitudes.1, to: latitudes.0) > height / 2 {
                return nil
            }
            let beside = GeoPosition(longitude: center.longitude, latitude: latitudes.1)
            if position.distance(to: beside) > width / 2 { return nil }
            return center.distance(to: position)
        case .polygon(let corners):
            guard GeoShape.contains(position, corners) else { return nil }
            return center.distance(to: position)
        }
    }

    /// Whether a ray to the east crosses the sides an odd number of times.
    private static func contains(_ position: GeoPosition, _ corners: [GeoPosition]) -> Bool {
        var isInside = false
        var other = corners[corners.count - 1]
        for corner in corners {
            let isBeside =
                (corner.latitude > position.latitude) != (other.latitude > position.latitude)
            if isBeside {
                let slope =
                    (other.longitude - corner.longitude) / (other.latitude - corner.latitude)
                let crossing = slope * (position.latitude - corner.latitude) + corner.longitude
                if position.longitude < crossing { isInside.toggle() }
            }
            other = corner
        }
        return isInside
    }

    /// The middle of positions on a sphere.
    static func center(of corners: [GeoPosition]) -> GeoPosition {
        var x = 0.0
        var y = 0.0
        var z = 0.0
        for corner in corners {
            let latitude = radians(corner.latitude)
            let longitude = radians(corner.longitude)
            x += cos(latitude) * cos(longitude)
            y += cos(latitude) * sin(longitude)
            z += sin(latitude)
        }
        let count = Double(corners.count)
        (x, y, z) = (x / count, y / count, z / count)
        return GeoPosition(
            longitude: degrees(atan2(y, x)),
            latitude: degrees(atan2(z, (x * x + y * y).squareRoot()))
        )
    }

    /// What surrounds the shape.
    private var bounds: GeoBox {
        switch outline {
        case .circle(let radius): bounds(width: radius, height: radius)
        case .rectangle(let width, let height): bounds(width: width / 2, height: height / 2)
        case .polygon(let corners):
            corners.reduce(into: GeoBox(least: corners[0], greatest: corners[0])) { box, corner in
                box.least.longitude = min(box.least.longitude, corner.longitude)
                box.least.latitude = min(box.least.latitude, corner.latitude)
                box.greatest.longitude = max(box.greatest.longitude, corner.longitude)
                box.greatest.latitude = max(box.greatest.latitude, corner.latitude)
            }
        }
    }

    private func bounds(width: Double, height: Double) -> GeoBox {
        let rise = degrees(height / earthRadius)
        // Circles of latitude are shorter towards the pole: that side spans more degrees.
        let poleward = center.latitude < 0 ? center.latitude - rise : center.latitude + rise
        let span = degrees(width / earthRadius / cos(radians(poleward)))
        return GeoBox(
            least: GeoPosition(
                longitude: center.longitude - span,
                latitude: center.latitude - rise
            ),
            greatest: GeoPosition(
                longitude: center.longitude + span,
                latitude: center.latitude + rise
            )
        )
    }

    /// Meters from the center that cover the shape.
    private func reach(_ bounds: GeoBox) -> Double {
        switch outline {
        case .circle(let radius): return radius
        case .rectangle(let width, let height):
            return ((width / 2) * (width / 2) + (height / 2) * (height / 2)).squareRoot()
        case .polygon:
            var reach = 0.0
            for longitude in [bounds.least.longitude, bounds.greatest.longitude] {
                for latitude in [bounds.least.latitude, bounds.greatest.latitude] {
                    let corner = GeoPosition(longitude: longitude, latitude: latitude)
                    reach = max(reach, center.distance(to: corner))
                }
            }
            return reach
        }
    }

    /// The cells that hold everything in the shape, as small as they can be.
    ///
    /// They are that of the center and its neighbours. Results come in their order where none is
    /// asked for.
    var cells: [GeoHash] {
        let bounds = self.bounds
        var step = GeoShape.step(reaching: reach(bounds), at: center.latitude)
        var cell = GeoHash(center, step: step)
        if step > 1, !GeoShape.reaches(cell, bounds) {
            step -= 1
            cell = GeoHash(center, step: step)
        }
        let box = cell.box
        // Neighbours behind a side of the cell that the shape does not cross are of no use.
        var skipsSouth = false
        var skipsNorth = false
        var skipsWest = false
        var skipsEast = false
        if step >= 2 {
            skipsSouth = box.least.latitude < bounds.least.latitude
            skipsNorth = box.greatest.latitude > bounds.greatest.latitude
            skipsWest = box.least.longitude < bounds.least.longitude
            skipsEast = box.greatest.longitude > bounds.greatest.longitude
        }
        var cells = [cell]
        for (east, north) in GeoShape.neighbors {
            if north < 0 ? skipsSouth : north > 0 && skipsNorth { continue }
            if east < 0 ? skipsWest : east > 0 && skipsEast { continue }
            let neighbor = cell.moved(east: east, north: north)
            // Large cells meet themselves around the earth.
            if cells.count > 1, neighbor == cells[cells.count - 1] { continue }
            cells.append(neighbor)
        }
        return cells
    }

    private static let neighbors = [
        (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1),
    ]

    /// Whether a cell and its neighbours cover what lies within `bounds`.
    private static func reaches(_ cell: GeoHash, _ bounds: GeoBox) -> Bool {
        let north = cell.moved(east: 0, north: 1).box.greatest.latitude
        let south = cell.moved(east: 0, north: -1).box.least.latitude
        let east = cell.moved(east: 1, north: 0).box.greatest.longitude
        let west = cell.moved(east: -1, north: 0).box.least.longitude
        return
            !(north < bounds.greatest.latitude || south > bounds.least.latitude
            || east < bounds.greatest.longitude || west > bounds.least.longitude)
    }

    /// The finest cells of which nine reach so many meters from the middle one.
    private static func step(reaching meters: Double, at latitude: Double) -> Int {
        guard meters != 0 else { return GeoHash.finestStep }
        var step = 1
        var reach = meters
        while reach < 20_037_726.37 {
            reach *= 2
            step += 1
        }
        step -= 2
        // Cells are narrower near the poles.
        if abs(latitude) > 66 { step -= 1 }
        if abs(latitude) > 80 { step -= 1 }
        return min(max(step, 1), GeoHash.finestStep)
    }
}
