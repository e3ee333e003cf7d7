"""Stands in for strowger-li on the socket of a switch (poi_message.h), and
compares what it hears with what the peers sent and heard."""
import collections
import hmac
import os
import re
import socket
import struct
import threading
import time

HELLO, KEY, TARGETS, IN_FORCE, CALL, SIP, RTP, LOST, END = range(1, 10)
ROLES = {1: "calling", 2: "called", 3: "forwarding"}
KINDS = {1: "call", 2: "register"}
WANTS = {"sip": 1, "rtp": 2, "all": 3}
WAIT_S = 9.0
Session = collections.namedtuple(
    "Session", "call kind matches sip rtp lost end in_progress")


def message(kind, body):
    return struct.pack(">BBHI", 2, kind, 0, 8 + len(body)) + body


def messages(packet):
    """(type, body) of each."""
    while packet:
        _, kind, _, n = struct.unpack(">BBHI", packet[:8])
        yield kind, packet[8:n]
        packet = packet[n:]


def address(data):
    port, = struct.unpack(">H", data[1:3])
    return socket.inet_ntoa(data[3:7]), port


class Listener:
    """One socket; a switch connects, and all that it tells is kept."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Condition()
        self.wanted = {}          # id -> (identity, want)
        self.ids = 0
        self.generation = 0
        self.in_force = None      # (generation, n)
        self.key = None
        self.peer = None
        self.sessions = {}
        self.faults = []
        self.opens = 0
        self.is_slow = False      # reads nothing
        self.listen()

    def listen(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(self.path)
        self.socket.listen(4)
        threading.Thread(target=self.serve, args=(self.socket,),
                         daemon=True).start()

    def serve(self, listening):
        while True:
            try:
                peer, _ = listening.accept()
            except OSError:
                return
            try:
                self.talk(peer)
            except OSError:
                pass
            except Exception as e: # told with the step that waits for it
                self.faults.append("listener: %r" % e)
            peer.close()

    def talk(self, peer):
        first = peer.recv(70000)
        if not first:
            return
        if first[1] != HELLO:
            raise ValueError("no HELLO but %d" % first[1])
        with self.lock:
            self.key, self.peer, self.in_force = os.urandom(32), peer, None
            self.sessions = {}
            self.generation, self.opens = 0, self.opens + 1
            peer.send(message(KEY, self.key))
            self.tell()
        while True:
            while self.is_slow:
                time.sleep(0.01)
            data = peer.recv(70000)
            if not data:
                return
            with self.lock:
                for kind, body in messages(data):
                    self.take(kind, body)
                self.lock.notify_all()

    def new_id(self):
        self.ids += 1
        return self.ids

    def digest(self, identity):
        return hmac.new(self.key, identity.encode(), "sha256").digest()[:16]

    def tell(self):
        """The whole set, in two parts."""
        self.generation += 1
        all_ = sorted(self.wanted.items())
        parts = [all_[:1], all_[1:]]
        for n, part in enumerate(parts):
            body = struct.pack(">IHHH", self.generation, n, len(parts),
                               len(part))
            for ident, (identity, want) in part:
                body += self.digest(identity) + struct.pack(">IB", ident, want)
            self.peer.send(message(TARGETS, body))

    def seek(self, wanted):
        """These are sought; returns when it is so."""
        with self.lock:
            self.wanted = wanted
            if not self.lock.wait_for(lambda: self.peer, WAIT_S):
                raise TimeoutError("no switch connects")
            self.tell()
            if not self.lock.wait_for(lambda: self.in_force == (
                    self.generation, len(wanted)), WAIT_S):
                raise TimeoutError("not in force: %s of %s; %s" % (
                    self.in_force, self.generation, self.faults))

    def take(self, kind, body):
        if kind == IN_FORCE:
            self.in_force = struct.unpack(">II", body)
            return
        call = body[:16]
        if kind == CALL:
            self.take_call(call, body[16:])
            return
        if call not in self.sessions:
            raise ValueError("%d before the call is known" % kind)
        s = self.sessions[call]
        if s.end:
            raise ValueError("%d after the end" % kind)
        if kind == SIP:
            wall, leg, way, _, protocol = struct.unpack(">qBBHB", body[16:29])
            s.sip.append((wall, "AB"[leg - 1], "<>"[way - 1], protocol,
                          address(body[29:48]), address(body[48:67]),
                          body[67:]))
        elif kind == RTP:
            wall, leg, _ = struct.unpack(">qBH", body[16:27])
            s.rtp.append((wall, "AB"[leg - 1], address(body[27:46]),
                          address(body[46:65]), body[65:]))
        elif kind == LOST:
            s.lost.append(struct.unpack(">qqIII", body[16:]))
        elif kind == END:
            s.end.append(struct.unpack(">qIII", body[16:]))

    def take_call(self, call, body):
        _, kind, in_progress, n = struct.unpack(">qBBB", body[:11])
        if kind not in KINDS:
            raise ValueError("session of kind %d" % kind)
        old = self.sessions.get(call)
        if not old or old.end:
            self.sessions[call] = old = Session(
                call, KINDS[kind], [], [], [], [], [], [])
        old.in_progress.append(bool(in_progress))
        for i in range(n):
            ident, role = struct.unpack(">IB", body[11 + 5 * i:16 + 5 * i])
            old.matches.append((ident, ROLES[role]))

    def gone(self):
        """As kill -9 leaves it: the kernel closes what there is."""
        listening, peer = self.socket, self.peer
        with self.lock:
            self.key = self.peer = self.in_force = None
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        os.unlink(self.path)
        if peer:
            peer.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.gone()

    def secrets(self):
        """What a switch knows and shows nobody."""
        return [self.key] + [self.digest(i) for i, _ in self.wanted.values()]

    def find(self, ident):
        """Sessions in which this target takes part."""
        with self.lock:
            return [s for s in self.sessions.values()
                    if any(i == ident for i, _ in s.matches)]


# --- what may not be seen

DUMPED_MAX = 1 << 29        # larger ones are the sanitizer's own


def memory_find(pid, needles):
    """Needles in the writable memory of a process. @return those found, and
    where a core dump would have them"""
    found, dumped, mappings = [], [], []
    with open("/proc/%d/smaps" % pid, encoding="ascii") as f:
        for line in f:
            words = line.split()
            if "-" in words[0] and not line[0].isupper():
                mappings.append([line.strip(), words[1], 0, []])
            elif words[0] == "Rss:":
                mappings[-1][2] = int(words[1])
            elif words[0] == "VmFlags:":
                mappings[-1][3] = words[1:]
    with open("/proc/%d/mem" % pid, "rb", buffering=0) as mem:
        for line, rights, rss, flags in mappings:
            begin, end = (int(x, 16) for x in line.split()[0].split("-"))
            if "w" not in rights or not rss or end - begin > DUMPED_MAX:
                continue
            mem.seek(begin)
            try:
                data = mem.read(end - begin)
            except OSError:
                continue
            here = [n for n in needles if n in data]
            found += here
            if here and "dd" not in flags:
                dumped.append("%s: %s" % (line, [h[:16].hex() for h in here]))
    return found, dumped


# --- what has to be the same

MASKS = [
    (rb"z9hG4bK[\w.~-]+", b"BRANCH"), (rb";tag=[\w.~-]+", b";tag=TAG"),
    (rb"(?mi)^(Call-ID|i): [^\r]*", rb"\1: ID"),
    (rb"(?mi)^CSeq: \d+", b"CSeq: N"), (rb"(?m)^o=[^\r]*", b"o=O"),
    (rb"(?m)^m=(\w+) \d+", rb"m=\1 PORT"), (rb"(?m)^(a=rtcp:)\d+", rb"\1PORT"),
    (rb"(?mi)^(Contact: <sip:)[^@>]*@", rb"\1USER@"),
    (rb"(?mi)^Content-Length: \d+", b"Content-Length: N"),
    (rb"(?mi)^(Date|Timestamp): [^\r]*", rb"\1: T"),
    (rb"sip:[\w.~-]{16,}@", b"sip:TOKEN@"),
    (rb'nonce="[^"]*"', b"NONCE"),
]


def masked(data):
    for pattern, to in MASKS:
        data = re.sub(pattern, to, data)
    return data


def compare(name, wanted, got):
    """Both lists hold the same, each as often. @return what is not so"""
    wanted, got = collections.Counter(wanted), collections.Counter(got)
    if wanted == got:
        return ""
    return "%s: not copied %s; too many %s" % (
        name, list((wanted - got).elements())[:3],
        list((got - wanted).elements())[:3])
