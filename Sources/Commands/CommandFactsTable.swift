extension CommandFacts {
    /// A line for each command, its parts between semicolons: name, group, version of Redis or
    /// Valkey that had it first, categories that do not follow from its flags, where its keys
    /// are and what becomes of them (see `KeySpec`), hints for clients, what it does.
    static let table = """
        acl;server;6.0.0;;;;What concerns users.
        acl|whoami;server;6.0.0;;;;Tells the user of the connection.
        append;string;2.0.0;string;RWi 1;;Adds bytes to the end of a string.
        auth;connection;1.0.0;connection;;;Says who the client is.
        bgrewriteaof;server;1.0.0;;;;Starts compacting the log.
        bgsave;server;1.0.0;;;;Starts a save in the background.
        bitcount;bitmap;2.6.0;bitmap;ROa 1;;Counts the bits that are set.
        bitfield;bitmap;3.2.0;bitmap;RWauv 1;;Reads and changes integers of any width inside a string.
        bitfield_ro;bitmap;6.0.0;bitmap;ROa 1;;Reads integers of any width inside a string.
        bitop;bitmap;2.6.0;bitmap;OWu 2, ROa 3..-1;;Combines strings bit by bit.
        bitpos;bitmap;2.8.7;bitmap;ROa 1;;Finds the first bit that is set or clear.
        blmove;list;6.2.0;list;RWad 1, RWi 2;;Moves an element from list to list, or waits for one.
        blmpop;list;7.0.0;list;RWad 2#;;Takes elements from the first list that has some, or waits.
        blpop;list;2.0.0;list;RWad 1..-2;;Takes the first element of a list, or waits for one.
        brpop;list;2.0.0;list;RWad 1..-2;;Takes the last element of a list, or waits for one.
        brpoplpush;list;2.2.0;list;RWad 1, RWi 2;;Moves the last element of a list to the head of another, or waits.
        bzmpop;sorted-set;7.0.0;sortedset;RWad 2#;;Takes members from the first sorted set that has some, or waits.
        bzpopmax;sorted-set;5.0.0;sortedset;RWad 1..-2;;Takes the member with the highest score, or waits for one.
        bzpopmin;sorted-set;5.0.0;sortedset;RWad 1..-2;;Takes the member with the lowest score, or waits for one.
        client;connection;2.4.0;;;;What concerns the connections of clients.
        client|caching;connection;6.0.0;connection;;;Says whether the keys of the next request are tracked.
        client|capa;connection;8.0.0;connection;;;Says what the client is able to do.
        client|getname;connection;2.6.9;connection;;;Tells the name of the connection.
        client|getredir;connection;6.0.0;connection;;;Tells who is notified in place of this connection.
        client|help;connection;5.0.0;connection;;;Tells the subcommands.
        client|id;connection;5.0.0;connection;;;Tells the number of the connection.
        client|import-source;connection;8.1.0;connection;;;Marks the connection as one that imports a data set.
        client|info;connection;6.2.0;connection;;nondeterministic_output;Tells what is known of the connection.
        client|kill;connection;2.4.0;connection;;;Closes connections.
        client|list;connection;2.4.0;connection;;nondeterministic_output;Tells what is known of all connections.
        client|no-evict;connection;7.0.0;connection;;;Protects the connection when memory is short.
        client|no-touch;connection;7.2.0;connection;;;Lets requests leave the last use of keys as it is.
        client|pause;connection;3.0.0;connection;;;Lets the requests of all clients wait.
        client|reply;connection;3.2.0;connection;;;Switches replies off and on.
        client|setinfo;connection;7.2.0;connection;;request_policy:all_nodes response_policy:all_succeeded;Says which library the client uses.
        client|setname;connection;2.6.9;connection;;request_policy:all_nodes response_policy:all_succeeded;Gives the connection a name.
        client|tracking;connection;6.0.0;connection;;;Switches notification of changed keys on or off.
        client|trackinginfo;connection;6.2.0;connection;;;Tells how changed keys are notified.
        client|unblock;connection;5.0.0;connection;;;Ends the wait of a client.
        client|unpause;connection;6.2.0;connection;;;Ends a pause of all clients.
        command;server;2.8.13;connection;;nondeterministic_output_order;Describes all commands.
        commandlog;server;8.1.0;;;;What concerns the requests that were kept for being slow or large.
        commandlog|get;server;8.1.0;;;request_policy:all_nodes nondeterministic_output;Tells the latest requests of a kind.
        commandlog|help;server;8.1.0;;;;Tells the subcommands.
        commandlog|len;server;8.1.0;;;request_policy:all_nodes response_policy:agg_sum nondeterministic_output;Counts the requests of a kind.
        commandlog|reset;server;8.1.0;;;request_policy:all_nodes response_policy:all_succeeded;Forgets the requests of a kind.
        command|count;server;2.8.13;connection;;;Tells how many commands there are.
        command|docs;server;7.0.0;connection;;nondeterministic_output_order;Tells what commands are for.
        command|getkeys;server;2.8.13;connection;;;Finds the keys in a request.
        command|getkeysandflags;server;7.0.0;connection;;;Finds the keys in a request and what happens to them.
        command|help;server;5.0.0;connection;;;Tells the subcommands.
        command|info;server;2.8.13;connection;;nondeterministic_output_order;Describes some commands.
        command|list;server;7.0.0;connection;;nondeterministic_output_order;Tells the names of commands.
        config;server;2.0.0;;;;What concerns the configuration.
        config|get;server;2.0.0;;;;Tells the values of directives.
        config|help;server;5.0.0;;;;Tells the subcommands.
        config|resetstat;server;2.0.0;;;request_policy:all_nodes response_policy:all_succeeded;Starts statistics again.
        config|rewrite;server;2.8.0;;;request_policy:all_nodes response_policy:all_succeeded;Writes the configuration that holds now to its file.
        config|set;server;2.0.0;;;request_policy:all_nodes response_policy:all_succeeded;Changes directives.
        copy;generic;6.2.0;keyspace;ROa 1, OWu 2;;Copies a key.
        dbsize;server;1.0.0;keyspace;;request_policy:all_shards response_policy:agg_sum;Counts the keys of the database.
        debug;server;1.0.0;;;;What tests of servers need.
        decr;string;1.0.0;string;RWau 1;;Subtracts one from an integer.
        decrby;string;1.0.0;string;RWau 1;;Subtracts from an integer.
        del;generic;1.0.0;keyspace;RMd 1..-1;request_policy:multi_shard response_policy:agg_sum;Removes keys.
        delifeq;string;9.0.0;string;RMd 1;;Removes a key if it holds this string.
        discard;transactions;2.0.0;transaction;;;Forgets the requests since MULTI.
        dump;generic;2.6.0;keyspace;ROa 1;nondeterministic_output;Tells a value in the form of a dump.
        echo;connection;1.0.0;connection;;;Replies with what was said.
        exec;transactions;1.2.0;transaction;;;Executes the requests since MULTI.
        exists;generic;1.0.0;keyspace;RO 1..-1;request_policy:multi_shard response_policy:agg_sum;Counts how many of the keys are there.
        expire;generic;1.0.0;keyspace;RWu 1;;Gives a key a time to live in seconds.
        expireat;generic;1.2.0;keyspace;RWu 1;;Gives a key a deadline in seconds since 1970.
        expiretime;generic;7.0.0;keyspace;ROa 1;;Tells the deadline of a key in seconds since 1970.
        fcall;scripting;7.0.0;scripting;RWau 2#;;Refused: functions are kept and not run.
        fcall_ro;scripting;7.0.0;scripting;ROa 2#;;Refused: functions are kept and not run.
        flushall;server;1.0.0;keyspace dangerous;;request_policy:all_shards response_policy:all_succeeded;Removes all keys of all databases.
        flushdb;server;1.0.0;keyspace dangerous;;request_policy:all_shards response_policy:all_succeeded;Removes all keys of the database.
        function;scripting;7.0.0;;;;What concerns functions: they are kept and not run.
        function|delete;scripting;7.0.0;scripting;;request_policy:all_shards response_policy:all_succeeded;Refused: functions are kept and not run.
        function|dump;scripting;7.0.0;scripting;;;Refused: functions are kept and not run.
        function|flush;scripting;7.0.0;scripting;;request_policy:all_shards response_policy:all_succeeded;Refused: functions are kept and not run.
        function|help;scripting;7.0.0;scripting;;;Tells the subcommands.
        function|kill;scripting;7.0.0;scripting;;request_policy:all_shards response_policy:one_succeeded;Refused: functions are kept and not run.
        function|list;scripting;7.0.0;scripting;;nondeterministic_output_order;Refused: functions are kept and not run.
        function|load;scripting;7.0.0;scripting;;request_policy:all_shards response_policy:all_succeeded;Refused: functions are kept and not run.
        function|restore;scripting;7.0.0;scripting;;request_policy:all_shards response_policy:all_succeeded;Refused: functions are kept and not run.
        function|stats;scripting;7.0.0;scripting;;nondeterministic_output request_policy:all_shards response_policy:special;Refused: functions are kept and not run.
        geoadd;geo;3.2.0;geo;RWu 1;;Adds places to a set of places.
        geodist;geo;3.2.0;geo;ROa 1;;Tells the distance between two places.
        geohash;geo;3.2.0;geo;ROa 1;;Tells places as geohashes.
        geopos;geo;3.2.0;geo;ROa 1;;Tells the longitude and latitude of places.
        georadius;geo;3.2.0;geo;ROa 1, OWuv STORE>6, OWuv STOREDIST>6;;Finds the places around a point and may store them.
        georadius_ro;geo;3.2.10;geo;ROa 1;;Finds the places around a point.
        georadiusbymember;geo;3.2.0;geo;ROa 1, OWuv STORE>5, OWuv STOREDIST>5;;Finds the places around a place and may store them.
        georadiusbymember_ro;geo;3.2.10;geo;ROa 1;;Finds the places around a place.
        geosearch;geo;6.2.0;geo;ROa 1;;Finds the places in a circle, a box or a polygon.
        geosearchstore;geo;6.2.0;geo;OWu 1, ROa 2;;Stores the places in a circle, a box or a polygon.
        get;string;1.0.0;string;ROa 1;;Tells a string.
        getbit;bitmap;2.2.0;bitmap;ROa 1;;Tells a bit of a string.
        getdel;string;6.2.0;string;RWad 1;;Tells a string and removes it.
        getex;string;6.2.0;string;RWau 1;;Tells a string and changes its deadline.
        getrange;string;2.4.0;string;ROa 1;;Tells a part of a string.
        getset;string;1.0.0;string;RWau 1;;Sets a string and tells the one before.
        hdel;hash;2.0.0;hash;RWd 1;;Removes fields of a hash.
        hello;connection;6.0.0;connection;;;Chooses the protocol and may say who the client is.
        hexists;hash;2.0.0;hash;RO 1;;Tells whether a hash has a field.
        hexpire;hash;9.0.0;hash;RWu 1;;Gives fields a time to live in seconds.
        hexpireat;hash;9.0.0;hash;RWu 1;;Gives fields a deadline in seconds since 1970.
        hexpiretime;hash;9.0.0;hash;ROa 1;;Tells the deadlines of fields in seconds since 1970.
        hget;hash;2.0.0;hash;ROa 1;;Tells a field of a hash.
        hgetall;hash;2.0.0;hash;ROa 1;nondeterministic_output_order;Tells all fields of a hash with their values.
        hgetdel;hash;9.1.0;hash;RWad 1;;Tells fields and removes them.
        hgetex;hash;9.0.0;hash;RWau 1;;Tells fields and changes their deadlines.
        hincrby;hash;2.0.0;hash;RWau 1;;Adds to an integer in a field.
        hincrbyfloat;hash;2.6.0;hash;RWau 1;;Adds to a number in a field.
        hkeys;hash;2.0.0;hash;ROa 1;nondeterministic_output_order;Tells the names of all fields.
        hlen;hash;2.0.0;hash;RO 1;;Counts the fields of a hash.
        hmget;hash;2.0.0;hash;ROa 1;;Tells several fields of a hash.
        hmset;hash;2.0.0;hash;RWu 1;;Sets several fields of a hash.
        hpersist;hash;9.0.0;hash;RWu 1;;Takes the deadlines from fields.
        hpexpire;hash;9.0.0;hash;RWu 1;;Gives fields a time to live in milliseconds.
        hpexpireat;hash;9.0.0;hash;RWu 1;;Gives fields a deadline in milliseconds since 1970.
        hpexpiretime;hash;9.0.0;hash;ROa 1;;Tells the deadlines of fields in milliseconds since 1970.
        hpttl;hash;9.0.0;hash;ROa 1;;Tells how many milliseconds fields have left.
        hrandfield;hash;6.2.0;hash;ROa 1;nondeterministic_output;Tells fields of a hash chosen by chance.
        hscan;hash;2.8.0;hash;ROa 1;nondeterministic_output;Walks the fields of a hash.
        hset;hash;2.0.0;hash;RWu 1;;Sets fields of a hash.
        hsetex;hash;9.0.0;hash;RWi 1;;Sets fields of a hash with a deadline.
        hsetnx;hash;2.0.0;hash;RWi 1;;Sets a field that is not there.
        hstrlen;hash;3.2.0;hash;RO 1;;Tells the length of a field's value.
        httl;hash;9.0.0;hash;ROa 1;;Tells how many seconds fields have left.
        hvals;hash;2.0.0;hash;ROa 1;nondeterministic_output_order;Tells the values of all fields.
        incr;string;1.0.0;string;RWau 1;;Adds one to an integer.
        incrby;string;1.0.0;string;RWau 1;;Adds to an integer.
        incrbyfloat;string;2.6.0;string;RWau 1;;Adds to a number.
        info;server;1.0.0;dangerous;;nondeterministic_output request_policy:all_shards response_policy:special;Tells what there is to know of the server.
        keys;generic;1.0.0;keyspace dangerous;;request_policy:all_shards nondeterministic_output_order;Finds keys by a pattern.
        lastsave;server;1.0.0;admin dangerous;;nondeterministic_output;Tells when the last save succeeded.
        latency;server;2.8.13;;;;What concerns how long things take.
        latency|doctor;server;2.8.13;;;nondeterministic_output request_policy:all_nodes response_policy:special;Tells in words what was slow.
        latency|graph;server;2.8.13;;;nondeterministic_output request_policy:all_nodes response_policy:special;Draws the samples of an event.
        latency|help;server;2.8.13;;;;Tells the subcommands.
        latency|histogram;server;7.0.0;;;nondeterministic_output request_policy:all_nodes response_policy:special;Tells how the time of commands is distributed.
        latency|history;server;2.8.13;;;nondeterministic_output request_policy:all_nodes response_policy:special;Tells the samples of an event.
        latency|latest;server;2.8.13;;;nondeterministic_output request_policy:all_nodes response_policy:special;Tells the latest sample of each event.
        latency|reset;server;2.8.13;;;request_policy:all_nodes response_policy:agg_sum;Forgets the samples of events.
        lcs;string;7.0.0;string;ROa 1..1;;Finds the longest common subsequence of two strings.
        lindex;list;1.0.0;list;ROa 1;;Tells an element of a list by its index.
        linsert;list;2.2.0;list;RWi 1;;Adds an element before or after another one.
        llen;list;1.0.0;list;RO 1;;Counts the elements of a list.
        lmove;list;6.2.0;list;RWad 1, RWi 2;;Moves an element from list to list.
        lmpop;list;7.0.0;list;RWad 1#;;Takes elements from the first list that has some.
        lolwut;server;5.0.0;;;;Draws something and tells the version.
        lpop;list;1.0.0;list;RWad 1;;Takes the first elements of a list.
        lpos;list;6.0.6;list;ROa 1;;Finds elements of a list.
        lpush;list;1.0.0;list;RWi 1;;Adds elements at the head of a list.
        lpushx;list;2.2.0;list;RWi 1;;Adds elements at the head of a list that is there.
        lrange;list;1.0.0;list;ROa 1;;Tells a range of a list.
        lrem;list;1.0.0;list;RWd 1;;Removes elements that are equal to one.
        lset;list;1.0.0;list;RWu 1;;Changes an element of a list.
        ltrim;list;1.0.0;list;RWd 1;;Keeps only a range of a list.
        memory;server;4.0.0;;;;What concerns the memory.
        memory|doctor;server;4.0.0;;;nondeterministic_output request_policy:all_shards response_policy:special;Tells in words what is wrong with the memory.
        memory|help;server;4.0.0;;;;Tells the subcommands.
        memory|malloc-stats;server;4.0.0;;;nondeterministic_output request_policy:all_shards response_policy:special;Tells the figures of the allocator.
        memory|purge;server;4.0.0;;;request_policy:all_shards response_policy:all_succeeded;Gives memory back to the system.
        memory|stats;server;4.0.0;;;nondeterministic_output request_policy:all_shards response_policy:special;Tells where the memory is.
        memory|usage;server;4.0.0;;RO 2;;Tells how many bytes a key takes.
        mget;string;1.0.0;string;ROa 1..-1;request_policy:multi_shard;Tells several strings.
        module;server;4.0.0;;;;What concerns modules.
        module|help;server;5.0.0;;;;Tells the subcommands.
        module|list;server;4.0.0;;;nondeterministic_output_order;Tells the modules that are loaded.
        module|load;server;4.0.0;;;;Loads a module.
        module|loadex;server;7.0.0;;;;Loads a module with a configuration.
        module|unload;server;4.0.0;;;;Unloads a module.
        monitor;server;1.0.0;;;;Shows every request from now on.
        move;generic;1.0.0;keyspace;RWau 1;;Moves a key to another database.
        mset;string;1.0.1;string;OWu 1..-1:2;request_policy:multi_shard response_policy:all_succeeded;Sets several strings.
        msetex;string;9.1.0;string;OWu 1#:2;request_policy:multi_shard response_policy:all_succeeded;Sets several strings with one deadline.
        msetnx;string;1.0.1;string;OWi 1..-1:2;;Sets several strings if none of them is there.
        multi;transactions;1.2.0;transaction;;;Begins a transaction.
        object;generic;2.2.3;;;;What concerns how a value is kept.
        object|encoding;generic;2.2.3;keyspace;RO 2;nondeterministic_output;Tells the encoding of a value.
        object|freq;generic;4.0.0;keyspace;RO 2;nondeterministic_output;Tells how often a key is used, on a logarithmic scale.
        object|help;generic;6.2.0;keyspace;;;Tells the subcommands.
        object|idletime;generic;2.2.3;keyspace;RO 2;nondeterministic_output;Tells for how many seconds a key was not used.
        object|refcount;generic;2.2.3;keyspace;RO 2;nondeterministic_output;Tells how many references a value has.
        persist;generic;2.2.0;keyspace;RWu 1;;Takes the deadline from a key.
        pexpire;generic;2.6.0;keyspace;RWu 1;;Gives a key a time to live in milliseconds.
        pexpireat;generic;2.6.0;keyspace;RWu 1;;Gives a key a deadline in milliseconds since 1970.
        pexpiretime;generic;7.0.0;keyspace;ROa 1;;Tells the deadline of a key in milliseconds since 1970.
        pfadd;hyperloglog;2.8.9;hyperloglog;RWi 1;;Counts elements, each once, in a HyperLogLog.
        pfcount;hyperloglog;2.8.9;hyperloglog;RWa 1..-1;;Estimates how many elements were counted.
        pfdebug;hyperloglog;2.8.9;hyperloglog;RWa 2;;Shows the inside of a HyperLogLog.
        pfmerge;hyperloglog;2.8.9;hyperloglog;RWai 1, ROa 2..-1;;Merges HyperLogLogs.
        pfselftest;hyperloglog;2.8.9;hyperloglog;;;Checks the HyperLogLog code.
        ping;connection;1.0.0;connection;;request_policy:all_shards response_policy:all_succeeded;Asks for a sign of life.
        psetex;string;2.6.0;string;OWu 1;;Sets a string with a time to live in milliseconds.
        psubscribe;pubsub;2.0.0;;;;Listens to channels by pattern.
        pttl;generic;2.6.0;keyspace;ROa 1;nondeterministic_output;Tells how many milliseconds a key has left.
        publish;pubsub;2.0.0;;;;Sends a message to a channel.
        pubsub;pubsub;2.8.0;;;;What concerns channels.
        pubsub|channels;pubsub;2.8.0;;;;Tells the channels that somebody listens to.
        pubsub|help;pubsub;6.2.0;;;;Tells the subcommands.
        pubsub|numpat;pubsub;2.8.0;;;;Counts the patterns that somebody listens to.
        pubsub|numsub;pubsub;2.8.0;;;;Counts who listens to channels.
        pubsub|shardchannels;pubsub;7.0.0;;;;Tells the shard channels that somebody listens to.
        pubsub|shardnumsub;pubsub;7.0.0;;;;Counts who listens to shard channels.
        punsubscribe;pubsub;2.0.0;;;;Stops listening by pattern.
        quit;connection;1.0.0;connection;;;Closes the connection.
        randomkey;generic;1.0.0;keyspace;;request_policy:all_shards response_policy:special nondeterministic_output;Tells a key chosen by chance.
        rename;generic;1.0.0;keyspace;RWad 1, OWu 2;;Gives a key another name.
        renamenx;generic;1.0.0;keyspace;RWad 1, OWi 2;;Gives a key another name that is free.
        reset;connection;6.2.0;connection;;;Makes the connection as good as new.
        restore-asking;server;3.0.0;keyspace dangerous;OWu 1;;Makes a key from a dumped value, for servers of a cluster.
        restore;generic;2.6.0;keyspace dangerous;OWu 1;;Makes a key from a dumped value.
        role;server;2.8.12;admin dangerous;;;Tells what the server is to others.
        rpop;list;1.0.0;list;RWad 1;;Takes the last elements of a list.
        rpoplpush;list;1.2.0;list;RWad 1, RWi 2;;Moves the last element of a list to the head of another.
        rpush;list;1.0.0;list;RWi 1;;Adds elements at the end of a list.
        rpushx;list;2.2.0;list;RWi 1;;Adds elements at the end of a list that is there.
        sadd;set;1.0.0;set;RWi 1;;Adds members to a set.
        save;server;1.0.0;;;;Saves the data set and replies when it is done.
        scan;generic;2.8.0;keyspace;;nondeterministic_output request_policy:special response_policy:special;Walks the keys of the database.
        scard;set;1.0.0;set;RO 1;;Counts the members of a set.
        sdiff;set;1.0.0;set;ROa 1..-1;nondeterministic_output_order;Tells what one set has and others do not.
        sdiffstore;set;1.0.0;set;OWu 1, ROa 2..-1;;Stores what one set has and others do not.
        select;connection;1.0.0;connection;;;Chooses the database.
        set;string;1.0.0;string;RWauv 1;;Sets a string.
        setbit;bitmap;2.2.0;bitmap;RWau 1;;Sets or clears a bit of a string.
        setex;string;2.0.0;string;OWu 1;;Sets a string with a time to live in seconds.
        setnx;string;1.0.0;string;OWi 1;;Sets a string if the key is not there.
        setrange;string;2.2.0;string;RWu 1;;Overwrites a part of a string.
        shutdown;server;1.0.0;;;;Ends the server.
        sinter;set;1.0.0;set;ROa 1..-1;nondeterministic_output_order;Tells what all sets have.
        sintercard;set;7.0.0;set;ROa 1#;;Counts what all sets have.
        sinterstore;set;1.0.0;set;OWu 1, ROa 2..-1;;Stores what all sets have.
        sismember;set;1.0.0;set;RO 1;;Tells whether a set has a member.
        slowlog;server;2.2.12;;;;What concerns the requests that were slow.
        slowlog|get;server;2.2.12;;;request_policy:all_nodes nondeterministic_output;Tells the latest requests that were slow.
        slowlog|help;server;6.2.0;;;;Tells the subcommands.
        slowlog|len;server;2.2.12;;;request_policy:all_nodes response_policy:agg_sum nondeterministic_output;Counts the requests that were kept.
        slowlog|reset;server;2.2.12;;;request_policy:all_nodes response_policy:all_succeeded;Forgets the requests that were kept.
        smembers;set;1.0.0;set;ROa 1;nondeterministic_output_order;Tells all members of a set.
        smismember;set;6.2.0;set;ROa 1;;Tells which members a set has.
        smove;set;1.0.0;set;RWad 1, RWi 2;;Moves a member from set to set.
        sort;generic;1.0.0;set sortedset list dangerous;ROa 1, ROa ?, OWu ?;;Sorts a list, a set or a sorted set, and may store the result.
        sort_ro;generic;7.0.0;set sortedset list dangerous;ROa 1, ROa ?;;Sorts a list, a set or a sorted set.
        spop;set;1.0.0;set;RWad 1;nondeterministic_output;Takes members of a set by chance.
        spublish;pubsub;7.0.0;;n 1;;Sends a message to a shard channel.
        srandmember;set;1.0.0;set;ROa 1;nondeterministic_output;Tells members of a set chosen by chance.
        srem;set;1.0.0;set;RWd 1;;Removes members of a set.
        sscan;set;2.8.0;set;ROa 1;nondeterministic_output;Walks the members of a set.
        ssubscribe;pubsub;7.0.0;;n 1..-1;;Listens to shard channels.
        strlen;string;2.2.0;string;RO 1;;Tells the length of a string.
        subscribe;pubsub;2.0.0;;;;Listens to channels.
        substr;string;1.0.0;string;ROa 1;;Tells a part of a string.
        sunion;set;1.0.0;set;ROa 1..-1;nondeterministic_output_order;Tells what any of the sets has.
        sunionstore;set;1.0.0;set;OWu 1, ROa 2..-1;;Stores what any of the sets has.
        sunsubscribe;pubsub;7.0.0;;n 1..-1;;Stops listening to shard channels.
        swapdb;server;4.0.0;keyspace dangerous;;;Exchanges two databases.
        time;server;2.6.0;;;nondeterministic_output;Tells the time of the server.
        touch;generic;3.2.1;keyspace;RO 1..-1;request_policy:multi_shard response_policy:agg_sum;Counts keys as used.
        ttl;generic;1.0.0;keyspace;ROa 1;nondeterministic_output;Tells how many seconds a key has left.
        type;generic;1.0.0;keyspace;RO 1;;Tells the type of a value.
        unlink;generic;4.0.0;keyspace;RMd 1..-1;request_policy:multi_shard response_policy:agg_sum;Removes keys and frees their memory later.
        unsubscribe;pubsub;2.0.0;;;;Stops listening to channels.
        unwatch;transactions;2.2.0;transaction;;;Forgets the watched keys.
        wait;generic;3.0.0;connection;;request_policy:all_shards response_policy:agg_min;Waits until replicas have what was written.
        waitaof;generic;7.2.0;connection;;request_policy:all_shards response_policy:agg_min;Waits until logs have what was written.
        watch;transactions;2.2.0;transaction;RO 1..-1;;Lets the next transaction fail if a key changes before.
        xack;stream;5.0.0;stream;RWu 1;;Acknowledges entries of a group.
        xadd;stream;5.0.0;stream;RWu 1;nondeterministic_output;Adds an entry to a stream.
        xautoclaim;stream;6.2.0;stream;RWd 1;nondeterministic_output;Takes over entries that others left pending for long.
        xclaim;stream;5.0.0;stream;RWu 1;nondeterministic_output;Takes over entries that are pending.
        xdel;stream;5.0.0;stream;RWd 1;;Removes entries.
        xgroup;stream;5.0.0;;;;What concerns groups of consumers.
        xgroup|create;stream;5.0.0;stream;RWi 2;;Makes a group.
        xgroup|createconsumer;stream;6.2.0;stream;RWi 2;;Makes a consumer.
        xgroup|delconsumer;stream;5.0.0;stream;RWd 2;;Removes a consumer.
        xgroup|destroy;stream;5.0.0;stream;RWd 2;;Removes a group.
        xgroup|help;stream;5.0.0;stream;;;Tells the subcommands.
        xgroup|setid;stream;5.0.0;stream;RWu 2;;Moves the place up to which a group has read.
        xinfo;stream;5.0.0;;;;What concerns the state of streams.
        xinfo|consumers;stream;5.0.0;stream;ROa 2;nondeterministic_output;Tells the consumers of a group.
        xinfo|groups;stream;5.0.0;stream;ROa 2;;Tells the groups of a stream.
        xinfo|help;stream;5.0.0;stream;;;Tells the subcommands.
        xinfo|stream;stream;5.0.0;stream;ROa 2;;Tells the state of a stream.
        xlen;stream;5.0.0;stream;RO 1;;Counts the entries of a stream.
        xpending;stream;5.0.0;stream;ROa 1;nondeterministic_output;Tells the entries that are not acknowledged.
        xrange;stream;5.0.0;stream;ROa 1;;Tells a range of entries.
        xread;stream;5.0.0;stream;ROa STREAMS>1..-1%2;;Tells the entries behind an ID, or waits for some.
        xreadgroup;stream;5.0.0;stream;ROa STREAMS>4..-1%2;;Tells entries to a consumer of a group, or waits for some.
        xrevrange;stream;5.0.0;stream;ROa 1;;Tells a range of entries, the last first.
        xsetid;stream;5.0.0;stream;RWu 1;;Changes the last ID of a stream.
        xtrim;stream;5.0.0;stream;RWd 1;nondeterministic_output;Removes the oldest entries.
        zadd;sorted-set;1.2.0;sortedset;RWu 1;;Adds members to a sorted set or changes their scores.
        zcard;sorted-set;1.2.0;sortedset;RO 1;;Counts the members of a sorted set.
        zcount;sorted-set;2.0.0;sortedset;ROa 1;;Counts the members in a range of scores.
        zdiff;sorted-set;6.2.0;sortedset;ROa 1#;;Tells what one sorted set has and others do not.
        zdiffstore;sorted-set;6.2.0;sortedset;OWu 1, ROa 2#;;Stores what one sorted set has and others do not.
        zincrby;sorted-set;1.2.0;sortedset;RWau 1;;Adds to the score of a member.
        zinter;sorted-set;6.2.0;sortedset;ROa 1#;;Tells what all sorted sets have.
        zintercard;sorted-set;7.0.0;sortedset;ROa 1#;;Counts what all sorted sets have.
        zinterstore;sorted-set;2.0.0;sortedset;OWu 1, ROa 2#;;Stores what all sorted sets have.
        zlexcount;sorted-set;2.8.9;sortedset;ROa 1;;Counts the members in a range of names.
        zmpop;sorted-set;7.0.0;sortedset;RWad 1#;;Takes members from the first sorted set that has some.
        zmscore;sorted-set;6.2.0;sortedset;ROa 1;;Tells the scores of members.
        zpopmax;sorted-set;5.0.0;sortedset;RWad 1;;Takes the members with the highest scores.
        zpopmin;sorted-set;5.0.0;sortedset;RWad 1;;Takes the members with the lowest scores.
        zrandmember;sorted-set;6.2.0;sortedset;ROa 1;nondeterministic_output;Tells members of a sorted set chosen by chance.
        zrange;sorted-set;1.2.0;sortedset;ROa 1;;Tells a range of members.
        zrangebylex;sorted-set;2.8.9;sortedset;ROa 1;;Tells the members in a range of names.
        zrangebyscore;sorted-set;1.0.5;sortedset;ROa 1;;Tells the members in a range of scores.
        zrangestore;sorted-set;6.2.0;sortedset;OWu 1, ROa 2;;Stores a range of members.
        zrank;sorted-set;2.0.0;sortedset;ROa 1;;Tells the place of a member from the lowest score.
        zrem;sorted-set;1.2.0;sortedset;RWd 1;;Removes members of a sorted set.
        zremrangebylex;sorted-set;2.8.9;sortedset;RWd 1;;Removes the members in a range of names.
        zremrangebyrank;sorted-set;2.0.0;sortedset;RWd 1;;Removes the members in a range of places.
        zremrangebyscore;sorted-set;1.2.0;sortedset;RWd 1;;Removes the members in a range of scores.
        zrevrange;sorted-set;1.2.0;sortedset;ROa 1;;Tells a range of members from the highest score.
        zrevrangebylex;sorted-set;2.8.9;sortedset;ROa 1;;Tells the members in a range of names, the last first.
        zrevrangebyscore;sorted-set;2.2.0;sortedset;ROa 1;;Tells the members in a range of scores from the highest.
        zrevrank;sorted-set;2.0.0;sortedset;ROa 1;;Tells the place of a member from the highest score.
        zscan;sorted-set;2.8.0;sortedset;ROa 1;nondeterministic_output;Walks the members of a sorted set.
        zscore;sorted-set;1.2.0;sortedset;ROa 1;;Tells the score of a member.
        zunion;sorted-set;6.2.0;sortedset;ROa 1#;;Tells what any of the sorted sets has.
        zunionstore;sorted-set;2.0.0;sortedset;OWu 1, ROa 2#;;Stores what any of the sorted sets has.
        """
}
