import Bytes
import Commands
import Directives

// INFO COMMANDSTATS, ERRORSTATS and LATENCYSTATS.
extension ServerHost {
    func describeCommands(_ information: inout Information, _ engine: borrowing Engine) {
        for figure in engine.commandFigures {
            let each = figure.calls == 0 ? 0 : figure.microseconds / Double(figure.calls)
            information.line(
                "cmdstat_\(figure.name)",
                "calls=\(figure.calls),usec=\(Int64(figure.microseconds)),"
                    + "usec_per_call=\(Information.decimals(each, 2)),"
                    + "rejected_calls=\(figure.rejected),failed_calls=\(figure.failed)"
            )
        }
    }

    func describeErrors(_ information: inout Information, _ engine: borrowing Engine) {
        for (code, count) in engine.measures.errors.sorted(by: { $0.key < $1.key }) {
            information.line("errorstat_\(code)", "count=\(count)")
        }
    }

    func describeLatencies(_ information: inout Information, _ engine: borrowing Engine) {
        let percentiles = configuration.words("latency-tracking-info-percentiles")
        let pace = engine.measures.ticksPerMicrosecond
        for figure in engine.commandFigures {
            guard let histogram = figure.histogram else { continue }
            let values = percentiles.map { word in
                let percent = DecimalText.parseDouble(ByteString(word).bytes) ?? 0
                let microseconds = Double(histogram.percentile(percent)) / pace
                return "p\(word)=\(Information.decimals(microseconds, 3))"
            }
            information.line(
                "latency_percentiles_usec_\(figure.name)",
                values.joined(separator: ",")
            )
        }
    }
}
