"""From the rows of all rounds to one line a shape: medians, spreads and ratios."""

import statistics


class Figures:
    """What one server did on one shape: the median over the rounds of each measure."""

    def __init__(self, rows):
        self.rows = [row for row in rows if "void" not in row]
        self.void = next((row["void"] for row in rows if "void" in row), None)
        self.rounds = len(self.rows)

    def median(self, measure):
        values = [value for value in map(measure, self.rows) if value is not None]
        return statistics.median(values) if values else None

    def rate(self):
        return self.median(rate_of)

    def cpu(self):
        return self.median(cpu_of)

    def user(self):
        return self.median(lambda row: row["server_user_ns"] / row["units"])

    def system(self):
        return self.median(lambda row: row["server_system_ns"] / row["units"])

    def client(self):
        return self.median(lambda row: row["client_cpu_ns"] / row["units"])

    def resident(self):
        return self.median(lambda row: row["resident_bytes"])

    def held(self):
        """Bytes for each connection or subscription that is held."""
        return self.median(held_of)

    def idle(self):
        """Processor time of a silent second."""
        return self.median(lambda row: row.get("idle_cpu_ns"))

    def closed(self):
        """How many of those who stopped reading the server has closed."""
        return self.median(lambda row: row.get("sleepers_closed"))

    def latency(self, name, of="latency_ns"):
        return self.median(lambda row: row.get(of, {}).get(name))


def rate_of(row):
    return row["units"] / row["wall_ns"] * 1e9


def cpu_of(row):
    return row["server_cpu_ns"] / row["units"]


def held_of(row):
    before = row.get("resident_before_bytes")
    return (row["resident_bytes"] - before) / row["units"] if before else None


class Ratio:
    """How many times less than its peer a server needs: of the medians, and round by round."""

    def __init__(self, ours, peers, measure):
        self.value = self.low = self.high = None
        mine, theirs = ours.median(measure), peers.median(measure)
        if mine and theirs:
            self.value = theirs / mine
        by_round = {row["round"]: measure(row) for row in peers.rows}
        pairs = [by_round[row["round"]] / measure(row) for row in ours.rows
                 if by_round.get(row["round"]) and measure(row)]
        if pairs:
            self.low, self.high = min(pairs), max(pairs)


class Line:
    """A shape with the figures of each side that ran it: ours and the peer, ours as it keeps last
    values ("kept") and with a single core, the peer as it syncs every write ("synced"), and the
    disk alone. All but ours are None where there was no such run."""

    def __init__(self, shape, sides):
        self.shape, self.sides = shape, sides
        self.ours = sides.get("ours", Figures([]))
        self.peer, self.kept, self.single = map(sides.get, ("peer", "kept", "single"))

    def ratio(self, measure):
        return Ratio(self.ours, self.peer, measure) if self.peer else Ratio(
            self.ours, Figures([]), measure)


def lines(shapes, rows):
    """A line for each shape that ran; a row's key "side" says whose it is."""
    result = []
    for shape in shapes:
        sides = {}
        for row in rows:
            if row["row"] == shape.name:
                sides.setdefault(row["side"], []).append(row)
        found = {side: Figures(rows) for side, rows in sides.items()}
        if found:
            result.append(Line(shape, found))
    return result
