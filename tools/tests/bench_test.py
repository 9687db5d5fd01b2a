"""The arithmetic and the tables of tools/bench."""

import io
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from benchlib import (compare, jetstream, load, machine, servers, streams,  # noqa: E402
                      summary, table)


def shape(name="1-1-16", kind="stream", **more):
    return load.Shape(name, {"shape": name, "title": "a title", "protocol": "nats",
                             "kind": kind, "unit": "message"} | more)


def row(side, number, cpu_ns, **more):
    return {"row": "1-1-16", "side": side, "round": number, "server": side, "units": 1000,
            "wall_ns": 1_000_000, "server_cpu_ns": cpu_ns * 1000, "server_user_ns": cpu_ns * 250,
            "server_system_ns": cpu_ns * 750, "client_cpu_ns": 1000, "resident_bytes": 1 << 20,
            **more}


def line(rows, **shape_fields):
    return summary.lines([shape(**shape_fields)], rows)[0]


class Summary(unittest.TestCase):
    def test_the_median_of_the_rounds_counts(self):
        rows = [row("ours", i, cpu) for i, cpu in enumerate((30, 90, 40))]
        self.assertEqual(line(rows).ours.cpu(), 40)

    def test_a_ratio_is_the_peers_cost_by_ours_with_its_spread_over_the_rounds(self):
        rows = [row("ours", 0, 50), row("peer", 0, 300), row("peer", 1, 200), row("ours", 1, 50)]
        ratio = line(rows).ratio(summary.cpu_of)
        self.assertEqual((ratio.value, ratio.low, ratio.high), (5, 4, 6))

    def test_a_void_run_has_no_share_in_the_figures_and_is_told(self):
        rows = [row("ours", 0, 50), {"row": "1-1-16", "side": "ours", "round": 1, "void": "a gap"},
                row("peer", 0, 100), row("peer", 1, 900)]
        found = line(rows)
        self.assertEqual(found.ours.rounds, 1)
        self.assertEqual(found.ratio(summary.cpu_of).high, 2)
        self.assertEqual(table.voids([found]), ["1-1-16, ours: void: a gap"])

    def test_without_a_peer_there_is_no_ratio(self):
        found = summary.lines([shape()], [row("ours", 0, 50)])[0]
        self.assertIsNone(found.peer)
        self.assertIsNone(found.ratio(summary.cpu_of).value)

    def test_what_is_held_is_the_growth_of_memory_by_the_number_held(self):
        held = row("ours", 0, 1, resident_before_bytes=1 << 19)
        self.assertEqual(summary.held_of(held), (1 << 19) / 1000)


class Table(unittest.TestCase):
    def test_numbers_have_three_digits_and_a_unit(self):
        self.assertEqual(table.duration(74.56), "74.6 ns")
        self.assertEqual(table.duration(3456), "3.46 µs")
        self.assertEqual(table.duration(0), "0 ns")
        self.assertEqual(table.rate(12_345_678), "12.3 M/s")
        self.assertEqual(table.size(4096), "4 KiB")
        self.assertEqual(table.duration(None), table.MISSING)

    def test_a_goal_is_met_or_not(self):
        fast = line([row("ours", 0, 50), row("peer", 0, 300)])
        slow = line([row("ours", 0, 60), row("peer", 0, 300)])
        self.assertEqual(table.goal(fast, fast.ratio(summary.cpu_of), table.GOALS), "≥ 6 ✓")
        self.assertEqual(table.goal(slow, slow.ratio(summary.cpu_of), table.GOALS), "≥ 6 ✗")

    def test_every_kind_of_shape_has_its_table(self):
        rows = [row("ours", 0, 50, latency_ns={"p50": 1, "p99": 2, "p999": 3}), row("peer", 0, 60)]
        for kind, tables in (("stream", 1), ("request", 2), ("http", 2), ("paced", 1),
                             ("connections", 1), ("subscriptions", 1)):
            self.assertEqual(len(table.sections([line(rows, kind=kind)], {})), tables, kind)

    def test_a_row_has_a_cell_for_each_column(self):
        lines = [line([row("ours", 0, 50), row("peer", 0, 300)])]
        lines += summary.lines([shape()], [row("ours", 0, 50)])
        for header, body in (table.throughput(lines, {}), table.latency(lines),
                             table.held(lines, {})):
            for cells in body:
                self.assertEqual(len(cells), len(header), header)

    def test_text_and_markdown_hold_the_same_cells(self):
        header, body = table.throughput([line([row("ours", 0, 50), row("peer", 0, 300)])], {})
        for cell in body[0]:
            self.assertIn(cell, table.as_text(header, body))
            self.assertIn(cell, table.as_markdown(header, body))


