"""What Larder does not do yet, in one place: a line goes when its feature lands."""

# Kinds of data that a file may hold.
NOT_YET = {
    "stream": "streams are refused by name",
    "function": "function libraries are refused by name",
    "module": "module values are refused by name",
    "field-deadline": "hash fields have no deadlines of their own",
    "rdb-12": "RDB 12, of Redis 7.4 and later, is read when the whole format is",
    "log-switch": "the log cannot be switched on while the daemon runs",
    "single-file-aof": "only the directory with a manifest is opened, not the one file of Redis before 7",
}

# Families of `Tools/differential` that have no undeclared difference left.
# Not yet: "keys" (texts of SWAPDB beyond 32 bits, control bytes in the text of an
# unsupported option).
FAMILIES = ["strings", "hashes", "lists", "sets", "zsets"]
