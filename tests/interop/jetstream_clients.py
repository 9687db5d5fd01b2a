"""JetStream, key-value and object store as nats-py's users have them, on memory and on files."""

import asyncio
import json
import signal
import tempfile

import nats
import nats.errors
import nats.js.api as api
import nats.js.errors

from harness import Failure, case, expect, within

JETSTREAM = 'jetstream { store_dir: "store" }\n'


class Server:
    """A server with JetStream for one case, and a client of it."""

    def __init__(self, bench, settings=JETSTREAM):
        self.process = bench.start(settings)

    async def __aenter__(self):
        self.nc = await nats.connect(self.process.url("nats"), reconnect_time_wait=0.1)
        self.js = self.nc.jetstream()
        return self

    async def __aexit__(self, *_):
        await self.nc.close()


async def refused(awaitable, code, what):
    try:
        await awaitable
    except nats.js.errors.APIError as error:
        expect(error.err_code, code, what)
        return
    raise Failure(f"{what}: was not refused")


@case("seed: JetStream, a durable subscription")
async def seed_jetstream(bench):
    async with Server(bench) as server:
        nc = server.nc
        # check: the page takes a stream for granted
        await nc.jetstream().add_stream(name="ORDERS", subjects=["orders.*"])
        # Publish to JetStream
        js = nc.jetstream()
        await js.publish("orders.new", b'{"order_id": "12345"}')
        # Subscribe to JetStream
        sub = await js.subscribe("orders.new", durable="order-processor")
        async for msg in sub.messages:
            print(f"Received: {msg.data.decode()}")
            await msg.ack()
            break
        # check
        expect(msg.data, b'{"order_id": "12345"}', "payload")
        info = await js.consumer_info("ORDERS", "order-processor")
        expect(info.name, "order-processor", "the durable consumer's name")


@case("nats-py: an acknowledged message is there after kill -9")
async def survives_kill(bench):
    async with Server(bench) as server:
        await server.js.add_stream(name="S", subjects=["s.>"])
        for i in range(20):
            ack = await server.js.publish(f"s.{i % 3}", f"{i}".encode(), headers={"n": str(i)})
            expect(ack.seq, i + 1, "sequence")
        server.process.stop(signal.SIGKILL)
        await asyncio.to_thread(server.process.start)
        async with await nats.connect(server.process.url("nats")) as nc:
            js = nc.jetstream()
            state = (await js.stream_info("S")).state
            expect((state.messages, state.first_seq, state.last_seq), (20, 1, 20), "state")
            sub = await js.subscribe("s.>", ordered_consumer=True)
            for i in range(20):
                msg = await within(sub.next_msg(None), f"message {i}")
                expect((msg.data, msg.headers["n"]), (f"{i}".encode(), str(i)), "message")


@case("nats-py: what was acknowledged stays acknowledged after kill -9")
async def acks_survive_kill(bench):
    async with Server(bench) as server:
        await server.js.add_stream(name="W", subjects=["w"], retention="workqueue")
        for i in range(5):
            await server.js.publish("w", f"{i}".encode())
        sub = await server.js.pull_subscribe("w", durable="worker")
        for msg in await sub.fetch(3, timeout=5):
            await msg.ack_sync()
        server.process.stop(signal.SIGKILL)
        await asyncio.to_thread(server.process.start)
        async with await nats.connect(server.process.url("nats")) as nc:
            js = nc.jetstream()
            expect((await js.stream_info("W")).state.messages, 2, "messages left")
            sub = await js.pull_subscribe("w", durable="worker")
            got = [msg.data for msg in await sub.fetch(5, timeout=1)]
            expect(got, [b"3", b"4"], "messages that are left")


@case("nats-py: a message id is stored once, also when it comes again after kill -9")
async def once(bench):
    async with Server(bench) as server:
        await server.js.add_stream(name="S", subjects=["s"])
        first = await server.js.publish("s", b"x", headers={"Nats-Msg-Id": "id-1"})
        again = await server.js.publish("s", b"x", headers={"Nats-Msg-Id": "id-1"})
        expect((first.duplicate, again.duplicate, again.seq), (None, True, 1), "duplicate")
        server.process.stop(signal.SIGKILL)
        await asyncio.to_thread(server.process.start)
        async with await nats.connect(server.process.url("nats")) as nc:
            ack = await nc.jetstream().publish("s", b"x", headers={"Nats-Msg-Id": "id-1"})
            expect((ack.duplicate, ack.seq), (True, 1), "duplicate after the restart")


