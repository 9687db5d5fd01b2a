"""MQTT devices: Paho for Python, mosquitto_pub and mosquitto_sub."""

import signal

from clients import Mqtt, curl
from harness import Failure, case, expect, expect_in, until


def lines_of(bench, *words):
    """Starts mosquitto_sub; it prints a line for each message."""
    # -d says when it has subscribed; stdbuf makes it say so at once.
    return bench.child(["stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p",
                        bench.server.port("mqtt"), *words])


def subscribed(bench, *words):
    child = lines_of(bench, "-d", *words)
    said = []
    for line in child.stdout:
        said.append(line)
        if "SUBACK" in line:
            return child
    raise Failure(f"mosquitto_sub has not subscribed: {''.join(said)}")


def next_message(child):
    """The next line that is no protocol line of -d."""
    for line in child.stdout:
        if not line.startswith(("Client ", "Subscribed ")):
            return line.rstrip("\n")
    raise Failure("mosquitto_sub ended")


def mosquitto_pub(bench, *words, data=b"", status=0):
    return bench.output(["mosquitto_pub", "-h", "127.0.0.1", "-p", bench.server.port("mqtt"),
                         *words], data, status)


@case("mosquitto: mosquitto_pub reaches mosquitto_sub, with wildcards, at each QoS")
def pub_and_sub(bench):
    child = subscribed(bench, "-v", "-t", "house/+/light", "-t", "garden/#")
    for qos in "012":
        mosquitto_pub(bench, "-q", qos, "-t", "house/kitchen/light", "-m", f"on {qos}")
        expect(next_message(child), f"house/kitchen/light on {qos}", "message")
    mosquitto_pub(bench, "-t", "house/kitchen/door", "-m", "open")
    mosquitto_pub(bench, "-t", "garden", "-n")
    expect(next_message(child), "garden (null)", "message")


@case("mosquitto: a retained message waits for the subscriber, until it is cleared")
def retained(bench):
    mosquitto_pub(bench, "-r", "-t", "kept/lamp", "-m", "on")
    out = bench.output(["mosquitto_sub", "-h", "127.0.0.1", "-p", bench.server.port("mqtt"),
                        "-t", "kept/#", "-C", "1", "-F", "%t %r %p"])
    expect(out, b"kept/lamp 1 on\n", "retained message")
    mosquitto_pub(bench, "-r", "-t", "kept/lamp", "-n")
    out = bench.output(["mosquitto_sub", "-h", "127.0.0.1", "-p", bench.server.port("mqtt"),
                        "-t", "kept/#", "-W", "1"], status=27)
    expect(out, b"", "messages after it was cleared")


@case("mosquitto: the will of a client that is killed is published")
def will_of_killed(bench):
    watcher = Mqtt(bench, bench.server.port("mqtt"))
    watcher.subscribe("gone/#")
    child = subscribed(bench, "-i", "mortal", "-t", "nothing", "--will-topic", "gone/mortal",
                       "--will-payload", "killed")
    child.send_signal(signal.SIGKILL)
    message = watcher.next()
    expect((message.topic, message.payload), ("gone/mortal", b"killed"), "will")


@case("mosquitto: the will of a client that says goodbye is not")
def will_of_leaving(bench):
    watcher = Mqtt(bench, bench.server.port("mqtt"))
    watcher.subscribe("left/#")
    mosquitto_pub(bench, "-t", "left/x", "-m", "last", "--will-topic", "left/will",
                  "--will-payload", "gone")
    expect(watcher.next().topic, "left/x", "topic")
    watcher.expect_nothing()


@case("paho-mqtt: a retained will waits in the retained messages")
def retained_will(bench):
    port = bench.server.port("mqtt")
    mortal = Mqtt(bench, port, will=("state/mortal", b"offline", 1, True))
    mortal.publish("state/mortal", b"online", retain=True)
    watcher = Mqtt(bench, port)
    watcher.subscribe("state/mortal")
    expect(watcher.next().payload, b"online", "retained message")
    mortal.client.socket().shutdown(2)  # the connection breaks, no DISCONNECT is sent
    message = watcher.next()
    expect((message.payload, message.retain), (b"offline", False), "will")
    expect(curl(bench, bench.server.url("http_broker") + "/broker/state/mortal?retained=true"),
           (200, b"offline"), "retained message over HTTP")


@case("paho-mqtt: a client id that connects again closes the old connection")
def take_over(bench):
    port = bench.server.port("mqtt")
    clients = [Mqtt(bench, port, client_id="twin") for _ in range(1)]
    # Connections are spread over the loops: each take-over may cross from one to another.
    for _ in range(5):
        clients.append(Mqtt(bench, port, client_id="twin"))
        clients[-2].wait_disconnected()
    last = clients[-1]
    last.subscribe("twin/inbox")
    last.publish("twin/inbox", b"hello")
    expect(last.next().payload, b"hello", "payload at the last one")
    last.expect_nothing()


@case("paho-mqtt: QoS 0, 1 and 2 in order, granted QoS 0")
def order(bench):
    port = bench.server.port("mqtt")
    publisher, subscriber = Mqtt(bench, port), Mqtt(bench, port)
    expect(subscriber.subscribe("order/+", 2), 0, "granted QoS")
    infos = [publisher.client.publish(f"order/{n % 3}", b"%d" % n, qos=2) for n in range(100)]
    for info in infos:
        info.wait_for_publish(10)
    expect([int(subscriber.next().payload) for _ in range(100)], list(range(100)), "order")
    subscriber.expect_nothing()


@case("paho-mqtt: after UNSUBSCRIBE nothing comes")
def unsubscribe(bench):
    client = Mqtt(bench, bench.server.port("mqtt"))
    client.subscribe("once/+")
    client.publish("once/a", b"1")
    expect(client.next().payload, b"1", "payload")
    client.unsubscribe("once/+")
    client.publish("once/a", b"2")
    client.expect_nothing()


@case("paho-mqtt: topics with dots, blanks, empty levels and Unicode come back unchanged")
def topics(bench):
    client = Mqtt(bench, bench.server.port("mqtt"))
    client.subscribe("t/#")
    client.subscribe("/lead")
    for topic in ("t/v1.0/x", "t/a b", "t//x/", "t/*/>", "t/Grüße/温度", "/lead", "t"):
        client.publish(topic, b"x")
        expect(client.next().topic, topic, "topic")


@case("paho-mqtt: a message of a megabyte comes back unchanged")
def large(bench):
    client = Mqtt(bench, bench.server.port("mqtt"))
    client.subscribe("large")
    payload = bytes(range(256)) * 4000
    client.publish("large", payload)
    expect(client.next().payload, payload, "payload")


@case("paho-mqtt: a client that falls silent is closed after one and a half keep-alives", limit=60)
def keep_alive(bench):
    watcher = Mqtt(bench, bench.server.port("mqtt"))
    watcher.subscribe("silent/#")
    child = subscribed(bench, "-i", "silent", "-k", "5", "-t", "nothing",
                       "--will-topic", "silent/will", "--will-payload", "timed out")
    child.send_signal(signal.SIGSTOP)  # its kernel still acknowledges, it sends nothing
    until(lambda: not watcher.messages.empty(), "the will of the silent client", 15)
    expect_in(watcher.next().payload, (b"timed out",), "will")
