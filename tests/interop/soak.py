"""Mixed load for SPANWIRE_SOAK minutes: what the server takes of memory, files and descriptors is
flat once it is warm, and all that was acknowledged outlives the kill at the end."""

import asyncio
import collections
import itertools
import os
import pathlib
import signal
import statistics
import time
import urllib.request

import nats
import nats.errors
import nats.js.api as api

from clients import Mqtt
from harness import Failure, case, expect, within

MINUTES = float(os.environ.get("SPANWIRE_SOAK", "0"))
SAMPLES = 120  # in all
TOLERANCE = 1.10  # of the median of the last quarter to that of the second
SLACK = {"memory": 16 << 20, "files": 8 << 20, "descriptors": 8}
PAUSE = 0.004  # seconds of each worker between two rounds: together they take half a core or less
KEPT = 3_000  # messages of the stream whose publishers' acknowledgements are remembered
SETTINGS = """
jetstream { store_dir: "store" }
"""


class Load:
    """Workers that go round until `stopping`; `done` counts what each has done."""

    def __init__(self, bench, server):
        self.bench, self.server = bench, server
        self.stopping = False
        self.done = collections.Counter()
        self.acknowledged = {}  # sequence in KEPT: payload
        self.keys = {}  # of the bucket: value, or None where it was deleted

    async def connect(self):
        self.nc = await nats.connect(self.server.url("nats"), error_cb=ignore)
        self.js = self.nc.jetstream()

    async def make(self):
        """Streams that stay at one size, each by another rule."""
        make = self.js.add_stream
        await make(name="KEPT", subjects=["kept.>"], max_msgs=KEPT)
        await make(name="AGED", subjects=["aged.>"], max_age=5)
        await make(name="BYTES", subjects=["bytes.>"], max_bytes=2 << 20)
        await make(name="LAST", subjects=["last.>"], max_msgs_per_subject=1)
        await make(name="WORK", subjects=["work.>"], retention="workqueue")
        await make(name="INTEREST", subjects=["interest.>"], retention="interest", max_age=10)
        await make(name="MEMORY", subjects=["memory.>"], storage="memory", max_msgs=1000)
        await make(name="DEVICES", subjects=["devices.>"], max_msgs=1000)
        self.bucket = await self.js.create_key_value(bucket="KV", history=3)
        self.store = await self.js.create_object_store("OBJECTS")

    async def publishing(self):
        """Into every stream; subjects come and go."""
        for i in itertools.count():
            kept = f"kept {i} ".encode() * 10
            ack = await self.js.publish(f"kept.{i % 1000}", kept,
                                        headers={"Nats-Msg-Id": f"kept-{i}"})
            self.acknowledged[ack.seq] = kept
            self.acknowledged.pop(ack.seq - KEPT, None)
            await asyncio.gather(*(
                self.js.publish(f"{stream}.{i % 997}", b"x" * (i * 31 % 1500))
                for stream in ("aged", "bytes", "last", "work", "interest", "memory")))
            yield

    async def pulling(self):
        """A work queue is emptied; some messages are given back first."""
        sub = await self.js.pull_subscribe("work.>", durable="worker")
        while True:
            for msg in await fetched(sub, 50):
                if msg.metadata.num_delivered == 1 and msg.metadata.sequence.stream % 10 == 0:
                    await msg.nak()
                else:
                    await msg.ack()
            yield

    async def coming_and_going(self):
        """Consumers that are made, used and left: pull, push and ordered ones."""
        while True:
            sub = await self.js.pull_subscribe("bytes.>", stream="BYTES")
            for msg in await fetched(sub, 20):
                await msg.ack()
            await sub.unsubscribe()
            ordered = await self.js.subscribe("last.>", ordered_consumer=True)
            for _ in range(20):
                await within(ordered.next_msg(None), "a message of an ordered consumer")
            await ordered.unsubscribe()
            info = await ordered.consumer_info()
            await self.js.delete_consumer("LAST", info.name)
            name = f"gone{self.done['coming_and_going']}"
            await self.js.add_consumer("AGED", durable_name=name, ack_policy="explicit")
            await self.js.delete_consumer("AGED", name)
            yield

    async def pushed(self):
        """An interest stream keeps what its push consumer has not acknowledged."""
        sub = await self.js.subscribe("interest.>", durable="pushed", manual_ack=True,
                                      config=api.ConsumerConfig(max_ack_pending=100))
        while True:
            msg = await within(sub.next_msg(None), "a pushed message")
            await msg.ack()
            yield

    async def keys_changing(self):
        for i in itertools.count():
            key = f"key.{i * 7 % 500}"
            if i % 11 == 10:
                await self.bucket.delete(key)
                self.keys[key] = None
            elif i % 97 == 96:
                await self.bucket.purge(key)
                self.keys[key] = None
            else:
                value = f"value {i}".encode()
                await self.bucket.put(key, value)
                self.keys[key] = value
            yield

    async def objects(self):
        for i in itertools.count():
            await self.store.put(f"object{i % 5}", bytes([i % 256]) * 300_000)
            got = await self.store.get(f"object{i % 5}")
            expect(got.data == bytes([i % 256]) * 300_000, True, "an object comes back")
            if i % 7 == 6:
                await self.store.delete(f"object{i % 5}")
            for _ in range(50):  # it is the one that writes most
                yield

    async def devices(self):
        """MQTT and HTTP publish what a stream takes."""
        device = await asyncio.to_thread(Mqtt, self.bench, self.server.port("mqtt"), "soak")
        url = self.server.url("http_broker")
        for i in itertools.count():
            await asyncio.to_thread(device.publish, f"devices/mqtt/{i % 50}", b"x" * 100)
            await asyncio.to_thread(post, f"{url}/broker/devices/http/{i % 50}", b"y" * 100)
            yield

    async def connections(self):
        while True:
            async with await nats.connect(self.server.url("nats")) as other:
                await other.subscribe("nothing")
                await other.flush()
            for _ in range(20):
                yield

    async def work(self, worker):
        async for _ in worker():
            self.done[worker.__name__] += 1
            if self.stopping:
                return
            await asyncio.sleep(PAUSE)

    def workers(self):
        return [self.publishing, self.pulling, self.coming_and_going, self.pushed,
                self.keys_changing, self.objects, self.devices, self.connections]


