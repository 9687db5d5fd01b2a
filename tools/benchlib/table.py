"""The result of a comparison as text for a terminal and as markdown for docs/performance.md."""

from benchlib import load, summary

# How many times less processor time than its peer each shape is meant to need. Where every message
# pays its own system calls the kernel's share bounds what is possible.
GOALS = {
    "pub-16": 6, "1-1-16": 6, "1-1-128": 4.5, "10-10-128": 4.5, "10-1-128": 4.5, "1-1-1k": 2,
    "1-1-16k": 1.5, "fan-16": 5, "fan-128": 5, "queue-10-128": 4, "rr-100": 1.8, "rr-10": 1.7,
    "rr-1": 1.3, "single-10-10-128": 1, "subs-1m": 2.5, "idle": 5,
    **{f"http-{rest}": 0.8 for rest in ("get-1", "get-16", "post-1", "post-16")},
    **{f"mqtt-{rest}": 3 for rest in ("1-1-16", "1-1-128", "fan-16", "fan-128", "10-10-16",
                                      "10-10-128")},
}
# With two cores half of the pairs meet across loops.
GOALS_OF_TWO_CORES = {"rr-1": 1.6, "rr-10": 1.6, "rr-100": 1.6}
# What is left of the others' rate where one stops reading.
KEPT_RATE = 0.9
MISSING = "–"


def significant(value, digits=3):
    """A number with so many significant digits and no exponent."""
    if value == 0:
        return "0"
    text = f"{float(f'{value:.{digits}g}'):,.10f}".rstrip("0").rstrip(".")
    return text


def scaled(value, steps):
    if value is None:
        return MISSING
    for factor, unit in steps:
        if value >= factor:
            return f"{significant(value / factor)} {unit}"
    factor, unit = steps[-1]
    return f"{significant(value / factor)} {unit}"


