"""A flood of what no peer should send: real messages of the run, broken and
out of place, and noise at media ports. It runs in a process of its own."""
import os
import random
import socket
import time

import load

PAUSE_S = 0.01
SAMPLES = 400
HOSTILE = [b"%s%n", b"\x00", b"\r\n", b"\r\n\r\n", b"a" * 3000, b"-1", b"<>",
           b"4294967296", b"99999999999999999999", b";;;,,,", b"\xc3\x28",
           b"sip:[::1", b"\"", b";tag=", b";branch=z9hG4bK", b"*", b"0"]
METHODS = [b"INVITE", b"ACK", b"BYE", b"CANCEL", b"UPDATE", b"PRACK", b"INFO",
           b"REGISTER", b"OPTIONS", b"REFER", b"MESSAGE", b"NONSENSE"]


class Mutator:
    """Broken copies of what it has seen."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.ways = [self.flip, self.cut, self.insert, self.line_gone,
                     self.line_twice, self.line_swap, self.method,
                     self.splice, self.number, self.noise, self.as_it_was]

    def of(self, samples):
        data = self.rng.choice(samples)
        for _ in range(self.rng.choice((1, 1, 1, 2, 4))):
            data = self.rng.choice(self.ways)(data, samples)
        return data[:60000]

    def flip(self, data, _):
        out = bytearray(data)
        for _ in range(self.rng.randrange(1, 8) if out else 0):
            out[self.rng.randrange(len(out))] = self.rng.randrange(256)
        return bytes(out)

    def cut(self, data, _):
        return data[:self.rng.randrange(len(data) + 1)]

    def insert(self, data, _):
        at = self.rng.randrange(len(data) + 1)
        return data[:at] + self.rng.choice(HOSTILE) + data[at:]

    def lines(self, data, edit):
        lines = data.split(b"\r\n")
        edit(lines, self.rng.randrange(len(lines)))
        return b"\r\n".join(lines)

    def line_gone(self, data, _):
        return self.lines(data, lambda lines, i: lines.pop(i))

    def line_twice(self, data, _):
        times = self.rng.choice((1, 1, 3, 200))
        return self.lines(data, lambda lines, i: lines.__setitem__(
            slice(i, i), [lines[i]] * times))

    def line_swap(self, data, _):
        return self.lines(data, lambda lines, i: lines.insert(
            self.rng.randrange(1 + len(lines)), lines.pop(i)))

    def method(self, data, _):
        """Another method, in CSeq too: well formed, at the wrong time."""
        old, new = data.split(b" ", 1)[0], self.rng.choice(METHODS)
        return data.replace(old, new) if old in METHODS else data

    def splice(self, data, samples):
        other = self.rng.choice(samples)
        return data[:self.rng.randrange(len(data) + 1)] + \
            other[self.rng.randrange(len(other) + 1):]

    def number(self, data, _):
        places = [i for i, c in enumerate(data) if 48 <= c <= 57]
        if not places:
            return data
        at = self.rng.choice(places)
        return data[:at] + self.rng.choice(HOSTILE) + data[at + 1:]

    def noise(self, data, _):
        return os.urandom(self.rng.randrange(1, 1400)) \
            if self.rng.random() < 0.1 else data

    @staticmethod
    def as_it_was(data, _):
        return data

    def packet(self):
        """RTP, RTCP, STUN, or nothing of that kind."""
        r = self.rng
        head = r.choice((b"\x80\x08", b"\x80\x65", b"\x80\xc8", b"\x81\xc9",
                         b"\xff\xff", b"\xbf\x88", b"\x00\x01", b"\x90\x08"))
        return head + os.urandom(r.randrange(0, r.choice((11, 170, 1400))))


class Flood:
    """The process: gets samples by a socket, sends until it is closed.

    What a victim's own address sends is made of victims' messages alone: a
    broken copy can still be a whole BYE. What a stranger sends may be anything
    of any call, with its right tags."""

    def __init__(self, target, known, strangers, seed, pps):
        self.target, self.known, self.pps = target, known, pps
        self.strangers = []
        for ip in strangers:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((ip, 0))
            self.strangers.append(s)
        self.mutator = Mutator(seed)
        self.victims, self.anyone, self.ports = [], [], []
        self.sent = {"known": 0, "stranger": 0, "media": 0}

    def learn(self, samples):
        while True:
            try:
                data = samples.recv(65536)
            except BlockingIOError:
                return True
            if not data:
                return False
            kind, rest = data[:1], data[1:]
            if kind == b"E":
                return False
            kept = {b"V": self.victims, b"P": self.ports}.get(kind,
                                                              self.anyone)
            if len(kept) < SAMPLES:
                kept.append(rest)
            else:
                kept[self.mutator.rng.randrange(SAMPLES)] = rest
            if kind == b"V":
                self.anyone = self.anyone[-SAMPLES:] + [rest]

    def one(self):
        r = self.mutator.rng
        kind = r.choice(("known", "known", "stranger", "media"))
        if kind == "media" and self.ports:
            data = self.mutator.packet()
            port = int(r.choice(self.ports)) + r.randrange(2)
            r.choice(self.strangers).sendto(data, (self.target[0], port))
        elif kind == "known" and self.victims:
            r.choice(self.known).sendto(self.mutator.of(self.victims),
                                        self.target)
        elif self.anyone:
            kind = "stranger"
            r.choice(self.strangers).sendto(self.mutator.of(self.anyone),
                                            self.target)
        else:
            return
        self.sent[kind] += 1

    def run(self, samples):
        while self.learn(samples):
            began = time.monotonic()
            for _ in range(int(self.pps * PAUSE_S)):
                try:
                    self.one()
                except OSError:
                    pass        # ICMP of an earlier one
            time.sleep(max(0, began + PAUSE_S - time.monotonic()))
        samples.setblocking(True)
        samples.send(repr(self.sent).encode())


def tap(samples, victims):
    """Hands messages and media ports of the load to the flood."""
    def hear(ip, data):
        kind = b"V" if ip in victims else b"A"
        try:
            samples.send(kind + data)
        except OSError:
            pass
    return hear


def ports_of(samples):
    def hear(port):
        try:
            samples.send(b"P%d" % port)
        except OSError:
            pass
    return hear


def fork(chaos, victims):
    """Starts the flood. @return our end of its socket, and its process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setblocking(False)
    pid = os.fork()
    if not pid:
        code = 1
        try:
            ours.close()
            theirs.setblocking(False)
            Flood((chaos.load.switch[0], load.SIP_PORT),
                  [chaos.load.peers[ip] for ip in victims],
                  chaos.strangers, chaos.args.seed,
                  chaos.args.pps).run(theirs)
            code = 0
        finally:
            os._exit(code)
    theirs.close()
    return ours, pid


def finish(ours, pid):
    """Ends the flood. @return what it has sent, as text"""
    ours.setblocking(True)
    ours.settimeout(20)
    try:
        ours.send(b"E")
        sent = ours.recv(1000).decode()
    except OSError as e:
        sent = str(e)
    ours.close()
    os.waitpid(pid, 0)
    return sent
