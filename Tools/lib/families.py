"""Random commands, by family.

Each line is a command in a small grammar:

    WORD            itself
    key, value ...  a placeholder: a method of `Arguments` makes it up
    [ ... ]         there or not
    ( a | b )       one of them; with + one to four times, with * none to three times
    @9              first on the line: only Valkey 9 has it, other peers are not asked
    !               first on the line: its arguments are never replaced by junk, because
                    a lucky number would cost gigabytes or wait forever

Most arguments make sense; some are of the wrong type, at an edge, binary or junk,
and some requests have too few or too many.
"""
import re

FAMILIES = {
    "strings": """
        SET key value [ ( NX | XX ) ] [ GET ] [ ( EX seconds | PX ms | EXAT at_seconds | PXAT at_ms | KEEPTTL ) ]
        SET key value
        SET key int
        @9 SET key value IFEQ value
        GET key
        GETDEL key
        GETSET key value
        GETEX key [ ( EX seconds | PX ms | EXAT at_seconds | PXAT at_ms | PERSIST ) ]
        SETNX key value
        SETEX key seconds value
        PSETEX key ms value
        APPEND key value
        STRLEN key
        ! SETRANGE key offset value
        GETRANGE key index index
        SUBSTR key index index
        INCR key
        DECR key
        INCRBY key int
        DECRBY key int
        INCRBYFLOAT key float
        MGET ( key )+
        MSET ( key value )+
        MSETNX ( key value )+
        @9 DELIFEQ key value
        @9 MSETEX numkeys_values [ ( NX | XX ) ] [ ( EX seconds | PX ms | EXAT at_seconds | PXAT at_ms | KEEPTTL ) ]
        LCS key key [ LEN ] [ IDX ] [ MINMATCHLEN count ] [ WITHMATCHLEN ]
        DEL ( key )+
        TTL key
        OBJECT ENCODING key
    """,
    "bitmaps": """
        ! SETBIT key bitoffset bit
        ! SETBIT key bitoffset bit
        ! GETBIT key bitoffset
        BITCOUNT key [ index index [ ( BYTE | BIT ) ] ]
        BITPOS key bit [ index [ index [ ( BYTE | BIT ) ] ] ]
        BITOP ( AND | OR | XOR | NOT ) key ( key )+
        ! BITFIELD key ( GET bits fieldoffset | SET bits fieldoffset int | INCRBY bits fieldoffset int | OVERFLOW ( WRAP | SAT | FAIL ) )+
        ! BITFIELD_RO key ( GET bits fieldoffset )+
        SET key value
        GET key
        STRLEN key
        DEL key
    """,
    "hashes": """
        HSET key ( field value )+
        HSET key ( field value )+
        HSETNX key field value
        HMSET key ( field value )+
        HGET key field
        HMGET key ( field )+
        HGETALL key
        HKEYS key
        HVALS key
        HLEN key
        HSTRLEN key field
        HEXISTS key field
        HDEL key ( field )+
        HINCRBY key field int
        HINCRBYFLOAT key field float
        ! HRANDFIELD key [ randomcount [ WITHVALUES ] ]
        DEL key
        OBJECT ENCODING key
    """,
    "hash-deadlines": """
        HSET key ( field value )+
        HGETALL key
        HLEN key
        @9 HEXPIRE key seconds [ ( NX | XX | GT | LT ) ] FIELDS numfields
        @9 HPEXPIRE key ms [ ( NX | XX | GT | LT ) ] FIELDS numfields
        @9 HEXPIREAT key at_seconds [ ( NX | XX | GT | LT ) ] FIELDS numfields
        @9 HPEXPIREAT key at_ms [ ( NX | XX | GT | LT ) ] FIELDS numfields
        @9 HTTL key FIELDS numfields
        @9 HPTTL key FIELDS numfields
        @9 HEXPIRETIME key FIELDS numfields
        @9 HPEXPIRETIME key FIELDS numfields
        @9 HPERSIST key FIELDS numfields
        @9 HGETEX key [ ( EX seconds | PX ms | EXAT at_seconds | PXAT at_ms | PERSIST ) ] FIELDS numfields
        @9 HSETEX key [ ( NX | XX ) ] [ ( FNX | FXX ) ] [ ( EX seconds | PX ms | EXAT at_seconds | PXAT at_ms | KEEPTTL ) ] FIELDS numfields_values
        @9 HGETDEL key FIELDS numfields
        HDEL key ( field )+
        HINCRBY key field int
        HSETNX key field value
        DEL key
    """,
    "lists": """
        LPUSH key ( element )+
        RPUSH key ( element )+
        RPUSH key ( element )+
        LPUSHX key ( element )+
        RPUSHX key ( element )+
        LPOP key [ count ]
        RPOP key [ count ]
        LLEN key
        LINDEX key index
        ! LSET key shortindex element
        LRANGE key index index
        LTRIM key index index
        LREM key index element
        LINSERT key ( BEFORE | AFTER ) element element
        LPOS key element [ RANK index ] [ COUNT count ] [ MAXLEN count ]
        RPOPLPUSH key key
        LMOVE key key ( LEFT | RIGHT ) ( LEFT | RIGHT )
        LMPOP numkeys ( LEFT | RIGHT ) [ COUNT count ]
        SORT key [ LIMIT index index ] [ ( ASC | DESC ) ] ALPHA [ STORE key ]
        @9 SORT key [ LIMIT index index ] [ ( ASC | DESC ) ] [ STORE key ]
        DEL key
        OBJECT ENCODING key
    """,
    "lists-blocking": """
        RPUSH key ( element )+
        LPUSH key ( element )+
        ! BLPOP ( key )+ timeout
        ! BRPOP ( key )+ timeout
        ! BRPOPLPUSH key key timeout
        ! BLMOVE key key ( LEFT | RIGHT ) ( LEFT | RIGHT ) timeout
        ! BLMPOP timeout numkeys ( LEFT | RIGHT ) [ COUNT count ]
        LRANGE key index index
        ZADD key score member
        ! BZPOPMIN ( key )+ timeout
        ! BZPOPMAX ( key )+ timeout
        ! BZMPOP timeout numkeys ( MIN | MAX ) [ COUNT count ]
        DEL key
    """,
    "sets": """
        SADD key ( member )+
        SADD key ( member )+
        SADD key ( int )+
        SREM key ( member )+
        SISMEMBER key member
        SMISMEMBER key ( member )+
        SMEMBERS key
        SCARD key
        SMOVE key key member
        SINTER ( key )+
        SUNION ( key )+
        SDIFF ( key )+
        SINTERSTORE key ( key )+
        SUNIONSTORE key ( key )+
        SDIFFSTORE key ( key )+
        SINTERCARD numkeys [ LIMIT count ]
        ! SRANDMEMBER key [ randomcount ]
        ! SPOP key 100000
        ! SPOP key badcount
        DEL key
        OBJECT ENCODING key
    """,
    "zsets": """
        ZADD key ( score member )+
        ZADD key ( score member )+
        ZADD key [ ( NX | XX ) ] [ ( GT | LT ) ] [ CH ] [ INCR ] ( score member )+
        ZINCRBY key score member
        ZREM key ( member )+
        ZSCORE key member
        ZMSCORE key ( member )+
        ZCARD key
        ZRANK key member
        ZREVRANK key member
        @9 ZRANK key member WITHSCORE
        @9 ZREVRANK key member WITHSCORE
        ZCOUNT key minimum maximum
        ! ZADD lexkey 0 member ( 0 member )*
        ! ZADD lexkey 0 member ( 0 member )*
        ! ZREM lexkey member
        ZLEXCOUNT lexkey lexical lexical
        ZRANGE key index index [ REV ] [ WITHSCORES ]
        ZRANGE key minimum maximum BYSCORE [ REV ] [ LIMIT index index ] [ WITHSCORES ]
        ZRANGE lexkey lexical lexical BYLEX [ REV ] [ LIMIT index index ]
        ZREVRANGE key index index [ WITHSCORES ]
        ZRANGEBYSCORE key minimum maximum [ WITHSCORES ] [ LIMIT index index ]
        ZREVRANGEBYSCORE key maximum minimum [ WITHSCORES ] [ LIMIT index index ]
        ZRANGEBYLEX lexkey lexical lexical [ LIMIT index index ]
        ZREVRANGEBYLEX lexkey lexical lexical [ LIMIT index index ]
        ZRANGESTORE key key index index [ REV ]
        ZRANGESTORE key key minimum maximum BYSCORE [ REV ] [ LIMIT first index ]
        ZRANGESTORE lexkey lexkey lexical lexical BYLEX [ REV ] [ LIMIT first index ]
        ZREMRANGEBYRANK key index index
        ZREMRANGEBYSCORE key minimum maximum
        ZREMRANGEBYLEX lexkey lexical lexical
        ZPOPMIN key [ count ]
        ZPOPMAX key [ count ]
        ZMPOP numkeys ( MIN | MAX ) [ COUNT count ]
        ZUNION numkeys [ WEIGHTS score score ] [ AGGREGATE ( SUM | MIN | MAX ) ] [ WITHSCORES ]
        ZINTER numkeys [ WEIGHTS score score ] [ AGGREGATE ( SUM | MIN | MAX ) ] [ WITHSCORES ]
        ZDIFF numkeys [ WITHSCORES ]
        ZUNIONSTORE key numkeys [ WEIGHTS score score ] [ AGGREGATE ( SUM | MIN | MAX ) ]
        ZINTERSTORE key numkeys [ WEIGHTS score score ] [ AGGREGATE ( SUM | MIN | MAX ) ]
        ZDIFFSTORE key numkeys
        ZINTERCARD numkeys [ LIMIT count ]
        ! ZRANDMEMBER key [ randomcount [ WITHSCORES ] ]
        DEL key
        OBJECT ENCODING key
    """,
    "sorts": """
        RPUSH key ( digit )+
        RPUSH key ( digit )+
        @9 RPUSH key ( element )+
        SADD key ( digit )+
        ZADD key ( score digit )+
        SET key int
        SET key value
        HSET key ( field int )+
        @9 SORT key [ BY weights ] [ LIMIT index index ] ( GET sought )* [ ( ASC | DESC ) ] [ STORE key ]
        SORT key [ BY weights ] [ LIMIT index index ] ( GET sought )* [ ( ASC | DESC ) ] [ STORE sorted ]
        SORT key LIMIT index index [ ( ASC | DESC ) ] ALPHA [ STORE key ]
        SORT_RO key [ BY weights ] ( GET sought )* [ ( ASC | DESC ) ]
        SORT_RO key ALPHA ( GET sought )*
        SORT_RO key [ LIMIT index index ] [ STORE key ]
        LRANGE key 0 -1
        DEL key
        TYPE key
    """,
    "keys": """
        SET key value
        RPUSH key ( element )+
        SADD key ( member )+
        ZADD key score member
        HSET key field value
        DEL ( key )+
        UNLINK ( key )+
        EXISTS ( key )+
        TOUCH ( key )+
        TYPE key
        RENAME key key
        RENAMENX key key
        COPY key key [ DB database ] [ REPLACE ]
        MOVE key database
        SELECT database
        DBSIZE
        EXPIRE key seconds [ ( NX | XX | GT | LT ) ]
        PEXPIRE key ms [ ( NX | XX | GT | LT ) ]
        EXPIREAT key at_seconds [ ( NX | XX | GT | LT ) ]
        PEXPIREAT key at_ms [ ( NX | XX | GT | LT ) ]
        TTL key
        PTTL key
        EXPIRETIME key
        PEXPIRETIME key
        PERSIST key
        KEYS pattern
        RANDOMKEY
        OBJECT ENCODING key
        OBJECT REFCOUNT key
        OBJECT IDLETIME key
        OBJECT FREQ key
        FLUSHDB [ ( ASYNC | SYNC ) ]
        SWAPDB database database
    """,
    "scans": """
        SET key value
        SADD key ( member )+
        ZADD key ( score member )+
        HSET key ( field value )+
        SCAN cursor COUNT 100000 [ MATCH pattern ] [ TYPE type ]
        SCAN cursor
        HSCAN key cursor COUNT 100000 [ MATCH pattern ]
        @9 HSCAN key cursor COUNT 100000 [ MATCH pattern ] NOVALUES
        SSCAN key cursor COUNT 100000 [ MATCH pattern ]
        ZSCAN key cursor COUNT 100000 [ MATCH pattern ]
        @9 ZSCAN key cursor COUNT 100000 [ MATCH pattern ] NOSCORES
        HSCAN key cursor COUNT count
        DEL key
    """,
    "dumps": """
        SET key value
        RPUSH key ( element )+
        SADD key ( int )+
        ZADD key ( score member )+
        HSET key ( field value )+
        RESTORE key ms payload [ REPLACE ] [ ABSTTL ] [ ( IDLETIME count | FREQ count ) ]
        RESTORE key 0 payload [ REPLACE ]
        DUMP key
        TYPE key
        TTL key
        DEL key
    """,
    "transactions": """
        MULTI
        EXEC
        DISCARD
        WATCH ( key )+
        UNWATCH
        SET key value
        INCR key
        GET key
        LPUSH key element
        NOPE
        SELECT database
        EXPIRE key seconds
        DEL key
    """,
    "pubsub": """
        SUBSCRIBE ( channel )+
        UNSUBSCRIBE ( channel )*
        PSUBSCRIBE ( pattern )+
        PUNSUBSCRIBE ( pattern )*
        SSUBSCRIBE channel
        SUNSUBSCRIBE ( channel )*
        PUBLISH channel value
        PUBLISH channel value
        SPUBLISH channel value
        PUBSUB CHANNELS [ pattern ]
        PUBSUB NUMSUB ( channel )*
        PUBSUB NUMPAT
        PUBSUB SHARDCHANNELS [ pattern ]
        PUBSUB SHARDNUMSUB ( channel )*
        GET key
        PING
    """,
    "streams": """
        XADD key [ NOMKSTREAM ] [ ( MAXLEN | MINID ) [ ( = | ~ ) ] count [ LIMIT count ] ] newid ( field value )+
        XADD key MAXLEN ~ count newid ( field value )+
        XADD key MINID ~ id newid ( field value )+
        XADD key newid ( field value )+
        XADD key newid ( field value )+
        XADD key newid a 1 b 2
        XADD key newid a value b value
        XLEN key
        XRANGE key rangeid rangeid [ COUNT count ]
        XREVRANGE key rangeid rangeid [ COUNT count ]
        XDEL key ( id )+
        XTRIM key ( MAXLEN | MINID ) [ = ] count
        XTRIM key ( MAXLEN | MINID ) ~ count [ LIMIT count ]
        XREAD [ COUNT count ] STREAMS key id
        XREAD [ COUNT count ] STREAMS key key id id
        XREAD COUNT 2 STREAMS key key key id id $
        @9 XREAD STREAMS key key + id
        ! XREAD [ COUNT count ] BLOCK 1 STREAMS key key id $
        XREAD STREAMS key >
        @9 XSETID key id [ ENTRIESADDED count ] [ MAXDELETEDID id ]
        @9 XSETID key id
        XINFO STREAM key
        @9 XINFO STREAM key FULL [ COUNT count ]
        @9 XINFO GROUPS key
        @9 XINFO CONSUMERS key group
        XINFO HELP
        XGROUP CREATE key group ( id | $ ) [ MKSTREAM ] [ ENTRIESREAD count ]
        XGROUP CREATE key group 0
        XGROUP CREATE key group 0 MKSTREAM
        XGROUP SETID key group ( id | $ | - | + ) [ ENTRIESREAD count ]
        XGROUP DESTROY key group
        @9 XGROUP CREATECONSUMER key group consumer
        XGROUP DELCONSUMER key group consumer
        XGROUP HELP
        XGROUP NOPE key group
        XREADGROUP GROUP group consumer [ COUNT count ] [ NOACK ] STREAMS key >
        XREADGROUP GROUP group consumer COUNT 2 STREAMS key >
        XREADGROUP GROUP group consumer COUNT 2 STREAMS key >
        XREADGROUP GROUP group consumer [ COUNT count ] STREAMS key key > id
        XREADGROUP GROUP group consumer [ COUNT count ] STREAMS key id
        ! XREADGROUP GROUP group consumer BLOCK 1 [ COUNT count ] STREAMS key >
        XREADGROUP GROUP group consumer STREAMS key $
        XACK key group ( id )+
        XPENDING key group
        XPENDING key group [ IDLE minidle ] rangeid rangeid count [ consumer ]
        XCLAIM key group consumer minidle ( id )+ [ IDLE ms ] [ RETRYCOUNT count ] [ FORCE ] [ JUSTID ]
        XCLAIM key group consumer 0 id id id [ TIME at_ms ] [ LASTID id ] [ FORCE ] [ NOPE ]
        XAUTOCLAIM key group consumer minidle rangeid [ COUNT count ] [ JUSTID ]
        XAUTOCLAIM key group consumer 0 0 COUNT 1
        COPY key key [ REPLACE ]
        RENAME key key
        @9 OBJECT ENCODING key
        TYPE key
        DEL key
    """,
    "geo": """
        GEOADD key [ ( NX | XX ) ] [ CH ] ( longitude latitude member )+
        GEOADD key ( longitude latitude member )+
        GEOPOS key ( member )*
        GEODIST key member member [ unit ]
        GEOHASH key ( member )*
        GEOSEARCH key ( FROMMEMBER member | FROMLONLAT longitude latitude ) ( BYRADIUS distance unit | BYBOX distance distance unit ) ( ASC | DESC ) [ COUNT count ] [ WITHCOORD ] [ WITHDIST ] [ WITHHASH ]
        GEOSEARCH key FROMLONLAT longitude latitude BYRADIUS distance unit ASC COUNT count ANY
        @9 GEOSEARCH key BYPOLYGON corners ( ASC | DESC ) [ COUNT count ] [ WITHCOORD ] [ WITHDIST ] [ WITHHASH ]
        @9 GEOSEARCH key FROMMEMBER member BYPOLYGON corners ASC
        GEOSEARCHSTORE key key ( FROMMEMBER member | FROMLONLAT longitude latitude ) ( BYRADIUS distance unit | BYBOX distance distance unit ) [ ( ASC | DESC ) ] [ STOREDIST ]
        GEOSEARCHSTORE key key FROMLONLAT longitude latitude BYRADIUS distance unit ASC COUNT count [ STOREDIST ]
        @9 GEOSEARCHSTORE key key BYPOLYGON corners ASC [ COUNT count ]
        GEORADIUS key longitude latitude distance unit [ WITHDIST ] [ WITHCOORD ] [ WITHHASH ] [ COUNT count ] ( ASC | DESC )
        GEORADIUS key longitude latitude distance unit [ COUNT count ] ASC ( STORE | STOREDIST ) key
        GEORADIUS_RO key longitude latitude distance unit [ WITHDIST ] [ COUNT count ] ( ASC | DESC )
        GEORADIUSBYMEMBER key member distance unit [ WITHDIST ] [ WITHCOORD ] [ WITHHASH ] [ COUNT count ] ( ASC | DESC )
        GEORADIUSBYMEMBER key member distance unit [ COUNT count ] ASC ( STORE | STOREDIST ) key
        GEORADIUSBYMEMBER_RO key member distance unit [ WITHDIST ] ASC
        ZRANGE key 0 -1 WITHSCORES
        ZREM key member
        DEL key
    """,
    "hyperloglog": """
        PFADD key ( element )*
        PFADD key ( element )+
        PFADD key ( noise )+
        PFCOUNT ( key )+
        PFMERGE key ( key )*
        GET key
        SET key value
        DEL key
    """,
    "introspection": """
        COMMAND GETKEYS anyrequest
        COMMAND GETKEYSANDFLAGS anyrequest
        COMMAND GETKEYSANDFLAGS anyrequest
        @9 COMMAND INFO ( commandname )+
        COMMAND LIST FILTERBY ( MODULE value | ACLCAT category | NOPE value )
        COMMAND LIST value
        COMMAND LIST FILTERBY PATTERN ( pattern | xa* | *s | "" )
        MODULE ( LOAD | UNLOAD | NOPE ) nope
        COMMAND NOPE
        SLOWLOG GET [ count ]
        SLOWLOG LEN
        SLOWLOG RESET
        @9 COMMANDLOG GET count logtype
        @9 COMMANDLOG LEN logtype
        @9 COMMANDLOG RESET logtype
        LATENCY LATEST
        LATENCY HISTORY event
        LATENCY GRAPH event
        LATENCY RESET ( event )*
        LATENCY HISTOGRAM ( nope | get|nope )
        LATENCY NOPE
        MEMORY USAGE key [ SAMPLES count ]
        MEMORY USAGE key SAMPLES int
        MEMORY PURGE
        MEMORY NOPE
        SET key value
        RPUSH key ( element )+
        HSET key ( field value )+
        ZADD key int member
        SADD key ( member )+
        OBJECT ENCODING key
        OBJECT FREQ key
        OBJECT IDLETIME key
        OBJECT REFCOUNT key
        DEBUG OBJECT nope
        DEBUG NOPE
        @9 DEBUG DIGEST
        @9 DEBUG DIGEST-VALUE ( key )+
        CONFIG GET ( maxmemory-policy | nope | slowlog-max-len | latency-* )
        @9 CONFIG GET commandlog-*
        CONFIG SET latency-monitor-threshold badcount
        CONFIG SET slowlog-log-slower-than 10000000
        ! CONFIG SET maxmemory-clients ( 0 | 1gb | x | 200% )
        CONFIG SET client-output-buffer-limit ( x | "normal | pubsub )
        CONFIG RESETSTAT
        CLIENT GETNAME
        @9 CLIENT SETNAME value
        ! CLIENT SETNAME channel
        @9 CLIENT SETINFO ( LIB-NAME | LIB-VER | NOPE ) value
        CLIENT NO-EVICT ( ON | OFF | value )
        @9 CLIENT NO-TOUCH ( ON | OFF | value )
        @9 CLIENT IMPORT-SOURCE ( ON | OFF | value )
        CLIENT TRACKINGINFO
        CLIENT GETREDIR
        CLIENT CACHING ( YES | NO | value )
        CLIENT UNPAUSE
        ! CLIENT PAUSE ( x | -1 | 1.5 | 0 )
        CLIENT UNBLOCK int
        CLIENT KILL ID badcount
        CLIENT NOPE
        ! WAIT 0 ( 0 | 1 | -1 | x )
        ! WAIT ( 1 | x | -1 ) ( 2 | x | -1 )
        MODULE LIST
        LOLWUT VERSION badcount
        ROLE
        INFO ( commandstats | errorstats | latencystats | everything | nope )
    """,
    "server": """
        PING [ value ]
        ECHO value
        SET key value
        SELECT database
        DBSIZE
        TIME
        LASTSAVE
        CLIENT ID
        CLIENT GETNAME
        @9 CLIENT SETNAME value
        ! CLIENT SETNAME channel
        @9 CLIENT SETINFO ( LIB-NAME | LIB-VER ) value
        CLIENT NO-EVICT ( ON | OFF )
        @9 CLIENT NO-TOUCH ( ON | OFF )
        CLIENT LIST [ TYPE ( normal | pubsub | nope ) ]
        @9 CLIENT LIST ( TYPE ( normal | pubsub | replica | master | nope ) | ID badcount | NOT-ID count | USER ( default | nope ) | NOT-USER ( default | nope ) | ADDR value | LADDR value | SKIPME ( YES | NO | x ) | MAXAGE count | NAME value | NOT-NAME value | IDLE count | FLAGS ( N | x | NS | "" ) | NOT-FLAGS ( N | x ) | LIB-NAME value | LIB-VER value | NOT-LIB-NAME value | DB database | NOT-DB database | CAPA ( r | x ) | IP ( 127.0.0.1 | x ) | NOT-IP x | NOT-TYPE pubsub )+
        @9 ! CLIENT KILL ( ID 123456789 | USER nope | ADDR 1.2.3.4:5 | LADDR 1.2.3.4:5 | TYPE ( pubsub | nope ) | NAME nope:nope | LIB-NAME nope:nope | LIB-VER nope:nope | MAXAGE 1000000 | IDLE 1000000 | FLAGS ( b | @ ) | DB ( 14 | 99 ) | IP ( 1.2.3.4 | nope ) )+ [ SKIPME ( YES | NO | x ) ]
        ! CLIENT KILL ( 1.2.3.4:5 | nope )
        @9 CLIENT CAPA ( redirect | nope )
        ! CLIENT TRACKING ( OFF | x ) ( BCAST | PREFIX key | OPTIN | OPTOUT | NOLOOP | REDIRECT ( 0 | 999999 | x ) )*
        ! CLIENT TRACKING ON ( REDIRECT 999999 | x | REDIRECT ) ( BCAST | PREFIX key | OPTIN | OPTOUT | NOLOOP )*
        CLIENT UNBLOCK 123456789 ( TIMEOUT | ERROR | x )
        @9 HELLO ( 2 | 3 ) ( AUTH ( default | nope ) value | SETNAME value | NOPE )+
        ACL WHOAMI
        BGREWRITEAOF x x
        BGSAVE x x
        SAVE x x
        MONITOR x x
        CONFIG REWRITE x
        @9 ! WAITAOF ( 0 | 2 | x | -1 ) 0 ( 0 | x | -1 )
        @9 ! WAITAOF 0 ( 1 | x ) ( 1 | x | -1 )
        CLIENT INFO
        ! CLIENT KILL ID 123456789
        CLIENT UNBLOCK 123456789
        CLIENT NOPE
        COMMAND GETKEYS SET key value
        COMMAND GETKEYS GET
        COMMAND GETKEYS MSET key value key value
        COMMAND GETKEYS ZUNIONSTORE key 2 key key
        ! COMMAND INFO nope
        CONFIG GET maxmemory-policy
        CONFIG GET nope
        CONFIG NOPE
        MEMORY USAGE key [ SAMPLES count ]
        INFO ( server | clients | memory | persistence | stats | keyspace | nope )
        OBJECT HELP
        OBJECT NOPE key
        ! WAIT 0 0
        RESET
        HELLO [ ( 2 | 3 | 4 | x ) ]
        NOPE value
        value value
        ! SHUTDOWN NOPE
        FLUSHALL [ ( ASYNC | SYNC | NOPE ) ]
        DEBUG NOPE
        SLOWLOG LEN
        SLOWLOG GET nope
        LATENCY NOPE
        AUTH value
    """,
}

