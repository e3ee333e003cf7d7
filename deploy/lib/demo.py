#!/usr/bin/python3
"""The demo of deploy/quickstart: provisions a tenant over REST, places two
calls between independent user agents, checks what came of them, shows it."""
import argparse
import datetime
import json
import math
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import wave

# A carrier's media is taken only from where it was signalled, and baresip's
# RTP leaves loopback as 127.0.0.1: so the carrier is there. The PBX is not:
# to the switch it looks like one behind a NAT, and is latched.
PBX_IP, REFUSER_IP, CARRIER_IP = "127.0.0.2", "127.0.0.3", "127.0.0.1"
NUMBER = "+493012345"
CALLED = "+4930987654"
BRANCH = "+493012346" # a number whose PBX is not there
PBX_HZ, CARRIER_HZ = 440, 880
TALK_S = 5
MODULES = "/usr/lib/baresip/modules"

failures = []


def say(text):
    print("    " + text, flush=True)


def check(ok, what, why, fix):
    """One check of the demo; all are shown, failures end it non-zero."""
    say(("ok    " if ok else "FAIL  ") + what + ("" if ok else ": " + why))
    if not ok:
        failures.append((what, why, fix))
    return ok


def die(what, why, fix):
    print(f"\nquickstart failed: {what}\n  why: {why}\n  fix: {fix}",
          file=sys.stderr)
    sys.exit(1)


class Rest:
    def __init__(self, url, key):
        self.url, self.key = url, key

    def __call__(self, method, path, body=None, raw=None, kind=None):
        data = raw if raw is not None else (
            json.dumps(body).encode() if body is not None else None)
        req = urllib.request.Request(self.url + path, data, method=method)
        req.add_header("Authorization", "Bearer " + self.key)
        if method == "PATCH":
            req.add_header("If-Match", "*")
        if data is not None:
            req.add_header("Content-Type", kind or "application/json")
        try:
            with urllib.request.urlopen(req, timeout=10) as res:
                text = res.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as err:
            text = err.read().decode(errors="replace")
            if err.code == 404 and method == "GET":
                return None
            die(f"{method} {path}", f"{err.code} {text}",
                "see the problem document above")


