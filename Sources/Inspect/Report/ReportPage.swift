import Bytes
import RDB

/// A report as one HTML page that needs nothing else: styles, code and data are in it.
///
/// `page.html` is all of it but the data, which go in as JSON. Whatever a key is called, it cannot
/// end the element that the JSON is in, as there is no `<` in it; the page itself shows keys as
/// text only.
package struct ReportPage {
    private let consumer: ReportConsumer

    /// A page of what `consumer` counted.
    package init(_ consumer: ReportConsumer) {
        self.consumer = consumer
    }

    private static let placeholder: ByteString = "/*DATA*/"

    /// Appends the page.
    package func append(to writer: inout ByteWriter) {
        let template = PackageResources.page_html
        let marker = Self.placeholder.array
        let place = template.indices.first { template[$0...].starts(with: marker) }
        let split = place ?? template.endIndex
        writer.append(ByteString(Array(template[..<split])).bytes)
        appendData(to: &writer)
        writer.append(ByteString(Array(template[split...].dropFirst(marker.count))).bytes)
    }

    private func appendData(to writer: inout ByteWriter) {
        var json = ByteWriter()
        appendJSON(to: &json)
        writer.append(escapingMarkup: json.bytes)
    }

    /// Appends the figures that the page shows.
    package func appendJSON(to json: inout ByteWriter) {
        json.append("{\"summary\":")
        json.append(consumer.summary.json)
        json.append(",\"now\":")
        json.append(decimal: consumer.summary.forecast.now)
        json.append(",\"sizes\":")
        json.append(consumer.sizes.json)
        json.append(",\"prefixes\":")
        append(0, to: &json)
        json.append(",\"largest\":")
        json.append(.array(consumer.largestKeys.map(Self.json)))
        json.append("}")
    }

    /// Name, database, type, bytes, memory, elements, largest element, deadline.
    private static func json(_ entry: LargestKeys.Entry) -> JSON {
        .array([
            .text(EscapedText.escape(entry.key.bytes)),
            .optional(entry.row.database),
            .text(entry.row.encoding.kind.commandName),
            .count(entry.row.byteCount),
            .count(entry.row.memory),
            .count(entry.row.elementCount),
            .count(entry.row.largestElement),
            .optional(entry.row.deadline),
        ])
    }

    /// A part of the tree of prefixes: name, keys, bytes, memory, children.
    private func append(_ index: Int, to json: inout ByteWriter) {
        let tree = consumer.summary.prefixes
        let node = tree.nodes[index]
        json.append("[")
        let name = index == 0 ? "" : EscapedText.escape(tree.name(of: index).bytes)
        json.append(.text(name))
        for number in [node.keyCount, node.byteCount, node.memory] {
            json.append(",")
            json.append(decimal: Int64(number))
        }
        json.append(",[")
        var isFirst = true
        for child in tree.children(of: index) where isShown(tree.nodes[child], tree.nodes[0]) {
            if !isFirst { json.append(",") }
            isFirst = false
            append(child, to: &json)
        }
        json.append("]]")
    }

    /// Whether a node is large enough to be seen; the page shows what is left as one part.
    private func isShown(_ node: PrefixTree.Node, _ root: PrefixTree.Node) -> Bool {
        let least = 2000
        return node.keyCount > root.keyCount / least || node.byteCount > root.byteCount / least
            || node.memory > root.memory / least
    }
}

extension ByteWriter {
    /// Appends JSON that may stand inside a `script` element.
    fileprivate mutating func append(escapingMarkup json: RawSpan) {
        var start = 0
        while let end = json.firstIndex(of: UInt8(ascii: "<"), from: start) {
            append(json.part(from: start, count: end - start))
            append("\\u003c")
            start = end + 1
        }
        append(json.part(from: start, count: json.byteCount - start))
    }
}
