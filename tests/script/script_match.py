"""Compares what came with what a script expects."""

import json

MATCH, MORE, MISMATCH = "match", "more", "mismatch"


def match(parts, data, start=0, index=0):
    """(MATCH, end), (MORE, 0) if the bytes so far are a beginning of it, or (MISMATCH, 0)."""
    while index < len(parts):
        kind = parts[index][0]
        if kind == "bytes":
            want = parts[index][1]
            have = data[start:start + len(want)]
            if not want.startswith(have):
                return MISMATCH, 0
            if len(have) < len(want):
                return MORE, 0
            start += len(want)
        elif kind == "byte":
            if start == len(data):
                return MORE, 0
            start += 1
        elif kind == "json":
            end = json_end(data, start)
            if end <= 0:
                return (MORE if end == 0 else MISMATCH), 0
            try:
                value = json.loads(data[start:end])
            except ValueError:
                return MISMATCH, 0
            if json_difference(parts[index][1], value):
                return MISMATCH, 0
            start = end
        else:
            return match_run(parts, data, start, index)
        index += 1
    return MATCH, start


def match_run(parts, data, start, index):
    """{any}: at least one byte that ends no line; {number}: digits. The shortest that fits."""
    number = parts[index][0] == "number"
    end, more = start, False
    while end < len(data):
        if data[end:end + 1] in (b"\r", b"\n") or (number and not data[end:end + 1].isdigit()):
            break
        end += 1
        result = match(parts, data, end, index + 1)
        if result[0] == MATCH:
            return result
        more = more or result[0] == MORE
    return (MORE if more or end == len(data) else MISMATCH), 0


def json_end(data, start):
    """The index behind the object at `start`; 0 if it is not all there, -1 if it is none."""
    if start == len(data):
        return 0
    if data[start:start + 1] != b"{":
        return -1
    depth, quoted, index = 0, False, start
    while index < len(data):
        char = data[index:index + 1]
        if quoted:
            if char == b"\\":
                index += 1
            elif char == b'"':
                quoted = False
        elif char == b'"':
            quoted = True
        elif char in b"{}":
            depth += 1 if char == b"{" else -1
            if depth == 0:
                return index + 1
        index += 1
    return 0


def json_difference(want, have, path=""):
    """What is not as wanted, in words; empty if all is. An object may have more members."""
    words = {"{any}": object, "{string}": str, "{number}": (int, float)}
    if isinstance(want, str) and want in words:
        if isinstance(have, words[want]) and not (want == "{number}" and isinstance(have, bool)):
            return ""
        return f"{path}: {json.dumps(have)} is no {want}"
    if not isinstance(want, dict) or not isinstance(have, dict):
        same = want == have and isinstance(want, bool) == isinstance(have, bool)
        return "" if same else f"{path}: wanted {json.dumps(want)}, got {json.dumps(have)}"
    for key, value in want.items():
        if value == "{absent}":
            if key in have:
                return f"{path}.{key}: is there: {json.dumps(have[key])}"
        elif key not in have:
            return f"{path}.{key}: is missing"
        else:
            difference = json_difference(value, have[key], f"{path}.{key}")
            if difference:
                return difference
    return ""


def describe(parts):
    """Expected parts in a script's own notation, shortened."""
    out = ""
    for part in parts:
        if part[0] == "bytes":
            out += show(part[1])
        elif part[0] == "json":
            out += "{json " + json.dumps(part[1]) + "}"
        else:
            out += "??" if part[0] == "byte" else "{" + part[0] + "}"
    return out


def show(data, limit=600):
    """Bytes as escaped text; hexadecimal if most of them are not text."""
    shown = data[:limit]
    tail = f" ... ({len(data)} bytes)" if len(data) > limit else ""
    plain = sum(1 for byte in shown if 32 <= byte < 127 or byte in b"\r\n\t")
    if plain * 4 < len(shown) * 3:
        return shown.hex(" ") + tail
    names = {13: "\\r", 10: "\\n", 9: "\\t", 92: "\\\\"}
    text = "".join(names.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}")
                   for byte in shown)
    return text + tail
