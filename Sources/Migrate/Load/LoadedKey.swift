import Bytes
import RDB

/// A key on its way from a file into a server.
struct LoadedKey {
    let name: ByteString
    let database: Int
    /// When it expires, in milliseconds since 1970.
    let deadline: Int64?
    let position: LoadPosition

    /// The request that makes it of a payload.
    func restore(_ payload: RawSpan, _ record: KeyRecord, isReplacing: Bool) -> LoadItem {
        let hint: (StaticString, Int64)? =
            record.frequency.map { ("FREQ", Int64($0)) }
            ?? record.idleSeconds.map { ("IDLETIME", Int64(clamping: $0)) }
        var count = 4
        if deadline != nil { count += 1 }
        if isReplacing { count += 1 }
        if hint != nil { count += 2 }
        var request = ByteWriter(reserving: payload.byteCount + name.byteCount + 128)
        request.beginRequest(count: count)
        request.append(argument: "RESTORE")
        request.append(argument: name.bytes)
        request.append(argument: deadline ?? 0)
        request.append(argument: payload)
        let end = request.count - 2
        if deadline != nil { request.append(argument: "ABSTTL") }
        if isReplacing { request.append(argument: "REPLACE") }
        if let (option, value) = hint {
            request.append(argument: option)
            request.append(argument: value)
        }
        return LoadItem(
            key: self,
            requests: ByteString(request.bytes).array,
            replyCount: 1,
            purpose: .restore(payload: (end - payload.byteCount)..<end)
        )
    }
}
