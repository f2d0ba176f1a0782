#!/usr/local/bin/python3
"""Asks the running YORI on its control socket, for the pages: control.py NAME [ARGUMENT...]

Prints JSON, always: the answer, or {"error": ..., "status": ...}. `stream` prints server-sent
events as they come, until its reader goes. Only what stands in ASKED can be asked.
"""
import http.client
import json
import os
import re
import socket
import sys
import urllib.parse

SOCKET = os.environ.get("YORI_SOCKET", "/var/db/yori/control.sock")
SECONDS = 20
MOST_BYTES = 16 * 2**20
# YORI says something each 15 s; who is silent for longer is gone.
QUIET_SECONDS = 45

NUMBER = re.compile(r"[0-9]{1,9}\Z")
# How a thing may be called in a path: no slash, no dot alone.
NAME = re.compile(r"[A-Za-z0-9_:.@%+ -]{1,160}\Z")


def quoted(text):
    if not NAME.match(text) or text in (".", ".."):
        raise ValueError("this is no name: " + text[:40])
    return urllib.parse.quote(text, safe="")


def number(text):
    if not NUMBER.match(text):
        raise ValueError("this is no number: " + text[:40])
    return int(text)


def exchanges(before="", outcome="", device=""):
    query = {"limit": "100"}
    for key, value in (("before", before), ("outcome", outcome), ("device", device)):
        if value:
            query[key] = value
    return "GET", "/api/exchanges?" + urllib.parse.urlencode(query), None


def approve(code, span="once"):
    body = {span: True} if span in ("once", "always") else {"for": span}
    return "POST", "/api/approvals/%s/approve" % quoted(code), body


def act(what):
    return lambda target, minutes="10": (
        "POST",
        "/api/" + what,
        {"target": target, "minutes": number(minutes)},
    )


def describe(what):
    return lambda device, value="": (
        "POST",
        "/api/devices/%s/%s" % (quoted(device), what),
        {what: value or None},
    )


ASKED = {
    "status": lambda: ("GET", "/api/status", None),
    "overview": lambda: ("GET", "/api/overview", None),
    "dashboard": lambda: ("GET", "/api/dashboard", None),
    "devices": lambda: ("GET", "/api/devices", None),
    "people": lambda: ("GET", "/api/people", None),
    "policies": lambda: ("GET", "/api/policies", None),
    "catalogue": lambda: ("GET", "/api/policies/catalogue", None),
    "approvals": lambda: ("GET", "/api/approvals", None),
    "approve": approve,
    "deny": lambda code: ("POST", "/api/approvals/%s/deny" % quoted(code), {}),
    "revoke": lambda grant: ("DELETE", "/api/grants/" + quoted(grant), None),
    "alerts": lambda everything="": (
        "GET",
        "/api/alerts?limit=1000" + ("&all=yes" if everything == "all" else ""),
        None,
    ),
    "ack": lambda alert: ("POST", "/api/alerts/%s/ack" % quoted(alert), {}),
    "snooze": lambda alert, seconds="86400": (
        "POST",
        "/api/alerts/%s/snooze" % quoted(alert),
        {"seconds": number(seconds)},
    ),
    "testsink": lambda sink: ("POST", "/api/alerts/test", {"sink": sink}),
    "history": lambda: ("GET", "/api/access-log", None),
    "trust": lambda: ("GET", "/api/trust", None),
    "qr": lambda: ("GET", "/api/trust/qr", None),
    "usage": lambda since="30d": (
        "GET",
        "/api/usage?" + urllib.parse.urlencode({"since": since}),
        None,
    ),
    "report": lambda since="7d": (
        "GET",
        "/api/report?" + urllib.parse.urlencode({"since": since}),
        None,
    ),
    "exchanges": exchanges,
    "exchange": lambda one: ("GET", "/api/exchanges/" + quoted(one), None),
    "pause": act("pause"),
    "allow": act("allow"),
    "end": lambda target: ("POST", "/api/end", {"target": target}),
    "name": describe("name"),
    "group": describe("group"),
    "person": describe("person"),
}


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)


def ask(method, path, body):
    connection = Connection("localhost", timeout=SECONDS)
    fields = {"accept": "application/json"}
    text = None
    if body is not None:
        text = json.dumps(body)
        fields["content-type"] = "application/json"
    connection.request(method, path, body=text, headers=fields)
    answer = connection.getresponse()
    data = answer.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        return {"error": "the answer is longer than is read here", "status": 502}
    kind = answer.getheader("content-type", "")
    if kind.startswith("application/json"):
        found = json.loads(data)
        if answer.status >= 400:
            return {"error": found.get("message", "refused"), "status": answer.status}
        return found
    if answer.status >= 400:
        return {"error": data.decode("utf-8", "replace")[:1000], "status": answer.status}
    return {"type": kind, "text": data.decode("utf-8", "replace")}


def stream():
    connection = Connection("localhost", timeout=QUIET_SECONDS)
    connection.request("GET", "/api/events", headers={"accept": "text/event-stream"})
    answer = connection.getresponse()
    if answer.status != 200:
        print("event: error\ndata: %s\n" % json.dumps({"status": answer.status}), flush=True)
        return
    while True:
        data = answer.read1(65536)
        if not data:
            return
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def main(words):
    name, arguments = (words[0] if words else ""), words[1:]
    # configd hands an argument that was left out over as an empty one.
    while arguments and arguments[-1] == "":
        arguments.pop()
    try:
        if name == "stream":
            return stream()
        if name not in ASKED:
            raise ValueError("this is not asked here: " + name[:40])
        found = ask(*ASKED[name](*arguments))
    except (ValueError, TypeError) as wrong:
        found = {"error": str(wrong), "status": 400}
    except BrokenPipeError:
        return
    except (OSError, http.client.HTTPException) as wrong:
        found = {"error": "YORI does not answer: %s" % wrong, "status": 503}
    json.dump(found, sys.stdout)
    print()


main(sys.argv[1:])
