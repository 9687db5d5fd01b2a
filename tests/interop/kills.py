"""The server is killed under load from nats-py and nats.go, and started again, round after round.
What was acknowledged is there, unchanged and in its publisher's order; what has a message id and is
sent again until it is acknowledged is there exactly once. SPANWIRE_KILLS says how many rounds."""

import asyncio
import os
import random
import signal
import time

import nats
import nats.errors
import nats.js.api as api

from harness import Failure, Skip, case, expect, one_line, within

ROUNDS = int(os.environ.get("SPANWIRE_KILLS", "3"))
SEED = int(os.environ.get("SPANWIRE_SEED", str(time.time_ns() % 1_000_000)))
SECONDS_A_ROUND = 20  # for the case's limit; 2 to 3 is usual
PUBLISHERS = 2  # of each kind and language
WINDOW = 64  # messages on their way, of one publisher
AFTER = 100  # messages that a publisher with message ids has acknowledged before a round ends
SETTINGS = 'jetstream { store_dir: "store" }\n'


def payload(publisher, number):
    """As in nats_go/kills.go: a message says what it should be."""
    return f"{publisher} {number} ".encode() + b"spanwire" * (number * 37 % 80)


class Publisher:
    """Sends its numbers in order, a window at a time; `acknowledged` has their sequences."""

    def __init__(self, url, name, ids):
        self.url, self.name, self.ids = url, name, ids
        self.stream = "once" if ids else "plain"
        self.acknowledged = {}
        self.next = 0
        self.waiting = {}
        self.killed = False  # only then may it stop

    async def run(self):
        while True:
            try:
                nc = await nats.connect(self.url, allow_reconnect=False, connect_timeout=2,
                                        error_cb=ignore)
            except (OSError, nats.errors.Error, asyncio.TimeoutError):
                await asyncio.sleep(0.02)  # it is down
                continue
            try:
                if await self.use(nc) or not self.ids:
                    return
            finally:
                await nc.close()

    async def use(self, nc):
        """Whether all is done; else the connection has ended."""
        js = nc.jetstream()
        answers = {number: await self.send(js, number) for number in self.waiting}
        enough = None
        while not nc.is_closed:
            if self.killed and enough is None:
                enough = self.next + AFTER
            while len(answers) < WINDOW and (enough is None or self.next < enough):
                self.waiting[self.next] = True
                answers[self.next] = await self.send(js, self.next)
                self.next += 1
            if not answers:
                return True
            await self.take(nc, answers)
        return False

    async def send(self, js, number):
        headers = {"Nats-Msg-Id": f"{self.name}.{number}"} if self.ids else None
        return await js.publish_async(f"{self.stream}.{self.name}", payload(self.name, number),
                                      headers=headers)

    async def take(self, nc, answers):
        done, _ = await asyncio.wait(answers.values(), timeout=0.05,
                                     return_when=asyncio.FIRST_COMPLETED)
        for number, future in list(answers.items()):
            if future not in done:
                continue
            del answers[number]
            if future.exception() is None:
                self.acknowledged[number] = future.result().seq
                del self.waiting[number]
            elif not nc.is_closed:
                raise Failure(f"{self.name}: publishing {number}: {future.exception()!r}")


async def ignore(_error):
    pass