class Setup:
    """Makes what is missing, finds what is there: a second run adds nothing."""

    def __init__(self, rest, file, base):
        self.rest, self.file, self.base = rest, file, base
        self.ids = json.load(open(file)) if os.path.exists(file) else {}

    def make(self, name, path, body, get=None):
        old = self.ids.get(name)
        if old and self.rest("GET", (get or path) + "/" + old):
            return old
        made = self.rest("POST", path, body)
        self.ids[name] = made.get("id") or made.get("name")
        with open(self.file, "w") as f:
            json.dump(self.ids, f)
        say(f"{name:12} {self.ids[name]}")
        return self.ids[name]

    def deck(self, name, csv):
        fresh = name not in self.ids
        deck = self.make(name, "/v1/rate-decks", {
            "name": name, "currency": "EUR",
            "rounding": {"mode": "half_up", "decimals": 6}})
        if fresh:
            self.rest("POST", f"/v1/rate-decks/{deck}/rates", raw=csv.encode(),
                      kind="text/csv")
        return deck

    def run(self):
        m, base = self.make, self.base
        head = ("prefix,destination,rate_per_min,connect_fee,initial_ms,"
                "increment_ms\n")
        sell = self.deck("retail deck",
                         head + "49,Germany,0.012,0,1000,1000\n"
                         "4930,Germany Berlin,0.018,0.001,2000,1000\n")
        buy = self.deck("carrier deck",
                        head + "49,Germany,0.007,0,1000,1000\n")
        tenant = m("tenant", "/v1/tenants", {
            "name": "Demo GmbH", "currency": "EUR",
            "time_zone": "Europe/Berlin", "country": "DE"})
        account = m("account", "/v1/accounts", {
            "tenant_id": tenant, "name": "prepaid", "type": "prepaid",
            "currency": "EUR"})
        if "paid" not in self.ids:
            self.rest("POST", f"/v1/accounts/{account}/payments",
                      {"amount": "10.00", "note": "first payment"})
            self.ids["paid"] = True
        m("realm", "/v1/realms", {"name": "127.0.0.1",
                                  "algorithms": ["MD5"]})
        trunk = m("trunk", "/v1/trunks", {
            "tenant_id": tenant, "account_id": account,
            "rate_deck_id": sell, "name": "PBX", "realm": "127.0.0.1",
            "channels": {"total": 4}, "cps": 5, "cli_policy": "owned",
            "default_cli": NUMBER,
            "number_in": [{"prefix": "00", "strip": 2, "add": "+"},
                          {"prefix": "0", "strip": 1, "add": "+49"},
                          {"prefix": "+"}]})
        m("credential", f"/v1/trunks/{trunk}/credentials",
          {"username": "pbx", "password": "demo-secret"})
        m("number", "/v1/dids", {"e164": NUMBER, "tenant_id": tenant,
                                 "trunk_id": trunk})
        branch = m("branch", "/v1/trunks", {
            "tenant_id": tenant, "account_id": account,
            "rate_deck_id": sell, "name": "Branch", "cli_policy": "owned",
            "default_cli": BRANCH})
        m("branch number", "/v1/dids", {
            "e164": BRANCH, "tenant_id": tenant, "trunk_id": branch})
        m("forward", "/v1/forwards", {
            "tenant_id": tenant, "trunk_id": branch,
            "condition": "unreachable", "to_number": CALLED})
        gateways = []
        for n, (name, host, port) in enumerate((
                ("first carrier", REFUSER_IP, base + 4),
                ("second carrier", CARRIER_IP, base + 20))):
            carrier = m(name, "/v1/carriers", {
                "name": name, "currency": "EUR", "rate_deck_id": buy})
            gateways.append(m(f"gateway {n + 1}", "/v1/carrier-gateways", {
                "carrier_id": carrier, "name": name, "host": host,
                "port": port, "identity": "pai",
                "options_ping": {"interval_s": 10}}))
        m("route", "/v1/routes", {
            "prefix": "49", "name": "Germany", "max_attempts": 3,
            "targets": [{"gateway_id": g, "priority": n + 1, "weight": 1}
                        for n, g in enumerate(gateways)]})
        return self.ids

    def wait_applied(self):
        for _ in range(100):
            for node in self.rest("GET", "/v1/nodes")["data"]:
                if node["applied_version"] == node["current_version"]:
                    return node
            time.sleep(0.1)
        die("the catalog", "the switch did not apply it in 10 s",
            "see log/switch.log")


