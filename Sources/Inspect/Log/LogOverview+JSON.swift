import AppendLog
import Bytes
import Platform

extension LogOverview {
    /// The overview as JSON.
    package var json: JSON {
        .object([
            ("sound", .bool(isSound)),
            ("closed", .bool(recovered?.wasClosed ?? false)),
            ("replicationId", recovered?.lineage.map { .text($0.id.description) } ?? .null),
            ("end", .count(end)),
            ("stagedBytes", .count(recovered?.staged.byteCount ?? 0)),
            ("damage", (damage ?? survey.firstProblem).map(Self.json) ?? .null),
            ("tornTail", recovered?.tornTail.map(Self.json) ?? .null),
            ("files", .array(survey.files.map(Self.json))),
            ("otherFiles", .array(survey.others.map { .text($0) })),
            ("commandCount", .count(commands.total.count)),
            ("commandBytes", .count(commands.total.byteCount)),
            ("commands", commands.namesJSON),
            ("prefixes", commands.prefixesJSON),
            ("last", .array(commands.last.map(Self.json))),
        ])
    }

    private static func json(_ damage: LogDamage) -> JSON {
        .object([
            ("file", .text(damage.file)),
            ("fileOffset", .count(damage.fileOffset)),
            ("streamOffset", .count(damage.streamOffset)),
            ("durableOffset", .optional(damage.durableOffset)),
            ("problem", .text(damage.problem)),
        ])
    }

    private static func json(_ tail: RecoveredLog.TornTail) -> JSON {
        .object([
            ("file", .text(tail.file)),
            ("fileOffset", .count(tail.fileOffset)),
            ("bytes", .count(tail.byteCount)),
            ("commands", .count(tail.requestCount)),
            ("droppedFiles", .array(tail.droppedFiles.map { .text($0.name) })),
            ("problem", .text(tail.problem)),
        ])
    }

    private static func json(_ file: LogSurvey.File) -> JSON {
        var members: [(String, JSON)] = [
            ("path", .text(file.path)), ("bytes", .count(file.byteCount)),
        ]
        switch file.content {
        case .snapshot(let position):
            members.append(("form", .text("base")))
            members.append(("end", .optional(position?.offset)))
        case .segment(let segment):
            members += [
                ("form", .text("\(segment.format)")),
                ("streamBytes", .count(segment.streamByteCount)),
                ("commands", .count(segment.requestCount)),
                ("start", .count(segment.end - segment.streamByteCount)),
                ("end", .count(segment.end)),
                ("closed", .bool(segment.isClosed)),
                ("problem", segment.problem.map(json) ?? .null),
                ("frames", .array(segment.frames.map(json))),
            ]
        }
        return .object(members)
    }

    private static func json(_ frame: LogSurvey.Frame) -> JSON {
        .object([
            ("fileOffset", .count(frame.fileOffset)),
            ("bytes", .count(frame.byteCount)),
            ("streamBytes", .count(frame.streamByteCount)),
            ("commands", .count(frame.requestCount)),
            ("offset", .optional(frame.mark?.offset)),
            ("durableOffset", .optional(frame.mark?.durableOffset)),
            ("time", .optional(frame.mark?.time.milliseconds)),
        ])
    }

    private static func json(_ command: CommandTally.LastCommand) -> JSON {
        .object([
            ("offset", .count(command.offset)),
            ("database", .count(command.database)),
            ("command", .text(command.text)),
        ])
    }
}