# Commands whose description is compared.
COMMAND_NAMES = """
    append bitcount bitfield bitop blmove blmpop blpop brpop bzmpop client client|list config config|set copy dbsize debug del discard
    dump echo exec exists expire expiretime flushall geoadd georadius georadius_ro geosearch geosearchstore get getdel getex getrange
    hdel hello hexpire hget hgetex hincrby hscan hset hsetex incr info keys lastsave latency latency|graph lcs lindex linsert lmove
    lmpop lolwut lpop lpush lrange memory memory|usage mget monitor move mset msetex msetnx multi object object|freq persist pfadd
    pfcount pfmerge ping psubscribe publish pubsub quit randomkey rename reset restore role rpoplpush sadd save scan sdiffstore select
    set setbit shutdown sinter sintercard slowlog slowlog|get smove sort sort_ro spop spublish ssubscribe subscribe swapdb time touch
    ttl type unlink wait watch zadd zdiff zdiffstore zinter zintercard zmpop zpopmin zrandmember zrange zrangestore zscore zunion
    zunionstore
""".split()

# What is published of keys while the commands of all these are executed. Those that count have keys of their own: bits that others
# set damage a count, which Larder finds at once and Valkey only where it looks. RANDOMKEY tells of expired keys that it happens to meet.
FAMILIES["notifications"] = "".join(FAMILIES[name] for name in (
    "strings", "bitmaps", "hashes", "hash-deadlines", "lists", "sets", "zsets", "keys", "dumps", "geo")).replace("        RANDOMKEY\n", "") \
    + FAMILIES["hyperloglog"].replace(" key", " counter")
