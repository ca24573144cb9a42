import Commands
import Directives
import Platform
import Store
import Structures

// INFO MEMORY.
extension ServerHost {
    func describeMemory(_ information: inout Information, _ engine: borrowing Engine) {
        let figures = memory(engine)
        let used = figures.used
        let peak = figures.peak
        information.bytes("used_memory", used)
        information.bytes("used_memory_rss", figures.resident)
        information.bytes("used_memory_peak", peak)
        information.line("used_memory_peak_perc", Self.percent(used, of: peak))
        let data = max(used - figures.overhead, 0)
        information.line("used_memory_overhead", figures.overhead)
        information.line("used_memory_startup", figures.startup)
        information.line("used_memory_dataset", data)
        information.line(
            "used_memory_dataset_perc",
            Self.percent(data, of: max(used - figures.startup, 1))
        )
        information.line("allocator_allocated", used)
        information.line("allocator_active", figures.resident)
        information.line("allocator_resident", figures.resident)
        information.line("allocator_muzzy", 0)
        information.bytes("total_system_memory", Machine.memoryByteCount)
        information.bytes("used_memory_lua", 0)
        information.bytes("used_memory_scripts", 0)
        information.line("number_of_cached_scripts", 0)
        information.line("number_of_functions", 0)
        information.line("number_of_libraries", engine.functionLibraries.count)
        information.bytes("maxmemory", configuration.integer("maxmemory"))
        information.line("maxmemory_policy", configuration.text("maxmemory-policy"))
        information.ratio("allocator_frag_ratio", figures.fragmentation)
        information.line("allocator_frag_bytes", max(figures.resident - used, 0))
        information.ratio("allocator_rss_ratio", 1)
        information.line("allocator_rss_bytes", 0)
        information.ratio("rss_overhead_ratio", 1)
        information.line("rss_overhead_bytes", 0)
        information.ratio("mem_fragmentation_ratio", figures.fragmentation)
        information.line("mem_fragmentation_bytes", figures.resident - used)
        information.line("mem_not_counted_for_evict", 0)
        information.line("mem_replication_backlog", 0)
        information.line("mem_total_replication_buffers", 0)
        information.line("mem_clients_slaves", 0)
        information.line("mem_clients_normal", figures.clients)
        information.line("mem_cluster_links", 0)
        information.line("mem_overhead_db_hashtable_rehashing", 0)
        information.line("mem_aof_buffer", figures.log)
        information.line("mem_pages_ready", PageSupply.readyByteCount)
        information.line("mem_allocator", "larder")
        information.line("active_defrag_running", 0)
        information.line("lazyfree_pending_objects", engine.dataSet.garbageCount)
        information.line("lazyfreed_objects", engine.dataSet.freedGarbageCount)
    }

    private static func percent(_ part: Int, of whole: Int) -> String {
        "\(Information.decimals(100 * Double(part) / Double(max(whole, 1)), 2))%"
    }
}
