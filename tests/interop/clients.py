"""Paho for Python with every wait bounded, and curl."""

import queue
import threading

import paho.mqtt.client as mqtt

from harness import PATIENCE, Failure, expect


class Mqtt:
    """An MQTT 3.1.1 client, connected. `refused` keeps the CONNACK's code if there is one."""

    def __init__(self, bench, port, client_id="", user=None, password=None, will=None,
                 expected="Success"):
        self.messages = queue.Queue()
        self.connected, self.disconnected = queue.Queue(), threading.Event()
        self.acknowledged = queue.Queue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id,
                                  reconnect_on_failure=False)
        if user is not None:
            self.client.username_pw_set(user, password)
        if will:
            self.client.will_set(*will)
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self.connected.put(str(reason))
        self.client.on_disconnect = lambda *_: self.disconnected.set()
        self.client.on_message = lambda _c, _u, message: self.messages.put(message)
        self.client.on_subscribe = lambda _c, _u, _m, codes, _p: self.acknowledged.put(
            [code.value for code in codes])
        self.client.on_unsubscribe = lambda *_: self.acknowledged.put(None)
        self.client.connect("127.0.0.1", port, keepalive=30)
        self.client.loop_start()
        bench.on_end(self.disconnect)
        expect(self.wait(self.connected, "CONNACK"), expected, "CONNACK")

    @staticmethod
    def wait(source, what):
        try:
            return source.get(timeout=PATIENCE)
        except queue.Empty:
            raise Failure(f"{what}: nothing came in {PATIENCE} s") from None

    def subscribe(self, topic_filter, qos=0):
        """The granted QoS."""
        self.client.subscribe(topic_filter, qos)
        return self.wait(self.acknowledged, f"SUBACK for {topic_filter}")[0]

    def unsubscribe(self, topic_filter):
        self.client.unsubscribe(topic_filter)
        self.wait(self.acknowledged, f"UNSUBACK for {topic_filter}")

    def publish(self, topic, payload, qos=1, retain=False):
        """Returns when the server has acknowledged it, which means: routed, and stored where a
        stream wants it."""
        info = self.client.publish(topic, payload, qos, retain)
        info.wait_for_publish(PATIENCE)
        if not info.is_published():
            raise Failure(f"PUBLISH to {topic}: not acknowledged in {PATIENCE} s")

    def next(self):
        return self.wait(self.messages, "an MQTT message")

    def expect_nothing(self):
        """Nothing has come by the time the server has acknowledged something later."""
        self.subscribe("no/topic/of/any/case")
        if not self.messages.empty():
            message = self.messages.get()
            raise Failure(f"an unexpected MQTT message: {message.topic} {message.payload!r}")

    def wait_disconnected(self):
        if not self.disconnected.wait(PATIENCE):
            raise Failure(f"the server has not closed the MQTT connection in {PATIENCE} s")

    def disconnect(self):
        self.client.disconnect()
        self.client.loop_stop()


def curl(bench, *words, data=b""):
    """Status and body."""
    out = bench.output(["curl", "-sS", "--max-time", PATIENCE, "-w", "\n%{http_code}", *words],
                       data)
    body, _, status = out.rpartition(b"\n")
    return int(status), body


def http_get(bench, path):
    return curl(bench, bench.server.url("http_broker") + path)


def http_post(bench, path, payload):
    return curl(bench, "-X", "POST", "--data-binary", "@-",
                bench.server.url("http_broker") + path, data=payload)
