import Directives
import Testing

struct StartArgumentsTests {
    private func options(_ words: String...) -> String? {
        guard case .serve(nil, false, let options) = StartArguments(words) else { return nil }
        return options
    }

    @Test func `options become lines of a configuration`() {
        #expect(options("--port", "7000") == #"port "7000" "#)
        #expect(options("--port", "7000", "--dir", "/data") == "port \"7000\" \ndir \"/data\" ")
    }

    @Test func `a value may look like an option where none may begin`() {
        #expect(options("--requirepass", "--secret") == #"requirepass "--secret" "#)
    }

    @Test func `save without anything means no save points`() {
        #expect(options("--save") == #"save """#)
        #expect(options("--save", "--port", "7000") == "save \"\"\nport \"7000\" ")
    }

    @Test func `what has to be quoted is quoted`() {
        #expect(options("--requirepass", "two words\n") == #"requirepass "two words\n" "#)
    }

    @Test func `a first word without dashes is a file`() {
        #expect(
            StartArguments(["larder.conf", "--port", "1"])
                == .serve(file: "larder.conf", readsStandardInput: false, options: #"port "1" "#)
        )
        #expect(
            StartArguments(["larder.conf", "-"])
                == .serve(file: "larder.conf", readsStandardInput: true, options: "")
        )
    }

    @Test(arguments: ["-h", "--help"])
    func `help is asked for alone`(word: String) {
        #expect(StartArguments([word]) == .help)
        #expect(StartArguments([word, "x"]) != .help)
    }

    @Test(arguments: ["-v", "--version"])
    func `so is the version`(word: String) {
        #expect(StartArguments([word]) == .version)
    }
}
