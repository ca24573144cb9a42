import Bytes
import RESP

/// What the command line asks for.
package enum StartArguments: Equatable {
    case help
    case version
    /// Serve, with a configuration from these three; what comes later wins.
    case serve(file: String?, readsStandardInput: Bool, options: String)

    /// Reads the arguments behind the program's name.
    ///
    /// The options become lines of a configuration: `--port 7000` is `port "7000"`.
    package init(_ arguments: [String]) {
        if let only = arguments.first, arguments.count == 1 {
            if only == "-h" || only == "--help" {
                self = .help
                return
            }
            if only == "-v" || only == "--version" {
                self = .version
                return
            }
        }
        var rest = arguments[...]
        var file: String?
        if let first = rest.first, !first.hasPrefix("-") { file = rest.removeFirst() }
        var readsStandardInput = false
        var options = ""
        // A word with two dashes is a directive only where one may begin: the value of the one
        // before it may look the same.
        var expectsDirective = true
        while let word = rest.popFirst() {
            let isAtEdge = rest.isEmpty || (options.isEmpty && file == nil)
            if word == "-", isAtEdge {
                readsStandardInput = true
            } else if expectsDirective, word.hasPrefix("--") {
                if !options.isEmpty { options += "\n" }
                options += word.dropFirst(2) + " "
                expectsDirective = word.contains(" ")
                // `--save` may be followed by nothing: what programs make of an empty list.
                let isBare = rest.first.map { $0.hasPrefix("--") } ?? true
                if word.lowercased() == "--save", isBare {
                    options += "\"\""
                    expectsDirective = true
                }
            } else {
                options += QuotedWords.quote(ByteString(word).bytes) + " "
                expectsDirective = true
            }
        }
        self = .serve(file: file, readsStandardInput: readsStandardInput, options: options)
    }
}
