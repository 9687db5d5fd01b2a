"""User and password, or a token: the same credentials on every wire."""

import asyncio

import nats
import nats.errors

from clients import Mqtt, curl
from harness import Failure, case, expect, expect_in

USER = 'authorization { user: "device", password: "s3cret: @/" }\n'
USERS = """authorization {
  users: [ { user: "a", password: "one" }, { user: "b", password: "two" } ]
}
"""
TOKEN = 'authorization { token: "let-me-in" }\n'


async def nats_login(server, **options):
    """None, or the error's text."""
    errors = []

    async def on_error(error):
        errors.append(str(error))

    try:
        nc = await nats.connect(server.url("nats"), allow_reconnect=False, connect_timeout=5,
                                max_reconnect_attempts=0, error_cb=on_error, **options)
    except (nats.errors.Error, OSError, asyncio.TimeoutError) as error:
        return " ".join([str(error), *errors])
    await nc.flush()
    await nc.close()
    return None


async def expect_refused(server, **options):
    said = await nats_login(server, **options)
    if said is None:
        raise Failure(f"{options} was accepted")
    expect_in("authorization violation", said.lower(), f"the error for {options}")


@case("login: NATS with user and password")
async def nats_user(bench):
    server = bench.start(USER)
    expect(await nats_login(server, user="device", password="s3cret: @/"), None, "the right ones")
    await expect_refused(server, user="device", password="wrong")
    await expect_refused(server, user="another", password="s3cret: @/")
    await expect_refused(server, token="s3cret: @/")
    await expect_refused(server)


@case("login: NATS with one of several users")
async def nats_users(bench):
    server = bench.start(USERS)
    expect(await nats_login(server, user="a", password="one"), None, "the first user")
    expect(await nats_login(server, user="b", password="two"), None, "the second user")
    await expect_refused(server, user="a", password="two")


@case("login: NATS with a token")
async def nats_token(bench):
    server = bench.start(TOKEN)
    expect(await nats_login(server, token="let-me-in"), None, "the right token")
    await expect_refused(server, token="let-me-out")
    await expect_refused(server)


@case("login: the command line's --user, --pass and --auth")
async def flags(bench):
    server = bench.start(arguments=["--user", "u", "--pass", "p"])
    expect(await nats_login(server, user="u", password="p"), None, "the right password")
    await expect_refused(server, user="u", password="q")
    server = bench.start(arguments=["--auth", "t"])
    expect(await nats_login(server, token="t"), None, "the right token")
    await expect_refused(server, token="u")


@case("login: MQTT with user and password")
def mqtt_user(bench):
    port = bench.start(USER).port("mqtt")
    Mqtt(bench, port, user="device", password="s3cret: @/")
    for user, password in (("device", "wrong"), ("another", "s3cret: @/"), ("device", None)):
        Mqtt(bench, port, user=user, password=password, expected="Not authorized")
    Mqtt(bench, port, expected="Not authorized")


@case("login: MQTT with a token as its password")
def mqtt_token(bench):
    port = bench.start(TOKEN).port("mqtt")
    Mqtt(bench, port, user="anybody", password="let-me-in")
    Mqtt(bench, port, user="anybody", password="let-me-out", expected="Not authorized")
    Mqtt(bench, port, expected="Not authorized")


@case("login: mosquitto_pub says that it was refused")
def mosquitto(bench):
    port = bench.start(USER).port("mqtt")
    words = ["mosquitto_pub", "-h", "127.0.0.1", "-p", port, "-t", "a", "-m", "x"]
    bench.output([*words, "-u", "device", "-P", "s3cret: @/"])
    bench.output([*words, "-u", "device", "-P", "wrong"], status=5)


@case("login: HTTP with user and password")
def http_user(bench):
    url = bench.start(USER).url("http_broker") + "/broker/a"
    expect(curl(bench, "-u", "device:s3cret: @/", "-d", "x", url), (200, b"OK"), "the right ones")
    status, out = curl(bench, "-i", "-u", "device:wrong", "-d", "y", url)
    expect(status, 401, "status for a wrong password")
    expect_in(b"www-authenticate: basic", out.lower(), "headers")
    expect(curl(bench, "-d", "y", url)[0], 401, "status without a password")
    expect(curl(bench, "-u", "device:s3cret: @/", url), (200, b"x"), "the latest message")


@case("login: HTTP with a token as its password")
def http_token(bench):
    server = bench.start(TOKEN)
    url = server.url("http_broker", user="instance:let-me-in") + "/broker/a"
    expect(curl(bench, "-d", "x", url), (200, b"OK"), "the right token")
    url = server.url("http_broker", user="instance:let-me-out") + "/broker/a"
    expect(curl(bench, url)[0], 401, "status for a wrong token")
