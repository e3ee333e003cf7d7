"""Stands in for a mediation function: TLS with certificates on both sides,
keeps every PDU of X2 and X3, answers keepalives. It decodes by itself, from
TS 103 221-2; nothing here is the product's."""
import socket
import ssl
import struct
import threading
import time


class Pdu:
    def __init__(self, raw):
        (self.major, self.minor, self.type, self.header_len, self.len,
         self.format, self.direction) = struct.unpack(">BBHIIHH", raw[:16])
        self.xid, self.correlation = raw[16:32].hex(), raw[32:40].hex()
        self.raw, self.attributes = raw, []
        at = 40
        while at < self.header_len:
            kind, n = struct.unpack(">HH", raw[at:at + 4])
            self.attributes.append((kind, raw[at + 4:at + 4 + n]))
            at += 4 + n
        assert at == self.header_len, "attributes do not fill the header"
        self.payload = raw[self.header_len:]
        assert len(self.payload) == self.len

    def attribute(self, kind):
        found = [v for k, v in self.attributes if k == kind]
        return found[0] if len(found) == 1 else None

    def seq(self):
        return struct.unpack(">I", self.attribute(8))[0]

    def wall_ns(self):
        s, ns = struct.unpack(">II", self.attribute(9))
        return s * 10**9 + ns


KEEPALIVE = struct.pack(">BBHIIHH", 0, 5, 3, 48, 0, 0, 0) + bytes(24) + \
    struct.pack(">HHI", 8, 4, 1)


class Mdf:
    def __init__(self, ca, certificate, port=0, answers=True):
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(*certificate)
        self.tls.load_verify_locations(ca)
        self.tls.verify_mode = ssl.CERT_REQUIRED
        self.answers = answers
        self.floods = False     # sends keepalives, and reads nothing
        self.lock = threading.Condition()
        self.pdus, self.keepalives, self.connections = [], 0, 0
        self.live, self.port = [], port
        self.listener = None
        self.start()

    def start(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        self.listener.listen(16)
        threading.Thread(target=self._accept, args=(self.listener,),
                         daemon=True).start()

    def kill(self):
        """As if the machine were off: nobody listens, connections reset."""
        listener, self.listener = self.listener, None
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        with self.lock:
            live, self.live = self.live, []
        for s in live:
            try:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
                s.shutdown(socket.SHUT_RDWR)
                s.close()
            except OSError:
                pass

    def _accept(self, listener):
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(s,),
                             daemon=True).start()

    def _serve(self, s):
        try:
            s = self.tls.wrap_socket(s, server_side=True)
        except (OSError, ssl.SSLError):
            return
        with self.lock:
            self.connections += 1
            self.live.append(s)
            self.lock.notify_all()
        kept = b""
        try:
            while self.floods:
                s.sendall(KEEPALIVE * 4096)
            while True:
                got = s.recv(65536)
                if not got:
                    return
                kept = self._take(s, kept + got)
        except (OSError, ssl.SSLError):
            return

    def _take(self, s, kept):
        at = 0
        while len(kept) - at >= 12:
            head, load = struct.unpack(">II", kept[at + 4:at + 12])
            if len(kept) - at < head + load:
                break
            pdu = Pdu(kept[at:at + head + load])
            at += head + load
            if pdu.type == 3:
                with self.lock:
                    self.keepalives += 1
                    self.lock.notify_all()
                if self.answers:
                    s.sendall(pdu.raw[:2] + b"\0\4" + pdu.raw[4:])
                continue
            with self.lock:
                self.pdus.append(pdu)
                self.lock.notify_all()
        return kept[at:]

    def wait(self, what, seconds=10):
        """Until what(self) is true."""
        end = time.time() + seconds
        with self.lock:
            while not what(self):
                if not self.lock.wait(max(0, end - time.time())):
                    return what(self)
        return True

    def of(self, kind, xid=None):
        with self.lock:
            return [p for p in self.pdus if p.type == kind
                    and (not xid or p.xid == xid.replace("-", ""))]

    def pcap(self, file, port=42069):
        """One PDU a TCP segment, for decoders that do not reassemble."""
        seq = 1
        with open(file, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535,
                                101))
            for p in self.pdus:
                tcp = struct.pack(">HHIIBBHHH", 50000, port, seq, 1, 0x50,
                                  0x18, 65535, 0, 0) + p.raw
                ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0,
                                 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
                f.write(struct.pack("<IIII", p.wall_ns() // 10**9,
                                    p.wall_ns() // 1000 % 10**6,
                                    len(ip) + len(tcp), len(ip) + len(tcp)))
                f.write(ip + tcp)
                seq += len(p.raw)