LISTENING = [("DEBUG", "SET-ACTIVE-EXPIRE", "0"), ("CONFIG", "SET", "notify-keyspace-events", "AKEnm"), ("PSUBSCRIBE", "__key*__:*")]

# How a family's keys are filled now and then, so that its commands find something.
PRELUDE = [
    ("SET", "w:string", "text"), ("SET", "w:integer", "41"), ("RPUSH", "w:list", "a", "b", "c", "1", "2"),
    ("SADD", "w:set", "a", "b", "c"), ("SADD", "w:integers", "1", "2", "3"), ("ZADD", "w:zset", "1", "a", "2", "b", "3", "c"),
    ("HSET", "w:hash", "a", "1", "b", "x", "c", "2.5"), ("SET", "lex:string", "text"), ("RPUSH", "lex:list", "a"), ("XADD", "w:stream", "1-1", "a", "1", "b", "2"), ("XGROUP", "CREATE", "w:stream", "g1", "0"),
]
WRONG = [request[1] for request in PRELUDE if request[1].startswith("w:")]

EDGES = ["0", "1", "-1", "2", "-2", "10", "100", "-100", "127", "128", "255", "256", "32767", "32768", "65536", "2147483647",
         "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296", "9223372036854775807", "-9223372036854775808",
         "9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616"]
