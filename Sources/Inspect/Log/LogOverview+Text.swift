import AppendLog
import Bytes
import Platform

extension LogOverview {
    /// Appends the overview as people read it; `showsFrames` lists every frame.
    package func append(to writer: inout ByteWriter, _ style: TextStyle, showsFrames: Bool) {
        appendState(to: &writer, style)
        appendFiles(to: &writer, style)
        if showsFrames { appendFrames(to: &writer, style) }
        appendCommands(to: &writer, style)
        appendPrefixes(to: &writer, style)
        appendLast(to: &writer, style)
    }

    private func appendState(to writer: inout ByteWriter, _ style: TextStyle) {
        writer.append(utf8: style.bold("Stream") + "\n")
        if let lineage = recovered?.lineage {
            writer.append(utf8: "  replication id  \(lineage.id.description)\n")
        }
        writer.append(utf8: "  read up to      offset \(Quantities.count(end))\n")
        writer.append(utf8: "  state           \(state(style))\n")
        if let staged = recovered?.staged.byteCount, staged > 0 {
            let bytes = Quantities.count(staged)
            writer.append(utf8: "  staged          the last \(bytes) bytes, in no segment yet\n")
        }
        for name in survey.others { writer.append(utf8: "  does not count  \(name)\n") }
        writer.append("\n")
    }

    private func state(_ style: TextStyle) -> String {
        if let damage { return style.red("damaged: \(damage)") }
        if let tail = recovered?.tornTail { return style.yellow("torn: \(tail)") }
        if let problem = survey.firstProblem { return style.red("damaged: \(problem)") }
        return style.green(recovered?.wasClosed == true ? "sound, closed in good order" : "sound")
    }

    private func appendFiles(to writer: inout ByteWriter, _ style: TextStyle) {
        var table = TextTable([
            "file", "form", ">bytes", ">stream", ">ratio", ">frames", ">commands", ">from", ">to",
            "written",
        ])
        for file in survey.files { table.add(Self.row(file)) }
        writer.append(utf8: style.bold("Files") + "\n")
        table.append(to: &writer, style)
        writer.append("\n")
    }

    private static func row(_ file: LogSurvey.File) -> [String] {
        let bytes = Quantities.count(file.byteCount)
        switch file.content {
        case .snapshot(let position):
            let end = position.map { Quantities.count($0.offset) } ?? ""
            return [file.path, "base", bytes, "", "", "", "", "", end, ""]
        case .segment(let segment):
            let stream = segment.streamByteCount
            return [
                file.path, "\(segment.format)", bytes, Quantities.count(stream),
                Quantities.share(file.byteCount, of: stream),
                Quantities.count(segment.frames.count), Quantities.count(segment.requestCount),
                Quantities.count(segment.end - stream), Quantities.count(segment.end),
                times(segment),
            ]
        }
    }

    private static func times(_ segment: LogSurvey.Segment) -> String {
        let marks = segment.frames.compactMap { $0.mark?.time.milliseconds }
        guard let first = marks.first, let last = marks.last else { return "" }
        return "\(Moments.text(first)) - \(Moments.text(last))"
    }

    private func appendFrames(to writer: inout ByteWriter, _ style: TextStyle) {
        writer.append(utf8: style.bold("Frames") + "\n")
        var table = TextTable([
            "file", ">at", ">bytes", ">stream", ">commands", ">offset", ">durable", "written",
        ])
        for file in survey.files {
            guard case .segment(let segment) = file.content else { continue }
            for frame in segment.frames {
                let mark = frame.mark
                table.add([
                    file.path, Quantities.count(frame.fileOffset),
                    Quantities.count(frame.byteCount), Quantities.count(frame.streamByteCount),
                    Quantities.count(frame.requestCount),
                    mark.map { Quantities.count($0.offset) } ?? "",
                    mark.map { Quantities.count($0.durableOffset) } ?? "",
                    mark.map { Moments.text($0.time.milliseconds) } ?? "",
                ])
            }
        }
        table.append(to: &writer, style)
        writer.append("\n")
    }

    private func appendCommands(to writer: inout ByteWriter, _ style: TextStyle) {
        writer.append(
            utf8: style.bold("Commands") + "  \(Quantities.count(commands.total.count))\n"
        )
        let table = commands.namesTable
        if !table.isEmpty { table.append(to: &writer, style) }
        writer.append("\n")
    }

    private func appendPrefixes(to writer: inout ByteWriter, _ style: TextStyle) {
        let table = commands.prefixesTable
        if table.isEmpty { return }
        writer.append(utf8: style.bold("Keys") + "\n")
        table.append(to: &writer, style)
        writer.append("\n")
    }

    private func appendLast(to writer: inout ByteWriter, _ style: TextStyle) {
        if commands.last.isEmpty { return }
        writer.append(utf8: style.bold("Last commands") + "\n")
        var table = TextTable([">offset", ">db", "command"])
        for command in commands.last {
            let offset = Quantities.count(command.offset)
            table.add([offset, "\(command.database)", command.text])
        }
        table.append(to: &writer, style)
    }
}
