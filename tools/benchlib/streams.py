"""The tables of streams: what they cost beside nats-server with its defaults, beside it as it syncs
every write, and beside the disk alone."""

from benchlib import load, summary, table

# The shapes that also run on the peer with every write synced.
SYNCED = ("js-file-256", "js-wait", "js-wait-1000", "js-wait-1000-noisy", "js-deliver")
SIDES = {"ours": "spanwire", "peer": "nats-server", "synced": "nats-server, every write synced",
         "disk": "the disk alone"}
# No difference below this is to be believed.
NOISE = 1.2


def resident_of(row):
    return row["resident_bytes"]


def restart_of(row):
    return row.get("restart_ns")


def idle_of(row):
    return row.get("idle_cpu_ns")


def mean_of(row):
    """Of something of which one follows the other."""
    return row["wall_ns"] / row["units"]


def latency_of(name):
    return lambda row: row.get("latency_ns", {}).get(name)


# What a goal is about, as (how a run shows it, how it is written, whether more of it is better).
RATE = ("rate", summary.rate_of, table.rate, True)
CPU = ("CPU", summary.cpu_of, table.duration, False)
MEMORY = ("memory", resident_of, table.size, False)
HELD = ("memory each", summary.held_of, table.size, False)
RESTART = ("start with them", restart_of, table.duration, False)
IDLE = ("CPU of a silent second", idle_of, table.duration, False)
P50 = ("p50", latency_of("p50"), table.duration, False)
STORED = ("read to acknowledged", lambda row: row.get("stored_after_ns"), table.duration, False)
MEAN = ("mean", mean_of, table.duration, False)
WORST = ("longest", latency_of("max"), table.duration, False)


class Goal:
    """What a shape is to reach beside another run: at least so many times better, or, with `most`,
    no more than so many times as much."""

    def __init__(self, shape, what, factor, side="peer", other=None, beside=None, most=False):
        self.shape, self.what, self.factor, self.side, self.most = shape, what, factor, side, most
        self.other = other or shape  # the shape of the run beside it
        self.beside = beside or what

    def cells(self, by_name):
        """A row of the table; None if the shape was not run."""
        line, other = by_name.get(self.shape), by_name.get(self.other)
        if not line or not line.ours.rounds:
            return None
        name, measure, written, more = self.what
        beside_name, beside_measure, _, _ = self.beside
        beside_figures = other and other.sides.get(self.side)
        mine = line.ours.median(measure)
        theirs = beside_figures.median(beside_measure) if beside_figures else None
        place = SIDES[self.side]
        if self.other != self.shape:
            place = f"{place}, {self.other}"
        if beside_name != name:
            place = f"{place}, {beside_name}"
        ratio = self.ratio(mine, theirs, more)
        return [line.shape.title, name, written(mine), place, written(theirs),
                table.significant(ratio, 2) if ratio is not None else table.MISSING,
                self.verdict(ratio)]

    def ratio(self, mine, theirs, more):
        if mine is None or theirs is None:
            return None
        top, bottom = (mine, theirs) if more or self.most else (theirs, mine)
        if not bottom:
            return None if not top else float("inf")
        return top / bottom

    def verdict(self, ratio):
        sign = "≤" if self.most else "≥"
        if ratio is None:
            return f"{sign} {self.factor}"
        reached = ratio <= self.factor if self.most else ratio >= self.factor
        return f"{sign} {self.factor} {'✓' if reached else '✗'}"