ODD = ["", " ", "+1", "-0", "00", "01", " 1", "1 ", "1.0", "1e3", "0x10", "abc", "1a", "--1", "nan", "inf", "-inf", "+inf", "infinity",
       "1e400", "-1e400", "1e-400", "3.0", ".5", "5.", "1_000", "١", "\x00", "1\x00", "\xff", "*", "9" * 40, "-", "+", "(", "[", "~"]
FLOATS = ["0", "1", "-1", "1.5", "-1.5", "0.1", "0.2", "3.14159265358979", "1e3", "1e17", "1e21", "1e-7", "1.7976931348623157e308",
          "5e-324", "inf", "-inf", "+inf", "-0", "-0.0", "9007199254740993", "123456789.123456789", "1e300", "17179869184", "0.30000000000000004"]


# What servers before Valkey 9 took for numbers; or for none: once they have read one that is next to zero, they refuse to sort.
NUMBERS_ONCE = ("0x10", " 1", "1e400", "-1e400", "1e-400", "5e-324", "-9223372036854775808")


class Arguments:
    """Makes arguments up."""

    def __init__(self, random):
        self.random = random
        self.last_id = 0
        self.payloads = []
        self.others = {}
        self.is_valkey_9 = True
        # Servers before Valkey 9 sort a string without a digit before its first zero byte as if it were 0.
        self.only_numbers = False

    def pick(self, *choices):
        return self.random.choice(choices)

    def chance(self, share):
        return self.random.random() < share

    # Keys

    def key(self):
        if self.chance(0.06):
            return self.random.choice(WRONG)
        if self.chance(0.03):
            return self.pick("", "\x00", "missing", b"\xff\x00bin", "k" * 70)
        return f"k:{self.random.randrange(6)}"

    def lexkey(self):
        """A sorted set of one score: order by name is defined for no other."""
        return f"lex:{self.random.randrange(2)}" if not self.chance(0.05) else self.pick("lex:string", "lex:list", "lex:missing")

    def counter(self):
        return f"count:{self.random.randrange(3)}"

    def numkeys(self):
        keys = [self.key() for _ in range(self.random.randint(1, 3))]
        count = str(len(keys)) if not self.chance(0.08) else self.edge()
        return [count, *keys]

    def numkeys_values(self):
        count = self.random.randint(1, 3)
        told = str(count) if not self.chance(0.08) else self.edge()
        return [told, *(part for _ in range(count) for part in (self.key(), self.value()))]

    def numfields(self):
        fields = [self.field() for _ in range(self.random.randint(1, 3))]
        count = str(len(fields)) if not self.chance(0.08) else self.edge()
        return [count, *fields]

    def numfields_values(self):
        count = self.random.randint(1, 3)
        told = str(count) if not self.chance(0.08) else self.edge()
        return [told, *(part for _ in range(count) for part in (self.field(), self.value()))]

    def database(self):
        return self.pick("0", "1", "2", "15") if not self.chance(0.15) else self.edge()

    # Values

    def edge(self):
        edge = self.random.choice(EDGES if self.chance(0.6) else ODD)
        if self.is_valkey_9:
            return edge
        return "10x" if edge in NUMBERS_ONCE or self.only_numbers and edge[:1] in ("", "\0") else edge

    def value(self):
        kind = self.random.randrange(12)
        if kind < 4:
            return self.pick("a", "b", "value", "hello world", "x" * 44, "x" * 45)
        if kind < 8:
            return str(self.random.randint(-20, 200))
        if kind == 8:
            return b"x" * self.only_numbers + self.random.randbytes(self.random.randrange(24))
        if kind == 9:
            return "y" * self.random.choice([63, 64, 65, 100, 300])
        if kind == 10:
            return self.plain_float()
        return self.edge()

    def noise(self):
        return self.random.randbytes(12)

    def element(self):
        return self.value()

    def member(self):
        if self.chance(0.7):
            return f"m{self.random.randrange(30)}"
        return self.value()

    def field(self):
        if self.chance(0.8):
            return f"f{self.random.randrange(12)}"
        return self.value()

    def channel(self):
        return self.pick("news", "news:1", "news:2", "chat", "", "a[b", b"\xff")

    def type(self):
        return self.pick("string", "list", "set", "zset", "hash", "stream", "STRING", "nope")

    # Numbers

    def int(self):
        return str(self.random.randint(-50, 150)) if not self.chance(0.25) else self.edge()

    def count(self):
        return str(self.random.randint(0, 6)) if not self.chance(0.15) else self.edge()

    def anyrequest(self):
        """A request of any other family, which is only told and not executed."""
        name = self.pick("strings", "bitmaps", "hashes", "hash-deadlines", "lists", "lists-blocking", "sets", "zsets", "keys", "scans", "geo",
                         "hyperloglog", "transactions", "pubsub", "server")
        if name not in self.others:
            self.others[name] = Family(name, self.random, self.is_valkey_9)
        return self.others[name].request()

    def commandname(self):
        return self.random.choice(COMMAND_NAMES) if not self.chance(0.1) else self.pick("nope", "get|nope", "config|nope", "", "GET", "Config|Get")

    def category(self):
        return self.pick("keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog", "geo",
                         "transaction", "nope", "@set", "") if not self.chance(0.1) else self.value()

    def logtype(self):
        return self.pick("slow", "large-request", "large-reply", "SLOW", "nope", "")

    def event(self):
        return self.pick("command", "fast-command", "nope", "")

    def badcount(self):
        return self.pick("-1", "x", "", "1.5", "9223372036854775808", "0")

    def randomcount(self):
        # Large negative counts are legal and answered in full.
        return str(self.random.randint(-5, 8)) if not self.chance(0.15) else self.pick("x", "", "9223372036854775808", "-9223372036854775808")

    def index(self):
        return str(self.random.randint(-8, 10)) if not self.chance(0.2) else self.edge()

    def first(self):
        """Servers before Valkey 9 find nothing behind an offset below zero."""
        index = self.index()
        return index if self.is_valkey_9 or not index.startswith("-") else "0"

    def shortindex(self):
        """LSET cuts its index to 32 bits in Valkey and Redis, so that 4294967295 is the last element."""
        index = self.index()
        return index if not re.fullmatch(r"-?\d{10,}", index) else "99"

    def offset(self):
        return str(self.random.randint(0, 300)) if not self.chance(0.15) else self.pick("-1", "x", "", "9223372036854775807", "536870912", "01")

    def bitoffset(self):
        return str(self.random.randint(0, 2000)) if not self.chance(0.15) else self.pick("-1", "x", "4294967296", "9223372036854775807", "01")

    def fieldoffset(self):
        number = str(self.random.randint(0, 300)) if not self.chance(0.1) else self.pick("-1", "x", "9223372036854775807", "01")
        return ("#" if self.chance(0.3) else "") + number

    def bits(self):
        kind = self.pick("u", "i")
        width = str(self.random.randint(1, 64 if kind == "i" else 63))
        return kind + width if not self.chance(0.08) else self.pick("u64", "i65", "u0", "i0", "x8", "u", "8", "u-1", "U8")

    def bit(self):
        return self.pick("0", "1") if not self.chance(0.08) else self.pick("2", "-1", "x", "")

    def plain_float(self):
        number = self.random.choice(FLOATS)
        return number if self.is_valkey_9 or number not in NUMBERS_ONCE else "0.5"

    def float(self):
        return self.plain_float() if not self.chance(0.2) else self.edge()

    def score(self):
        if self.chance(0.6):
            return str(self.random.randint(-5, 20))
        score = self.plain_float() if not self.chance(0.2) else self.edge()
        # A listpack turns -0 into 0 and a skiplist does not, so its spelling tells only of an encoding.
        return score if score not in ("-0", "-0.0") else "0"

    def minimum(self):
        return self.bound("-inf")

    def maximum(self):
        return self.bound("+inf")

    def bound(self, open_end):
        if self.chance(0.25):
            return open_end
        return self.pick("", "", "(") + self.score()

    def lexical(self):
        if self.chance(0.3):
            return self.pick("-", "+")
        word = self.member()
        prefix = self.pick("[", "(") if not self.chance(0.1) else self.pick("", "-", "+")
        return prefix.encode() + word if isinstance(word, bytes) else prefix + word

    # Time: nothing that runs out while both servers are asked

    def seconds(self):
        return str(self.random.randint(1000, 100_000)) if not self.chance(0.25) else self.long()

    def ms(self):
        return str(self.random.randint(1_000_000, 100_000_000)) if not self.chance(0.25) else self.long()

    def long(self):
        return self.pick("0", "-1", "-100", "9223372036854775807", "-9223372036854775808", "9223372036854775", "9223372036854776", "x", "", "1.5", "99999999999")

    def at_seconds(self):
        return str(4_000_000_000 + self.random.randint(0, 1000)) if not self.chance(0.25) else self.pick("1", "0", "-1", "x", "9223372036854775807", "9223372036854775")

    def at_ms(self):
        return str(4_000_000_000_000 + self.random.randint(0, 1000)) if not self.chance(0.25) else self.pick("1", "0", "-1", "x", "9223372036854775807")

    def timeout(self):
        return "0.002" if not self.chance(0.15) else self.pick("-1", "x", "", "nan", "-0.5", "1e-3", "99999999999999999999")

    # Sorts: weights that no two elements share, or that say nothing, so that there is one order

    def digit(self):
        return str(self.random.randrange(8))

    def sorted(self):
        """Where results go; servers before Valkey 9 sort the empty strings among them as if they were 0."""
        return self.key() if self.is_valkey_9 else f"sorted:{self.random.randrange(3)}"

    def weights(self):
        return self.pick("w:integer", "w:integer", "nope:*", "nope:*->f", "w:hash->*", "*")

    def sought(self):
        return self.pick("#", "k:*", "k:*->f1", "k:*->f2", "w:hash->*", "nope:*", "*", "", "k:*->")

    # Scans and patterns

    def cursor(self):
        """Servers before Valkey 9 take most of what is no number for 0."""
        return "0" if not self.chance(0.1) else self.pick("x", "1.5", *(("", "-1", "18446744073709551616", "00") if self.is_valkey_9 else ()))

    def pattern(self):
        return self.pick("*", "k:*", "k:[0-3]", "k:?", "[^k]*", "", "m1*", "f?", "\\*", "*:*", "[a-", "k:[^1-3]", "*2", "news*", "a[b", "?")

    # Streams

    def newid(self):
        """Never `*` alone: the time is of the moment."""
        self.last_id += 1
        if self.chance(0.01):
            return self.pick("18446744073709551615-*", "18446744073709551615-18446744073709551614", "9223372036854775808-0", "0-*", "0-0")
        return f"{self.last_id}-{self.random.randrange(3)}" if not self.chance(0.15) else self.pick(f"{self.last_id}-*", f"{self.last_id}")

    def id(self):
        if self.chance(0.8):
            near = max(0, self.last_id - self.random.randrange(12))
            return self.pick(f"{near}-{self.random.randrange(3)}", f"{near}")
        return self.pick("0", "0-0", "0-1", "x", "", "1-x", "-1", "1-1-1", "18446744073709551615-18446744073709551615", "18446744073709551616", "$", "5-*",
                         "9223372036854775807-9223372036854775808", "+1-1", " 1", "01-1", "1--01", "1-", "-", "1-1\0x")

    def rangeid(self):
        return self.pick("-", "+", self.id(), self.id(), "(" + self.id())

    def group(self):
        return self.pick("g1", "g2", "g3")

    def minidle(self):
        """What no entry comes near by time, but some by the option IDLE."""
        return self.pick("0", "0", "500000") if not self.chance(0.05) else self.pick("-1", "x", "9223372036854775807")

    def consumer(self):
        return self.pick("alice", "bob", "carol")

    # Geo

    def longitude(self):
        return repr(round(self.random.uniform(-180, 180), 6)) if not self.chance(0.1) else self.pick("181", "-181", "x", "nan", "180", "-180", "0")

    def latitude(self):
        return repr(round(self.random.uniform(-85, 85), 6)) if not self.chance(0.1) else self.pick("86", "-86", "x", "inf", "85.05112878", "0")

    def distance(self):
        return self.pick("1", "100", "5000", "20000", "0", "0.5") if not self.chance(0.1) else self.pick("-1", "x", "nan", "inf", "")

    def corners(self):
        """Of a polygon that is no larger than a country: of larger ones servers miss what lies in them."""
        count = self.random.randint(3, 6) if not self.chance(0.1) else self.random.randint(0, 2)
        told = str(count) if not self.chance(0.05) else self.pick("0", "2", "9", "-1", "x", "", "9223372036854775807", "-9223372036854775808")
        longitude, latitude = self.random.uniform(-170, 170), self.random.uniform(-70, 70)
        corners = [(longitude + self.random.uniform(-8, 8), latitude + self.random.uniform(-8, 8)) for _ in range(count)]
        return [told, *(repr(round(part, 6)) for corner in corners for part in corner)]

    def unit(self):
        return self.pick("m", "km", "ft", "mi", "KM") if not self.chance(0.06) else self.pick("x", "")

    # Payloads of DUMP

    def payload(self):
        if not self.payloads or self.chance(0.05):
            return self.random.randbytes(self.random.randrange(40))
        payload = bytearray(self.random.choice(self.payloads))
        if self.chance(0.3):
            payload[self.random.randrange(len(payload))] ^= 1 << self.random.randrange(8)
        return bytes(payload)


