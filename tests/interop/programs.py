"""Clients of other languages: one small program each, a scenario a run. A program ends with 0, or
says on its last line what was expected and what came. `RESTART` asks us to restart the server, and
waits for a line."""

import threading

from harness import Failure, case, expect

LIMIT = 30  # seconds for a scenario

GO = {
    "pubsub": "publish and subscribe, with wildcards",
    "payloads": "empty, binary and large payloads",
    "headers": "headers",
    "request": "request and reply, by many at once",
    "no_responders": "a request that nobody serves fails at once",
    "queue": "queue groups give each message to one subscriber",
    "drain": "drain delivers what is on its way",
    "max_payload": "a message above max_payload is refused",
    "order": "50,000 messages in order",
    "restart": "a client resubscribes by itself after the server's restart",
}
GO_JETSTREAM = {
    "js_publish": "JetStream: message ids, expectations, publishing without waiting",
    "js_streams": "JetStream: streams are made, read, purged, listed and deleted",
    "js_pull": "JetStream: fetch, messages and consume",
    "js_redelivery": "JetStream: nak, delays, term and work in progress",
    "js_ordered": "JetStream: ordered consumers",
    "js_push": "JetStream: push consumers, and the older calls",
    "js_kv": "JetStream: a key-value bucket, watched, with history and times to live",
    "js_objects": "JetStream: an object store, watched, with links",
}
PAHO_CPP = {
    "pubsub": "publish and subscribe, with wildcards",
    "payloads": "empty, binary and large payloads",
    "qos": "QoS 1 and 2 are acknowledged",
    "order": "10,000 messages in order",
    "retained": "a retained message, then live ones",
    "will": "the will of a client whose id connects again",
    "restart": "a client reconnects by itself after the server's restart",
}


def play(bench, program, group, scenario, settings):
    server = bench.start(settings)
    child = bench.child([bench.program(program), "127.0.0.1", server.port(group), scenario])
    overdue = threading.Timer(LIMIT, child.kill)
    overdue.start()
    bench.on_end(overdue.cancel)
    said = []
    for line in child.stdout:
        if line == "RESTART\n":
            server.restart()
            child.stdin.write("restarted\n")
            child.stdin.flush()
        else:
            said.append(line)
    if child.wait() < 0:
        raise Failure(f"ended by signal {-child.returncode}, perhaps after {LIMIT} s; it said: "
                      f"{''.join(said)}")
    expect((child.returncode, "".join(said)), (0, ""), "exit status and output")
    expect(server.stop(), 0, "the server's exit status")


def register(program, group, name, scenario, title, settings=""):
    @case(f"{name}: {title}", limit=LIMIT + 20)
    def run(bench):
        play(bench, program, group, scenario, settings)


for scenario, title in GO.items():
    register("nats_go", "nats", "nats.go", scenario, title)
for scenario, title in GO_JETSTREAM.items():
    register("nats_go", "nats", "nats.go", scenario, title, 'jetstream { store_dir: "store" }\n')
for scenario, title in PAHO_CPP.items():
    register("paho_cpp", "mqtt", "Paho C++", scenario, title)