@case("nats-py: publishers can expect what a stream holds")
async def expectations(bench):
    async with Server(bench) as server:
        js = server.js
        await js.add_stream(name="S", subjects=["s.>"], storage="memory")
        await js.publish("s.a", b"1", headers={"Nats-Expected-Last-Sequence": "0"})
        await refused(js.publish("s.a", b"2", headers={"Nats-Expected-Last-Sequence": "0"}),
                      10071, "a wrong last sequence")
        await js.publish("s.b", b"2", headers={"Nats-Expected-Last-Subject-Sequence": "0"})
        await refused(
            js.publish("s.a", b"3", headers={"Nats-Expected-Last-Subject-Sequence": "2"}),
            10071, "a wrong last sequence of the subject")
        await refused(js.publish("s.a", b"4", headers={"Nats-Expected-Stream": "T"}),
                      10060, "another stream")


@case("nats-py: limits evict the oldest, or refuse the newest")
async def limits(bench):
    async with Server(bench) as server:
        js = server.js
        await js.add_stream(name="OLD", subjects=["old"], max_msgs=3)
        await js.add_stream(name="NEW", subjects=["new"], max_msgs=3, discard="new")
        for i in range(5):
            await js.publish("old", f"{i}".encode())
        state = (await js.stream_info("OLD")).state
        expect((state.messages, state.first_seq, state.last_seq), (3, 3, 5), "state of OLD")
        for i in range(3):
            await js.publish("new", f"{i}".encode())
        await refused(js.publish("new", b"3"), 10077, "the fourth message")


@case("nats-py: what a worker does not acknowledge is delivered again")
async def redelivery(bench):
    async with Server(bench) as server:
        js = server.js
        await js.add_stream(name="S", subjects=["s"])
        await js.publish("s", b"job")
        await js.add_consumer("S", durable_name="d", ack_policy="explicit", ack_wait=0.2,
                              max_deliver=3)
        sub = await js.pull_subscribe_bind("d", "S")
        for count in (1, 2, 3):
            [msg] = await sub.fetch(1, timeout=5)
            expect(msg.metadata.num_delivered, count, "how often it was delivered")
        try:
            await sub.fetch(1, timeout=1)
            raise Failure("it was delivered more often than max_deliver")
        except nats.errors.TimeoutError:
            pass


@case("nats-py: a key-value bucket")
async def key_value(bench):
    async with Server(bench) as server:
        kv = await server.js.create_key_value(bucket="B", history=5)
        expect(await kv.put("name", b"one"), 1, "revision")
        expect(await kv.update("name", b"two", last=1), 2, "revision after an update")
        expect((await kv.get("name")).value, b"two", "value")
        await kv.put("other", b"x")
        expect(sorted(await kv.keys()), ["name", "other"], "keys")
        expect([entry.value for entry in await kv.history("name")], [b"one", b"two"], "history")
        await kv.delete("name")
        try:
            await kv.get("name")
            raise Failure("a deleted key has a value")
        except nats.js.errors.KeyNotFoundError:
            pass
        watcher = await kv.watchall()
        seen = {}
        while (update := await within(watcher.updates(timeout=5), "an update")) is not None:
            seen[update.key] = update.operation
        expect(seen, {"name": "DEL", "other": None}, "what a watcher sees")
        await kv.purge("other")
        expect((await within(watcher.updates(timeout=5), "an update")).operation, "PURGE",
               "what it sees next")


@case("nats-py: an object store keeps large objects")
async def object_store(bench):
    async with Server(bench) as server:
        store = await server.js.create_object_store("O")
        data = bytes(range(256)) * 2000
        await store.put("big.bin", data)
        got = await store.get("big.bin")
        expect(got.data == data, True, "the object's bytes come back")
        expect(got.info.size, len(data), "size")
        await store.delete("big.bin")
        try:
            await store.get("big.bin")
            raise Failure("a deleted object is still there")
        except nats.js.errors.ObjectNotFoundError:
            pass


@case("nats-py: two workers of a queue share a push consumer")
async def push_queue(bench):
    async with Server(bench) as server:
        js = server.js
        await js.add_stream(name="S", subjects=["s"])
        got = [[], []]

        def keep(index):
            async def handler(msg):
                got[index].append(int(msg.data))
                await msg.ack()
            return handler

        for index in range(2):
            await js.subscribe("s", "workers", durable="workers", cb=keep(index))
        for i in range(100):
            await js.publish("s", f"{i}".encode())
        for _ in range(100):
            if len(got[0]) + len(got[1]) == 100:
                break
            await asyncio.sleep(0.05)
        expect(sorted(got[0] + got[1]), list(range(100)), "all messages, each once")
        expect(bool(got[0]) and bool(got[1]), True, "both workers had some")


