"""Stands in for strowger-switch on the socket (poi_message.h)."""
import hmac
import os
import socket
import struct
import time

HELLO, KEY, TARGETS, IN_FORCE, CALL, SIP, RTP, LOST, END = range(1, 10)
CALLING, CALLED, FORWARDING = 1, 2, 3
A, B = 1, 2
RECEIVED, SENT = 1, 2


def message(kind, body):
    return struct.pack(">BBHI", 2, kind, 0, 8 + len(body)) + body


def address(ip, port):
    return b"\x04" + struct.pack(">H", port) + socket.inet_aton(ip) + bytes(12)


def call_id():
    """A UUID of version 7, as calls have."""
    ms = int(time.time() * 1000).to_bytes(6, "big")
    rnd = bytearray(os.urandom(10))
    rnd[0] = 0x70 | rnd[0] & 0xf
    rnd[2] = 0x80 | rnd[2] & 0x3f
    return ms + bytes(rnd)


class Poi:
    def __init__(self, path, node="node-1"):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.s.connect(path)
        self.s.settimeout(5)
        self.key, self.targets, self.generation = None, {}, 0
        self.gathered, self.at_once = [], 1
        self.s.send(message(HELLO, node.encode().ljust(64, b"\0")
                            + os.urandom(16)))
        got = self.s.recv(70000)
        assert got[1] == KEY, got[:8]
        self.key = got[8:]

    def read(self):
        """One whole set of targets, told to be in force."""
        found = {}
        while True:
            got = self.s.recv(70000)
            assert got[1] == TARGETS, got[:8]
            generation, part, parts, n = struct.unpack(">IHHH", got[8:18])
            found = found if part else {}
            for i in range(n):
                at = 18 + 21 * i
                ident, want = struct.unpack(">IB", got[at + 16:at + 21])
                found[got[at:at + 16]] = (ident, want)
            if part + 1 == parts:
                break
        self.targets, self.generation = found, generation
        self.s.send(message(IN_FORCE, struct.pack(">II", generation,
                                                  len(found))))
        return found

    def wait(self, n, seconds=5):
        """Until n targets are sought."""
        end = time.time() + seconds
        while len(self.targets) != n or not self.generation:
            self.s.settimeout(max(0.01, end - time.time()))
            self.read()
        self.s.settimeout(5)

    def find(self, identity):
        """(id, want) of "tel:49...", or None."""
        digest = hmac.new(self.key, identity.encode(), "sha256").digest()
        return self.targets.get(digest[:16])

    def tell(self, octets):
        """At once, or with the next packet of so many messages."""
        self.gathered.append(octets)
        if len(self.gathered) >= self.at_once:
            self.s.send(b"".join(self.gathered))
            self.gathered = []

    def call(self, call, matches, in_progress=0, at=None):
        body = call + struct.pack(">qBBB", at or time.time_ns(), 1,
                                  in_progress, len(matches))
        for ident, role in matches:
            body += struct.pack(">IB", ident, role)
        self.tell(message(CALL, body))

    def sip(self, call, leg, direction, text, at=None,
            src=("192.0.2.10", 5060), dst=("192.0.2.1", 5060)):
        at = at or time.time_ns()
        self.tell(message(SIP, call + struct.pack(
            ">qBBHB", at, leg, direction, leg - 1, 17)
            + address(*src) + address(*dst) + text))
        return at

    def rtp(self, call, leg, packet, at=None, src=("192.0.2.10", 40000),
            dst=("192.0.2.1", 30000)):
        self.tell(message(RTP, call + struct.pack(
            ">qBH", at or time.time_ns(), leg, 0)
            + address(*src) + address(*dst) + packet))

    def lost(self, call, sip, rtp_a, rtp_b):
        self.tell(message(LOST, call + struct.pack(
            ">qqIII", time.time_ns(), time.time_ns(), sip, rtp_a, rtp_b)))

    def end(self, call, at=None):
        self.tell(message(END, call + struct.pack(
            ">qIII", at or time.time_ns(), 0, 0, 0)))

    def close(self):
        self.s.close()


def rtp_packet(seq, ssrc=0x11223344, n=160):
    return struct.pack(">BBHII", 0x80, 8, seq & 0xffff, 160 * seq,
                       ssrc) + bytes([seq & 0xff]) * n