def duration(ns):
    return scaled(ns, ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns")))


def rate(per_second):
    return scaled(per_second, ((1e6, "M/s"), (1e3, "k/s"), (1, "/s")))


def size(count):
    return scaled(count, ((1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")))


def cpu(figures):
    if not figures or figures.cpu() is None:
        return MISSING
    total = duration(figures.cpu())
    if not figures.cpu():
        return total
    return f"{total} ({100 * figures.user() / figures.cpu():.0f} % user)"


def times(ratio):
    if ratio.value is None:
        return MISSING
    middle = significant(ratio.value, 2)
    if ratio.low is None or ratio.low == ratio.high:
        return middle
    return f"{middle} ({significant(ratio.low, 2)}–{significant(ratio.high, 2)})"


def goal(line, ratio, goals):
    wanted = goals.get(line.shape.name)
    if not wanted:
        return MISSING
    if ratio.value is None:
        return f"≥ {wanted}"
    return f"≥ {wanted} {'✓' if ratio.value >= wanted else '✗'}"


def percentage(ratio):
    if ratio.value is None:
        return MISSING
    middle = f"{100 * ratio.value:.0f} %"
    if ratio.low is None or ratio.low == ratio.high:
        return middle
    return f"{middle} ({100 * ratio.low:.0f}–{100 * ratio.high:.0f})"


def throughput(lines, goals):
    """Rate and processor time of shapes that run at full speed."""
    header = ["shape", "rate", "peer's", "CPU", "peer's", "times less (spread)", "goal", "RSS",
              "peer's", "generator"]
    body = []
    for line in lines:
        peer = line.peer
        ratio = line.ratio(summary.cpu_of)
        body.append([f"{line.shape.title}, per {line.shape.unit}", rate(line.ours.rate()),
                     rate(peer.rate()) if peer else MISSING, cpu(line.ours), cpu(peer),
                     times(ratio), goal(line, ratio, goals), size(line.ours.resident()),
                     size(peer.resident()) if peer else MISSING, duration(line.ours.client())])
    return header, body


def latency(lines):
    """Latency of requests, and of messages on a clock."""
    header = ["shape", "p50", "peer's", "p99", "peer's", "p99.9", "peer's", "generator late, p99"]
    body = []
    for line in lines:
        cells = [line.shape.title]
        for name in ("p50", "p99", "p999"):
            cells.append(duration(line.ours.latency(name)))
            cells.append(duration(line.peer.latency(name)) if line.peer else MISSING)
        cells.append(duration(line.ours.latency("p99", of="lag_ns")))
        body.append(cells)
    return header, body


def held(lines, goals):
    """What connections and subscriptions cost that do nothing."""
    header = ["held", "memory each", "peer's", "times less (spread)", "goal", "CPU to open each",
              "peer's", "CPU of a silent second", "peer's"]
    body = []
    for line in lines:
        peer, ratio = line.peer, line.ratio(summary.held_of)
        body.append([line.shape.title, size(line.ours.held()),
                     size(peer.held()) if peer else MISSING, times(ratio), goal(line, ratio, goals),
                     cpu(line.ours), cpu(peer), duration(line.ours.idle()),
                     duration(peer.idle()) if peer else MISSING])
    return header, body


def stalled(lines):
    """The rate of those who read while one does not, as a share of the rate without that one."""
    header = ["shape", "server", "rate of the others", "without it", "share", "goal", "closed it"]
    by_name = {line.shape.name: line for line in lines}
    nothing = summary.Figures([])
    body = []
    for line in lines:
        if line.shape.name not in load.STALLED:
            continue
        without = by_name.get(load.STALLED[line.shape.name])
        for mine, base in ((line.ours, without and without.ours),
                           (line.peer, without and without.peer)):
            if not mine or not mine.rounds:
                continue
            share = summary.Ratio(base or nothing, mine, summary.rate_of)
            met = MISSING
            if share.value is not None and mine is line.ours:
                met = f"≥ {100 * KEPT_RATE:.0f} % {'✓' if share.value >= KEPT_RATE else '✗'}"
            body.append([line.shape.title, mine.rows[0]["server"], rate(mine.rate()),
                         rate(base.rate()) if base else MISSING, percentage(share), met,
                         "yes" if mine.closed() else "no"])
    return header, body


def last_values(lines):
    """What it costs that a message is kept as its subject's last value."""
    header = ["shape", "rate", "with last values", "CPU", "with last values", "times", "RSS",
              "with last values"]
    body = []
    for line in lines:
        more = summary.Ratio(line.ours, line.kept, summary.cpu_of)
        body.append([f"{line.shape.title}, per {line.shape.unit}", rate(line.ours.rate()),
                     rate(line.kept.rate()), cpu(line.ours), cpu(line.kept), times(more),
                     size(line.ours.resident()), size(line.kept.resident())])
    return header, body


def second_core(lines):
    """What a second core adds, and what a message costs then."""
    header = ["shape", "rate", "with one core", "times", "CPU", "with one core", "times"]
    body = []
    for line in lines:
        body.append([f"{line.shape.title}, per {line.shape.unit}", rate(line.ours.rate()),
                     rate(line.single.rate()),
                     times(summary.Ratio(line.single, line.ours, summary.rate_of)),
                     cpu(line.ours), cpu(line.single),
                     times(summary.Ratio(line.single, line.ours, summary.cpu_of))])
    return header, body


def sections(lines, goals):
    """The tables that have rows, each with a title."""
    def of(*kinds):
        return [line for line in lines if line.shape.kind in kinds]
    found = (
        ("Rate and processor time", *throughput(of("stream", "request", "http"), goals)),
        ("Latency", *latency(of("request", "http", "paced"))),
        ("What is held", *held(of("connections", "subscriptions"), goals)),
        ("One subscriber that stops reading", *stalled(lines)),
        ("With last values", *last_values([line for line in lines if line.kept])),
        ("A second core", *second_core([line for line in lines if line.single])))
    return [(title, header, body) for title, header, body in found if body]


def as_text(header, body):
    widths = [max(len(row[i]) for row in [header, *body]) for i in range(len(header))]
    return "\n".join("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
                     for row in [header, *body])


def as_markdown(header, body):
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *body])


def voids(lines):
    """A sentence for each shape that has runs without figures."""
    found = []
    for line in lines:
        for who, figures in line.sides.items():
            if figures.void:
                found.append(f"{line.shape.name}, {who}: void: {figures.void}")
    return found
