"""The NATS page that this server has to satisfy, snippet by snippet, as near to its words as
nats-py allows. Where a line had to change, the page's own stands above it in a comment that begins
"page:". What follows a "check" comment is ours."""

import asyncio
import json
import threading

import nats
import nats.errors
import paho.mqtt.client as mqtt

from harness import Failure, case, expect, until, within

LOGIN = 'authorization { user: "username", password: "password" }\n'
TOKEN = 'authorization { token: "your-auth-token" }\n'


class Inbox:
    """The page's message_handler prints; this one keeps."""

    def __init__(self):
        self.messages = asyncio.Queue()

    async def message_handler(self, msg):
        await self.messages.put(f"Received: {msg.subject} -> {msg.data.decode()}")

    async def take(self, count):
        return [await within(self.messages.get(), "a message") for _ in range(count)]

    async def expect_only(self, nc, *lines):
        """These and nothing else, by the time a PING is answered."""
        await nc.flush()
        expect(await self.take(len(lines)), [f"Received: {line}" for line in lines], "messages")
        if not self.messages.empty():
            raise Failure(f"one message too many: {self.messages.get_nowait()}")


@case("seed: connection, anonymous")
async def connection(bench):
    # Connect to FlowMQ
    # page: nc = await nats.connect("nats://your-namespace.flowmq.io:4222")
    nc = await nats.connect(bench.server.url("nats"))
    # check
    expect(nc.is_connected, True, "connected")
    await nc.close()


@case("seed: connection with user and password")
async def connection_with_user(bench):
    server = bench.start(LOGIN)
    # With authentication
    nc = await nats.connect(
        # page: "nats://your-namespace.flowmq.io:4222",
        server.url("nats"),
        user="username",
        password="password"
    )
    # check
    expect(nc.is_connected, True, "connected")
    await nc.close()


@case("seed: connection with a token")
async def connection_with_token(bench):
    server = bench.start(TOKEN)
    # Connect with token
    nc = await nats.connect(
        # page: "nats://your-namespace.flowmq.io:4222",
        server.url("nats"),
        token="your-auth-token"
    )
    # check
    expect(nc.is_connected, True, "connected")
    await nc.close()


@case("seed: basic publishing")
async def basic_publishing(bench):
    nc = await nats.connect(bench.server.url("nats"))
    inbox = Inbox()
    await nc.subscribe("sensors.>", cb=inbox.message_handler)

    # Publish simple message
    await nc.publish("sensors.temperature", b"22.5")

    # Publish JSON payload
    payload = {
        "temperature": 22.5,
        "humidity": 65,
        "timestamp": "2024-01-15T10:30:00Z"
    }
    await nc.publish("sensors.room1", json.dumps(payload).encode())

    # check
    await inbox.expect_only(nc, "sensors.temperature -> 22.5",
                            f"sensors.room1 -> {json.dumps(payload)}")
    await nc.close()


@case("seed: request and reply")
async def request_reply(bench):
    nc = await nats.connect(bench.server.url("nats"))

    # The page requests first and subscribes below; here the one who answers comes first.
    # Handle requests
    async def order_handler(msg):
        order_data = json.loads(msg.data.decode())
        # Process order
        result = {"status": "processed", "order_id": order_data["order_id"]}
        await msg.respond(json.dumps(result).encode())

    # Subscribe to requests
    await nc.subscribe("orders.process", cb=order_handler)

    # Request with timeout
    response = await nc.request("orders.process", b'{"order_id": "12345"}', timeout=5.0)

    # check: the page prints f"Response: {response.data.decode()}"
    expect(json.loads(response.data.decode()), {"status": "processed", "order_id": "12345"},
           "response")
    await nc.close()


@case("seed: basic subscription and subscription to several subjects")
async def basic_subscription(bench):
    nc = await nats.connect(bench.server.url("nats"))
    exact, wild = Inbox(), Inbox()

    # Subscribe to specific subject
    await nc.subscribe("sensors.temperature", cb=exact.message_handler)

    # Subscribe to multiple subjects
    await nc.subscribe("sensors.*", cb=wild.message_handler)

    # check
    await nc.publish("sensors.temperature", b"1")
    await nc.publish("sensors.humidity", b"2")
    await nc.publish("sensors.room1.temperature", b"3")
    await exact.expect_only(nc, "sensors.temperature -> 1")
    await wild.expect_only(nc, "sensors.temperature -> 1", "sensors.humidity -> 2")
    await nc.close()


