"""The protocol trace, switched on and off by curl while real clients use the server."""

import re

import nats

from clients import Mqtt, curl
from harness import Failure, case, expect, expect_in, until, within

USER = 'authorization { user: "joe", password: "s3cret" }\n'


def switch(bench, server, method, query, *words, status=200):
    """The page after a change."""
    got, body = curl(bench, "-X", method, *words,
                     server.url("monitoring") + "/spanwire/trace" + query)
    expect(got, status, f"{method} {query}: status, with {body}")
    return body.decode()


def traced(server):
    """The lines of the trace, without process id, time and address."""
    return re.findall(r"^.*\[TRC\] \S+ - (.*)$", server.log(), re.MULTILINE)


def wait_for(server, line):
    """All lines of the trace, once that one is among them."""

    def lines():
        found = traced(server)
        return found if any(each.endswith(line) for each in found) else None

    return until(lines, f"the log has {line!r}")


def expect_line(lines, start, end):
    if not any(each.startswith(start) and each.endswith(end) for each in lines):
        raise Failure(f"no line '{start}…{end}' in {lines}")


@case("trace: one connection's lines come into the log, not another's, and end again")
async def one_connection(bench):
    server = bench.start()
    watched = await nats.connect(server.url("nats"), name="watched")
    other = await nats.connect(server.url("nats"), name="other")
    cid = watched.client_id
    await watched.flush()
    await other.flush()
    expect(traced(server), [], "lines before anybody asked")

    expect_in(str(cid), switch(bench, server, "POST", f"?cid={cid}"), "the page")
    sub = await watched.subscribe("a.*")
    await watched.flush()
    await other.publish("a.b", b"hello")
    await other.flush()
    expect((await within(sub.next_msg(None), "the message")).data, b"hello", "payload")
    await watched.flush()
    lines = wait_for(server, 'MSG_PAYLOAD: ["hello"]')
    expect({each.split(" ", 1)[0] for each in lines}, {f"cid:{cid}"}, "connections in the log")
    expect_line(lines, f"cid:{cid} - ", "<<- [SUB a.*  1]")
    expect_line(lines, f"cid:{cid} - ", "->> [MSG a.b 1 5]")

    switch(bench, server, "DELETE", f"?cid={cid}")
    before = traced(server)
    await watched.publish("a.b", b"later")
    await watched.flush()
    expect(traced(server), before, "lines after the end")
    await watched.close()
    await other.close()


@case("trace: one subject on every wire, by its name in NATS")
async def one_subject(bench):
    server = bench.start()
    nc = await nats.connect(server.url("nats"))
    device = Mqtt(bench, server.port("mqtt"))
    device.subscribe("plant/#")
    switch(bench, server, "POST", "?subject=plant.%3E")
    await nc.publish("plant.a", b"1")
    await nc.publish("other", b"2")
    await nc.flush()
    device.next()
    device.publish("plant/b", b"33")
    device.publish("other", b"4")
    curl(bench, "--data", "555", server.url("http_broker") + "/broker/plant/c")
    lines = wait_for(server, "->> [PUBLISH plant/c 3 bytes qos 0]")
    for start, end in (("cid:", "<<- [PUB plant.a  1]"),
                       ("mid:", "->> [PUBLISH plant/a 1 bytes qos 0]"),
                       ("mid:", "<<- [PUBLISH plant/b 2 bytes qos 1 id 2]"),
                       ("cid:", "<<- [POST /broker/plant/c 3 bytes]"),
                       ("cid:", "->> [200 2 bytes]")):
        expect_line(lines, start, end)
    expect([each for each in lines if "other" in each], [], "lines of another subject")
    await nc.close()


@case("trace: -V shows every wire and no password")
async def no_password(bench):
    server = bench.start(USER, arguments=["-DV"])
    nc = await nats.connect(server.url("nats"), user="joe", password="s3cret")
    await nc.flush()
    await nc.close()
    Mqtt(bench, server.port("mqtt"), client_id="lamp", user="joe", password="s3cret")
    curl(bench, "-u", "joe:s3cret", "--data", "1", server.url("http_broker") + "/broker/a")
    lines = wait_for(server, "->> [200 2 bytes]")
    expect_line(lines, "mid:", 'user "joe" password [REDACTED]]')
    expect_line(lines, "cid:", "<<- [PING]")
    if "s3cret" in server.log():
        raise Failure("the password is in the log")


@case("trace: where clients log in, so does who wants a trace; no page of another site may")
def who_may(bench):
    server = bench.start(USER)
    switch(bench, server, "POST", "?cid=1", status=401)
    switch(bench, server, "POST", "?cid=1", "-u", "joe:wrong", status=401)
    switch(bench, server, "POST", "?cid=1", "-u", "joe:s3cret",
           "-H", "Origin: http://site.example", status=403)
    expect_in('"connections": []', switch(bench, server, "GET", "", "-u", "joe:s3cret"), "the page")
    expect_in("1", switch(bench, server, "POST", "?cid=1", "-u", "joe:s3cret"), "the page")