def stalled_lines(ours, peers):
    """Both shapes with one run on each server: the rate without and with one that stops."""
    rows = [row(side, 0, 50, wall_ns=1_000_000_000 * 1000 // rate, **more) | {"row": name}
            for side, rates in (("ours", ours), ("peer", peers))
            for name, rate, more in (("all-100", rates[0], {}),
                                     ("stall-100", rates[1], {"sleepers_closed": 1}))]
    return summary.lines([shape("all-100"), shape("stall-100")], rows)


class Stalled(unittest.TestCase):
    def test_what_the_others_keep_is_a_share_of_their_rate_without_the_one_that_stops(self):
        _, body = table.stalled(stalled_lines(ours=(1000, 950), peers=(1000, 500)))
        self.assertEqual([cells[1] for cells in body], ["ours", "peer"])
        self.assertEqual([cells[4] for cells in body], ["95 %", "50 %"])
        self.assertEqual([cells[5] for cells in body], ["≥ 90 % ✓", table.MISSING])
        self.assertEqual([cells[6] for cells in body], ["yes", "yes"])

    def test_less_than_nine_tenths_misses_the_goal(self):
        _, body = table.stalled(stalled_lines(ours=(1000, 890), peers=(1000, 1000)))
        self.assertEqual(body[0][5], "≥ 90 % ✗")

    def test_without_the_shape_that_it_is_compared_with_there_is_no_share(self):
        _, body = table.stalled(stalled_lines(ours=(1000, 950), peers=(1000, 500))[1:])
        self.assertEqual([cells[4] for cells in body], [table.MISSING, table.MISSING])

    def test_a_table_without_rows_is_not_shown(self):
        shown = [title for title, _, _ in table.sections([line([row("ours", 0, 50)])], {})]
        self.assertEqual(shown, ["Rate and processor time"])


class LastValues(unittest.TestCase):
    def test_their_price_stands_beside_the_run_without_them(self):
        found = line([row("ours", 0, 50), row("kept", 0, 75), row("peer", 0, 100)])
        header, body = table.last_values([found])
        self.assertEqual(len(header), len(body[0]))
        self.assertEqual(body[0][5], "1.5")
        self.assertIn("With last values", [title for title, _, _ in table.sections([found], {})])

    def test_without_them_get_finds_what_was_posted_as_retained(self):
        get = shape("http-get-1", kind="http", protocol="http", method="GET")
        post = shape("http-post-1", kind="http", protocol="http", method="POST")
        self.assertIn("retained=true", " ".join(servers.Spanwire("x").options(get)))
        self.assertEqual(servers.Spanwire("x").options(post), ())
        self.assertEqual(servers.Spanwire("x", last_values=True).options(get), ())


class SecondCore(unittest.TestCase):
    def test_what_it_adds_is_the_rate_by_that_of_one_core(self):
        found = line([row("ours", 0, 60, wall_ns=500_000), row("single", 0, 50)])
        header, body = table.second_core([found])
        self.assertEqual(len(header), len(body[0]))
        self.assertEqual((body[0][3], body[0][6]), ("2", "1.2"))

    def test_goals_for_one_core_are_none_for_two(self):
        found = line([row("ours", 0, 50), row("peer", 0, 300)])
        _, body = table.throughput([found], table.GOALS_OF_TWO_CORES)
        self.assertEqual(body[0][6], table.MISSING)


class Selection(unittest.TestCase):
    def test_a_shape_with_more_connections_than_files_is_left_out_and_told(self):
        shapes = [shape("busy-10k", connections=10_000), shape("1-1-16", connections=2)]
        missing = compare.left_out(shapes, 10_063)
        self.assertEqual(list(missing), ["busy-10k"])
        self.assertIn("10,063", missing["busy-10k"])
        self.assertEqual(compare.left_out(shapes, 10_064), {})


class Configuration(unittest.TestCase):
    def written(self, kind, of):
        with tempfile.TemporaryDirectory() as folder:
            command = kind.command(pathlib.Path(folder), of, 4000, 1)
            texts = [path.read_text() for path in pathlib.Path(folder).glob("*.conf")]
        return " ".join(command), "".join(texts)

    def test_a_shapes_settings_hold_for_both_nats_servers(self):
        for kind in (servers.Spanwire("x"), servers.NatsServer("x")):
            self.assertIn("max_pending: 2MB", self.written(kind, shape("stall-100"))[1])
        command, text = self.written(servers.NatsServer("x"), shape())
        self.assertNotIn("-c", command.split())
        self.assertEqual(text, "")

    def test_streams_have_a_store_in_the_runs_folder_and_others_have_none(self):
        of = shape("js-wait", protocol="streams")
        for kind in (servers.Spanwire("x"), servers.NatsServer("x")):
            text = self.written(kind, of)[1]
            self.assertIn("/store", text)
            self.assertNotIn("sync_interval", text)
            self.assertNotIn("jetstream", self.written(kind, shape())[1])
        synced = servers.NatsServer("x", synced=True)
        self.assertIn("sync_interval: always", self.written(synced, of)[1])

    def test_nginx_answers_a_get_beside_a_post(self):
        nginx = servers.Nginx("x")
        self.assertEqual(nginx.stands_in("http-post-16"), "http-get-16")
        self.assertEqual(servers.Spanwire("x").stands_in("http-post-16"), "http-post-16")
        self.assertIn("listen 127.0.0.1:4000",
                      self.written(nginx, shape(protocol="http", method="GET"))[1])


def stream_lines(**runs):
    """Lines of stream shapes from {name: {side: fields of its row}}; "_" stands for "-"."""
    rows, shapes = [], []
    for name, sides in runs.items():
        name = name.replace("_", "-")
        kind = "disk" if name.startswith("disk") else "append"
        shapes.append(shape(name, kind=kind, protocol="streams", window=1))
        rows += [row(side, 0, fields.pop("cpu", 50), **fields) | {"row": name}
                 for side, fields in sides.items()]
    return summary.lines(shapes, rows)


def latencies(p50, longest=0):
    return {"latency_ns": {"p50": p50, "p99": p50, "p999": p50, "max": longest or p50}}


class Streams(unittest.TestCase):
    def goals_of(self, **runs):
        """The last cells, times and goal, by what a goal is about and beside what."""
        header, body = streams.goals(stream_lines(**runs))
        for cells in body:
            self.assertEqual(len(cells), len(header))
        return {(cells[1], cells[3]): cells[5:] for cells in body}

    def test_a_rate_is_more_and_a_cost_less_than_beside(self):
        found = self.goals_of(js_file_256={"ours": {"cpu": 50, "wall_ns": 1000},
                                           "peer": {"cpu": 200, "wall_ns": 2000},
                                           "synced": {"wall_ns": 40_000}})
        self.assertEqual(found["rate", "nats-server"], ["2", "≥ 1 ✓"])
        self.assertEqual(found["CPU", "nats-server"], ["4", "≥ 3 ✓"])
        self.assertEqual(found["rate", "nats-server, every write synced"], ["40", "≥ 50 ✗"])

    def test_a_bound_is_not_to_be_passed(self):
        for taken, verdict in ((120, "≤ 1.3 ✓"), (140, "≤ 1.3 ✗")):
            found = self.goals_of(js_wait={"ours": {"stored_after_ns": taken}},
                                  disk_written={"disk": {"wall_ns": 10_000, "units": 100}})
            self.assertEqual(found["read to acknowledged", "the disk alone, disk-written, mean"][1],
                             verdict)

    def test_the_longest_round_beside_a_writer_is_held_to_the_quiet_half(self):
        for longest, verdict in ((1900, "≤ 20 ✓"), (2100, "≤ 20 ✗")):
            found = self.goals_of(js_wait_1000={"ours": latencies(100)},
                                  js_wait_1000_noisy={"ours": latencies(150, longest)})
            self.assertEqual(found["longest", "spanwire, js-wait-1000, p50"][1], verdict)

    def test_without_the_run_beside_it_a_goal_is_open(self):
        found = self.goals_of(js_wait={"ours": latencies(100)})
        self.assertEqual(found["rate", "nats-server, every write synced"],
                         [table.MISSING, "≥ 2.5"])

    def test_goals_and_sides_name_shapes_of_the_generator(self):
        known = (load.ROOT / "tools" / "loadgen" / "shapes.cc").read_text()
        names = {goal.shape for goal in streams.GOALS} | {goal.other for goal in streams.GOALS}
        for name in (names | set(streams.SYNCED) | set(load.NOISY.values())) - set(load.NOISY):
            self.assertIn(f'"{name}"', known)

    def test_every_row_has_a_cell_for_each_column(self):
        lines = stream_lines(js_wait={"ours": latencies(1), "peer": latencies(2)},
                             disk_written={"disk": latencies(1)})
        timed, bare = lines
        for header, body in (streams.throughput([timed]), streams.latency([timed]),
                             streams.disk([bare]), streams.held([timed])):
            for cells in body:
                self.assertEqual(len(cells), len(header), header)
        shown = [title for title, _, _ in streams.sections(lines)]
        self.assertEqual(shown, ["Streams: the goals", "Streams: rate and processor time",
                                 "Streams: latency", "Streams: the disk alone"])

    def test_other_shapes_have_no_part_in_these_tables(self):
        self.assertEqual(streams.sections([line([row("ours", 0, 50)])]), [])

    def test_a_void_run_of_any_side_is_told(self):
        found = summary.lines([shape()], [row("ours", 0, 50), {
            "row": "1-1-16", "side": "synced", "round": 0, "void": "a gap"}])
        self.assertEqual(table.voids(found), ["1-1-16, synced: void: a gap"])


class Restart(unittest.TestCase):
    def answer(self, *parts):
        return jetstream.read_answer(io.BytesIO(b"".join(parts)))

    def test_the_answer_is_the_next_message(self):
        body = b'{"streams":3}'
        self.assertEqual(self.answer(b"INFO {}\r\nPING\r\n", b"MSG _INBOX.info 1 13\r\n", body,
                                     b"\r\n"), {"streams": 3})

    def test_nobody_there_yet_is_an_empty_answer(self):
        self.assertEqual(self.answer(b"HMSG _INBOX.info 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"), {})

    def test_an_error_and_the_end_are_no_answer(self):
        for bytes_ in (b"-ERR 'no'\r\n", b""):
            with self.assertRaises(ValueError):
                self.answer(bytes_)


class Disk(unittest.TestCase):
    def test_the_file_system_is_the_one_mounted_nearest(self):
        mounts = "/dev/a / ext4 rw 0 0\nnone /tmp tmpfs rw 0 0\n/dev/b /tmp/disk xfs rw 0 0\n"
        for folder, kind in (("/tmp/disk/x", "xfs"), ("/tmp/diskette", "tmpfs"), ("/var", "ext4")):
            self.assertEqual(machine.file_system(folder, mounts)[0], kind, folder)


class Placement(unittest.TestCase):
    def test_the_generator_stays_off_the_servers_cores_where_it_can(self):
        server, client = machine.placement(1)
        self.assertEqual(len(server), 1)
        if len(machine.os.sched_getaffinity(0)) > 1:
            self.assertTrue(set(server).isdisjoint(client))


if __name__ == "__main__":
    unittest.main()