GOALS = (
    Goal("js-file-256", RATE, 1), Goal("js-file-256", CPU, 3),
    Goal("js-file-256", RATE, 50, side="synced"),
    Goal("js-memory-256", CPU, 2.4),
    Goal("js-wait", RATE, 2.5, side="synced"),
    Goal("js-wait", STORED, 1.3, side="disk", other="disk-written", beside=MEAN, most=True),
    Goal("js-wait-1000", RATE, 10, side="synced"),
    Goal("js-wait-1000-noisy", WORST, 20, side="ours", other="js-wait-1000", beside=P50, most=True),
    Goal("js-pull-256", CPU, 3), Goal("js-push", CPU, 3),
    *(Goal(f"kv-{work}{size}", what, factor) for size in ("", "-1m")
      for work in ("put", "get", "watch") for what, factor in ((RATE, 1), (CPU, 1), (MEMORY, 2))),
    Goal("js-hold-1000", HELD, 1), Goal("js-hold-1000", RESTART, 1), Goal("js-hold-1000", IDLE, 1),
    Goal("js-filters-10k", CPU, NOISE, side="ours", other="js-filters-10", most=True),
)


def goals(lines):
    header = ["shape", "what", "spanwire", "beside", "there", "times", "goal"]
    by_name = {line.shape.name: line for line in lines}
    rows = [goal.cells(by_name) for goal in GOALS]
    return header, [row for row in rows if row]


def of_sides(line, of, sides=("ours", "peer", "synced")):
    """A cell for each side, of a function of figures."""
    found = [line.sides.get(side) for side in sides]
    return [of(figures) if figures and figures.rounds else table.MISSING for figures in found]


def throughput(lines):
    header = ["shape", "rate", "peer's", "synced", "CPU", "peer's", "synced",
              "times less (spread)", "RSS", "peer's", "generator"]
    body = []
    for line in lines:
        body.append([f"{line.shape.title}, per {line.shape.unit}",
                     *of_sides(line, lambda figures: table.rate(figures.rate())),
                     *of_sides(line, table.cpu), table.times(line.ratio(summary.cpu_of)),
                     *of_sides(line, lambda figures: table.size(figures.resident()),
                               ("ours", "peer")),
                     table.duration(line.ours.client() if line.ours.rounds else None)])
    return header, body


def latency(lines):
    header = ["shape"]
    for name in ("p50", "p99", "longest"):
        header += [name, "peer's", "synced"]
    body = []
    for line in lines:
        cells = [line.shape.title]
        for name in ("p50", "p99", "max"):
            cells += of_sides(line, lambda figures, name=name:
                              table.duration(figures.latency(name)))
        body.append(cells)
    return header, body


def disk(lines):
    header = ["without a server", "rate", "p50", "p99", "p99.9", "longest"]
    body = []
    for line in lines:
        figures = line.sides["disk"]
        body.append([line.shape.title, table.rate(figures.rate()),
                     *(table.duration(figures.latency(name))
                       for name in ("p50", "p99", "p999", "max"))])
    return header, body


def held(lines):
    header = ["held", "memory each", "peer's", "CPU to create each", "peer's",
              "CPU of a silent second", "peer's", "start with them", "peer's",
              "memory after that", "peer's"]
    body = []
    for line in lines:
        cells = [line.shape.title]
        for of in (lambda figures: table.size(figures.held()), table.cpu,
                   lambda figures: table.duration(figures.idle()),
                   lambda figures: table.duration(figures.median(restart_of)),
                   lambda figures: table.size(figures.median(
                       lambda row: row.get("restarted_bytes")))):
            cells += of_sides(line, of, ("ours", "peer"))
        body.append(cells)
    return header, body


def sections(lines):
    """The tables that have rows, each with a title."""
    lines = [line for line in lines if line.shape.protocol == "streams"]

    def of(*kinds):
        return [line for line in lines if line.shape.kind in kinds]
    # Latency with a full window is the window's, divided by the rate.
    timed = [line for line in of("append")
             if line.shape.entry.get("window") == 1 or line.shape.name in load.NOISY]
    found = (
        ("Streams: the goals", *goals(lines)),
        ("Streams: rate and processor time", *throughput(of("append", "consume", "lookup"))),
        ("Streams: latency", *latency(timed)),
        ("Streams: the disk alone", *disk(of("disk"))),
        ("Streams: what is held", *held(of("assets"))))
    return [(title, header, body) for title, header, body in found if body]