# The grammar


def parse(line):
    """A line as `(flags, items)`; an item is a word, or `(kind, alternatives)`."""
    tokens = line.split()
    flags = set()
    while tokens[0] in ("@9", "!"):
        flags.add(tokens.pop(0))
    items, rest = parse_items(tokens)
    if rest:
        raise ValueError(f"unbalanced: {line}")
    return flags, items


def parse_items(tokens):
    items = []
    while tokens and tokens[0] not in ("]", ")", ")+", ")*", "|"):
        token, tokens = tokens[0], tokens[1:]
        if token in ("[", "("):
            alternatives = []
            while True:
                inner, tokens = parse_items(tokens)
                alternatives.append(inner)
                closing, tokens = tokens[0], tokens[1:]
                if closing != "|":
                    break
            items.append((token + closing, alternatives))
        else:
            items.append(token)
    return items, tokens


def expand(items, arguments, request):
    for item in items:
        if isinstance(item, str):
            made = getattr(arguments, item)() if re.fullmatch("[a-z][a-z_]+", item) and hasattr(Arguments, item) else item
            request += made if isinstance(made, list) else [made]
            continue
        kind, alternatives = item
        times = {"[]": arguments.random.randrange(2), "()": 1, "()+": arguments.random.choice([1, 1, 2, 2, 3, 4]),
                 "()*": arguments.random.randrange(4)}[kind]
        for _ in range(times):
            expand(arguments.random.choice(alternatives), arguments, request)
    return request


