import Glibc
import Server

exit(Daemon.main(Array(CommandLine.arguments.dropFirst()), name: "larder-server"))
