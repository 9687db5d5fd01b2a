"""Reads protocol scripts: the lines of README.md become scenarios of steps.

A text is a list of parts: ("bytes", b"..."), ("any",), ("number",), ("byte",), ("json", value).
"""

import json
import re
from dataclasses import dataclass, field

KEYS = ("wire", "settings", "reference", "player", "cut", "pings")
MQTT_TYPES = {
    "CONNECT": 0x10, "CONNACK": 0x20, "PUBLISH": 0x30, "PUBACK": 0x40, "PUBREC": 0x50,
    "PUBREL": 0x62, "PUBCOMP": 0x70, "SUBSCRIBE": 0x82, "SUBACK": 0x90, "UNSUBSCRIBE": 0xA2,
    "UNSUBACK": 0xB0, "PINGREQ": 0xC0, "PINGRESP": 0xD0, "DISCONNECT": 0xE0}
MQTT_FLAGS = {"retain": 1, "qos1": 2, "qos2": 4, "dup": 8}
ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\", "{": b"{", "}": b"}", "0": b"\0"}


class ScriptError(Exception):
    """A mistake in a script: file, line, what."""


@dataclass
class Step:
    line: int
    op: str
    names: list = field(default_factory=list)
    text: str = ""
    headers: list = field(default_factory=list)  # of `answered`


@dataclass
class Scenario:
    path: str
    line: int
    name: str
    keys: dict = field(default_factory=dict)
    steps: list = field(default_factory=list)


