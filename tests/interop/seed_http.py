"""The HTTP page that this server has to satisfy: its curl lines, verbatim but for ENDPOINT, and
what curl does besides."""

import json
import shlex

import nats

from clients import Mqtt, curl
from harness import case, expect, expect_in, within

GET = "curl 'ENDPOINT/broker/foo/bar'"
GET_WILD = "curl 'ENDPOINT/broker/foo/+'"
GET_RETAINED = "curl 'ENDPOINT/broker/foo/+?retained=true'"
POST = "curl -X POST 'ENDPOINT/broker/foo/bar' -d 'Hello World!'"
POST_RETAINED = "curl -X POST 'ENDPOINT/broker/foo/bar?retained=true' -d 'Hello World!'"
POST_QOS = "curl -X POST 'ENDPOINT/broker/foo/bar?qos=2' -d 'Hello World!'"


def page(bench, server, line):
    """Status and body of a line of the page."""
    words = shlex.split(line.replace("ENDPOINT", server.url("http_broker")))
    return curl(bench, *words[1:])


@case("seed: curl publishes and retrieves the latest message")
def publish_and_retrieve(bench):
    server = bench.start()
    expect(page(bench, server, GET)[0], 404, "status before there is a message")
    expect(page(bench, server, POST), (200, b"OK"), "POST")
    expect(page(bench, server, GET), (200, b"Hello World!"), "GET")
    expect(page(bench, server, GET_WILD), (200, b"Hello World!"), "GET with a wildcard")
    expect(page(bench, server, GET_RETAINED)[0], 404, "status of the retained message")


@case("seed: curl publishes and retrieves a retained message")
def retained(bench):
    server = bench.start()
    expect(page(bench, server, POST_RETAINED), (200, b"OK"), "POST")
    expect(page(bench, server, GET_RETAINED), (200, b"Hello World!"), "GET")
    expect(page(bench, server, POST.replace("Hello World!", "live")), (200, b"OK"), "POST")
    expect(page(bench, server, GET), (200, b"live"), "the latest message")
    expect(page(bench, server, GET_RETAINED), (200, b"Hello World!"), "the retained one")


@case("seed: curl publishes with a quality of service")
def quality_of_service(bench):
    server = bench.start()
    for qos in "012":
        expect(page(bench, server, POST_QOS.replace("qos=2", f"qos={qos}")), (200, b"OK"), "POST")
    expect(page(bench, server, POST_QOS.replace("qos=2", "qos=3"))[0], 400, "status of qos=3")


@case("seed: the wildcards +, *, @ and %23")
def wildcards(bench):
    server = bench.start()
    for topic in ("foo", "foo/a", "foo/a/b"):
        page(bench, server, f"curl -X POST 'ENDPOINT/broker/{topic}' -d '{topic}'")
    for pattern, latest in (("foo/+", b"foo/a"), ("foo/*", b"foo/a"), ("+", b"foo"),
                            ("foo/+/b", b"foo/a/b"), ("foo/@", b"foo/a/b"), ("@", b"foo/a/b"),
                            ("foo/%23", b"foo/a/b"), ("%23", b"foo/a/b")):
        expect(page(bench, server, f"curl 'ENDPOINT/broker/{pattern}'"), (200, latest), pattern)
    page(bench, server, "curl -X POST 'ENDPOINT/broker/foo' -d 'parent'")
    expect(page(bench, server, "curl 'ENDPOINT/broker/foo/@'"), (200, b"parent"), "foo/@")


@case("seed: the limits of topics and payloads")
def limits(bench):
    server = bench.start()
    endpoint = server.url("http_broker") + "/broker/"
    post = ["-X", "POST", "--data-binary", "@-"]
    expect(curl(bench, *post, endpoint + "t" * 128, data=b"x"), (200, b"OK"), "128 characters")
    expect(curl(bench, *post, endpoint + "t" * 129, data=b"x")[0], 400, "129 characters")
    expect(curl(bench, *post, endpoint + "a.,:;-_$/b", data=b"x"), (200, b"OK"), "characters")
    expect(curl(bench, *post, endpoint + "a%20b", data=b"x")[0], 400, "a blank")
    expect(curl(bench, *post, endpoint + "a/%23", data=b"x")[0], 400, "a POST to a wildcard")
    expect(curl(bench, *post, endpoint + "big", data=b"x" * 65536), (200, b"OK"), "64 KiB")
    expect(curl(bench, *post, endpoint + "big", data=b"x" * 65537)[0], 413, "64 KiB and a byte")
    expect(curl(bench, endpoint + "big"), (200, b"x" * 65536), "what is kept")


