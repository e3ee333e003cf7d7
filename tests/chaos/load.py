"""Callers and carriers of one run: they place calls, answer them, and keep
what really happened to each."""
import heapq
import random
import selectors
import socket
import time

import sip

SIP_PORT = 5060
RTP_PORT = 4000
T1_S = 0.5
INVITE_TRIES, BYE_TRIES, ANSWER_TRIES = 5, 6, 8
BUFFER = 8 << 20


class Leg:
    """The called side of a call; a call begun anew by the switch has two."""

    def __init__(self, peer, invite, switch):
        self.peer, self.invite, self.switch = peer, invite, switch
        self.tag = sip.token(4)
        self.answer = b""
        self.is_acked = self.is_over = False


class Call:
    """One call as both sides saw it. Times are monotonic seconds, None when
    it did not happen."""

    def __init__(self, n, group, plan, switch):
        self.n, self.group, self.plan, self.switch = n, group, plan, switch
        self.number = "+%s%07d" % (plan["prefix"], n)
        self.call_id = "%s@chaos" % sip.token(8)
        self.tag, self.branch = sip.token(4), "z9hG4bK" + sip.token(6)
        self.to = self.target = ""
        self.legs = []
        self.code = 0           # final answer of the INVITE at the caller
        self.bye_code = 0       # final answer of the first BYE
        self.sent = self.heard = self.decided = None
        self.answer_sent = self.answered = None
        self.bye_sent = self.bye_heard = self.bye_answered = None
        self.bye_after = None   # the one heard had not come by then

    @property
    def is_up(self):
        return self.answered is not None and self.over_at is None

    @property
    def over_at(self):
        times = [t for t in (self.bye_heard, self.bye_answered)
                 if t is not None]
        return min(times) if times else None