@case("seed: wildcard subscriptions, + for one level and > for all below")
async def wildcards(bench):
    nc = await nats.connect(bench.server.url("nats"))
    single, multi, two = Inbox(), Inbox(), Inbox()

    # Single-level wildcard
    await nc.subscribe("sensors.+.temperature", cb=single.message_handler)
    # Matches: sensors.room1.temperature, sensors.room2.temperature

    # Multi-level wildcard
    await nc.subscribe("sensors.>", cb=multi.message_handler)
    # Matches: sensors.temperature, sensors.room1.temperature, sensors.room1.humidity

    # Multiple wildcards
    await nc.subscribe("devices.+.+.status", cb=two.message_handler)
    # Matches: devices.sensor.001.status, devices.actuator.002.status

    # check: what the page says they match, and the nearest that they do not
    for subject in ("sensors.room1.temperature", "sensors.room2.temperature",
                    "sensors.temperature", "sensors.room1.humidity", "sensors",
                    "devices.sensor.001.status", "devices.actuator.002.status",
                    "devices.001.status", "devices.sensor.001.state"):
        await nc.publish(subject, b"x")
    await single.expect_only(nc, "sensors.room1.temperature -> x", "sensors.room2.temperature -> x")
    await multi.expect_only(nc, "sensors.room1.temperature -> x", "sensors.room2.temperature -> x",
                            "sensors.temperature -> x", "sensors.room1.humidity -> x")
    await two.expect_only(nc, "devices.sensor.001.status -> x", "devices.actuator.002.status -> x")
    await nc.close()


@case("seed: + is an ordinary token where the setting is off, as in nats-server")
async def plus_is_literal(bench):
    server = bench.start("plus_wildcard: false\n")
    nc = await nats.connect(server.url("nats"))
    inbox = Inbox()
    await nc.subscribe("sensors.+.temperature", cb=inbox.message_handler)
    await nc.publish("sensors.room1.temperature", b"1")
    await nc.publish("sensors.+.temperature", b"2")
    await inbox.expect_only(nc, "sensors.+.temperature -> 2")
    await nc.close()


@case("seed: queue groups give each message to one subscriber")
async def queue_groups(bench):
    nc = await nats.connect(bench.server.url("nats"))
    got = ([], [])

    def handler(member):
        async def message_handler(msg):
            got[member].append(int(msg.data))
        return message_handler

    # Multiple subscribers in the same queue group
    # page: both with cb=message_handler; here each counts for itself
    await nc.subscribe("orders.process", queue="order-processors", cb=handler(0))
    await nc.subscribe("orders.process", queue="order-processors", cb=handler(1))

    # check: Each message is delivered to only one subscriber in the group
    for number in range(200):
        await nc.publish("orders.process", b"%d" % number)
    await nc.flush()
    await asyncio.sleep(0)
    await nc.drain()
    expect(sorted(got[0] + got[1]), list(range(200)), "messages of both members")
    if not got[0] or not got[1]:
        raise Failure(f"one member got all: {len(got[0])} and {len(got[1])}")


@case("seed: message headers")
async def headers_travel(bench):
    nc = await nats.connect(bench.server.url("nats"))
    sub = await nc.subscribe("orders.new")

    # Publish with headers
    headers = {
        "source": "order-service",
        "version": "1.0",
        "priority": "high"
    }
    await nc.publish(
        "orders.new",
        b'{"order_id": "12345"}',
        headers=headers
    )

    # check
    msg = await within(sub.next_msg(None), "the message")
    expect(dict(msg.headers), headers, "headers")
    expect(msg.data, b'{"order_id": "12345"}', "payload")
    await nc.close()


@case("seed: subject names are used as they are")
async def subject_names(bench):
    nc = await nats.connect(bench.server.url("nats"))
    inbox = Inbox()
    await nc.subscribe(">", cb=inbox.message_handler)
    names = ("sensors.room1.temperature", "devices.iot.sensor001.status", "orders.eu.new.books",
             "alerts.critical.system.maintenance")
    for name in names:
        await nc.publish(name, b"x")
    await inbox.expect_only(nc, *(f"{name} -> x" for name in names))
    await nc.close()