async def ignore(_error):
    pass


async def fetched(sub, count):
    try:
        return await sub.fetch(count, timeout=1)
    except nats.errors.TimeoutError:
        return []


def post(url, data):
    with urllib.request.urlopen(urllib.request.Request(url, data, method="POST"),
                                timeout=10) as answer:
        answer.read()


def sample(server):
    process = pathlib.Path(f"/proc/{server.process.pid}")
    memory = int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    files = 0
    for folder, _, names in os.walk(server.folder / "store"):
        for name in names:
            try:
                files += os.stat(os.path.join(folder, name)).st_blocks * 512
            except FileNotFoundError:
                pass  # it went while we looked
    return {"memory": memory, "files": files,
            "descriptors": len(list((process / "fd").iterdir()))}


async def watch(server, tasks, seconds):
    samples = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, _ = await asyncio.wait(tasks, timeout=seconds / SAMPLES,
                                     return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # it says why it has ended
        samples.append(sample(server))
    return samples


def check_flat(samples):
    quarter = len(samples) // 4
    for what, slack in SLACK.items():
        second = statistics.median(each[what] for each in samples[quarter:2 * quarter])
        last = statistics.median(each[what] for each in samples[3 * quarter:])
        curve = [each[what] for each in samples[::max(1, len(samples) // 12)]]
        print(f"  {what}: {second:.0f} in the second quarter, {last:.0f} in the last: {curve}",
              flush=True)
        if last > second * TOLERANCE + slack:
            raise Failure(f"{what} grows: {second:.0f}, then {last:.0f}: {curve}")


async def check_recovered(load):
    async with await nats.connect(load.server.url("nats")) as nc:
        js = nc.jetstream()
        state = (await js.stream_info("KEPT")).state
        expect(state.last_seq >= max(load.acknowledged), True, "the last sequence is there")
        for sequence, payload in load.acknowledged.items():
            if sequence >= state.first_seq:
                expect((await js.get_msg("KEPT", sequence)).data, payload, f"message {sequence}")
        expect(state.messages, KEPT if state.last_seq > KEPT else state.last_seq, "messages")
        bucket = await js.key_value("KV")
        for key, value in load.keys.items():
            try:
                got = (await bucket.get(key)).value
            except nats.js.errors.KeyNotFoundError:
                got = None
            expect(got, value, f"the value of {key}")


async def soak(bench):
    server = bench.start(SETTINGS)
    load = Load(bench, server)
    await load.connect()
    await load.make()
    tasks = [asyncio.create_task(load.work(worker)) for worker in load.workers()]
    try:
        samples = await watch(server, tasks, MINUTES * 60)
        load.stopping = True
        await within(asyncio.gather(*tasks), "the workers end", 30)
    finally:
        for task in tasks:
            task.cancel()
    server.stop(signal.SIGKILL)
    await load.nc.close()
    await asyncio.to_thread(server.start)
    await check_recovered(load)
    print(f"  {dict(load.done)}", flush=True)
    check_flat(samples)


if MINUTES > 0:
    case(f"soak: {MINUTES:g} minutes of mixed load leave memory, files and descriptors flat",
         limit=int(MINUTES * 60) + 300)(soak)
