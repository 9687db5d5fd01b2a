"""One subject index, three wires: each of them publishes, each of them receives."""

import asyncio
import json

import nats

from clients import Mqtt, http_get, http_post
from harness import case, expect, within

PAYLOADS = {"text": "Grüße, 22.5 °C".encode(), "binary": bytes(range(256)) + b"\r\nMSG a 1 0\r\n",
            "empty": b""}


class Nats:
    @staticmethod
    async def publish(bench, name, payload):
        nc = await nats.connect(bench.server.url("nats"))
        await nc.publish(name.replace("/", "."), payload)
        await nc.flush()
        await nc.close()

    async def open(self, bench, name):
        self.nc = await nats.connect(bench.server.url("nats"))
        self.sub = await self.nc.subscribe(name.replace("/", "."))
        await self.nc.flush()

    async def receive(self):
        message = await within(self.sub.next_msg(None), "a NATS message")
        return message.subject.replace(".", "/"), message.data

    async def close(self):
        await self.nc.close()


class Device:
    @staticmethod
    async def publish(bench, name, payload):
        device = Mqtt(bench, bench.server.port("mqtt"))
        device.publish(name, payload)
        device.disconnect()

    async def open(self, bench, name):
        self.device = Mqtt(bench, bench.server.port("mqtt"))
        self.device.subscribe(name)

    async def receive(self):
        message = self.device.next()
        return message.topic, message.payload

    async def close(self):
        self.device.disconnect()


class Http:
    @staticmethod
    async def publish(bench, name, payload):
        expect(http_post(bench, f"/broker/{name}", payload), (200, b"OK"), "POST")

    async def open(self, bench, name):
        self.bench, self.name = bench, name

    async def receive(self):
        status, body = http_get(self.bench, f"/broker/{self.name}")
        expect(status, 200, "status of GET")
        return self.name, body

    async def close(self):
        pass


WIRES = {"NATS": Nats, "MQTT": Device, "HTTP": Http}


def register(sender, receiver):
    @case(f"cross: {sender} publishes, {receiver} receives: text, binary, empty")
    async def pair(bench):
        name = f"cross/{sender}/{receiver}"
        end = WIRES[receiver]()
        await end.open(bench, name)
        for kind, payload in PAYLOADS.items():
            await WIRES[sender].publish(bench, name, payload)
            expect(await end.receive(), (name, payload), f"the {kind} message")
        await end.close()


for one in WIRES:
    for other in WIRES:
        register(one, other)


@case("cross: one message reaches every wire")
async def everywhere(bench):
    for sender, wire in WIRES.items():
        ends = [each() for each in WIRES.values()]
        for end in ends:
            await end.open(bench, "cross/all")
        await wire.publish(bench, "cross/all", sender.encode())
        for end in ends:
            expect(await end.receive(), ("cross/all", sender.encode()), f"from {sender}")
            await end.close()


@case("cross: retained messages are one store for MQTT and HTTP")
def retained(bench):
    device = Mqtt(bench, bench.server.port("mqtt"))
    device.publish("both/a", b"by MQTT", retain=True)
    expect(http_get(bench, "/broker/both/a?retained=true"), (200, b"by MQTT"), "GET")
    expect(http_post(bench, "/broker/both/b?retained=true", b"by HTTP"), (200, b"OK"), "POST")
    device.subscribe("both/b")
    message = device.next()
    expect((message.payload, message.retain), (b"by HTTP", True), "retained message")
    # An empty retained message clears it, from either side.
    device.publish("both/b", b"", retain=True)
    expect(http_get(bench, "/broker/both/b?retained=true")[0], 404, "status after MQTT cleared it")
    expect(http_post(bench, "/broker/both/a?retained=true", b""), (200, b"OK"), "POST")
    other = Mqtt(bench, bench.server.port("mqtt"))
    other.subscribe("both/a")
    other.expect_nothing()


@case("cross: an MQTT client answers a NATS request")
async def mqtt_answers(bench):
    device = Mqtt(bench, bench.server.port("mqtt"))

    # MQTT 3.1.1 has no place for a reply subject, so the request carries it, as a topic.
    def answer(client, _userdata, message):
        request = json.loads(message.payload)
        client.publish(request["answer_to"], json.dumps({"sum": sum(request["numbers"])}))

    device.client.on_message = answer
    device.subscribe("calc/sum")
    nc = await nats.connect(bench.server.url("nats"))
    inbox = nc.new_inbox()
    sub = await nc.subscribe(inbox)
    request = {"numbers": [1, 2, 3], "answer_to": inbox.replace(".", "/")}
    await nc.publish("calc.sum", json.dumps(request).encode(), reply=inbox)
    answered = await within(sub.next_msg(None), "the answer")
    expect(json.loads(answered.data), {"sum": 6}, "answer")
    await nc.close()


@case("cross: a NATS service answers an MQTT client")
async def nats_answers(bench):
    nc = await nats.connect(bench.server.url("nats"))

    async def serve(message):
        request = json.loads(message.data)
        await nc.publish(request["answer_to"].replace("/", "."), b"%d" % sum(request["numbers"]))

    await nc.subscribe("service.sum", cb=serve)
    await nc.flush()
    device = Mqtt(bench, bench.server.port("mqtt"))
    device.subscribe("answers/device1")
    device.publish("service/sum", json.dumps({"numbers": [4, 5], "answer_to": "answers/device1"}))
    answer = await asyncio.to_thread(device.next)
    expect(answer.payload, b"9", "answer")
    await nc.close()


@case("cross: a NATS queue group shares what MQTT and HTTP publish")
async def queue_group(bench):
    members = [await nats.connect(bench.server.url("nats")) for _ in range(3)]
    subs = [await nc.subscribe("jobs.>", queue="workers") for nc in members]
    for nc in members:
        await nc.flush()
    device = Mqtt(bench, bench.server.port("mqtt"))
    for number in range(30):
        device.publish("jobs/mqtt", b"%d" % number)
    for number in range(30, 40):
        http_post(bench, "/broker/jobs/http", b"%d" % number)
    got = []
    for nc, sub in zip(members, subs):
        await nc.flush()
        while sub.pending_msgs:
            got.append(int((await sub.next_msg(None)).data))
    expect(sorted(got), list(range(40)), "jobs of all members")
    for nc in members:
        await nc.close()
