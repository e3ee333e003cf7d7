"""The two sides of a call: sockets of a peer, and the calls that it has."""
import collections
import functools
import random
import re
import select
import socket
import struct
import time

import sip

SIP_PORT = 5060
RTP_PORT = 4000


class Failed(Exception):
    """What a script says did not happen."""


def open_udp(ip, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((ip, port))
    s.setblocking(False)
    return s


class Peer:
    """One address with a SIP and two media sockets; its calls are slots."""

    def __init__(self, name, ip, stage):
        self.name, self.ip, self.stage = name, ip, stage
        self.sip = open_udp(ip, SIP_PORT)
        self.rtp = open_udp(ip, RTP_PORT)
        self.rtcp = open_udp(ip, RTP_PORT + 1)
        self.moved = open_udp(ip, RTP_PORT + sip.MOVED)
        self.fresh = collections.deque()   # requests of no slot
        self.slots = {}                    # Call-ID -> slot
        self.replies = {}                  # key of a request -> our answer
        self.acks = {}                     # key of a response -> our ACK
        self.seen = set()
        self.again = collections.deque()   # retransmissions
        self.heard = []                    # RTP: (source, payload)
        self.wire = []                     # SIP: (way, bytes), all of it
        self.streamed = []                 # RTP that this side sent
        self.auto = {}                     # method -> code or None
        self.secrets = set()               # Call-IDs and tags of this side
        self.is_deaf = False               # takes no notice of what comes

    def close(self):
        for s in (self.sip, self.rtp, self.rtcp, self.moved):
            s.close()

    def send(self, data, to=None):
        self.wire.append((">", data))
        self.sip.sendto(data, to or self.stage.switch)

    def read_sip(self):
        while True:
            try:
                data, source = self.sip.recvfrom(65535)
            except BlockingIOError:
                return
            if source == self.stage.switch:
                self.wire.append(("<", data))
            if source == self.stage.switch and not self.is_deaf:
                self.take(sip.Message.read(data))

    def read_rtp(self, s):
        while True:
            try:
                data, source = s.recvfrom(2048)
            except BlockingIOError:
                return
            self.heard.append((source, data))

    def take(self, msg):
        key = msg.key()
        self.stage.story(self.name, "<", msg)
        if msg.is_request and msg.method in self.auto:
            code = self.auto[msg.method]
            if code:
                self.send(reply(msg, code, self).bytes())
            return
        if key in self.seen:
            self.again.append(msg)
            for answers in (self.replies, self.acks):
                if key in answers:
                    self.send(answers[key])
            return
        self.seen.add(key)
        self.stage.check_topology(self, msg)
        slot = self.slots.get(msg.get("Call-ID"))
        if slot:
            slot.take(msg)
        else:
            self.fresh.append(msg)


def reply(request, code, peer, tag="", body="", extra=()):
    phrases = {100: "Trying", 180: "Ringing", 183: "Session Progress",
               200: "OK", 401: "Unauthorized", 486: "Busy Here"}
    to = request.get("To")
    if tag and "tag=" not in to:
        to += ";tag=" + tag
    headers = [("Via", v) for v in request.all("Via")]
    headers += [("From", request.get("From")), ("To", to),
                ("Call-ID", request.get("Call-ID")),
                ("CSeq", request.get("CSeq"))]
    if 100 < code < 300:
        headers.append(("Contact", "<sip:%s:%d>" % (peer.ip, SIP_PORT)))
    headers += extra
    if body:
        headers.append(("Content-Type", "application/sdp"))
    return sip.Message("SIP/2.0 %d %s" % (code, phrases.get(code, "Said")),
                       headers, body)


class Slot:
    """One call of a peer: what it sent, what it has to answer."""

    def __init__(self, peer):
        self.peer = peer
        self.challenge = ""       # the last that we met; outlives the call
        self.last = b""           # what we sent last
        self.reset()

    def reset(self):
        self.call_id = self.remote_tag = self.remote_target = ""
        self.uri = self.local = self.remote = ""
        self.local_tag = sip.token(5)
        self.cseq = random.randrange(1, 1000)
        self.queue = collections.deque()
        self.waiting = []         # requests that we have not answered
        self.refused = {}         # CSeq of INVITEs that we refused: no ACK yet
        self.invite = None        # the last that we sent
        self.unacked = None       # the 2xx that we have not acknowledged
        self.session = random.randrange(1 << 30)
        self.version = 0
        self.rtp = self.peer.rtp  # what our SDP named
        self.media = None         # where the other side wants its RTP
        self.is_up = False        # a 2xx has come or gone
        self.secrets_add(self.local_tag)

    def secrets_add(self, *values):
        self.peer.secrets.update(v for v in values if v)

    # --- coming in

    def bind(self, msg):
        """A new request begins a call at this slot."""
        self.reset()
        self.call_id = msg.get("Call-ID")
        self.peer.slots[self.call_id] = self
        self.local, self.remote = msg.get("To"), msg.get("From")
        self.remote_tag = msg.tag("From")
        self.secrets_add(self.call_id, self.remote_tag)
        self.take(msg)

    def take(self, msg):
        media = sip.sdp_media(msg.body) if msg.body else None
        if media:
            self.media = media
        if msg.target() and msg.cseq[1] == "INVITE":
            self.remote_target = msg.target()
        if msg.is_request:
            self.take_request(msg)
        else:
            self.take_response(msg)
        self.queue.append(msg)

    def take_request(self, msg):
        if msg.method == "ACK":
            self.refused.pop(msg.cseq[0], None)
        else:
            self.waiting.append(msg)

    def take_response(self, msg):
        if msg.tag("To") and msg.code < 300 and msg.method == "INVITE":
            self.remote_tag = msg.tag("To")
            self.remote = msg.get("To")
            self.secrets_add(self.remote_tag)
        if msg.code in (401, 407):
            self.challenge = msg.get("WWW-Authenticate")
        if msg.method != "INVITE" or msg.code < 200:
            return
        if msg.code < 300:
            self.unacked, self.is_up = msg, True
            return
        self.acknowledge(msg, self.invite_of(msg))
        if not self.is_up:
            self.remote_tag = ""

    def invite_of(self, msg):
        return self.invite if self.invite.cseq == msg.cseq else None

    def acknowledge(self, msg, invite):
        """ACK of a refusal belongs to the transaction (RFC 3261 17.1.1.3)."""
        if not invite:
            return
        headers = [("Via", invite.get("Via")), ("From", invite.get("From")),
                   ("To", msg.get("To")), ("Call-ID", self.call_id),
                   ("CSeq", "%d ACK" % msg.cseq[0]), ("Max-Forwards", "70")]
        ack = sip.Message("ACK %s SIP/2.0" % invite.uri, headers).bytes()
        self.peer.acks[msg.key()] = ack
        self.peer.send(ack)

    # --- going out

    def begin(self, uri, caller, called=""):
        """The next request begins a call."""
        self.reset()
        self.call_id = "%s@%s" % (sip.token(), self.peer.ip)
        self.peer.slots[self.call_id] = self
        self.uri = uri
        self.local = "<sip:%s@%s>;tag=%s" % (caller, self.peer.ip,
                                             self.local_tag)
        self.remote = called or "<%s>" % uri
        self.secrets_add(self.call_id)

    def body(self, kind):
        if not kind:
            return ""
        self.rtp = self.peer.moved if kind == "moved" else self.peer.rtp
        self.version += 1
        return sip.sdp(kind, self.peer.ip, RTP_PORT, self.session,
                       self.version)

    def local_value(self):
        if "tag=" in self.local:
            return self.local
        return self.local + ";tag=" + self.local_tag

    def request(self, method, body="", extra=()):
        """A request in this call, in the dialog when there is one."""
        uri = self.remote_target if self.remote_tag else self.uri
        if method in ("ACK", "CANCEL"):
            cseq = self.unacked.cseq[0] if self.unacked else \
                self.invite.cseq[0]
        else:
            self.cseq += 1
            cseq = self.cseq
        via = "SIP/2.0/UDP %s:%d;branch=z9hG4bK%s;rport" % (
            self.peer.ip, SIP_PORT, sip.token())
        to = self.remote
        if method == "CANCEL":
            uri, via = self.invite.uri, self.invite.get("Via")
            to = self.invite.get("To")
        headers = [("Via", via), ("From", self.local_value()),
                   ("To", to), ("Call-ID", self.call_id),
                   ("CSeq", "%d %s" % (cseq, method)), ("Max-Forwards", "70"),
                   ("Contact", "<sip:%s:%d>" % (self.peer.ip, SIP_PORT))]
        headers = with_headers(headers, extra)
        if body:
            headers.append(("Content-Type", "application/sdp"))
        msg = sip.Message("%s %s SIP/2.0" % (method, uri), headers, body)
        if method == "INVITE":
            self.invite = msg
        if method == "ACK" and self.unacked:
            self.peer.acks[self.unacked.key()] = msg.bytes()
            self.unacked = None
        self.send(msg)

    def respond(self, code, body="", extra=(), method="", tag=None):
        """Answers the youngest request that waits; with a tag: as a fork of
        it would, and the request goes on to wait."""
        found = [m for m in self.waiting if method in ("", m.method)]
        if not found:
            raise Failed("nothing is left to answer with %d" % code)
        request = found[-1]
        msg = reply(request, code, self.peer, tag or self.local_tag, body,
                    extra)
        if code >= 200 and not tag:
            self.waiting.remove(request)
        if code >= 300 and request.method == "INVITE":
            self.refused[request.cseq[0]] = code
        self.peer.replies[request.key()] = msg.bytes()
        self.send(msg)

    def send(self, msg):
        self.last = msg.bytes()
        self.peer.stage.story(self.peer.name, ">", msg)
        self.peer.send(self.last)


def with_headers(headers, extra):
    """Extra ones replace those of the same name; an empty one takes it out."""
    names = {n.lower() for n, _ in extra}
    kept = [h for h in headers if h[0].lower() not in names]
    return kept + [h for h in extra if h[1]]


class Stage:
    """All peers of one script, and the switch that they talk to."""

    def __init__(self, switch):
        self.switch = switch
        self.peers = {}
        self.lines = []
        self.leaks = []
        self.bells = []            # sockets that say: look again

    def close(self):
        for p in self.peers.values():
            p.close()

    def story(self, name, way, msg):
        media = sip.sdp_media(msg.body) if msg.body else None
        self.lines.append("%8.3f %-4s %s %s   [%s]%s" % (
            time.monotonic() % 10000, name, way, msg.first, msg.get("CSeq"),
            " sdp %s:%d" % media if media else ""))

    def check_topology(self, peer, msg):
        """Nothing of one side may be seen on the other."""
        text = msg.text()
        for other in self.peers.values():
            if other is peer:
                continue
            address = r"(?<![\d.])%s(?!\d)" % re.escape(other.ip)
            if re.search(address, text):
                self.leaks.append("%s sees the address of %s in:\n%s" % (
                    peer.name, other.name, text))
            for secret in other.secrets - peer.secrets:
                if secret in text:
                    self.leaks.append("%s sees %s of %s in:\n%s" % (
                        peer.name, secret, other.name, text))

    def pump(self, timeout, done=lambda: False):
        """Takes what comes until done() or the time is over."""
        until = time.monotonic() + timeout
        owners = {}
        for p in self.peers.values():
            owners[p.sip] = p.read_sip
            for s in (p.rtp, p.moved):
                owners[s] = functools.partial(p.read_rtp, s)
        for bell in self.bells:
            owners[bell] = functools.partial(bell.recv, 64)
        while not done():
            left = until - time.monotonic()
            if left <= 0:
                return False
            ready, _, _ = select.select(list(owners), [], [], left)
            for s in ready:
                owners[s]()
        return True


class Tone:
    """RTP packets with a source and a sequence of their own."""

    def __init__(self):
        self.ssrc = random.randrange(1 << 32)
        self.seq = random.randrange(1 << 15)
        self.time = random.randrange(1 << 31)

    def packet(self):
        self.seq += 1
        self.time += 160
        return struct.pack("!BBHII", 0x80, 8, self.seq & 0xffff,
                           self.time & 0xffffffff,
                           self.ssrc) + random.randbytes(160)
