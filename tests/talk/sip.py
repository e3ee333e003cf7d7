"""SIP as the scripts' peers need it: messages, digest answers, SDP bodies."""
import hashlib
import os
import re

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
MOVED = 10              # where a stream moves: this far from the port before
COMPACT = {"v": "Via", "f": "From", "t": "To", "i": "Call-ID", "m": "Contact",
           "c": "Content-Type", "l": "Content-Length"}


def token(n=8):
    return os.urandom(n).hex()


class Message:
    """A request or a response, as it came or as it goes."""

    def __init__(self, first, headers, body=""):
        self.first, self.headers, self.body = first, headers, body
        parts = first.split(" ", 2)
        self.is_request = not first.startswith("SIP/2.0")
        self.method = parts[0] if self.is_request else self.cseq[1]
        self.uri = parts[1] if self.is_request else ""
        self.code = 0 if self.is_request else int(parts[1])

    @classmethod
    def read(cls, data):
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
        headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip()
            headers.append((COMPACT.get(name, name), value.strip()))
        return cls(lines[0], headers, body)

    def bytes(self):
        lines = [self.first]
        lines += ["%s: %s" % h for h in self.headers]
        lines.append("Content-Length: %d" % len(self.body))
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()

    def text(self):
        head = "\n".join(["%s: %s" % h for h in self.headers])
        return self.first + "\n" + head + "\n\n" + self.body

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name):
        return (self.all(name) or [""])[0]

    @property
    def cseq(self):
        number, _, method = self.get("CSeq").partition(" ")
        return int(number or 0), method.strip()

    @property
    def branch(self):
        found = re.search(r"branch=([^;,\s]+)", self.get("Via"))
        return found.group(1) if found else ""

    def tag(self, name):
        found = re.search(r">[^>]*;tag=([^;,\s]+)", self.get(name))
        return found.group(1) if found else ""

    def target(self):
        found = re.search(r"<([^>]+)>", self.get("Contact"))
        return found.group(1) if found else ""

    def key(self):
        """The same for a retransmission, another for everything else."""
        return (self.is_request, self.branch, self.code, self.cseq,
                self.tag("To"))


def fields_of(value):
    return dict(re.findall(r'(\w+)="?([^",]*)"?', value))


def digest_response(fields, method, uri, user, password, nc, cnonce):
    def h(text):
        return HASHES[fields.get("algorithm", "MD5")](
            text.encode()).hexdigest()

    ha1 = h("%s:%s:%s" % (user, fields["realm"], password))
    ha2 = h("%s:%s" % (method, uri))
    return h("%s:%s:%s:%s:auth:%s" % (ha1, fields["nonce"], nc, cnonce, ha2))


def digest_is_right(msg, user, password):
    """Does its Authorization prove that password?"""
    f = fields_of(msg.get("Authorization") or
                  msg.get("Proxy-Authorization"))
    return f.get("username") == user and f["response"] == digest_response(
        f, msg.method, f["uri"], user, password, f["nc"], f["cnonce"])


def digest(challenge, method, uri, user, password, nc=1):
    """The Authorization value that answers one challenge."""
    fields = fields_of(challenge)
    algorithm = fields.get("algorithm", "MD5")
    cnonce = token(4)
    response = digest_response(fields, method, uri, user, password,
                               "%08x" % nc, cnonce)
    return ('Digest username="%s", realm="%s", nonce="%s", uri="%s", '
            'response="%s", algorithm=%s, qop=auth, nc=%08x, cnonce="%s"'
            % (user, fields["realm"], fields["nonce"], uri, response,
               algorithm, nc, cnonce))


def sdp(kind, address, port, session, version):
    """A body by the name that scripts give it."""
    profile, codec, lines, host = "RTP/AVP", "8 PCMA/8000", [], address
    if kind == "pcmu":
        codec = "0 PCMU/8000"
    elif kind == "hold":
        lines = ["a=sendonly"]
    elif kind == "held":
        lines = ["a=recvonly"]
    elif kind == "zero":
        host = "0.0.0.0"
    elif kind == "savp":
        profile = "RTP/SAVP"
        lines = ["a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40]
    elif kind == "crypto":
        lines = ["a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40]
    elif kind == "fingerprint":
        lines = ["a=fingerprint:sha-256 " + ":".join(["AB"] * 32)]
    elif kind == "dtls":
        profile = "UDP/TLS/RTP/SAVPF"
        lines = ["a=fingerprint:sha-256 " + ":".join(["AB"] * 32)]
    elif kind == "video":
        lines = ["m=video %d RTP/AVP 96" % (port + 2),
                 "a=rtpmap:96 H264/90000"]
    elif kind == "moved":
        port += MOVED
    elif kind == "broken":
        return "v=0\r\no=nonsense\r\nm=audio\r\n"
    elif kind != "pcma":
        raise ValueError("no such sdp: " + kind)

    return "\r\n".join([
        "v=0", "o=- %d %d IN IP4 %s" % (session, version, address), "s=-",
        "c=IN IP4 " + host, "t=0 0",
        "m=audio %d %s %s 101" % (port, profile, codec.split()[0]),
        "a=rtpmap:" + codec, "a=rtpmap:101 telephone-event/8000",
        *lines, ""])


def sdp_media(body):
    """(address, port) of the first stream."""
    address = re.search(r"^c=IN IP[46] (\S+)", body, re.M)
    port = re.search(r"^m=\w+ (\d+)", body, re.M)
    return (address.group(1), int(port.group(1))) if address and port else None
