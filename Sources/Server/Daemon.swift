import Bytes
import Commands
import Directives
import Dump
import Glibc
import Larder
import Logging
import Platform
import Structures
import Transport

/// The daemon from its arguments to its exit code.
package struct Daemon {
    private let configuration: Configuration
    private let diagnostics = Diagnostics()
    private let messages: Logger

    /// Runs the program; returns its exit code.
    package static func main(_ arguments: [String], name: String) -> CInt {
        switch StartArguments(arguments) {
        case .help:
            print(usage(name))
            return 0
        case .version:
            print("Larder server v=\(Product.version) bits=64")
            return 0
        case .serve(let file, let readsStandardInput, let options):
            let configuration: Configuration
            do throws(ConfigurationFileError) {
                configuration = try read(file, readsStandardInput, options)
            } catch {
                return report(error)
            }
            return Daemon(configuration).run()
        }
    }

    private static func usage(_ name: String) -> String {
        """
        Usage: \(name) [/path/to/larder.conf] [options] [-]
               \(name) - (read config from stdin)
               \(name) -v or --version
               \(name) -h or --help

        Every directive of the configuration is an option too, by its name behind two dashes.

        Examples:
               \(name) (run the server with default conf)
               echo 'maxmemory 128mb' | \(name) -
               \(name) /etc/larder/6379.conf
               \(name) --port 7777
               \(name) --port 7777 --appendonly yes
               \(name) /etc/larder/6379.conf --loglevel verbose -
        """
    }

    /// The file, standard input and the options, read as one text.
    private static func read(
        _ file: String?,
        _ readsStandardInput: Bool,
        _ options: String
    ) throws(ConfigurationFileError) -> Configuration {
        var text: [UInt8] = []
        for path in [file, readsStandardInput ? "-" : nil].compactMap({ $0 }) {
            do throws(SystemError) {
                text += try Paths.contents(path)
            } catch {
                throw .unreadable(path: path, error)
            }
            text.append(UInt8(ascii: "\n"))
        }
        if file == nil, !readsStandardInput { text.append(UInt8(ascii: "\n")) }
        text += Array(options.utf8)
        var reader = ConfigurationReader()
        try reader.read(text)
        var configuration = reader.configuration
        configuration.path = file.map { Paths.absolute($0) }
        return configuration
    }

    private static func report(_ error: ConfigurationFileError) -> CInt {
        switch error {
        case .unreadable(let path, let error):
            let reason = SystemError("", code: error.code).reason
            Diagnostics().logger("larder").warning(
                "Fatal error, can't open config file '\(path)': \(reason)"
            )
        case .line(let place, let reason):
            complain(
                """

                *** FATAL CONFIG FILE ERROR (Version \(Product.version)) ***
                Reading the configuration file, at line \(place.line)
                >>> '\(place.text)'
                \(reason)

                """
            )
        }
        return 1
    }

    private static func complain(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count)
        }
    }

    private init(_ configuration: Configuration) {
        self.configuration = configuration
        messages = diagnostics.logger("larder")
    }

    // The start, step by step; each step that fails says why and ends the program.

    private func run() -> CInt {
        diagnostics.level = Diagnostics.Level(configuration.text("loglevel"))
        let logFile = configuration.text("logfile")
        if !logFile.isEmpty {
            diagnostics.path = Paths.absolute(logFile)
            do throws(SystemError) {
                try diagnostics.checkPath()
            } catch {
                Self.complain(
                    """

                    *** FATAL CONFIG FILE ERROR (Version \(Product.version)) ***
                    Can't open the log file: \(error.reason)

                    """
                )
                return 1
            }
        }
        if configuration.isOn("daemonize") { Signals.becomeDaemon() }
        messages.notice("oO0OoO0OoO0Oo Larder is starting oO0OoO0OoO0Oo")
        messages.notice(
            "Larder version=\(Product.version), bits=64, pid=\(getpid()), just started"
        )
        if configuration.path == nil, configuration.given.isEmpty {
            messages.warning(
                """
                Warning: no config file specified, using the default config. In order to specify \
                a config file use larder-server /path/to/larder.conf
                """
            )
        } else {
            messages.notice("Configuration loaded")
        }
        do throws(StartFailure) {
            try supplyPages()
            try serve()
            return 0
        } catch {
            messages.warning("\(error.text)")
            return 1
        }
    }

    /// Has memory made ready ahead, by a thread that ends with the process.
    private func supplyPages() throws(StartFailure) {
        do throws(SystemError) {
            _ = try WorkerThread("pages") {
                WorkerThread.lowerPriority(to: .low)
                PageSupply.run()
            }
        } catch {
            throw StartFailure("\(error)")
        }
    }

    private func serve() throws(StartFailure) {
        let host = try open()
        defer { host.abandon() }
        Signals.watch(wakingUp: host.wakeUp.descriptor)
        var engine = Engine(
            databaseCount: configuration.integer("databases"),
            seed: Randomness.seed(),
            host: host,
            serializer: DumpSerializer()
        )
        do throws(RefusedValue) {
            try host.followAll(&engine)
        } catch {
            throw StartFailure(error.reason)
        }
        messages.notice("Running mode=standalone, port=\(configuration.integer("port")).")
        do throws(SystemError) {
            try host.listen()
        } catch {
            let port = configuration.integer("port")
            throw StartFailure("Failed listening on port \(port) (tcp), aborting: \(error)")
        }
        host.writePIDFile()
        messages.notice("Server initialized")
        var loop: ServerLoop
        do throws(SystemError) {
            loop = try ServerLoop(engine: engine, host: host)
        } catch {
            throw StartFailure("Cannot wait for connections: \(error)")
        }
        Signals.setEndsAtOnce(true)
        try loop.load()
        Signals.setEndsAtOnce(false)
        if !host.isStopping { host.announce() }
        loop.run()
    }

    private func open() throws(StartFailure) -> ServerHost {
        let directory = configuration.text("dir")
        do throws(SystemError) {
            try Paths.changeDirectory(to: directory)
            return try ServerHost(configuration, diagnostics: diagnostics)
        } catch {
            throw StartFailure("Can't open the directory '\(directory)': \(error.reason)")
        }
    }
}

/// Why the daemon could not start, in one line.
struct StartFailure: Error {
    let text: String

    init(_ text: String) {
        self.text = text
    }
}
