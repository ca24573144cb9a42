import Bytes

/// The commands of a log on their way to another.
package final class LogConversion {
    func take(_ requests: RawSpan, startsFile: Bool) throws(MigrationError) {}
}
