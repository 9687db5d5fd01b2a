"""The machine under a comparison: its cores, its private network, and who else was using it."""

import ctypes
import fcntl
import os
import pathlib
import platform
import resource
import signal
import socket
import struct
import tempfile
import time

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
CONGESTION = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control")

libc = ctypes.CDLL(None, use_errno=True)


def enter_private_network():
    """Moves this process into a network of its own, loopback alone, with reno. Returns whether it
    could: the kernel may not allow it, and then the machine's own loopback serves."""
    user, group = os.getuid(), os.getgid()
    flags = CLONE_NEWNET if user == 0 else CLONE_NEWNET | CLONE_NEWUSER
    if libc.unshare(flags) != 0:
        return False
    if user != 0:
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sh22x", b"lo", 0))
        loopback = struct.unpack("16sh22x", request)[1] | IFF_UP
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", loopback))
    try:
        CONGESTION.write_text("reno")
    except OSError:
        pass  # the report says which one it was
    return True


def congestion_control():
    return CONGESTION.read_text().strip()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def placement(cores):
    """The cores of the server and of the load generator: apart where there are enough."""
    available = sorted(os.sched_getaffinity(0))
    if cores > len(available):
        raise SystemExit(f"tools/bench: {cores} cores asked for, {len(available)} there")
    server, rest = available[:cores], available[cores:]
    return server, rest[:1] or available


def start_on(cores):
    """What a child does before it becomes another program: it keeps to its cores and ends with this
    process."""
    def prepare():
        os.sched_setaffinity(0, cores)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    return prepare


def raise_file_limit():
    """Returns how many files, sockets included, a process may now have open."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Others:
    """The share of the machine's time that went neither to this server nor to a child that this
    process has waited for (the load generator), from its creation on."""

    def __init__(self, server_pid):
        self.server_pid = server_pid
        self.began, self.busy, self.own = time.monotonic(), busy_seconds(), self.own_seconds()

    def own_seconds(self):
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        fields = pathlib.Path(f"/proc/{self.server_pid}/stat").read_text().rsplit(")", 1)[1].split()
        server = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return children.ru_utime + children.ru_stime + server

    def share(self):
        capacity = (time.monotonic() - self.began) * (os.cpu_count() or 1)
        used = busy_seconds() - self.busy - (self.own_seconds() - self.own)
        return max(0.0, used / capacity)


def busy_seconds():
    """Processor time used on this machine since it started, time stolen by its host included."""
    line = pathlib.Path("/proc/stat").read_text().splitlines()[0]
    user, nice, system, _, _, irq, softirq, steal, *_ = map(int, line.split()[1:])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def file_system(folder, mounts=None):
    """The type and the device of the file system that a folder is on."""
    if mounts is None:
        mounts = pathlib.Path("/proc/mounts").read_text()
    path = str(pathlib.Path(folder).resolve())
    best = ("", "unknown", "unknown")
    for line in mounts.splitlines():
        device, point, kind = line.split()[:3]
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best[0]):
            best = (point, kind, device)
    return best[1], best[2]


def disk_folder():
    """A folder for temporary files that are on a disk: what is synced in memory costs nothing."""
    places = [tempfile.gettempdir(), "/var/tmp", str(pathlib.Path.home())]
    for place in places:
        if os.access(place, os.W_OK) and file_system(place)[0] not in ("tmpfs", "ramfs"):
            return place
    raise SystemExit(f"tools/bench: none of {', '.join(places)} is on a disk; "
                     "name a folder with --store")


def resident_bytes(pid):
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def describe():
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {"processor": model, "cores": os.cpu_count(), "kernel": platform.release(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")}