def lives(request):
    """Where a string is given milliseconds to live: with few, it is gone on one server and still there on the other."""
    words = [str(part).upper() for part in request]
    if words[0] == "PSETEX":
        return range(2, min(len(request), 3))
    return [index + 1 for index in range(1, len(request) - 1) if words[index] == "PX"]


def idle_times(request):
    """Where a request says for how long entries of a stream have to be idle."""
    name, words = request[0].upper(), [str(part).upper() for part in request]
    if name in ("XCLAIM", "XAUTOCLAIM"):
        return range(4, min(len(request), 5))
    return [index + 1 for index in range(3, len(request) - 1) if name == "XPENDING" and words[index] == "IDLE"]


class Family:
    """Makes the random requests of one family."""

    def __init__(self, name, random, is_valkey_9=True, known=None):
        self.name = name
        self.random = random
        self.arguments = Arguments(random)
        self.arguments.is_valkey_9 = is_valkey_9
        self.arguments.only_numbers = name == "sorts" and not is_valkey_9
        self.lines = []
        for line in filter(str.strip, FAMILIES[name].splitlines()):
            flags, items = parse(line.strip())
            if "@9" in flags and not is_valkey_9:
                continue
            if known is not None and isinstance(items[0], str) and items[0].isupper() and items[0] != "NOPE" and items[0] not in known:
                continue
            self.lines.append((flags, items))

    def request(self):
        flags, items = self.random.choice(self.lines)
        request = expand(items, self.arguments, [])
        fixed = "!" in flags
        chance = self.random.random()
        if chance < 0.02 and not fixed and len(request) > 1:
            request.pop()
        elif chance < 0.03 and not fixed:
            request.append(self.arguments.value())
        elif chance < 0.05 and not fixed and len(request) > 1:
            index = self.random.randrange(1, len(request))
            # In a range by name of another key, members may have different scores, and no order.
            if not str(request[index]).startswith("lex:"):
                request[index] = self.arguments.edge()
        elif chance < 0.08:
            request[0] = request[0].lower() if isinstance(request[0], str) else request[0]
        if self.name == "streams":
            # No id of the moment, and no count for which Valkey would reserve gigabytes.
            request = ["0-1" if part == "*" else part for part in request]
            if request[0].upper() == "XAUTOCLAIM":
                request[5:] = ["7" if isinstance(part, str) and re.fullmatch(r"\d{8,}", part) else part for part in request[5:]]
            # Nor a time for which an entry may have been idle on one server and not on the other.
            for index in idle_times(request):
                if re.fullmatch(r"\d{1,5}", str(request[index])) and int(request[index]) > 0:
                    request[index] = "500000"
        for index in lives(request):
            if re.fullmatch(r"\d{1,4}", str(request[index])) and int(request[index]) > 0:
                request[index] = "95195949"
        if request[0].upper() in ("ZRANK", "ZREVRANK") and not self.arguments.is_valkey_9:
            # Three arguments were too many.
            del request[3:]
        return [part.encode() if isinstance(part, str) else part for part in request]

    def requests(self, count):
        """About `count` requests; some of them inside transactions."""
        made = []
        queues = False
        with_transactions = self.name not in ("pubsub", "transactions", "server", "introspection", "lists-blocking", "notifications")
        while len(made) < count:
            if with_transactions and self.random.random() < 0.01:
                made.append([b"MULTI"])
                made += [self.request() for _ in range(self.random.randrange(6))]
                made.append([b"EXEC"] if self.random.random() < 0.9 else [b"DISCARD"])
            else:
                request = self.request()
                word = request[0].upper()
                if queues and word in (b"WATCH", b"MULTI") and not self.arguments.is_valkey_9:
                    # Refused by all, but earlier servers go on with the transaction.
                    continue
                queues = word == b"MULTI" or queues and request not in ([b"EXEC"], [b"DISCARD"])
                made.append(request)
        return made
