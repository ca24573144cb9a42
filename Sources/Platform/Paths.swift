import CLinux
import Glibc

/// Files that the user names by path, and the directory that such paths start from.
package enum Paths {
    /// The current directory.
    package static var currentDirectory: String {
        guard let path = unsafe getcwd(nil, 0) else { return "." }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }

    /// Makes `path` the current directory.
    package static func changeDirectory(to path: String) throws(SystemError) {
        _ = try retrying("chdir", path) { unsafe chdir(path) }
    }

    /// The path from the root on.
    package static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(currentDirectory)/\(path)"
    }

    /// The folder and the name in it that a path leads to.
    package static func split(_ path: String) -> (folder: String, name: String) {
        let path = absolute(path)
        let end = path.lastIndex(of: "/") ?? path.startIndex
        let folder = path[..<end]
        return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: end)...]))
    }

    /// The paths that a pattern with `*`, `?` or `[` stands for; the pattern itself if none.
    package static func matching(_ pattern: String) -> [String] {
        var found = unsafe glob_t()
        defer { unsafe globfree(&found) }
        guard unsafe glob(pattern, 0, nil, &found) == 0 else { return [pattern] }
        return unsafe (0..<Int(found.gl_pathc)).compactMap { index in
            unsafe found.gl_pathv[index].map { unsafe String(cString: $0) }
        }
    }

    /// Writes a small file that need not survive a power cut.
    package static func write(_ contents: [UInt8], to path: String) throws(SystemError) {
        let file = try retrying("open", path) {
            unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        }
        defer { close(file) }
        _ = try retrying("write", path) {
            unsafe Glibc.write(file, contents, contents.count)
        }
    }

    /// All bytes of a file; `-` is standard input.
    package static func contents(_ path: String) throws(SystemError) -> [UInt8] {
        var descriptor = STDIN_FILENO
        if path != "-" {
            descriptor = try retrying("open", path) { unsafe open(path, O_RDONLY | O_CLOEXEC) }
        }
        defer { if path != "-" { close(descriptor) } }
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = try retrying("read", path) {
                unsafe read(descriptor, &buffer, buffer.count)
            }
            if count == 0 { return contents }
            contents += buffer[..<count]
        }
    }
}
