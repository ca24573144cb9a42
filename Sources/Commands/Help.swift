import Bytes
import RESP

extension ReplyWriter {
    /// The reply to HELP of a command with subcommands; `lines` are those of the subcommands.
    mutating func help(_ command: StaticString, _ lines: [StaticString]) {
        array(lines.count + 3)
        status(
            ByteString("\(command) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:").bytes
        )
        for line in lines { status(line) }
        status("HELP")
        status("    Print this help.")
    }
}
