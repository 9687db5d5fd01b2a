"""The house rules of docs/architecture.md as data: who may include whom, and what from outside."""

# In layer order: a module may include itself and the modules before it. The value is its folder.
LAYERS = {
    "subject": "subject",
    **{name: f"server/{name}" for name in (
        "base", "crypto", "logging", "json", "config", "http", "account", "bus", "streams",
        "session", "web", "wire", "nats", "auth", "store", "jetstream", "cluster", "monitor",
        "net", "app")},
}

# All that a bridge may include, beside itself. NATS is the first of the bridges.
BRIDGE_MAY = {
    "kit", "subject", "base", "crypto", "logging", "json", "config", "http", "account", "bus",
    "streams", "session", "web", "wire",
}

# Only the application, which is not seen by anyone, knows which bridges there are.
SEES_ALL = {"app"}

# Libraries with one home, by the first part of the include path; ours to replace in one place.
HOMES = {
    "asio": {"net"},
    "asio.hpp": {"net"},
    "openssl": {"crypto", "net"},
    "spdlog": {"logging"},
    "rapidjson": {"json"},
    "nghttp2": {"http"},
    "crypt.h": {"crypto"},
    "zlib.h": {"http"},
}

# Libraries that any module may use, as it uses the standard library.
EVERYWHERE = {"fmt", "absl", "tl", "xxhash.h"}

# A bridge opens neither sockets nor files, so it has no use for these.
NOT_IN_BRIDGES = {"filesystem", "fstream"}

# The C++ standard library, by the names that C++ gives its headers.
STANDARD = set("""
algorithm any array atomic barrier bit bitset charconv chrono cmath compare concepts
condition_variable csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime deque exception
filesystem fstream functional future initializer_list iomanip ios iosfwd iostream istream iterator
latch limits list locale map memory memory_resource mutex new numbers numeric optional ostream
queue random ranges ratio scoped_allocator semaphore set shared_mutex span sstream stack stdexcept
stop_token streambuf string string_view system_error thread tuple type_traits typeindex typeinfo
unordered_map unordered_set utility valarray variant vector version cassert cctype cerrno cfenv
cfloat cinttypes climits clocale cwchar cwctype cuchar
""".split())

# The operating system: any header of these folders, and these. SIMD intrinsics end in intrin.h.
SYSTEM_FOLDERS = {"arpa", "linux", "net", "netinet", "sys"}
SYSTEM = set("""
dirent.h dlfcn.h fcntl.h grp.h ifaddrs.h malloc.h netdb.h poll.h pthread.h pwd.h sched.h signal.h
syslog.h termios.h unistd.h
""".split())