class Rounds:
    def __init__(self, bench, rounds):
        self.bench, self.rounds, self.ended = bench, rounds, 0
        self.random = random.Random(SEED)
        self.server = bench.start(SETTINGS)
        self.url = self.server.url("nats")
        self.read = {"plain": 0, "once": 0}  # sequences that were checked
        self.acknowledged = {"plain": {}, "once": {}}  # by sequence: publisher, number
        self.last = {}  # by publisher: the number that was read last
        try:
            self.go = bench.program("nats_go")
        except Skip as reason:
            self.go = None
            print(f"SKIP nats.go: killed under load: {one_line(str(reason))}", flush=True)

    async def run(self):
        async with await nats.connect(self.url) as nc:
            for name in self.read:
                await nc.jetstream().add_stream(name=name, subjects=[f"{name}.>"],
                                                duplicate_window=3600)
        for number in range(self.rounds):
            await self.one_round(number)
            self.ended += 1
        self.read, self.last = {"plain": 0, "once": 0}, {}
        await self.check()  # all of it once more

    async def one_round(self, number):
        mine = [Publisher(self.url, f"r{number}-py-{i}", i >= PUBLISHERS)
                for i in range(2 * PUBLISHERS)]
        tasks = [asyncio.create_task(each.run()) for each in mine]
        child = await self.begin_go(f"r{number}-go")
        await asyncio.sleep(self.random.uniform(0, 0.5))
        for each in mine:
            each.killed = True
        await asyncio.to_thread(self.kill)
        if child:
            await self.end_go(child)
        await within(asyncio.gather(*tasks), "the publishers in Python")
        for each in mine:
            for n, seq in each.acknowledged.items():
                self.keep(each.stream, each.name, n, seq)
        await self.check()

    async def begin_go(self, name):
        if not self.go:
            return None
        child = self.bench.child([self.go, "127.0.0.1", self.server.port("nats"), "kills", name,
                                  PUBLISHERS])
        expect(await within(asyncio.to_thread(child.stdout.readline), "the Go publishers"),
               "PUBLISHING\n", "what the Go publishers say first")
        return child

    async def end_go(self, child):
        said, _ = await within(asyncio.to_thread(child.communicate, "killed\n"),
                               "the publishers in Go")
        expect(child.returncode, 0, f"exit status of the publishers in Go: {said[-200:]}")
        for line in said.splitlines():
            match line.split():
                case ["plain" | "once" as stream, name, n, seq]:
                    self.keep(stream, name, int(n), int(seq))
                case _:
                    raise Failure(f"the publishers in Go say {line}")

    def kill(self):
        """And starts it; now and then kills it while it starts, too."""
        self.server.stop(signal.SIGKILL)
        while self.random.random() < 0.3:
            begun = self.server.begin()
            time.sleep(self.random.uniform(0, 0.1))
            begun.kill()
            begun.wait()
        self.server.start()

    def keep(self, stream, name, number, sequence):
        other = self.acknowledged[stream].setdefault(sequence, (name, number))
        expect(other, (name, number), f"whose acknowledgement has sequence {sequence} of {stream}")

    async def check(self):
        async with await nats.connect(self.url) as nc:
            for stream in self.read:
                await self.check_stream(nc.jetstream(), stream)

    async def check_stream(self, js, stream):
        begin = self.read[stream] + 1
        state = (await js.stream_info(stream)).state
        expect(state.messages, state.last_seq, f"messages of {stream}")
        config = api.ConsumerConfig(deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
                                    opt_start_seq=begin)
        sub = await js.subscribe(f"{stream}.>", ordered_consumer=True, config=config)
        for sequence in range(begin, state.last_seq + 1):
            msg = await within(sub.next_msg(None), f"message {sequence} of {stream}")
            self.check_message(stream, sequence, msg)
        await sub.unsubscribe()
        missing = [seq for seq in self.acknowledged[stream] if seq > state.last_seq]
        expect(missing, [], f"acknowledged sequences behind the last of {stream}")
        self.read[stream] = state.last_seq

    def check_message(self, stream, sequence, msg):
        publisher, number = msg.data.split(b" ", 2)[:2]
        name, number = publisher.decode(), int(number)
        what = f"sequence {sequence} of {stream}"
        expect(msg.data, payload(name, number), what)
        expect(msg.subject, f"{stream}.{name}", f"subject of {what}")
        expect(msg.metadata.sequence.stream, sequence, "sequence")
        before = self.last.get(name, -1)
        acknowledged = self.acknowledged[stream].get(sequence)
        if stream == "once":
            expect(msg.headers["Nats-Msg-Id"], f"{name}.{number}", f"message id of {what}")
            expect(number, before + 1, f"next number of {name}")
            expect(acknowledged, (name, number), f"what was acknowledged as {what}")
        else:
            expect(number > before, True, f"{name} sent {number} after {before}")
            expect(acknowledged in (None, (name, number)), True, f"{what} is {name} {number}, "
                   f"and was acknowledged as {acknowledged}")
        self.last[name] = number


@case("nats-py and nats.go: killed under load, again and again, no acknowledged message is lost",
      limit=60 + SECONDS_A_ROUND * ROUNDS)
async def kills(bench):
    rounds = Rounds(bench, ROUNDS)
    begin = time.monotonic()
    try:
        await rounds.run()
    except Failure as failure:
        raise Failure(f"SPANWIRE_SEED={SEED}, after {rounds.ended} rounds: {failure}"
                      ) from failure
    count = {stream: len(kept) for stream, kept in rounds.acknowledged.items()}
    print(f"  {ROUNDS} rounds in {time.monotonic() - begin:.0f} s, seed {SEED}: acknowledged "
          f"{count['plain']} messages without an id, {count['once']} with", flush=True)
