"""Messages that no peer should send, to see that the switch stays up."""
import random

GOOD = ("INVITE sip:0@{sw} SIP/2.0\r\n"
        "Via: SIP/2.0/UDP {ip}:5060;branch=z9hG4bKstorm{n}\r\n"
        "From: <sip:x@{ip}>;tag=s{n}\r\nTo: <sip:y@{sw}>\r\n"
        "Call-ID: storm{n}@{ip}\r\nCSeq: 1 INVITE\r\n"
        "Contact: <sip:{ip}:5060>\r\nMax-Forwards: 70\r\n"
        "Content-Length: 0\r\n\r\n")

WRONG = [
    b"", b"\r\n\r\n", b"\x00" * 100, b"SIP/2.0 200\r\n\r\n", b"\xff" * 1400,
    b"INVITE\r\n\r\n", b"INVITE sip:x SIP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SIP/2.0 999 x\r\n\r\n",
]

EDITS = [
    ("Content-Length: 0", "Content-Length: 99999"),
    ("Content-Length: 0", "Content-Length: -1"),
    ("CSeq: 1 INVITE", "CSeq: 99999999999 INVITE"),
    ("CSeq: 1 INVITE", "CSeq: 1 BYE"),
    ("CSeq: 1 INVITE\r\n", ""),
    ("Call-ID: storm{n}@{ip}\r\n", ""),
    ("Via: SIP/2.0/UDP {ip}:5060;branch=z9hG4bKstorm{n}\r\n", ""),
    ("Via: ", "Via: ,,,;;;"),
    ("From: ", "From: \x00\x01"),
    ("sip:0@", "sip:" + "9" * 2000 + "@"),
    ("To: <sip:y@{sw}>", "To: <sip:y@{sw}" + ">" * 50),
    ("Max-Forwards: 70", "Max-Forwards: -7"),
    ("Contact: <sip:{ip}:5060>", "Contact: *"),
    ("Contact: ", "X-Long: " + "a" * 9000 + "\r\nContact: "),
    ("Contact: ", "X: y\r\n" * 300 + "Contact: "),
]


def messages(ip, sw, seed=1):
    """The same storm for the same seed."""
    rng = random.Random(seed)
    yield from WRONG
    for n, (old, new) in enumerate(EDITS):
        yield GOOD.replace(old, new).format(ip=ip, sw=sw, n=n).encode(
            "latin-1")
    for n in range(100, 250):
        data = bytearray(GOOD.format(ip=ip, sw=sw, n=n).encode())
        for _ in range(rng.randrange(1, 12)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        yield bytes(data[:rng.randrange(20, len(data) + 1)])
