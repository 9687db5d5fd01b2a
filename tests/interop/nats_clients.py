"""What a NATS client lives through: restarts, limits, neighbours that do not read."""

import asyncio
import socket
import urllib.request

import nats
import nats.errors

from harness import Failure, case, expect, expect_in, until, within

SMALL_PENDING = "max_pending: 1MB\n"


@case("nats-py: a client resubscribes by itself after the server's restart")
async def reconnects(bench):
    server = bench.start()
    reconnected = asyncio.Event()

    async def on_reconnect():
        reconnected.set()

    nc = await nats.connect(server.url("nats"), reconnect_time_wait=0.1,
                            reconnected_cb=on_reconnect)
    sub = await nc.subscribe("kept.>")
    workers = [await nc.subscribe("work", queue="group") for _ in range(2)]
    await nc.publish("kept.a", b"before")
    expect((await within(sub.next_msg(None), "the message before")).data, b"before", "payload")
    await asyncio.to_thread(server.restart)
    await within(reconnected.wait(), "the client is connected again")

    other = await nats.connect(server.url("nats"))
    await nc.flush()
    await other.publish("kept.b", b"after")
    expect((await within(sub.next_msg(None), "the message after")).data, b"after", "payload")
    await other.publish("work", b"one")
    await other.flush()
    await nc.flush()
    expect(sum(worker.pending_msgs for worker in workers), 1, "messages that the group got")
    await other.close()
    await nc.close()


@case("nats-py: a request that nobody serves fails at once")
async def no_responders(bench):
    nc = await nats.connect(bench.server.url("nats"))
    try:
        await nc.request("nobody.here", b"", timeout=5)
        raise Failure("the request was answered")
    except nats.errors.NoRespondersError:
        pass
    await nc.close()


@case("nats-py: a message above max_payload is refused, one of that size is not")
async def max_payload(bench):
    server = bench.start("max_payload: 1000\n")
    closed = asyncio.Event()

    async def on_closed():
        closed.set()

    nc = await nats.connect(server.url("nats"), closed_cb=on_closed, allow_reconnect=False)
    expect(nc.max_payload, 1000, "max_payload in INFO")
    sub = await nc.subscribe("big")
    await nc.publish("big", b"x" * 1000)
    expect(len((await within(sub.next_msg(None), "the message")).data), 1000, "payload's size")
    try:
        await nc.publish("big", b"x" * 1001)
        raise Failure("the client has sent it")
    except nats.errors.MaxPayloadError:
        pass
    nc._max_payload = 2000  # as a client that does not obey INFO
    await nc.publish("big", b"x" * 1001)
    await within(closed.wait(), "the client is closed")
    expect_in("maximum payload violation", str(nc.last_error).lower(), "the client's error")


@case("nats-py: drain delivers what is on its way, then unsubscribes")
async def drain(bench):
    nc = await nats.connect(bench.server.url("nats"))
    other = await nats.connect(bench.server.url("nats"))
    got = []

    async def slow(msg):
        await asyncio.sleep(0.001)
        got.append(int(msg.data))

    sub = await nc.subscribe("drained", cb=slow)
    await nc.flush()
    for number in range(100):
        await other.publish("drained", b"%d" % number)
    await other.flush()
    await within(sub.drain(), "the subscription is drained")
    expect(got, list(range(100)), "messages")
    await other.publish("drained", b"100")
    await other.flush()
    await nc.flush()
    expect(len(got), 100, "messages after the drain")
    await within(nc.drain(), "the connection is drained")
    expect(nc.is_closed, True, "closed")
    await other.close()


@case("nats-py: unsubscribe after a number of messages")
async def limited(bench):
    nc = await nats.connect(bench.server.url("nats"))
    got = []

    async def keep(msg):
        got.append(int(msg.data))

    sub = await nc.subscribe("few", cb=keep)
    await sub.unsubscribe(limit=3)
    for number in range(10):
        await nc.publish("few", b"%d" % number)
    await nc.flush()
    until_three = asyncio.create_task(settled(got, 3))
    await within(until_three, "three messages")
    await nc.flush()
    expect(got, [0, 1, 2], "messages")
    await nc.close()


async def settled(got, count):
    while len(got) < count:
        await asyncio.sleep(0.01)