@case("seed: messages that wait for OK come in their order")
async def ordering(bench):
    server = bench.start()
    nc = await nats.connect(server.url("nats"))
    sub = await nc.subscribe("foo.bar")
    await nc.flush()
    for number in range(20):
        expect(page(bench, server, POST.replace("Hello World!", str(number))), (200, b"OK"), "POST")
    got = [int((await within(sub.next_msg(None), "a message")).data) for _ in range(20)]
    expect(got, list(range(20)), "order")
    await nc.close()


@case("curl: one connection serves several requests")
def keep_alive(bench):
    server = bench.start()
    url = server.url("http_broker") + "/broker/foo/bar"
    # Between the answers curl says how many connections it had to make.
    words = ["-w", "[%{http_code} %{num_connects}]", "-d", "a", url, "--next", "-sS",
             "-w", "[%{http_code} %{num_connects}]", url, url]
    out = bench.output(["curl", "-sS", *words])
    expect(out, b"OK[200 1]a[200 0]a[200 0]", "what curl says")


@case("curl: a chunked body is the payload")
def chunked(bench):
    server = bench.start()
    url = server.url("http_broker") + "/broker/foo/bar"
    expect(curl(bench, "-H", "Transfer-Encoding: chunked", "--data-binary", "@-", url,
                data=b"x" * 40000), (200, b"OK"), "POST")
    expect(curl(bench, url), (200, b"x" * 40000), "GET")


@case("curl: Expect: 100-continue is answered before the body is sent")
def expects_continue(bench):
    server = bench.start()
    url = server.url("http_broker") + "/broker/foo/bar"
    # Without the 100 curl would wait for longer than it is given.
    words = ["-H", "Expect: 100-continue", "--expect100-timeout", "60", "-D", "-", "-d", "hello"]
    status, out = curl(bench, *words, url)
    expect(status, 200, "status")
    expect(out[:23], b"HTTP/1.1 100 Continue\r\n", "the first line")
    expect(curl(bench, url), (200, b"hello"), "GET")


@case("curl: HEAD shows the headers of the latest message")
def head(bench):
    server = bench.start()
    url = server.url("http_broker") + "/broker/foo/bar"
    curl(bench, "-d", "hello", url)
    status, out = curl(bench, "-I", url)
    expect(status, 200, "status")
    headers = dict(line.lower().split(": ", 1) for line in out.decode().splitlines()[1:] if line)
    expect(headers.get("content-length"), "5", "Content-Length")
    expect(headers.get("x-topic"), "foo/bar", "X-Topic")


@case("curl: a path or a method that is not of the interface")
def refused(bench):
    server = bench.start()
    expect(curl(bench, server.url("http_broker") + "/other")[0], 404, "another path")
    expect(curl(bench, "-X", "DELETE", server.url("http_broker") + "/broker/a")[0], 405, "DELETE")


@case("curl: the monitoring pages")
def monitoring(bench):
    server = bench.start()
    Mqtt(bench, server.port("mqtt"))
    status, body = curl(bench, server.url("monitoring") + "/varz")
    expect(status, 200, "status of /varz")
    expect(json.loads(body)["version"], "2.14.5", "version in /varz")
    for page_name, member in (("connz", "connections"), ("subsz", "num_subscriptions")):
        status, body = curl(bench, f"{server.url('monitoring')}/{page_name}")
        expect(status, 200, f"status of /{page_name}")
        expect_in(member, json.loads(body), f"/{page_name}")
    status, body = curl(bench, server.url("monitoring") + "/healthz")
    expect((status, json.loads(body)), (200, {"status": "ok"}), "/healthz")