@case("seed: error handling")
async def error_handling(bench):
    processed, errors = [], []
    nc = None
    # page: async def main(), which sleeps for an hour inside of the try
    try:
        # Connect to FlowMQ
        nc = await nats.connect(bench.server.url("nats"))

        # Subscribe with error handling
        async def message_handler(msg):
            try:
                data = json.loads(msg.data.decode())
                # Process message
                processed.append(f"Processed: {data}")
            except json.JSONDecodeError as e:
                errors.append(f"Invalid JSON: {e}")
            except Exception as e:
                errors.append(f"Processing error: {e}")

        await nc.subscribe("sensors.*", cb=message_handler)

        # check, in the place of the hour
        await nc.publish("sensors.a", b'{"value": 1}')
        await nc.publish("sensors.b", b"no JSON")
        await nc.drain()
    # page: except nats.errors.ConnectionError as e, a name that nats-py does not have
    except nats.errors.Error as e:
        raise Failure(f"Connection error: {e}") from e
    finally:
        if nc:
            await nc.close()
    expect(processed, ["Processed: {'value': 1}"], "processed")
    expect(len(errors), 1, "errors")


def run_mqtt_consumer(port, received, ready):
    """The page's MQTT consumer, until the one who started it disconnects it."""

    def on_message(client, userdata, msg):
        # page: print(f"Received: {msg.payload.decode()}")
        received.append(f"Received: {msg.payload.decode()}")

    client = mqtt.Client()
    client.on_message = on_message
    client.on_subscribe = lambda *_: ready.append(client)  # ours: it is time to publish
    # page: client.connect("your-namespace.flowmq.io", 1883)
    client.connect("127.0.0.1", port)
    client.subscribe("sensors/temperature")
    client.loop_forever()


@case("seed: NATS to MQTT")
async def nats_to_mqtt(bench):
    received, ready = [], []
    consumer = threading.Thread(target=run_mqtt_consumer, daemon=True,
                                args=(bench.server.port("mqtt"), received, ready))
    consumer.start()
    until(lambda: ready, "the MQTT consumer has subscribed")
    bench.on_end(ready[0].disconnect)
    nc = await nats.connect(bench.server.url("nats"))

    # NATS Publisher
    await nc.publish("sensors.temperature", b'{"value": 22.5}')

    # check
    await nc.flush()
    until(lambda: received, "the MQTT consumer has received")
    expect(received, ['Received: {"value": 22.5}'], "what the MQTT consumer received")
    await nc.close()


@case("seed: MQTT to NATS")
async def mqtt_to_nats(bench):
    nc = await nats.connect(bench.server.url("nats"))
    received = asyncio.Queue()

    # NATS Consumer
    async def message_handler(msg):
        # page: print(f"Received: {msg.data.decode()}")
        await received.put(f"Received: {msg.data.decode()}")

    await nc.subscribe("sensors.temperature", cb=message_handler)
    await nc.flush()

    # MQTT Publisher
    client = mqtt.Client()
    # page: client.connect("your-namespace.flowmq.io", 1883)
    client.connect("127.0.0.1", bench.server.port("mqtt"))
    client.publish("sensors/temperature", '{"value": 22.5}')

    # check
    expect(await within(received.get(), "the message"), 'Received: {"value": 22.5}', "received")
    client.disconnect()
    await nc.close()


@case("seed: the tables of subjects and topics, in both directions")
async def mapping_tables(bench):
    rows = {"sensors.temperature": "sensors/temperature", "orders.eu.new": "orders/eu/new",
            "devices.iot.status": "devices/iot/status"}
    # NATS subject pattern, its topic filter, and a name that both match
    wild = (("sensors.+.temperature", "sensors/+/temperature", "sensors.a.temperature"),
            ("sensors.>", "sensors/#", "sensors.a.b"),
            ("devices.+.+.status", "devices/+/+/status", "devices.a.b.status"))
    pairs = [(subject, topic, subject) for subject, topic in rows.items()] + list(wild)
    for subject, topic, name in pairs:
        await both_directions(bench, subject, topic, name)


async def both_directions(bench, subject, topic, name):
    from clients import Mqtt  # the page's client is above; this one waits for acknowledgements
    device = Mqtt(bench, bench.server.port("mqtt"))
    device.subscribe(topic)
    nc = await nats.connect(bench.server.url("nats"))
    sub = await nc.subscribe(subject)
    await nc.flush()
    await nc.publish(name, b"from NATS")
    expect((await within(sub.next_msg(None), name)).subject, name, f"subject at {subject}")
    expect(device.next().topic, name.replace(".", "/"), f"topic at {topic}")
    device.publish(name.replace(".", "/"), b"from MQTT")
    expect((await within(sub.next_msg(None), name)).subject, name, f"subject at {subject}")
    expect(device.next().payload, b"from MQTT", f"payload at {topic}")
    device.disconnect()
    await nc.close()
