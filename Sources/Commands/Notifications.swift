import Bytes
import RESP
import Store

/// The classes of keyspace notifications, by the letters of `notify-keyspace-events`.
package struct Notification: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    static let generic = Notification(rawValue: 1 << 0)
    static let string = Notification(rawValue: 1 << 1)
    static let list = Notification(rawValue: 1 << 2)
    static let set = Notification(rawValue: 1 << 3)
    static let hash = Notification(rawValue: 1 << 4)
    static let sortedSet = Notification(rawValue: 1 << 5)
    static let stream = Notification(rawValue: 1 << 6)
    static let expired = Notification(rawValue: 1 << 7)
    static let evicted = Notification(rawValue: 1 << 8)
    static let module = Notification(rawValue: 1 << 9)
    /// A key that was asked for and is not there.
    static let missed = Notification(rawValue: 1 << 10)
    /// A key that was not there before.
    static let added = Notification(rawValue: 1 << 11)
    /// Publish to the channel of the key, with the event as the message.
    static let toKeyChannels = Notification(rawValue: 1 << 12)
    /// Publish to the channel of the event, with the key as the message.
    static let toEventChannels = Notification(rawValue: 1 << 13)

    private static let letters: [(letter: Character, kind: Notification)] = [
        ("g", .generic), ("$", .string), ("l", .list), ("s", .set), ("h", .hash),
        ("z", .sortedSet), ("x", .expired), ("e", .evicted), ("t", .stream), ("d", .module),
        ("n", .added), ("K", .toKeyChannels), ("E", .toEventChannels), ("m", .missed),
    ]

    /// What `A` stands for.
    private static let all: Notification = [
        .generic, .string, .list, .set, .hash, .sortedSet, .expired, .evicted, .stream, .module,
    ]

    /// The classes that `letters` name; nil if one of them names none.
    package init?(letters: String) {
        self = []
        for letter in letters {
            if letter == "A" {
                formUnion(.all)
            } else if let known = Notification.letters.first(where: { $0.letter == letter }) {
                insert(known.kind)
            } else {
                return nil
            }
        }
    }

    /// The letters that name these classes, in the order in which Valkey tells them.
    ///
    /// Valkey leaves `n` out beside `A`, which does not stand for it: the configuration that it
    /// writes has lost it.
    package var letters: String {
        var text = ""
        let isAll = isSuperset(of: .all)
        if isAll { text = "A" }
        for (letter, kind) in Notification.letters where contains(kind) {
            if !isAll || !Notification.all.contains(kind) { text.append(letter) }
        }
        return text
    }
}

extension Engine {
    /// Remembers how many keys there are before a command, to know which are new after it.
    mutating func rememberKeyCounts() {
        keyCounts = (0..<dataSet.databaseCount).map { dataSet[$0].count }
    }

    /// Publishes that a key is new, ahead of what happened to it.
    ///
    /// A key is announced right after it has come, so it is new if there is one key more than
    /// at the announcement before. Commands that put a key in the place of others say so
    /// themselves.
    private mutating func noteArrival(
        _ key: RawSpan,
        _ kind: Notification,
        in keyspace: Keyspace
    ) {
        guard keyspace.number >= 0, keyspace.number < keyCounts.count else { return }
        let isNew = keyspace.count > keyCounts[keyspace.number]
        keyCounts[keyspace.number] = keyspace.count
        if isNew, kind != .added, kind != .missed { notify(key, .added, "new", in: keyspace) }
    }

    /// Publishes that a key is new although it may have taken the place of another.
    mutating func announceArrival(of key: RawSpan, in keyspace: Keyspace) {
        guard gates.contains(.notifying) else { return }
        notify(key, .added, "new", in: keyspace)
    }

    /// Publishes that a key was asked for that is not there.
    mutating func announceMiss(_ key: RawSpan) {
        guard gates.contains(.notifying), settings.notifications.contains(.missed) else { return }
        notify(key, .missed, "keymiss", in: keyspace)
    }

    /// Which changes of keys are published.
    package mutating func setNotifications(_ kinds: Notification) {
        settings.notifications = kinds
        let isOn =
            kinds.contains(.toKeyChannels) || kinds.contains(.toEventChannels)
        if isOn { gates.insert(.notifying) } else { gates.remove(.notifying) }
    }

    /// Publishes an event of a key, if its class is wanted.
    mutating func notify(
        _ key: RawSpan,
        _ kind: Notification,
        _ event: StaticString,
        in keyspace: Keyspace
    ) {
        let wanted = settings.notifications
        if wanted.contains(.added) { noteArrival(key, kind, in: keyspace) }
        guard !kind.isEmpty, wanted.contains(kind) else { return }
        if wanted.contains(.toKeyChannels) {
            var channel = ByteWriter()
            channel.append("__keyspace@")
            channel.append(decimal: Int64(keyspace.number))
            channel.append("__:")
            channel.append(key)
            publish(ByteString("\(event)").bytes, to: channel.bytes)
        }
        if wanted.contains(.toEventChannels) {
            var channel = ByteWriter()
            channel.append("__keyevent@")
            channel.append(decimal: Int64(keyspace.number))
            channel.append("__:")
            channel.append(event)
            publish(key, to: channel.bytes)
        }
    }
}