class Refuser(threading.Thread):
    """A carrier that is full: 503 to every INVITE, 200 to OPTIONS."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.refused = 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(address)

    def run(self):
        while True:
            text, peer = self.sock.recvfrom(65535)
            lines = text.decode(errors="replace").split("\r\n")
            method = lines[0].split(" ")[0]
            if method not in ("INVITE", "OPTIONS"):
                continue
            keep = [line for line in lines[1:] if line.split(":")[0].lower()
                    in ("via", "from", "call-id", "cseq")]
            keep += [line + ";tag=full" for line in lines
                     if line.lower().startswith("to:")]
            status = "503 Service Unavailable"
            if method == "OPTIONS":
                status = "200 OK"
            else:
                self.refused += 1
            answer = [f"SIP/2.0 {status}"] + keep + ["Content-Length: 0"]
            self.sock.sendto(("\r\n".join(answer) + "\r\n\r\n").encode(),
                             peer)


def tone(file, hz, seconds=60, rate=8000):
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(b"".join(
            struct.pack("<h", int(8000 * math.sin(2 * math.pi * hz * n / rate)))
            for n in range(seconds * rate)))


class Baresip:
    """One headless user agent, driven over its ctrl_tcp module."""

    def __init__(self, name, folder, ip, sip, ctrl, rtp, account, hz):
        self.name, self.folder, self.ctrl_port = name, folder, ctrl
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder + "/rec")
        tone(folder + "/tone.wav", hz)
        with open(folder + "/accounts", "w") as f:
            f.write(account + "\n")
        with open(folder + "/config", "w") as f:
            f.write("\n".join([
                "poll_method epoll", "call_local_timeout 120",
                "call_max_calls 4", f"net_interface {ip}",
                f"sip_listen {ip}:{sip}",
                "audio_path /usr/share/baresip",
                f"audio_player aubridge,nil_{name}",
                f"audio_source aufile,{folder}/tone.wav",
                f"audio_alert aubridge,alert_{name}",
                "ausrc_srate 8000", "auplay_srate 8000",
                "ausrc_channels 1", "auplay_channels 1",
                f"rtp_ports {rtp}-{rtp + 99}",
                "jitter_buffer_type fixed", "jitter_buffer_delay 1-5",
                "rtp_stats yes", f"snd_path {folder}/rec",
                f"module_path {MODULES}", "module g711.so",
                "module aufile.so", "module aubridge.so", "module sndfile.so",
                "module_tmp uuid.so", "module_tmp account.so",
                "module_app menu.so", "module_app ctrl_tcp.so",
                f"ctrl_tcp_listen {ip}:{ctrl}"]) + "\n")
        self.log = open(folder + "/log", "w")
        self.process = subprocess.Popen(
            ["baresip", "-f", folder, "-v"], stdout=self.log,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.conn, self.buf = None, b""
        for _ in range(100):
            try:
                self.conn = socket.create_connection((ip, ctrl), 1)
                break
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        if not self.conn:
            die(f"user agent {name}", "baresip did not start",
                f"see {folder}/log")

    def messages(self):
        while True:
            head, colon, rest = self.buf.partition(b":")
            if not colon or len(rest) < int(head) + 1:
                return
            self.buf = rest[int(head) + 1:]
            yield json.loads(rest[:int(head)])

    def wait(self, kinds, timeout):
        until = time.time() + timeout
        while time.time() < until:
            for msg in self.messages():
                if msg.get("event") and msg.get("type") in kinds:
                    return msg
            self.conn.settimeout(max(0.05, until - time.time()))
            try:
                more = self.conn.recv(65536)
                if not more:
                    return None
                self.buf += more
            except TimeoutError:
                continue
        return None

    def command(self, name, params=""):
        text = json.dumps({"command": name, "params": params,
                           "token": name}).encode()
        self.conn.sendall(b"%d:%s," % (len(text), text))

    def heard(self):
        """Newest recording of what arrived: (seconds, rms, {hz: share})."""
        folder = self.folder + "/rec"
        files = [folder + "/" + f for f in os.listdir(folder)
                 if f.endswith("-dec.wav")]
        if not files:
            return 0, 0, {}
        return measure(max(files, key=os.path.getmtime))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


def measure(file):
    """Length, level and how much of the power is at each of our tones."""
    with open(file, "rb") as f:
        data = f.read()
    at = data.find(b"data")
    samples = data[at + 8:]
    x = struct.unpack(f"<{len(samples) // 2}h", samples[:len(samples) // 2 * 2])
    n = min(len(x), 8000 * 2)
    x = x[len(x) // 2 - n // 2:len(x) // 2 + n // 2]
    if len(x) < 4000:
        return len(x) / 8000, 0, {}
    power = sum(v * v for v in x) / len(x)
    share = {}
    for hz in (PBX_HZ, CARRIER_HZ):
        w = 2 * math.pi * hz / 8000
        re = sum(v * math.cos(w * k) for k, v in enumerate(x))
        im = sum(v * math.sin(w * k) for k, v in enumerate(x))
        share[hz] = 2 * (re * re + im * im) / len(x) ** 2 / power if power \
            else 0
    return len(samples) / 16000, math.sqrt(power), share


def check_tone(agent, hz, who):
    seconds, rms, share = agent.heard()
    check(seconds > TALK_S - 2 and rms > 1000 and share.get(hz, 0) > 0.8,
          f"{who} hears {hz} Hz at level {rms:.0f} for {seconds:.1f} s "
          f"({100 * share.get(hz, 0):.0f} % of the power)",
          "the tone did not come through the relay",
          "is anything else on the RTP ports? see log/switch.log")


def talk(caller, callee, uri):
    caller.command("dial", uri)
    if not callee.wait({"CALL_ESTABLISHED"}, 10):
        return False
    time.sleep(TALK_S)
    caller.command("hangup")
    callee.wait({"CALL_CLOSED"}, 5)
    time.sleep(0.5)
    return True


def utc(offset_s=0):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(seconds=offset_s)).strftime(
        "%Y-%m-%dT%H:%M:%S.000Z")


def find_cdr(rest, began, called):
    query = urllib.parse.urlencode({
        "started_at[gte]": began, "started_at[lt]": utc(60),
        "called": called})
    for _ in range(50):
        rows = rest("GET", "/v1/cdrs?" + query)["data"]
        if rows:
            return rest("GET", "/v1/cdrs/" + rows[0]["call_id"])
        time.sleep(0.1)
    return None


def show(cdr):
    def line(label, value):
        say(f"  {label:12} {value}")

    a, b = cdr["a"], cdr["b"]
    say(f"CDR {cdr['call_id']}  ({cdr['direction']})")
    line("from, to", f"{cdr['calling']} -> {cdr['called']}")
    line("times", f"ring {cdr['ringing_at']}, answer {cdr['answered_at']}, "
         f"end {cdr['ended_at']}")
    line("duration", f"{(cdr['duration_ms'] or 0) / 1000:.3f} s, billed "
         f"{(cdr['billed_ms'] or 0) / 1000:.0f} s, set up in "
         f"{cdr['setup_ms']} ms")
    line("outcome", f"{cdr['outcome']} by {cdr['initiator']}, SIP "
         f"{cdr['sip_code']}, Q.850 {cdr['q850']}")
    for t in cdr["attempts"]:
        line(f"attempt {t['attempt']}",
             f"{t['b']['address']}: {t['outcome']} (SIP {t['sip_code']})"
             if t["b"]["address"] else "forwarded")
    if cdr["price"] is not None:
        line("price", f"{cdr['price']} {cdr['currency']} at "
             f"{cdr['rate_per_min']}/min + {cdr['connect_fee']}, "
             f"{cdr['initial_ms']}/{cdr['increment_ms']} ms, prefix "
             f"{cdr['rate_prefix']} {cdr['rate_destination']}")
    if cdr["cost"] is not None:
        line("cost", f"{cdr['cost']} {cdr['cost_currency']}")
    for name, side in (("calling side", a), ("called side", b)):
        line(name, f"{side['packets']} packets, {side['lost']} lost, jitter "
             f"{(side['jitter_us'] or 0) / 1000:.2f} ms, {cdr['codec']}, "
             f"{side['address']}")


def check_media(cdr):
    for name, side in (("calling", cdr["a"]), ("called", cdr["b"])):
        want = TALK_S * 50
        check((side["packets"] or 0) > want * 0.8,
              f"{side['packets']} packets came from the {name} side, "
              f"{side['lost']} lost",
              f"about {want} were expected", "see log/switch.log")


def price_of(cdr):
    """What the record itself says it must cost, in micro-units."""
    rate = round(float(cdr["rate_per_min"]) * 1e9)
    fee = round(float(cdr["connect_fee"]) * 1e6)
    first, step = cdr["initial_ms"], cdr["increment_ms"]
    ms = cdr["duration_ms"]
    billed = 0 if ms == 0 else first + max(0, -(-(ms - first) // step)) * step
    return fee + (rate * billed + 30_000_000) // 60_000_000


def call_out(rest, ids, pbx, carrier, refuser, base):
    account = "/v1/accounts/" + ids["account"]
    before = rest("GET", account)
    began, refused = utc(-1), refuser.refused
    say(f"the PBX dials {CALLED}")
    if not check(talk(pbx, carrier, f"sip:{CALLED}@127.0.0.1:{base}"),
                 "the second carrier answered", "it did not, in 10 s",
                 "strowger trace CALL; see agents/*/log"):
        return
    cdr = find_cdr(rest, began, CALLED)
    if not check(cdr is not None, "the CDR is in the database",
                 "none came in 5 s", "see log/switch.log: ledger"):
        return
    check_tone(carrier, PBX_HZ, "the carrier")
    check_tone(pbx, CARRIER_HZ, "the PBX")
    check_media(cdr)
    outcomes = [t["outcome"] for t in cdr["attempts"]]
    check(refuser.refused > refused and
          outcomes == ["carrier_congested", "ok"],
          "failover: the first carrier refused with 503, the second took it",
          f"attempts: {outcomes}", "strowger trace " + cdr["call_id"])
    price = round(float(cdr["price"]) * 1e6)
    check(price == price_of(cdr) > 0,
          f"the price is exact: {cdr['price']} EUR",
          f"computed {price_of(cdr)} micro", "a bug: report the CDR")
    after = rest("GET", account)
    spent = round(float(before["balance"]) * 1e6) - round(
        float(after["balance"]) * 1e6)
    check(spent == price, f"balance before {before['balance']}, after "
          f"{after['balance']} EUR: the difference is the price",
          f"{spent} micro were taken", "a bug: GET " + account + "/ledger")
    show(cdr)


def call_in(rest, ids, pbx, carrier, base):
    began = utc(-1)
    say(f"the carrier calls the tenant's number {NUMBER}")
    if not check(talk(carrier, pbx, f"sip:{NUMBER}@127.0.0.1:{base}"),
                 "the registered PBX answered", "it did not, in 10 s",
                 "strowger registrations; see agents/*/log"):
        return
    cdr = find_cdr(rest, began, NUMBER)
    if not check(cdr is not None and cdr["direction"] == "inbound",
                 "the CDR is in the database", "none came in 5 s",
                 "see log/switch.log: ledger"):
        return
    check_tone(pbx, CARRIER_HZ, "the PBX")
    check_tone(carrier, PBX_HZ, "the carrier")
    check_media(cdr)
    show(cdr)


def call_refused(rest, ids, setup, pbx, base):
    trunk = "/v1/trunks/" + ids["trunk"]
    began = utc(-1)
    rest("PATCH", trunk, {"channels": {"out": 0}})
    setup.wait_applied()
    say("the trunk may have no outgoing call at all (channels.out: 0); the "
        f"PBX dials {CALLED}")
    pbx.wait({"no such event"}, 0.5) # what the call before has left
    pbx.command("dial", f"sip:{CALLED}@127.0.0.1:{base}")
    closed = pbx.wait({"CALL_CLOSED"}, 10)
    rest("PATCH", trunk, {"channels": {"out": None}})
    setup.wait_applied()
    check(closed, "the PBX was refused", "no final answer came in 10 s",
          "see agents/pbx/log")
    cdr = find_cdr(rest, began, CALLED)
    if not check(cdr is not None and cdr["outcome"] == "limit_channels_out"
                 and cdr["limit_hit"] == ids["trunk"],
                 "its record says which limit: limit_channels_out of the "
                 "trunk", f"{cdr and (cdr['outcome'], cdr['limit_hit'])}",
                 "strowger trace CALL"):
        return
    said = [s for s in rest("GET", f"/v1/calls/{cdr['call_id']}/explain")
            ["decision"] if s["step"] == "limit" and s.get("outcome") != "ok"]
    check(said, f"and why: {json.dumps(said[0]) if said else ''}",
          "the decision names no limit", "strowger trace " + cdr["call_id"])


def call_forwarded(rest, ids, carrier, base):
    began = utc(-1)
    say(f"the carrier calls {BRANCH}, whose PBX is not there: unreachable "
        f"goes to {CALLED}")
    carrier.wait({"no such event"}, 0.5)
    carrier.command("dial", f"sip:{BRANCH}@127.0.0.1:{base}")
    answered = carrier.wait({"CALL_ESTABLISHED"}, 10)
    time.sleep(2)
    carrier.command("hangup")
    carrier.wait({"CALL_CLOSED"}, 5)
    check(answered, "the call was answered where it was forwarded to",
          "it was not, in 10 s", "strowger trace CALL; see agents/*/log")
    cdr = find_cdr(rest, began, BRANCH)
    if not check(cdr is not None and cdr["diverting"] == BRANCH and
                 cdr["diversion_reason"] == "unavailable",
                 "its record says who forwarded and why",
                 f"{cdr and (cdr['diverting'], cdr['diversion_reason'])}",
                 "strowger trace CALL"):
        return
    check(cdr["account_id"] == ids["account"] and float(cdr["price"]) > 0,
          f"who forwards pays: {cdr['price']} {cdr['currency']}",
          "it was not charged", "GET /v1/accounts/.../ledger")
    show(cdr)


def call_intercepted(program, pbx, carrier, state, base):
    import li_demo # it wants tshark, which the rest does not

    carrier.wait({"no such event"}, 0.5)
    li_demo.intercepted(
        li_demo.Li(state, base, program), NUMBER,
        lambda: talk(carrier, pbx, f"sip:{NUMBER}@127.0.0.1:{base}"),
        TALK_S, say, check)


def calls(rest, ids, setup, state, base, cli, li=None):
    agents = state + "/agents"
    refuser = Refuser((REFUSER_IP, base + 4))
    refuser.start()
    carrier = Baresip("carrier", agents + "/carrier", CARRIER_IP, base + 20,
                      base + 6, base + 600,
                      f"<sip:{CALLED}@{CARRIER_IP}:{base + 20}>;regint=0;"
                      "answermode=auto;audio_codecs=PCMA", CARRIER_HZ)
    pbx = Baresip("pbx", agents + "/pbx", PBX_IP, base + 10, base + 7,
                  base + 700,
                  f"<sip:pbx@127.0.0.1:{base}>;auth_user=pbx;"
                  "auth_pass=demo-secret;regint=60;answermode=auto;"
                  "audio_codecs=PCMA", PBX_HZ)
    try:
        if check(registered(cli), "the PBX registered with digest",
                 "no binding in 10 s",
                 "strowger registrations; see agents/pbx/log"):
            print("\n    -- first call: out, with failover", flush=True)
            call_out(rest, ids, pbx, carrier, refuser, base)
            print("\n    -- second call: in, to the tenant's number",
                  flush=True)
            call_in(rest, ids, pbx, carrier, base)
            print("\n    -- third call: one too many", flush=True)
            call_refused(rest, ids, setup, pbx, base)
            print("\n    -- fourth call: forwarded on failure", flush=True)
            call_forwarded(rest, ids, carrier, base)
            if li:
                print("\n    -- fifth call: of a target", flush=True)
                call_intercepted(li, pbx, carrier, state, base)
    finally:
        pbx.stop()
        carrier.stop()


def registered(cli):
    for _ in range(100):
        res = subprocess.run([cli, "registrations", "--format", "json"],
                             capture_output=True, text=True)
        if '"pbx"' in res.stdout:
            return True
        time.sleep(0.1)
    return False


def how_to_go_on(state, base, cli):
    print(f"""
  REST       http://127.0.0.1:{base + 2}/v1/...   key: {state}/key
             curl -H "Authorization: Bearer $(cat {state}/key)" \\
                  http://127.0.0.1:{base + 2}/v1/tenants
  contract   http://127.0.0.1:{base + 2}/openapi.json
  metrics    http://127.0.0.1:{base + 1}/metrics
  commands   export STROWGER_CONTROL={state}/control.sock \\
             STROWGER_STATE={state}/node \\
             STROWGER_DSN="host={state}/pg-socket user=strowger dbname=strowger"
             {cli} calls | trace CALL | registrations | status | doctor
  database   psql -h {state}/pg-socket -U strowger strowger
  logs       {state}/log/
  stop       deploy/quickstart --state {state} --down   (--purge removes all)
""")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", required=True)
    parser.add_argument("--base", type=int, required=True)
    parser.add_argument("--cli", required=True)
    parser.add_argument("--no-call", action="store_true")
    parser.add_argument("--li", help="strowger-li, where it runs")
    opt = parser.parse_args()

    with open(opt.state + "/key") as f:
        rest = Rest(f"http://127.0.0.1:{opt.base + 2}", f.read().strip())
    setup = Setup(rest, opt.state + "/demo.json", opt.base)
    ids = setup.run()
    with open(setup.file, "w") as f:
        json.dump(ids, f)
    node = setup.wait_applied()
    say(f"node {node['name']} has version {node['applied_version']} in force")

    if not opt.no_call:
        calls(rest, ids, setup, opt.state, opt.base, opt.cli, opt.li)

    how_to_go_on(opt.state, opt.base, opt.cli)
    for what, why, fix in failures:
        print(f"FAILED: {what}\n  why: {why}\n  fix: {fix}")
    print("quickstart: " + (f"{len(failures)} checks failed" if failures
                            else "everything works"))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
