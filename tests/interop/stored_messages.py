"""What MQTT and HTTP clients were acknowledged: it is on the disk, in streams and in the bucket of
retained messages, which NATS programs use as any other."""

import asyncio
import signal

import nats

from clients import Mqtt, curl
from harness import case, expect, until, within

JETSTREAM = 'jetstream { store_dir: "store" }\n'
BUCKET = "spanwire_retained"


def post(bench, server, path, payload):
    status, _ = curl(bench, "-X", "POST", "--data-binary", "@-",
                     server.url("http_broker") + path, data=payload)
    expect(status, 200, f"POST {path}")


def get(bench, server, path):
    return curl(bench, server.url("http_broker") + path)


async def kill(server):
    server.stop(signal.SIGKILL)
    await asyncio.to_thread(server.start)


@case("mqtt, http: what was acknowledged is in the stream after kill -9")
async def in_the_stream(bench):
    server = bench.start(JETSTREAM)
    async with await nats.connect(server.url("nats")) as nc:
        await nc.jetstream().add_stream(name="S", subjects=["s.>"])
    device = Mqtt(bench, server.port("mqtt"))
    for number in range(50):
        device.publish(f"s/{number}", f"device {number}", qos=1 + number % 2)
    post(bench, server, "/broker/s/web?qos=1", b"web")
    await kill(server)
    async with await nats.connect(server.url("nats")) as nc:
        js = nc.jetstream()
        expect((await js.stream_info("S")).state.messages, 51, "messages")
        for number in range(50):
            message = await js.get_msg("S", number + 1)
            expect((message.subject, message.data), (f"s.{number}", f"device {number}".encode()),
                   "message")
        expect((await js.get_msg("S", 51)).data, b"web", "message")


@case("retained messages: they survive kill -9, and NATS programs read, watch and change them")
async def in_the_bucket(bench):
    server = bench.start(JETSTREAM)
    device = Mqtt(bench, server.port("mqtt"))
    device.publish("plant/7/temperature", "21", retain=True)
    device.publish("plant/8/temperature", "22", retain=True)
    device.publish("odd/a b:c", "23", retain=True)
    device.publish("plant/8/temperature", "", retain=True)
    post(bench, server, "/broker/web/page?retained=true", b"24")
    await kill(server)
    async with await nats.connect(server.url("nats")) as nc:
        bucket = await nc.jetstream().key_value(BUCKET)
        keys = ["odd.a/_b=3Ac", "plant.7.temperature", "web.page"]
        expect(sorted(await bucket.keys()), keys, "keys")
        expect((await bucket.get("plant.7.temperature")).value, b"21", "value")
        watcher = await bucket.watch("plant.>", include_history=False)
        while await within(watcher.updates(), "the end of what is there") is not None:
            pass
        device = Mqtt(bench, server.port("mqtt"))
        device.publish("plant/7/temperature", "25", retain=True)
        update = await within(watcher.updates(), "an update")
        expect((update.key, update.value), ("plant.7.temperature", b"25"), "update")
        await bucket.put("plant.9.temperature", b"by NATS")
        await bucket.delete("web.page")
        path = "/broker/{}?retained=true"
        until(lambda: get(bench, server, path.format("web/page"))[0] == 404, "the deleted value")
        expect(get(bench, server, path.format("plant/9/temperature")), (200, b"by NATS"), "GET")
    late = Mqtt(bench, server.port("mqtt"))
    late.subscribe("#")
    got = sorted((message.topic, message.payload) for message in (late.next() for _ in range(3)))
    expect(got, [("odd/a b:c", b"23"), ("plant/7/temperature", b"25"),
                 ("plant/9/temperature", b"by NATS")], "retained messages")
    late.expect_nothing()
