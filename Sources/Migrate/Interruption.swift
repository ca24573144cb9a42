import Platform
import Transport

/// Ctrl-C and SIGTERM: what is under way is finished and noted before the program ends.
package enum Interruption {
    /// Kept as long as the program runs: the handler of the signals writes to it.
    private static let wakeUp = Result { () throws(SystemError) in try WakeUp() }

    /// Takes the signals over from here on.
    package static func watch() throws(SystemError) {
        Signals.watch(wakingUp: try wakeUp.get().descriptor)
    }
}