@case("nats-py: every message of one publisher comes once, in order, to many subscribers")
async def order(bench):
    # Connections are spread over the server's loops.
    subscribers = [await nats.connect(bench.server.url("nats")) for _ in range(6)]
    subs = [await nc.subscribe("order.*", pending_msgs_limit=-1) for nc in subscribers]
    for nc in subscribers:
        await nc.flush()
    publisher = await nats.connect(bench.server.url("nats"))
    for number in range(2000):
        await publisher.publish(f"order.{number % 7}", b"%d" % number)
    await publisher.flush()
    for sub in subs:
        got = [int((await within(sub.next_msg(None), "a message")).data) for _ in range(2000)]
        expect(got, list(range(2000)), "order")
    for nc in (*subscribers, publisher):
        await nc.close()


@case("nats-py: large and binary payloads come back unchanged")
async def payloads(bench):
    nc = await nats.connect(bench.server.url("nats"))
    sub = await nc.subscribe("payload", pending_bytes_limit=-1)
    every_byte = bytes(range(256))
    for payload in (b"", b"\r\n", b"PING\r\nMSG x 1 2\r\n", every_byte, every_byte * 4096):
        await nc.publish("payload", payload)
        expect((await within(sub.next_msg(None), "the message")).data, payload, "payload")
    await nc.close()


@case("nats-py: a subscriber that does not read is closed, the others get everything")
async def slow_consumer(bench):
    server = bench.start(SMALL_PENDING)
    count, payload = 2000, b"x" * 16384
    silent = socket.socket()
    silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    silent.settimeout(10)
    bench.on_end(silent.close)
    silent.connect(("127.0.0.1", server.port("nats")))
    silent.sendall(b'CONNECT {"verbose":false,"name":"silent"}\r\nSUB flood 1\r\nPING\r\n')
    received = b""
    while b"PONG\r\n" not in received:
        received += silent.recv(4096)

    reader = await nats.connect(server.url("nats"))
    sub = await reader.subscribe("flood", pending_msgs_limit=-1, pending_bytes_limit=-1)
    await reader.flush()
    publisher = await nats.connect(server.url("nats"))
    # The reader lives in the same process: it is kept from falling behind for that.
    for _ in range(count // 20):
        for _ in range(20):
            await publisher.publish("flood", payload)
        await publisher.flush(30)
        for _ in range(20):
            expect(len((await within(sub.next_msg(10), "a message")).data), len(payload), "size")
    until(lambda: "Slow Consumer Detected" in server.log(), "the log names the slow consumer")
    expect(await asyncio.to_thread(is_closed, silent), True, "the silent connection is closed")
    expect((reader.is_connected, publisher.is_connected), (True, True), "the others are connected")
    await reader.close()
    await publisher.close()


def is_closed(connection):
    """Reads what the kernels still hold, to the end."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    except socket.timeout:
        return False
    return True


@case("nats-py: output that waits for more loses nothing and keeps its order")
async def coalesced(bench):
    server = bench.start("coalesce: 200us\n")
    clients = [await nats.connect(server.url("nats")) for _ in range(3)]
    heard = []

    async def on_message(msg):
        heard.append(int(msg.data))
        if msg.reply:
            await msg.respond(msg.data)

    await clients[0].subscribe("numbers", cb=on_message)
    await clients[0].flush()
    for number in range(500):
        await clients[1].publish("numbers", b"%d" % number)
        if number % 50 == 0:
            answer = await clients[1].request("numbers", b"-1", timeout=5)
            expect(answer.data, b"-1", "the answer")
    await clients[1].flush()
    await clients[0].flush()
    expect(len(heard), 510, "messages heard")
    expect([number for number in heard if number >= 0], list(range(500)), "the order")
    for nc in clients:
        await nc.close()


@case("nats-py: max_connections refuses one more, and says why")
async def max_connections(bench):
    server = bench.start("max_connections: 2\n")
    held = [await nats.connect(server.url("nats")) for _ in range(2)]
    errors = []

    async def on_error(error):
        errors.append(str(error))

    try:
        await nats.connect(server.url("nats"), allow_reconnect=False, error_cb=on_error,
                           max_reconnect_attempts=0, connect_timeout=3)
        raise Failure("a third client is connected")
    except (nats.errors.Error, OSError, asyncio.TimeoutError) as error:
        expect_in("maximum connections exceeded", " ".join([str(error), *errors]).lower(), "error")
    with urllib.request.urlopen(server.url("monitoring") + "/healthz", timeout=5) as page:
        expect_in("ok", page.read().decode(), "monitoring while clients have all connections")
    for nc in held:
        await nc.close()
