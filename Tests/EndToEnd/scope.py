"""What Larder does not do yet, in one place: a line goes when its feature lands."""

# Kinds of data that a file may hold.
NOT_YET = {
    "function": "FUNCTION is not there; libraries are only kept and written back",
    "scripts": "EVAL is not there, which Celery's locks, chords and remote control are made of; RQ does without",
}

# Families of `Tools/differential` that have no undeclared difference left.
FAMILIES = ["strings", "bitmaps", "hashes", "hash-deadlines", "keys", "lists", "lists-blocking", "sets", "zsets", "scans", "dumps",
            "transactions", "pubsub", "geo", "hyperloglog", "introspection", "streams", "sorts", "server", "notifications"]
