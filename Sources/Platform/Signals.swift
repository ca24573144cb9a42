import CLinux
import Glibc

/// The signals that ask the daemon to end, as something its loop can wait for.
///
/// SIGINT and SIGTERM set a flag and wake the loop. A SIGINT that comes when one of the two
/// came before ends the process at once: somebody at the keyboard does not want to wait.
/// A repeated SIGTERM does not, since supervisors repeat theirs while the data is saved.
package enum Signals {
    /// Starts to watch; `wakeUp` is an eventfd that becomes readable when a signal came.
    ///
    /// SIGPIPE and SIGHUP are ignored from here on: a closed socket is an error of the write
    /// that finds it, and a closed terminal is no reason to stop.
    package static func watch(wakingUp wakeUp: CInt) {
        clinux_watch_termination(wakeUp)
    }

    /// The signal that asked for the end, if one did.
    package static var termination: CInt? {
        let signal = clinux_termination_signal()
        return signal == 0 ? nil : signal
    }

    /// Throws `SystemError.interruption` once one of the two came.
    ///
    /// For tools, which end where they wait for something: their message is the same everywhere.
    package static func heedTermination() throws(SystemError) {
        if termination != nil { throw .interruption }
    }

    /// Takes back what was asked for, since it could not be done; it can be asked for again.
    package static func forgetTermination() {
        clinux_forget_termination()
    }

    /// Goes on as another process, which no terminal can stop; the first one exits.
    ///
    /// Before any thread is started: only the calling one goes on.
    package static func becomeDaemon() {
        clinux_become_daemon()
    }

    /// While set, either signal ends the process at once with code 0.
    ///
    /// For the time in which nothing can be lost yet, such as loading.
    package static func setEndsAtOnce(_ isSet: Bool) {
        clinux_exit_on_termination(isSet ? 1 : 0)
    }
}