@case("nats-py: streams and consumers are managed as on nats-server")
async def management(bench):
    async with Server(bench) as server:
        js = server.js
        await js.add_stream(name="A", subjects=["a.>"])
        await refused(js.add_stream(name="B", subjects=["a.b"]), 10065, "overlapping subjects")
        await refused(js.stream_info("NONE"), 10059, "a stream that is not there")
        config = (await js.stream_info("A")).config
        config.max_msgs = 10
        expect((await js.update_stream(config)).config.max_msgs, 10, "max_msgs after an update")
        await js.add_consumer("A", api.ConsumerConfig(durable_name="c", ack_policy="explicit"))
        await refused(js.consumer_info("A", "none"), 10014, "a consumer that is not there")
        expect([c.name for c in await js.consumers_info("A")], ["c"], "consumers")
        for i in range(5):
            await js.publish(f"a.{i}", b"x")
        expect((await js.consumer_info("A", "c")).num_pending, 5, "pending")
        await js.delete_msg("A", 2)
        expect((await js.stream_info("A")).state.messages, 4, "messages after a delete")
        await js.purge_stream("A", subject="a.4")
        expect((await js.stream_info("A")).state.messages, 3, "messages after a purge")
        await js.delete_consumer("A", "c")
        await js.delete_stream("A")
        await refused(js.stream_info("A"), 10059, "the stream after its end")


async def back_up(nc, stream, path):
    """Fetches a backup as client tools do, into a file. Returns what STREAM.RESTORE takes."""
    done = asyncio.get_running_loop().create_future()
    deliver = nc.new_inbox()
    with open(path, "wb") as file:

        async def on_chunk(msg):
            file.write(msg.data)
            if msg.reply:
                await nc.publish(msg.reply, b"")
            if not msg.data:
                done.set_result((msg.headers or {}).get("Status", "204"))

        sub = await nc.subscribe(deliver, cb=on_chunk)
        asked = json.dumps({"deliver_subject": deliver, "chunk_size": 64 << 10}).encode()
        answer = json.loads((await nc.request(f"$JS.API.STREAM.SNAPSHOT.{stream}", asked)).data)
        expect("error" in answer, False, f"the answer {answer}")
        expect(await within(done, "the end of the backup"), "204", "status of the end")
        await sub.unsubscribe()
    return json.dumps({"config": answer["config"], "state": answer["state"]}).encode()


async def restore(nc, stream, request, path):
    answer = json.loads((await nc.request(f"$JS.API.STREAM.RESTORE.{stream}", request)).data)
    expect("error" in answer, False, f"the answer {answer}")
    with open(path, "rb") as file:
        while chunk := file.read(64 << 10):
            answered = await nc.request(answer["deliver_subject"], chunk)
            expect(answered.data, b"", "a chunk's answer")
    return json.loads((await nc.request(answer["deliver_subject"], b"", timeout=10)).data)


@case("nats-py: a stream is backed up to a file and restored on another server")
async def backup(bench):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/backup"
        async with Server(bench) as server:
            js = server.js
            await js.add_stream(name="S", subjects=["s.>"])
            for i in range(3000):
                payload = bytes([i % 256]) * 500
                await server.nc.publish(f"s.{i % 10}", payload, headers={"n": str(i)})
            await js.publish("s.last", b"last", headers={"Nats-Msg-Id": "once"})
            await js.delete_msg("S", 7)
            worker = await js.pull_subscribe("s.>", durable="worker")
            for msg in await worker.fetch(10):
                await msg.ack_sync()
            before = (await js.stream_info("S")).state
            request = await back_up(server.nc, "S", path)
        async with Server(bench) as server:
            js = server.js
            made = await restore(server.nc, "S", request, path)
            expect(made.get("error"), None, "error of the restore")
            server.process.stop(signal.SIGKILL)
            await asyncio.to_thread(server.process.start)
            async with await nats.connect(server.process.url("nats")) as nc:
                js = nc.jetstream()
                state = (await js.stream_info("S")).state
                expect((state.messages, state.bytes, state.first_seq, state.last_seq),
                       (before.messages, before.bytes, before.first_seq, before.last_seq), "state")
                got = await js.get_msg("S", 2000)
                expect((got.data, got.headers["n"]), (bytes([1999 % 256]) * 500, "1999"), "message")
                worker = await js.pull_subscribe("s.>", durable="worker")
                expect((await worker.fetch(1))[0].headers["n"], "11", "the worker goes on")
                again = await js.publish("s.last", b"last", headers={"Nats-Msg-Id": "once"})
                expect(again.duplicate, True, "duplicate")