class Load:
    """One thread: sockets, timers and calls. Whoever runs it adds timers."""

    def __init__(self, switch, seed):
        self.switch = (switch, SIP_PORT)
        self.rng = random.Random(seed)
        self.selector = selectors.DefaultSelector()
        self.timers, self.order = [], 0
        self.peers = {}
        self.emptied = {}       # by peer: when its socket had nothing left
        self.calls, self.by_number, self.by_call_id = [], {}, {}
        self.by_leg = {}        # Call-ID of the called side
        self.is_placing = False
        self.strange = 0
        self.tap = None         # hears what we send: (peer's address, bytes)
        self.media_tap = None   # hears where the switch takes media

    # --- the pass

    def at(self, delay_s, work, *args):
        self.order += 1
        heapq.heappush(self.timers, (time.monotonic() + delay_s, self.order,
                                     work, args))

    def peer(self, ip):
        if ip not in self.peers:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            s.bind((ip, SIP_PORT))
            s.setblocking(False)
            self.peers[ip] = s
            self.emptied[ip] = time.monotonic()
            self.selector.register(s, selectors.EVENT_READ, ip)
        return ip

    def run(self, seconds, is_done=lambda: False):
        until = time.monotonic() + seconds
        while time.monotonic() < until and not is_done():
            now = time.monotonic()
            while self.timers and self.timers[0][0] <= now:
                _, _, work, args = heapq.heappop(self.timers)
                work(*args)
            wait = min([until] + [t[0] for t in self.timers[:1]])
            for key, _ in self.selector.select(
                    max(0, min(0.1, wait - time.monotonic()))):
                self.read(key.fileobj, key.data)

    def read(self, s, ip):
        for _ in range(50):
            now = time.monotonic()
            try:
                data, source = s.recvfrom(65535)
            except BlockingIOError:
                self.emptied[ip] = now
                return
            except OSError:
                continue        # ICMP: the switch is away
            try:
                self.take(ip, sip.Message.read(data), source)
            except (ValueError, IndexError):
                self.strange += 1

    def send(self, ip, switch, data):
        if self.tap:
            self.tap(ip, data)
        try:
            self.peers[ip].sendto(data, switch)
        except OSError:
            pass

    def repeat(self, ip, switch, data, tries, is_over, wait_s=T1_S):
        if is_over() or not tries:
            return
        self.send(ip, switch, data)
        self.at(wait_s, self.repeat, ip, switch, data, tries - 1, is_over,
                min(4, wait_s * 2))

    # --- callers

    def place(self, groups, rate):
        """Calls at this rate from now on, while is_placing."""
        if not self.is_placing:
            return
        self.at(self.rng.expovariate(rate), self.place, groups, rate)
        group = self.rng.choices(groups, [g.share for g in groups])[0]
        self.start(group)

    def start(self, group):
        call = Call(len(self.calls), group, group.plan(self.rng),
                    (group.switch, SIP_PORT) if group.switch
                    else self.switch)
        self.calls.append(call)
        self.by_number[call.number] = self.by_call_id[call.call_id] = call
        call.invite = self.request(call, "INVITE", 1, call.branch, sip.sdp(
            "pcma", group.caller, RTP_PORT, 1, 1))
        call.sent = time.monotonic()
        self.repeat(group.caller, call.switch, call.invite, INVITE_TRIES,
                    lambda: call.heard is not None)

    def request(self, call, method, cseq, branch, body=""):
        g, uri = call.group, call.target
        headers = [
            ("Via", "SIP/2.0/UDP %s:%d;branch=%s" % (g.caller, SIP_PORT,
                                                     branch)),
            ("Max-Forwards", "70"),
            ("From", "<sip:%s@%s>;tag=%s" % (g.did, g.caller, call.tag)),
            ("To", call.to or "<sip:%s@%s>" % (call.number, call.switch[0])),
            ("Call-ID", call.call_id), ("CSeq", "%d %s" % (cseq, method)),
            ("Contact", "<sip:%s:%d>" % (g.caller, SIP_PORT))]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        uri = uri or "sip:%s@%s" % (call.number, call.switch[0])
        return sip.Message("%s %s SIP/2.0" % (method, uri), headers,
                           body).bytes()

    def cancel(self, call):
        if not call.code:
            self.repeat(call.group.caller, call.switch, self.request(
                call, "CANCEL", 1, call.branch), 3, lambda: call.code)

    def hang_up(self, call):
        if call.bye_sent is None and call.bye_heard is None:
            call.bye_sent = time.monotonic()
            self.repeat(call.group.caller, call.switch, self.request(
                call, "BYE", 2, "z9hG4bK" + sip.token(6)), BYE_TRIES,
                lambda: call.bye_code)

    def answer_taken(self, call, msg):
        """A final answer of the INVITE, at the caller."""
        is_first = not call.code
        if is_first:
            call.code = msg.code
            call.decided = time.monotonic()
            call.to = msg.get("To")
        if msg.code >= 300:
            self.send(call.group.caller, call.switch, self.request(
                call, "ACK", 1, call.branch))
            return
        if is_first:
            call.answered = time.monotonic()
            call.target = msg.target()
            media = sip.sdp_media(msg.body)
            if self.media_tap and media:
                self.media_tap(media[1])
            if call.plan["end"] == "caller":
                self.at(call.plan["hold_s"], self.hang_up, call)
        self.send(call.group.caller, call.switch, self.request(
            call, "ACK", 1, "z9hG4bK" + sip.token(6)))

    # --- carriers

    def say(self, leg, code, body="", msg=None):
        msg = msg or leg.invite
        to = msg.get("To")
        if "tag=" not in to:
            to += ";tag=" + leg.tag
        headers = [("Via", v) for v in msg.all("Via")]
        headers += [("From", msg.get("From")), ("To", to),
                    ("Call-ID", msg.get("Call-ID")),
                    ("CSeq", msg.get("CSeq")),
                    ("Contact", "<sip:%s:%d>" % (leg.peer, SIP_PORT))]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        data = sip.Message("SIP/2.0 %d Said" % code, headers, body).bytes()
        self.send(leg.peer, leg.switch, data)
        return data

    def ring(self, call, leg):
        if leg.is_over or leg.answer:
            return
        self.say(leg, 180)
        if call.plan["end"] == "cancelled":
            self.at(0.3, self.cancel, call)
        elif call.plan["end"] == "busy":
            leg.is_over = True
            self.say(leg, 486)
        else:
            self.at(call.plan["ring_s"], self.pick_up, call, leg)

    def pick_up(self, call, leg):
        if leg.is_over:
            return
        if call.answer_sent is None:
            call.answer_sent = time.monotonic()
        leg.answer = self.say(leg, 200, sip.sdp(
            "pcma", leg.peer, RTP_PORT, 1, 1))
        self.at(T1_S, self.repeat, leg.peer, leg.switch, leg.answer,
                ANSWER_TRIES,
                lambda: leg.is_acked or leg.is_over)
        if call.plan["end"] == "called":
            self.at(call.plan["hold_s"], self.leg_hang_up, call, leg)

    def leg_hang_up(self, call, leg):
        if leg.is_over or not leg.is_acked or call.bye_sent is not None:
            return
        call.bye_sent = time.monotonic()
        to = leg.invite.get("To") + ";tag=" + leg.tag
        data = sip.Message(
            "BYE %s SIP/2.0" % leg.invite.target(),
            [("Via", "SIP/2.0/UDP %s:%d;branch=z9hG4bK%s" % (
                leg.peer, SIP_PORT, sip.token(6))), ("Max-Forwards", "70"),
             ("From", to), ("To", leg.invite.get("From")),
             ("Call-ID", leg.invite.get("Call-ID")), ("CSeq", "1 BYE")])
        leg.bye = data.bytes()
        self.repeat(leg.peer, leg.switch, leg.bye, BYE_TRIES,
                    lambda: call.bye_code)

    # --- what comes

    def take(self, ip, msg, switch):
        call = self.by_call_id.get(msg.get("Call-ID"))
        if call:
            self.take_caller(ip, call, msg, switch)
        elif msg.is_request and msg.method == "INVITE":
            self.take_invite(ip, msg, switch)
        else:
            self.take_leg(ip, msg, switch)

    def take_caller(self, ip, call, msg, switch):
        if msg.is_request:
            if msg.method == "BYE":
                self.bye_take(ip, call)
            if msg.method != "ACK":
                self.say(Leg(ip, msg, switch), 200)
            return
        method = msg.cseq[1]
        if method == "INVITE":
            call.heard = call.heard or time.monotonic()
            if msg.code >= 200:
                self.answer_taken(call, msg)
        elif method == "BYE":
            self.bye_answer(call, msg.code)

    def bye_take(self, ip, call):
        if call.bye_heard is None:
            call.bye_heard = time.monotonic()
            call.bye_after = self.emptied[ip]

    @staticmethod
    def bye_answer(call, code):
        if code >= 200 and not call.bye_code:
            call.bye_code, call.bye_answered = code, time.monotonic()

    def take_invite(self, ip, msg, switch):
        user = msg.uri.partition(":")[2].partition("@")[0]
        call = self.by_number.get(user.partition(";")[0])
        if not call:
            self.strange += 1
            return
        for leg in call.legs:
            if leg.invite.branch == msg.branch or \
                    leg.invite.get("Call-ID") == msg.get("Call-ID"):
                return
        leg = Leg(ip, msg, switch)
        call.legs.append(leg)
        self.by_leg[msg.get("Call-ID")] = (call, leg)
        self.say(leg, 100)
        self.at(0.02, self.ring, call, leg)

    def take_leg(self, ip, msg, switch):
        found = self.by_leg.get(msg.get("Call-ID"))
        if not found:
            if msg.is_request and msg.method == "OPTIONS":
                self.say(Leg(ip, msg, switch), 200)
            return
        call, leg = found
        if not msg.is_request:
            self.bye_answer(call, msg.code)
        elif msg.method == "ACK":
            leg.is_acked = True
        elif msg.method == "CANCEL":
            self.say(leg, 200, msg=msg)
            if not leg.answer:
                leg.is_over = True
                self.say(leg, 487)
        else:
            if msg.method == "BYE":
                leg.is_over = True
                self.bye_take(ip, call)
            self.say(leg, 200, msg=msg)
