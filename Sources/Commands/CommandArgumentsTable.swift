extension CommandArguments {
    /// A line for each command, as `Tools/fixtures/make-command-arguments` writes it.
    ///
    /// Its parts, between semicolons, are its name, complexity, flags of its documentation, and
    /// arguments in the form of `CommandArgument`.
    static let table = """
        acl;;;
        acl|whoami;O(1);;
        append;O(1);;key:k0 value
        auth;O(N);;username@6.0.0? password
        bgrewriteaof;O(1);;
        bgsave;O(1);;operation:(? schedule:.@3.2.2 cancel:.@8.1.0 )
        bitcount;O(N);;key:k0 range:{? start:i end-unit-block:{? end:i unit:(@7.0.0? byte:. bit:. ) ) )
        bitfield;O(1);;key:k0 operation:(?+ get-block:{/GET encoding offset:i ) write:{ overflow-block:(?/OVERFLOW wrap:. sat:. fail:. ) write-operation:( set-block:{/SET encoding offset:i value:i ) incrby-block:{/INCRBY encoding offset:i increment:i ) ) ) )
        bitfield_ro;O(1);;key:k0 get-block:{?+*/GET encoding offset:i )
        bitop;O(N);;operation:( and:. or:. xor:. not:. ) destkey:k0 key:k1+
        bitpos;O(N);;key:k0 bit:i range:{? start:i end-unit-block:{? end:i unit:(@7.0.0? byte:. bit:. ) ) )
        blmove;O(1);;source:k0 destination:k1 wherefrom:( left:. right:. ) whereto:( left:. right:. ) timeout:d
        blmpop;O(N+M);;timeout:d numkeys:i key:k0+ where:( left:. right:. ) count:i?/COUNT
        blpop;O(N);;key:k0+ timeout:d
        brpop;O(N);;key:k0+ timeout:d
        brpoplpush;O(1);;source:k0 destination:k1 timeout:d
        bzmpop;O(K) + O(M*log(N));;timeout:d numkeys:i key:k0+ where:( min:. max:. ) count:i?/COUNT
        bzpopmax;O(log(N));;key:k0+ timeout:d
        bzpopmin;O(log(N));;key:k0+ timeout:d
        client;;;
        client|caching;O(1);;mode:( yes:. no:. )
        client|capa;O(1);;capability+
        client|getname;O(1);;
        client|getredir;O(1);;
        client|help;O(1);;
        client|id;O(1);;
        client|import-source;O(1);;enabled:( on:. off:. )
        client|info;O(1);;
        client|kill;O(N);;filter:( old-format^2.8.12~ip:port new-format:(+ client-id:i@2.8.12?+/ID client-type:(@2.8.12?/TYPE normal:. master:.@3.2.0 primary:.@8.0.0 slave:. replica:.@5.0.0 pubsub:. ) username?/USER addr?~ip:port/ADDR laddr@6.2.0?~ip:port/LADDR skipme:(?/SKIPME yes:. no:. ) maxage:i@8.0.0?/MAXAGE name@9.0.0?/NAME idle:i@9.0.0?/IDLE flags@9.0.0?/FLAGS lib-name@9.0.0?/LIB-NAME lib-ver@9.0.0?/LIB-VER db:i@9.0.0?/DB capa@9.0.0?/CAPA ip@9.0.0?/IP not-client-type:(@9.0.0?/NOT-TYPE normal:. master:. primary:. slave:. replica:. pubsub:. ) not-client-id:i@9.0.0?+/NOT-ID not-username@9.0.0?/NOT-USER not-addr@9.0.0?~ip:port/NOT-ADDR not-laddr@9.0.0?~ip:port/NOT-LADDR not-name@9.0.0?/NOT-NAME not-flags@9.0.0?/NOT-FLAGS not-lib-name@9.0.0?/NOT-LIB-NAME not-lib-ver@9.0.0?/NOT-LIB-VER not-db:i@9.0.0?/NOT-DB not-capa@9.0.0?/NOT-CAPA not-ip@9.0.0?/NOT-IP ) )
        client|list;O(N);;client-type:(@5.0.0?/TYPE normal:. master:. replica:. pubsub:. ) client-id:i@6.2.0?+/ID username@8.1.0?/USER addr@8.1.0?~ip:port/ADDR laddr@8.1.0?~ip:port/LADDR skipme:(@8.1.0?/SKIPME yes:. no:. ) maxage:i@8.1.0?/MAXAGE name@9.0.0?/NAME idle:i@9.0.0?/IDLE flags@9.0.0?/FLAGS lib-name@9.0.0?/LIB-NAME lib-ver@9.0.0?/LIB-VER db:i@9.0.0?/DB capa@9.0.0?/CAPA ip@9.0.0?/IP not-client-type:(@9.0.0?/NOT-TYPE normal:. master:. replica:. pubsub:. ) not-client-id:i@9.0.0?+/NOT-ID not-username@9.0.0?/NOT-USER not-addr@9.0.0?~ip:port/NOT-ADDR not-laddr@9.0.0?~ip:port/NOT-LADDR not-name@9.0.0?/NOT-NAME not-flags@9.0.0?/NOT-FLAGS not-lib-name@9.0.0?/NOT-LIB-NAME not-lib-ver@9.0.0?/NOT-LIB-VER not-db:i@9.0.0?/NOT-DB not-capa@9.0.0?/NOT-CAPA not-ip@9.0.0?/NOT-IP
        client|no-evict;O(1);;enabled:( on:. off:. )
        client|no-touch;O(1);;enabled:( on:. off:. )
        client|pause;O(1);;timeout:i mode:(@6.2.0? write:. all:. )
        client|reply;O(1);;action:( on:. off:. skip:. )
        client|setinfo;O(1);;attr:( libname/LIB-NAME libver/LIB-VER )
        client|setname;O(1);;connection-name
        client|tracking;O(1);;status:( on:. off:. ) client-id:i?/REDIRECT prefix?+*/PREFIX bcast:.? optin:.? optout:.? noloop:.?
        client|trackinginfo;O(1);;
        client|unblock;O(log N);;client-id:i unblock-type:(? timeout:. error:. )
        client|unpause;O(N);;
        command;O(N);;
        commandlog;;;
        commandlog|get;O(N);;count:i type:( slow:. large-request:. large-reply:. )
        commandlog|help;O(1);;
        commandlog|len;O(1);;type:( slow:. large-request:. large-reply:. )
        commandlog|reset;O(N);;type:( slow:. large-request:. large-reply:. )
        command|count;O(1);;
        command|docs;O(N);;command-name?+
        command|getkeys;O(N);;command arg?+
        command|getkeysandflags;O(N);;command arg?+
        command|help;O(1);;
        command|info;O(N);;command-name?+
        command|list;O(N);;filterby:(?/FILTERBY module-name/MODULE category/ACLCAT pattern:p/PATTERN )
        config;;;
        config|get;O(N);;parameter+
        config|help;O(1);;
        config|resetstat;O(1);;
        config|rewrite;O(1);;
        config|set;O(N);;data:{+ parameter value )
        copy;O(N);;source:k0 destination:k1 destination-db:i?/DB replace:.?
        dbsize;O(1);;
        debug;;syscmd;
        decr;O(1);;key:k0
        decrby;O(1);;key:k0 decrement:i
        del;O(N);;key:k0+
        delifeq;O(1);;key:k0 value
        discard;O(N);;
        dump;O(1);;key:k0
        echo;O(1);;message
        exec;;;
        exists;O(N);;key:k0+
        expire;O(1);;key:k0 seconds:i condition:(@7.0.0? nx:. xx:. gt:. lt:. )
        expireat;O(1);;key:k0 unix-time-seconds:t condition:(@7.0.0? nx:. xx:. gt:. lt:. )
        expiretime;O(1);;key:k0
        fcall;;;function numkeys:i key:k0?+ arg?+
        fcall_ro;;;function numkeys:i key:k0?+ arg?+
        flushall;O(N);;flush-type:(? async:.@4.0.0 sync:.@6.2.0 )
        flushdb;O(N);;flush-type:(? async:.@4.0.0 sync:.@6.2.0 )
        function;;;
        function|delete;O(1);;library-name
        function|dump;O(N);;
        function|flush;O(N);;flush-type:(? async:. sync:. )
        function|help;O(1);;
        function|kill;O(1);;
        function|list;O(N);;library-name-pattern?/LIBRARYNAME withcode:.?
        function|load;O(1);;replace:.? function-code
        function|restore;O(N);;serialized-value policy:(? flush:. append:. replace:. )
        function|stats;O(1);;
        geoadd;O(log(N));;key:k0 condition:(@6.2.0? nx:. xx:. ) change:.@6.2.0?/CH data:{+ longitude:d latitude:d member )
        geodist;O(1);;key:k0 member1 member2 unit:(? m:. km:. ft:. mi:. )
        geohash;O(1);;key:k0 member?+
        geopos;O(1);;key:k0 member?+
        georadius;O(N+log(M));;key:k0 longitude:d latitude:d radius:d unit:( m:. km:. ft:. mi:. ) withcoord:.? withdist:.? withhash:.? count-block:{? count:i/COUNT any:.@6.2.0? ) order:(? asc:. desc:. ) store:(? storekey:k1~key/STORE storedistkey:k2~key/STOREDIST )
        georadius_ro;O(N+log(M));;key:k0 longitude:d latitude:d radius:d unit:( m:. km:. ft:. mi:. ) withcoord:.? withdist:.? withhash:.? count-block:{? count:i/COUNT any:.@6.2.0? ) order:(? asc:. desc:. )
        georadiusbymember;O(N+log(M));;key:k0 member radius:d unit:( m:. km:. ft:. mi:. ) withcoord:.? withdist:.? withhash:.? count-block:{? count:i/COUNT any:.? ) order:(? asc:. desc:. ) store:(? storekey:k1~key/STORE storedistkey:k2~key/STOREDIST )
        georadiusbymember_ro;O(N+log(M));;key:k0 member radius:d unit:( m:. km:. ft:. mi:. ) withcoord:.? withdist:.? withhash:.? count-block:{? count:i/COUNT any:.? ) order:(? asc:. desc:. )
        geosearch;O(N+log(M));;key:k0 from:(? member/FROMMEMBER fromlonlat:{/FROMLONLAT longitude:d latitude:d ) ) by:( circle:{ radius:d/BYRADIUS unit:( m:. km:. ft:. mi:. ) ) box:{ width:d/BYBOX height:d unit:( m:. km:. ft:. mi:. ) ) polygon:{@9.0.0 num-vertices:i/BYPOLYGON vertices:{+ longitude:d latitude:d ) ) ) order:(? asc:. desc:. ) count-block:{? count:i/COUNT any:.? ) withcoord:.? withdist:.? withhash:.?
        geosearchstore;O(N+log(M));;destination:k0 source:k1 from:(? member/FROMMEMBER fromlonlat:{/FROMLONLAT longitude:d latitude:d ) ) by:( circle:{ radius:d/BYRADIUS unit:( m:. km:. ft:. mi:. ) ) box:{ width:d/BYBOX height:d unit:( m:. km:. ft:. mi:. ) ) polygon:{@9.0.0 num-vertices:i/BYPOLYGON vertices:{+ longitude:d latitude:d ) ) ) order:(? asc:. desc:. ) count-block:{? count:i/COUNT any:.? ) storedist:.?
        get;O(1);;key:k0
        getbit;O(1);;key:k0 offset:i
        getdel;O(1);;key:k0
        getex;O(1);;key:k0 expiration:(? seconds:i/EX milliseconds:i/PX unix-time-seconds:t/EXAT unix-time-milliseconds:t/PXAT persist:. )
        getrange;O(N);;key:k0 start:i end:i
        getset;O(1);;key:k0 value
        hdel;O(N);;key:k0 field+
        hello;O(1);;arguments:{? protover:i auth:{?/AUTH username password ) clientname?/SETNAME )
        hexists;O(1);;key:k0 field
        hexpire;O(N);;key:k0 seconds:i condition:(? nx:. xx:. gt:. lt:. ) fields:{/FIELDS numfields:i field+ )
        hexpireat;O(N);;key:k0 unix-time-seconds:i condition:(@9.0.0? nx:. xx:. gt:. lt:. ) fields:{/FIELDS numfields:i0 field+ )
        hexpiretime;O(N);;key:k0 fields:{/FIELDS numfields:i0 field+ )
        hget;O(1);;key:k0 field
        hgetall;O(N);;key:k0
        hgetdel;O(N);;key:k0 fields:{/FIELDS numfields:i0 field+ )
        hgetex;O(N);;key:k0 expiration:(? seconds:i/EX milliseconds:i/PX unix-time-seconds:t/EXAT unix-time-milliseconds:t/PXAT persist:. ) fields:{/FIELDS numfields:i0 field+ )
        hincrby;O(1);;key:k0 field increment:i
        hincrbyfloat;O(1);;key:k0 field increment:d
        hkeys;O(N);;key:k0
        hlen;O(1);;key:k0
        hmget;O(N);;key:k0 field+
        hmset;O(N);;key:k0 data:{+ field value )
        hpersist;O(N);;key:k0 fields:{/FIELDS numfields:i0 field+ )
        hpexpire;O(N);;key:k0 milliseconds:i condition:(@9.0.0? nx:. xx:. gt:. lt:. ) fields:{/FIELDS numfields:i0 field+ )
        hpexpireat;O(N);;key:k0 unix-time-milliseconds:i condition:(@9.0.0? nx:. xx:. gt:. lt:. ) fields:{/FIELDS numfields:i0 field+ )
        hpexpiretime;O(N);;key:k0 fields:{/FIELDS numfields:i0 field+ )
        hpttl;O(N);;key:k0 fields:{/FIELDS numfields:i0 field+ )
        hrandfield;O(N);;key:k0 options:{? count:i withvalues:.? )
        hscan;O(1);;key:k0 cursor:i pattern:p?/MATCH count:i?/COUNT novalues:.?
        hset;O(1);;key:k0 data:{+ field value )
        hsetex;O(N);;key:k0 key-condition:(? nx:. xx:. ) fields-condition:(? fnx:. fxx:. ) expiration:(? seconds:i/EX milliseconds:i/PX unix-time-seconds:t/EXAT unix-time-milliseconds:t/PXAT keepttl:. ) fields:{/FIELDS numfields:i0 data:{+ field value ) )
        hsetnx;O(1);;key:k0 field value
        hstrlen;O(1);;key:k0 field
        httl;O(N);;key:k0 fields:{/FIELDS numfields:i0 field+ )
        hvals;O(N);;key:k0
        incr;O(1);;key:k0
        incrby;O(1);;key:k0 increment:i
        incrbyfloat;O(1);;key:k0 increment:d
        info;O(1);;section?+
        keys;O(N);;pattern:p
        lastsave;O(1);;
        latency;;;
        latency|doctor;O(1);;
        latency|graph;O(1);;event
        latency|help;O(1);;
        latency|histogram;O(N);;command?+
        latency|history;O(1);;event
        latency|latest;O(1);;
        latency|reset;O(1);;event?+
        lcs;O(N*M);;key1:k0 key2:k0 len:.? idx:.? min-match-len:i?/MINMATCHLEN withmatchlen:.?
        lindex;O(N);;key:k0 index:i
        linsert;O(N);;key:k0 where:( before:. after:. ) pivot element
        llen;O(1);;key:k0
        lmove;O(1);;source:k0 destination:k1 wherefrom:( left:. right:. ) whereto:( left:. right:. )
        lmpop;O(N+M);;numkeys:i key:k0+ where:( left:. right:. ) count:i?/COUNT
        lolwut;;;version:i?/VERSION
        lpop;O(N);;key:k0 count:i@6.2.0?
        lpos;O(N);;key:k0 element rank:i?/RANK num-matches:i?/COUNT len:i?/MAXLEN
        lpush;O(1);;key:k0 element+
        lpushx;O(1);;key:k0 element+
        lrange;O(S+N);;key:k0 start:i stop:i
        lrem;O(N+M);;key:k0 count:i element
        lset;O(N);;key:k0 index:i element
        ltrim;O(N);;key:k0 start:i stop:i
        memory;;;
        memory|doctor;O(1);;
        memory|help;O(1);;
        memory|malloc-stats;;;
        memory|purge;;;
        memory|stats;O(1);;
        memory|usage;O(N);;key:k0 count:i?/SAMPLES
        mget;O(N);;key:k0+
        module;;;
        module|help;O(1);;
        module|list;O(N);;
        module|load;O(1);;path arg?+
        module|loadex;O(1);;path configs:{?+*/CONFIG name value ) args?+/ARGS
        module|unload;O(1);;name
        monitor;;;
        move;O(1);;key:k0 db:i
        mset;O(N);;data:{+ key:k0 value )
        msetex;O(N);;numkeys:i data:{+ key:k0 value ) condition:(? nx:. xx:. ) expiration:(? seconds:i/EX milliseconds:i/PX unix-time-seconds:t/EXAT unix-time-milliseconds:t/PXAT keepttl:. )
        msetnx;O(N);;data:{+ key:k0 value )
        multi;O(1);;
        object;;;
        object|encoding;O(1);;key:k0
        object|freq;O(1);;key:k0
        object|help;O(1);;
        object|idletime;O(1);;key:k0
        object|refcount;O(1);;key:k0
        persist;O(1);;key:k0
        pexpire;O(1);;key:k0 milliseconds:i condition:(@7.0.0? nx:. xx:. gt:. lt:. )
        pexpireat;O(1);;key:k0 unix-time-milliseconds:t condition:(@7.0.0? nx:. xx:. gt:. lt:. )
        pexpiretime;O(1);;key:k0
        pfadd;O(1);;key:k0 element?+
        pfcount;O(1);;key:k0+
        pfdebug;;syscmd;subcommand key:k0
        pfmerge;O(N);;destkey:k0 sourcekey:k1?+
        pfselftest;;syscmd;
        ping;O(1);;message?
        psetex;O(1);;key:k0 milliseconds:i value
        psubscribe;O(N);;pattern:p+
        pttl;O(1);;key:k0
        publish;O(N+M);;channel message
        pubsub;;;
        pubsub|channels;O(N);;pattern:p?
        pubsub|help;O(1);;
        pubsub|numpat;O(1);;
        pubsub|numsub;O(N);;channel?+
        pubsub|shardchannels;O(N);;pattern:p?
        pubsub|shardnumsub;O(N);;shardchannel?+
        punsubscribe;O(N);;pattern:p?+
        quit;O(1);;
        randomkey;O(1);;
        rename;O(1);;key:k0 newkey:k1
        renamenx;O(1);;key:k0 newkey:k1
        reset;O(1);;
        restore-asking;O(1);syscmd;key:k0 ttl:i serialized-value replace:.@3.0.0? absttl:.@5.0.0? seconds:i@5.0.0?/IDLETIME frequency:i@5.0.0?/FREQ
        restore;O(1);;key:k0 ttl:i serialized-value replace:.@3.0.0? absttl:.@5.0.0? seconds:i@5.0.0?/IDLETIME frequency:i@5.0.0?/FREQ
        role;O(1);;
        rpop;O(N);;key:k0 count:i@6.2.0?
        rpoplpush;O(1);;source:k0 destination:k1
        rpush;O(1);;key:k0 element+
        rpushx;O(1);;key:k0 element+
        sadd;O(1);;key:k0 member+
        save;O(N);;
        scan;O(1);;cursor:i pattern:p?/MATCH count:i?/COUNT type@6.0.0?/TYPE
        scard;O(1);;key:k0
        sdiff;O(N);;key:k0+
        sdiffstore;O(N);;destination:k0 key:k1+
        select;O(1);;index:i
        set;O(1);;key:k0 value condition:(? nx:.@2.6.12 xx:.@2.6.12 comparison-value@8.1.0/IFEQ ) get:.@6.2.0? expiration:(? seconds:i@2.6.12/EX milliseconds:i@2.6.12/PX unix-time-seconds:t@6.2.0/EXAT unix-time-milliseconds:t@6.2.0/PXAT keepttl:.@6.0.0 )
        setbit;O(1);;key:k0 offset:i value:i
        setex;O(1);;key:k0 seconds:i value
        setnx;O(1);;key:k0 value
        setrange;O(1);;key:k0 offset:i value
        shutdown;O(N);;abort-selector:(? save-selector-block:{ save-selector:(? nosave:. save:. ) now:.@7.0.0? force:.@7.0.0? safe:.@9.0.0? failover:.@9.0.0? ) abort:.@7.0.0 )
        sinter;O(N*M);;key:k0+
        sintercard;O(N*M);;numkeys:i key:k0+ limit:i?/LIMIT
        sinterstore;O(N*M);;destination:k0 key:k1+
        sismember;O(1);;key:k0 member
        slowlog;;;
        slowlog|get;O(N);;count:i?
        slowlog|help;O(1);;
        slowlog|len;O(1);;
        slowlog|reset;O(N);;
        smembers;O(N);;key:k0
        smismember;O(N);;key:k0 member+
        smove;O(1);;source:k0 destination:k1 member
        sort;O(N+M*log(M));;key:k0 by-pattern:p1?~pattern/BY limit:{?/LIMIT offset:i count:i ) get-pattern:p1?+*~pattern/GET order:(? asc:. desc:. ) sorting:.?/ALPHA destination:k2?/STORE
        sort_ro;O(N+M*log(M));;key:k0 by-pattern:p1?~pattern/BY limit:{?/LIMIT offset:i count:i ) get-pattern:p1?+*~pattern/GET order:(? asc:. desc:. ) sorting:.?/ALPHA
        spop;O(1);;key:k0 count:i@3.2.0?
        spublish;O(N);;shardchannel message
        srandmember;O(1);;key:k0 count:i@2.6.0?
        srem;O(N);;key:k0 member+
        sscan;O(1);;key:k0 cursor:i pattern:p?/MATCH count:i?/COUNT
        ssubscribe;O(N);;shardchannel+
        strlen;O(1);;key:k0
        subscribe;O(N);;channel+
        substr;O(N);;key:k0 start:i end:i
        sunion;O(N);;key:k0+
        sunionstore;O(N);;destination:k0 key:k1+
        sunsubscribe;O(N);;shardchannel?+
        swapdb;O(N);;index1:i index2:i
        time;O(1);;
        touch;O(N);;key:k0+
        ttl;O(1);;key:k0
        type;O(1);;key:k0
        unlink;O(1);;key:k0+
        unsubscribe;O(N);;channel?+
        unwatch;O(1);;
        wait;O(1);;numreplicas:i timeout:i
        waitaof;O(1);;numlocal:i numreplicas:i timeout:i
        watch;O(1);;key:k0+
        xack;O(1);;key:k0 group id+
        xadd;O(1);;key:k0 nomkstream:.@6.2.0? trim:{? strategy:( maxlen:. minid:.@6.2.0 ) operator:(? equal:./= approximately:./~ ) threshold count:i@6.2.0?/LIMIT ) id-selector:( auto-id:./* id ) data:{+ field value )
        xautoclaim;O(1);;key:k0 group consumer min-idle-time start count:i?/COUNT justid:.?
        xclaim;O(log N);;key:k0 group consumer min-idle-time id+ ms:i?/IDLE unix-time-milliseconds:t?/TIME count:i?/RETRYCOUNT force:.? justid:.? lastid?/LASTID
        xdel;O(1);;key:k0 id+
        xgroup;;;
        xgroup|create;O(1);;key:k0 group id-selector:( id new-id:./$ ) mkstream:.? entriesread:i?~entries-read/ENTRIESREAD
        xgroup|createconsumer;O(1);;key:k0 group consumer
        xgroup|delconsumer;O(1);;key:k0 group consumer
        xgroup|destroy;O(N);;key:k0 group
        xgroup|help;O(1);;
        xgroup|setid;O(1);;key:k0 group id-selector:( id new-id:./$ ) entriesread:i?~entries-read/ENTRIESREAD
        xinfo;;;
        xinfo|consumers;O(1);;key:k0 group
        xinfo|groups;O(1);;key:k0
        xinfo|help;O(1);;
        xinfo|stream;O(1);;key:k0 full-block:{? full:. count:i?/COUNT )
        xlen;O(1);;key:k0
        xpending;O(N);;key:k0 group filters:{? min-idle-time:i@6.2.0?/IDLE start end count:i consumer? )
        xrange;O(N);;key:k0 start end count:i?/COUNT
        xread;;;count:i?/COUNT milliseconds:i?/BLOCK streams:{/STREAMS key:k0+ id+ )
        xreadgroup;O(M);;group-block:{/GROUP group consumer ) count:i?/COUNT milliseconds:i?/BLOCK noack:.? streams:{/STREAMS key:k0+ id+ )
        xrevrange;O(N);;key:k0 end start count:i?/COUNT
        xsetid;O(1);;key:k0 last-id entries-added:i@7.0.0?/ENTRIESADDED max-deleted-id@7.0.0?/MAXDELETEDID
        xtrim;O(N);;key:k0 trim:{ strategy:( maxlen:. minid:.@6.2.0 ) operator:(? equal:./= approximately:./~ ) threshold count:i@6.2.0?/LIMIT )
        zadd;O(log(N));;key:k0 condition:(@3.0.2? nx:. xx:. ) comparison:(@6.2.0? gt:. lt:. ) change:.@3.0.2?/CH increment:.@3.0.2?/INCR data:{+ score:d member )
        zcard;O(1);;key:k0
        zcount;O(log(N));;key:k0 min:d max:d
        zdiff;O(L + (N-K)log(N));;numkeys:i key:k0+ withscores:.?
        zdiffstore;O(L + (N-K)log(N));;destination:k0 numkeys:i key:k1+
        zincrby;O(log(N));;key:k0 increment:i member
        zinter;O(N*K)+O(M*log(M));;numkeys:i key:k0+ weight:i?+/WEIGHTS aggregate:(?/AGGREGATE sum:. min:. max:. ) withscores:.?
        zintercard;O(N*K);;numkeys:i key:k0+ limit:i?/LIMIT
        zinterstore;O(N*K)+O(M*log(M));;destination:k0 numkeys:i key:k1+ weight:i?+/WEIGHTS aggregate:(?/AGGREGATE sum:. min:. max:. )
        zlexcount;O(log(N));;key:k0 min max
        zmpop;O(K) + O(M*log(N));;numkeys:i key:k0+ where:( min:. max:. ) count:i?/COUNT
        zmscore;O(N);;key:k0 member+
        zpopmax;O(log(N)*M);;key:k0 count:i?
        zpopmin;O(log(N)*M);;key:k0 count:i?
        zrandmember;O(N);;key:k0 options:{? count:i withscores:.? )
        zrange;O(log(N)+M);;key:k0 start stop sortby:(@6.2.0? byscore:. bylex:. ) rev:.@6.2.0? limit:{@6.2.0?/LIMIT offset:i count:i ) withscores:.?
        zrangebylex;O(log(N)+M);;key:k0 min max limit:{?/LIMIT offset:i count:i )
        zrangebyscore;O(log(N)+M);;key:k0 min:d max:d withscores:.@2.0.0? limit:{?/LIMIT offset:i count:i )
        zrangestore;O(log(N)+M);;dst:k0 src:k1 min max sortby:(? byscore:. bylex:. ) rev:.? limit:{?/LIMIT offset:i count:i )
        zrank;O(log(N));;key:k0 member withscore:.?
        zrem;O(M*log(N));;key:k0 member+
        zremrangebylex;O(log(N)+M);;key:k0 min max
        zremrangebyrank;O(log(N)+M);;key:k0 start:i stop:i
        zremrangebyscore;O(log(N)+M);;key:k0 min:d max:d
        zrevrange;O(log(N)+M);;key:k0 start:i stop:i withscores:.?
        zrevrangebylex;O(log(N)+M);;key:k0 max min limit:{?/LIMIT offset:i count:i )
        zrevrangebyscore;O(log(N)+M);;key:k0 max:d min:d withscores:.? limit:{?/LIMIT offset:i count:i )
        zrevrank;O(log(N));;key:k0 member withscore:.?
        zscan;O(1);;key:k0 cursor:i pattern:p?/MATCH count:i?/COUNT noscores:.?
        zscore;O(1);;key:k0 member
        zunion;O(N)+O(M*log(M));;numkeys:i key:k0+ weight:i?+/WEIGHTS aggregate:(?/AGGREGATE sum:. min:. max:. ) withscores:.?
        zunionstore;O(N)+O(M log(M));;destination:k0 numkeys:i key:k1+ weight:i?+/WEIGHTS aggregate:(?/AGGREGATE sum:. min:. max:. )
        """
}