def parse_file(path):
    """The scenarios of one file, in order; what stands before the first applies to all."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    defaults, scenario, scenarios = {}, None, []
    block = None  # the settings being read
    for number, line in enumerate(lines, 1):
        keys = scenario.keys if scenario else defaults
        if block is not None and (line.startswith("  ") or not line.strip()):
            keys["settings"] += line[2:] + "\n"
            continue
        block = None
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("== "):
            scenario = Scenario(path, number, line[3:].strip(), dict(defaults))
            scenarios.append(scenario)
            continue
        key = re.match(r"([a-z]+):(?: (.*))?$", line)
        if key and key[1] in KEYS:
            keys[key[1]] = key[2] or ""
            block = key[1] if key[1] == "settings" else None
            continue
        if scenario is None:
            raise ScriptError(f"{path}:{number}: a step before the first scenario: {line}")
        if line.startswith("  ") and scenario.steps and scenario.steps[-1].op == "answered":
            scenario.steps[-1].headers.append(line.strip())
            continue
        scenario.steps.append(parse_step(path, number, line))
    check(path, scenarios)
    return scenarios


def check(path, scenarios):
    names = set()
    for scenario in scenarios:
        where = f"{path}:{scenario.line}"
        if scenario.name in names:
            raise ScriptError(f"{where}: a second scenario of this name: {scenario.name}")
        names.add(scenario.name)
        if not scenario.steps:
            raise ScriptError(f"{where}: a scenario without steps")
        if "wire" not in scenario.keys:
            raise ScriptError(f"{where}: no wire")


STEP_FORMS = [re.compile(form) for form in (
    r"([a-z])(>|<~|<)(?: (.*))?$",
    r"()(advance) (\d+m?s)$",
    r"([a-z](?: [a-z])*) (nothing)(?: for (\d+m?s))?$",
    r"([a-z](?: [a-z])*) (share) (\d+ in \d+ parts: .*)$",
    r"([a-z]) (opens|closes|stalls|resumes)()$",
    r"([a-z]) (speaks) (nats|mqtt|http)$",
    r"([a-z]) (connects|greeted|informed)(?: (.*))?$",
    r"([a-z]) (closed)(?: (whatever came))?$",
    r"([a-z]) (answered) (\d+(?: with .*| without body)?)$",
)]


def parse_step(path, number, line):
    for form in STEP_FORMS:
        found = form.match(line)
        if found:
            return Step(number, found[2], found[1].split(), found[3] or "")
    raise ScriptError(f"{path}:{number}: no such step: {line}")


def seconds(text):
    return int(text[:-2]) / 1000 if text.endswith("ms") else float(text[:-1])


def balanced(text, start):
    """The index behind the brace that closes the one at `start`; strings are skipped."""
    depth, quoted, index = 0, False, start
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 1
        elif char == '"':
            quoted = not quoted
        elif not quoted and char in "{}":
            depth += 1 if char == "{" else -1
            if depth == 0:
                return index + 1
        index += 1
    raise ScriptError(f"an open brace in: {text}")


def add_bytes(parts, data):
    if parts and parts[-1][0] == "bytes":
        parts[-1] = ("bytes", parts[-1][1] + data)
    elif data:
        parts.append(("bytes", data))


def parse_brace(text, index, parts, inner):
    """A placeholder or a repetition at `index`; 0 if the brace is an ordinary byte."""
    for word in ("any", "number"):
        if text.startswith("{" + word + "}", index):
            parts.append((word,))
            return index + len(word) + 2
    if text.startswith("{json ", index):
        end = balanced(text, index)
        parts.append(("json", json.loads(text[index + 6:end - 1])))
        return end
    count = re.compile(r"\{(\d+)\*").match(text, index)
    if not count:
        return 0
    end = balanced(text, index)
    body = inner(text[count.end():end - 1])
    if body == [] or [part[0] for part in body] != ["bytes"]:
        raise ScriptError(f"only plain bytes can be repeated: {text}")
    add_bytes(parts, body[0][1] * int(count[1]))
    return end


def parse_plain(text):
    """Text with escapes and placeholders, without any line end added."""
    parts, index = [], 0
    while index < len(text):
        char = text[index]
        if char == "\\":
            following = text[index + 1:index + 2]
            if following == "x":
                add_bytes(parts, bytes([int(text[index + 2:index + 4], 16)]))
                index += 4
                continue
            if following not in ESCAPES:
                raise ScriptError(f"no such escape: \\{following}")
            add_bytes(parts, ESCAPES[following])
            index += 2
            continue
        end = parse_brace(text, index, parts, parse_plain) if char == "{" else 0
        if end:
            index = end
            continue
        add_bytes(parts, char.encode("utf-8"))
        index += 1
    return parts


def parse_text(text):
    """A line: its text and CRLF. A backslash at its end takes the place of the CRLF."""
    tail = len(text) - len(text.rstrip("\\"))
    if tail % 2 == 1:
        return parse_plain(text[:-1])
    parts = parse_plain(text)
    add_bytes(parts, b"\r\n")
    return parts


def varint(value):
    out = b""
    while True:
        value, low = divmod(value, 128)
        out += bytes([low | (0x80 if value else 0)])
        if not value:
            return out


def part_size(part):
    return len(part[1]) if part[0] == "bytes" else 1


def parse_word(word):
    """A hex run, or the name of a packet with its flags."""
    name, *flags = word.split("+")
    if name in MQTT_TYPES:
        return bytes([MQTT_TYPES[name] | sum(MQTT_FLAGS[flag] for flag in flags)])
    return bytes.fromhex(word)


def parse_packets(text):
    """The packet notation: hex, names, "string", 'bytes', [ counted ], ?? for any byte."""
    stack, index = [[]], 0
    while index < len(text):
        char = text[index]
        if char.isspace():
            index += 1
        elif char == "[":
            stack.append([])
            index += 1
        elif char == "]":
            body = stack.pop()
            add_bytes(stack[-1], varint(sum(part_size(part) for part in body)))
            for part in body:
                add_bytes(stack[-1], part[1]) if part[0] == "bytes" else stack[-1].append(part)
            index += 1
        elif char in "\"'":
            end = text.index(char, index + 1)
            data = b"".join(part[1] for part in parse_plain(text[index + 1:end]))
            add_bytes(stack[-1], (len(data).to_bytes(2, "big") if char == '"' else b"") + data)
            index = end + 1
        elif text.startswith("??", index):
            stack[-1].append(("byte",))
            index += 2
        elif char == "{":
            index = parse_brace(text, index, stack[-1], parse_packets)
        else:
            word = re.compile(r"[A-Za-z0-9+]+").match(text, index)
            if not word:
                raise ScriptError(f"no packet notation: {text[index:]}")
            add_bytes(stack[-1], parse_word(word[0]))
            index = word.end()
    if len(stack) != 1:
        raise ScriptError(f"an open bracket in: {text}")
    return stack[0]


def as_bytes(parts):
    if any(part[0] != "bytes" for part in parts):
        raise ScriptError("a placeholder in what is sent")
    return b"".join(part[1] for part in parts)
