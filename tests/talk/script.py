"""The talk language: reads a script and plays it. See README.md."""
import json
import os
import re
import shlex
import time
import traceback

import intercept
import node as nodes
import peer as peers
import secrecy
import server as servers
import sip
import storm
from peer import Failed
from world import CALLER, World

WAIT_S = 9.0
CDR_WAIT_S = 15.0
COMPARE = re.compile(r"^([A-Za-z][\w.-]*)(<=|>=|!=|!~|~|=|<|>)(.*)$", re.S)
EDGE = re.compile(r"^([A-Z]\w*)(?:\.(\d+))?$")
WORLD = ("tenant", "account", "rate", "route", "trunk", "site", "gateway",
         "emergency", "location", "stranger", "server", "row")


class Script:
    """One file: its title, its world, its steps and whether they held."""

    def __init__(self, path, n, net):
        self.path, self.n = path, n
        self.name = os.path.basename(path)[:-5]
        self.title = self.name
        self.world = World(n, net)
        self.steps = []
        self.own = None           # settings of a switch of its own
        self.own_database = False
        self.read()

    def read(self):
        with open(self.path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                words = shlex.split(line, comments=True)
                if not words:
                    continue
                try:
                    self.line(number, words)
                except Exception as e:
                    raise SystemExit("%s:%d: %s" % (self.path, number, e))

    def line(self, number, words):
        head = words[0]
        if head == "test":
            self.title = words[1]
        elif head == "own" and words[1] == "database":
            self.own_database = True
            self.own = self.own or {}
        elif head == "own":
            self.own = dict(w.split("=", 1) for w in words[2:])
        elif head in WORLD:
            words = [re.sub(r"\$(\w+)", self.world_value, w) for w in words]
            plain = [w for w in words[1:] if "=" not in w]
            options = dict(w.split("=", 1) for w in words[1:] if "=" in w)
            getattr(self.world, "do_" + head)(plain, options)
        else:
            self.steps.append((number, words))

    def world_value(self, m):
        return self.world.variables.get(m.group(1), m.group(0))


class Run:
    """A script on its way through a switch."""

    def __init__(self, script, node):
        self.script, self.node = script, node
        self.stage = peers.Stage((node.address, peers.SIP_PORT))
        self.slots = {}
        self.said = ""
        self.calling = None
        self.targets = {}         # of strowger-li: name -> id
        self.variables = dict(script.world.variables, sw=node.address,
                              node=node.name)
        for name, ip in script.world.ips.items():
            self.stage.peers[name] = peers.Peer(name, ip, self.stage)
        self.servers = {name: servers.Server(script.world.ips[name])
                        for name in script.world.servers}
        self.stage.bells = [s.bell for s in self.servers.values()]

    def play(self):
        """@return what went wrong, or None"""
        number = 0
        try:
            for number, words in expand(self.script.steps):
                self.step(self.fill(words))
            number = "end"
            self.finish()
        except Failed as e:
            return "line %s: %s\n%s" % (number, e, self.story())
        except Exception:
            return "line %s: %s\n%s" % (number, traceback.format_exc(),
                                        self.story())
        finally:
            self.stage.close()
            for s in self.servers.values():
                s.close()
        return None

    def story(self):
        return "\n".join(self.stage.lines[-40:])

    def fill(self, words):
        def value(m):
            if m.group(1) not in self.variables:
                raise Failed("no such name: $" + m.group(1))
            return self.variables[m.group(1)]
        return [re.sub(r"\$(\w+)", value, w) for w in words]

    def slot(self, edge):
        name, which = EDGE.match(edge).groups()
        if edge not in self.slots:
            self.slots[edge] = peers.Slot(self.stage.peers[name])
        return self.slots[edge]

    def step(self, words):
        if EDGE.match(words[0]) and len(words) > 2 and words[1] in "<>":
            way = self.hear if words[1] == "<" else self.say
            way(words[0], words[2:])
        else:
            getattr(self, "do_" + words[0])(words[1:])
        if self.stage.leaks:
            raise Failed("topology: " + self.stage.leaks[0])

    # --- what a peer says

    def say(self, edge, words):
        slot, what = self.slot(edge), words[0]
        plain, options, extra = clauses(words[1:])
        body = slot.body(options.get("sdp"))
        if what == "fork":
            slot.peer.send(re.sub(rb"z9hG4bK\w+", b"z9hG4bKother",
                                  slot.last))
            return
        if what == "same":
            slot.peer.send(slot.last)
            return
        if what.isdigit():
            slot.respond(int(what), body, extra, (plain + [""])[0],
                         options.get("tag"))
            return
        uris = [w for w in plain if w.startswith(("sip:", "tel:", "urn:"))]
        if uris:
            slot.begin(uris[0], options.get("from") or self.caller(edge),
                       options.get("to"))
            if what == "INVITE" and not self.calling:
                self.calling = slot
        elif "again" in plain and what == "INVITE" and not body:
            body = slot.invite.body
        if "auth" in options:
            extra = extra + [self.authorization(slot, what, options, extra)]
        slot.request(what, body, extra)

    def caller(self, edge):
        return self.variables.get("did" + EDGE.match(edge).group(1), CALLER)

    def authorization(self, slot, method, options, extra):
        user, _, password = options["auth"].partition(":")
        uri = options.get("uri") or slot.uri
        return ("Authorization", sip.digest(
            slot.challenge, method, uri, user, password,
            int(options.get("nc", 1))))

    # --- what a peer hears

    def hear(self, edge, words):
        slot, what = self.slot(edge), words[0]
        if what == "nothing":
            self.hear_nothing(slot, float((words + ["0.4"])[1]))
            return
        if what == "again":
            self.hear_again(slot, words[1])
            return
        method = ""
        if len(words) > 1 and re.match(r"^[A-Z]+$", words[1]):
            method = words.pop(1)
        msg = self.next(slot, what, method)
        for clause in words[1:]:
            self.check(slot, msg, clause)

    def next(self, slot, what, method):
        found = []

        def is_here():
            self.drop_quiet(slot, what)
            if slot.queue:
                found.append(slot.queue.popleft())
            elif not what.isdigit() and slot.peer.fresh and \
                    what == slot.peer.fresh[0].method and what != "ACK":
                slot.bind(slot.peer.fresh.popleft())
                found.append(slot.queue.popleft())
            return bool(found)

        if not self.stage.pump(WAIT_S, is_here):
            raise Failed("%s: %s did not come%s" % (
                slot.peer.name, what, self.heard_instead(slot)))
        msg = found[0]
        got = msg.method if msg.is_request else str(msg.code)
        if got != what or (method and msg.cseq[1] != method):
            raise Failed("%s: wanted %s, got:\n%s" % (
                slot.peer.name, " ".join([what, method]).rstrip(),
                msg.text()))
        return msg

    @staticmethod
    def drop_quiet(slot, what):
        """100 and the ACK of a refusal need not be written down."""
        while slot.queue:
            first = slot.queue[0]
            if first.code == 100 and what != "100":
                slot.queue.popleft()
            elif first.method == "ACK" and first.is_request and \
                    what != "ACK":
                slot.queue.popleft()
            else:
                return

    @staticmethod
    def heard_instead(slot):
        if slot.peer.fresh:
            return "; instead:\n" + slot.peer.fresh[0].text()
        return ""

    def hear_nothing(self, slot, seconds):
        self.stage.pump(seconds)
        self.drop_quiet(slot, "")
        for queue in (slot.queue, slot.peer.fresh):
            if queue:
                raise Failed("%s: wanted nothing, got:\n%s" % (
                    slot.peer.name, queue[0].text()))

    def hear_again(self, slot, what):
        def is_here():
            return any(what in (m.method if m.is_request else str(m.code),)
                       for m in slot.peer.again)
        if not self.stage.pump(WAIT_S, is_here):
            raise Failed("%s: no retransmission of %s" % (slot.peer.name,
                                                          what))
        slot.peer.again.clear()

    def check(self, slot, msg, clause):
        if clause == "sdp" or clause == "nosdp":
            held = bool(msg.body) == (clause == "sdp")
        elif clause.startswith("!"):
            held = not msg.get(clause[1:])
        elif clause.startswith("digest="):
            held = sip.digest_is_right(msg, *clause[7:].split(":"))
        else:
            m = COMPARE.match(clause)
            if not m:
                raise Failed("cannot read " + clause)
            name, op, wanted = m.groups()
            got = {"text": msg.text, "sdp": lambda: msg.body,
                   "uri": lambda: msg.uri}.get(
                       name, lambda: ", ".join(msg.all(name)))()
            held = compare(got, op, wanted)
        if not held:
            raise Failed("%s: %s does not hold in:\n%s" % (
                slot.peer.name, clause, msg.text()))

    # --- what is asked over HTTP

    def do_answers(self, words):
        """answers H CODE [BODY] [after=S] ["Name: value"]: the next question
        gets this; CODE: silent, close"""
        after = sum(float(w[6:]) for w in words if w.startswith("after="))
        plain, _, extra = clauses([w for w in words[2:]
                                   if not w.startswith("after=")])
        self.servers[words[0]].plan(words[1], "".join(plain), after, extra)

    def do_asked(self, words):
        """asked H member=value ... | asked H nothing"""
        server = self.servers[words[0]]
        if words[1:] == ["nothing"]:
            self.stage.pump(0.4)
            if server.questions:
                raise Failed("%s is asked %s" % (
                    words[0], server.questions[0].body))
            return
        if not self.stage.pump(WAIT_S, lambda: bool(server.questions)):
            raise Failed(words[0] + " is not asked")
        question = server.questions.popleft()
        for clause in words[1:]:
            name, op, wanted = COMPARE.match(clause).groups()
            if name == "signed":
                held = question.is_signed(wanted)
            else:
                held = compare(question.facts.get(name, ""), op, wanted)
            if not held:
                raise Failed("%s: %s does not hold in %s" % (
                    words[0], clause, question.facts))

    # --- media

    def do_rtp(self, words):
        """rtp A B N: N packets each way; rtp A > B N: one way"""
        both = words[1] != ">"
        if not both:
            words = [words[0]] + words[2:]
        a, b, n = self.slot(words[0]), self.slot(words[1]), int(words[2])
        self.stream(a, b, n)
        if both:
            self.stream(b, a, n)

    def stream(self, a, b, n):
        if not a.media:
            raise Failed("%s knows no address for its RTP" % a.peer.name)
        tone = peers.Tone()
        sent = [tone.packet() for _ in range(n)]
        b.peer.heard.clear()
        for p in sent:
            a.rtp.sendto(p, a.media)
            a.peer.streamed.append(p)
            self.stage.pump(0.003)
        wanted = set(sent)

        def is_here():
            return wanted <= {d for _, d in b.peer.heard}
        if not self.stage.pump(2, is_here):
            got = len(wanted & {d for _, d in b.peer.heard})
            raise Failed("%d of %d RTP packets of %s at %s" % (
                got, n, a.peer.name, b.peer.name))
        sources = {s for s, _ in b.peer.heard}
        if b.media and sources != {b.media}:
            raise Failed("RTP at %s comes from %s, SDP said %s" % (
                b.peer.name, sources, b.media))

    def do_foreign(self, words):
        """foreign X A N: X sends RTP to where A does; nobody may hear it"""
        stranger, a = self.stage.peers[words[0]], self.slot(words[1])
        tone = peers.Tone()
        for p in self.stage.peers.values():
            p.heard.clear()
        for _ in range(int(words[2])):
            stranger.rtp.sendto(tone.packet(), a.media)
        self.stage.pump(0.3)
        for p in self.stage.peers.values():
            if p.heard:
                raise Failed("foreign RTP came through to " + p.name)

    # --- time, catalog, operator

    def do_wait(self, words):
        self.stage.pump(float(words[0]))

    def do_auto(self, words):
        """auto C1 OPTIONS 200|silent"""
        code = 0 if words[2] == "silent" else int(words[2])
        self.stage.peers[words[0]].auto[words[1]] = code

    def do_storm(self, words):
        """storm A: broken messages from there"""
        peer = self.stage.peers[words[0]]
        peer.is_deaf = True
        for data in storm.messages(peer.ip, self.node.address):
            peer.send(data)
            self.stage.pump(0.002)

    def do_sql(self, words):
        """sql STATEMENT: and what it provisions is in force"""
        wanted = self.node.database.run(
            words[0] + "; select max(version) from core.change").split()
        if self.node.process and wanted:
            self.until(lambda: self.node.has_catalog(int(wanted[-1])), True)

    def do_query(self, words):
        """query SQL WANTED: within some seconds it is so"""
        self.until(lambda: self.node.database.run(words[0]), words[1])

    def until(self, read, wanted):
        end = time.monotonic() + CDR_WAIT_S
        got = read()
        while got != wanted and time.monotonic() < end:
            self.stage.pump(0.1)
            got = read()
        if got != wanted:
            raise Failed("wanted %s, got %s" % (wanted, got))

    def do_operator(self, words):
        """operator WORD ... [~ REGEX]: the command line says so"""
        wanted = None
        if "~" in words:
            at = words.index("~")
            words, wanted = words[:at], words[at + 1]
        code, text = self.node.command(*words)
        self.said = text
        if code or (wanted and not re.search(wanted, text)):
            raise Failed("strowger %s: exit %d, said:\n%s" % (
                " ".join(words), code, text))

    def do_foretell(self, words):
        """foretell A NUMBER: what a route test says of a call from A"""
        answer = self.node.ask(
            "route", "test", "--source", self.variables[words[0]] + ":5060",
            "--from", self.variables["did" + words[0]], "--to", words[1])
        if not answer:
            raise Failed("no answer to the route test")
        self.foretold = answer["decision"]

    def do_foretold(self, _):
        """foretold: $call took the same notes, up to its first attempt"""
        notes = self.node.ask("trace", self.variables["call"])["decision"]
        wanted = [n for n in self.foretold if n["step"] != "funds"]
        got = [n for n in notes if n["step"] != "funds"][:len(wanted)]
        if got != wanted:
            raise Failed("the route test said\n%s\nthe call\n%s" % (
                wanted, got))

    def do_live(self, _):
        """$call is the live call of this script"""
        for call in (self.node.ask("calls") or {}).get("calls", []):
            if self.script.world.tenant in json.dumps(call):
                self.variables["call"] = call["call_id"]
                return
        raise Failed("no live call of this tenant")

    def do_node(self, words):
        if words[0] == "kill":
            self.node.kill()
        elif words[0] == "start":
            self.node.stop()
            self.node.start()
            self.node.wait_catalog("offline" not in words)
        elif words[0] == "stop":
            self.node.process.terminate()
        else:
            raise Failed("node kill | start | stop")

    def do_logged(self, words):
        """logged EVENT: the node's log has it, once"""
        found = [x for x in self.node.lines() if f" event={words[0]} " in x]
        if len(found) != 1:
            raise Failed("not once in the log: %s" % (found or words[0]))

    def do_database(self, words):
        self.node.database.cluster({"stop": "stop", "start": "again"}[
            words[0]])

    # --- lawful interception

    def do_seek(self, words):
        """seek A[=sip|rtp|all] ... | seek nobody | seek NAME=IDENTITY: who is
        a target from now on; also in the calls that are up"""
        wanted = {}
        for word in (w for w in words if w != "nobody"):
            name, _, want = word.partition("=")
            identity = want if ":" in want else \
                "tel:" + self.variables["did" + name][1:]
            ident = self.node.listener.new_id()
            self.targets[name] = ident
            wanted[ident] = (identity, intercept.WANTS.get(
                want, intercept.WANTS["all"]))
        self.node.listener.seek(wanted)
        for p in self.stage.peers.values():
            p.wire.clear()
            p.streamed.clear()

    def do_copied(self, words):
        """copied NAME role=ROLE A=PEER B=PEER [in_progress=yes] [ended=no]
        [sip=no] [rtp=no] [kind=register]: of this target there is one call,
        and each message and packet of both sides since seek is in it once"""
        options = dict(w.split("=") for w in words[1:])
        ident = self.targets[words[0]]
        listener = self.node.listener
        faults = []

        def is_here():
            found = listener.find(ident)
            faults[:] = listener.faults or (
                self.copy_faults(found[0], ident, options)
                if len(found) == 1 else ["%d calls" % len(found)])
            return not faults
        end = time.monotonic() + WAIT_S
        while not is_here() and time.monotonic() < end:
            self.stage.pump(0.05)
        if faults:
            raise Failed("copies of %s: %s" % (words[0], "\n".join(faults)))
        self.no_more(lambda: self.copy_faults(listener.find(ident)[0], ident,
                                              options))

    def no_more(self, faults):
        self.stage.pump(0.1)
        if faults():
            raise Failed("copies: %s" % faults())

    def copy_faults(self, session, ident, options):
        is_late = options.get("in_progress", "no") == "yes"
        out = []
        if (ident, options["role"]) not in session.matches:
            out.append("matched as %s" % session.matches)
        if session.kind != options.get("kind", "call"):
            out.append("of kind %s" % session.kind)
        if is_late != session.in_progress[0]:
            out.append("in progress: %s" % session.in_progress)
        if bool(session.end) != (options.get("ended", "yes") == "yes"):
            out.append("ended: %s" % session.end)
        if session.lost:
            out.append("lost: %s" % session.lost)
        for leg in "AB":
            if leg in options:
                out.append(self.leg_faults(session, leg, [
                    self.stage.peers[p] for p in options[leg].split(",")],
                    options))
        if session.end:
            counts = (len(session.sip),) + tuple(
                len([r for r in session.rtp if r[1] == leg]) for leg in "AB")
            if counts != session.end[0][1:]:
                out.append("counted %s, ended with %s" % (counts,
                                                          session.end))
        return [f for f in out if f]

    @staticmethod
    def leg_faults(session, leg, sides, options):
        """Each once, however often it went over the wire; the peer's way out
        is the switch's way in."""
        wire, rtp = [], []
        for p in sides:
            wire += set(p.wire) if options.get("sip") != "no" else ()
            rtp += p.streamed if options.get("rtp") != "no" else ()
        copies = [({"<": ">", ">": "<"}[way], data)
                  for _, at, way, _, _, _, data in session.sip if at == leg]
        places = {(source if way == "<" else to)
                  for _, at, way, _, source, to, _ in session.sip
                  if at == leg}
        name = "/".join(p.name for p in sides)
        out = [intercept.compare("SIP of " + name, wire, copies),
               intercept.compare("RTP of " + name, rtp, [
                   data for _, at, _, _, data in session.rtp if at == leg])]
        if wire and places != {(p.ip, peers.SIP_PORT) for p in sides}:
            out.append("SIP of %s is of %s" % (name, places))
        return "\n".join(o for o in out if o)

    def do_delivered(self, words):
        """delivered PEER ... of strowger-li itself: each message and packet
        of these since seek is at the mediation function once; or nothing"""
        listener = self.node.listener
        sides = [self.stage.peers[p] for p in words]
        messages = [data for p in sides for _, data in set(p.wire)]
        packets = [data for p in sides for data in p.streamed]
        end = time.monotonic() + WAIT_S
        while listener.faults(messages, packets) and time.monotonic() < end:
            self.stage.pump(0.05)
        self.stage.pump(0.2)
        faults = listener.faults(messages, packets)
        wanted = (len(messages) + len(packets), 0, len(messages),
                  len(packets))
        if not faults and wanted[0] and listener.decoded() != wanted:
            faults = ["tshark reads %s of %s" % (listener.decoded(), wanted)]
        if faults:
            raise Failed("delivered: " + "\n".join(faults))

    def do_uncopied(self, words):
        """uncopied NAME ...: these take part in no call"""
        self.stage.pump(0.2)
        for name in words:
            found = self.node.listener.find(self.targets[name])
            if found:
                raise Failed("%s takes part in %s" % (name, found))

    def do_hidden(self, _):
        """Where nobody may see it nothing tells who is sought, nor what was
        copied: not in memory that a core shows, nor with the operator"""
        listener = self.node.listener
        digests = [listener.digest(i) for i, _ in listener.wanted.values()]
        streamed = [p.streamed[0] for p in self.stage.peers.values()
                    if p.streamed]
        found, dumped = intercept.memory_find(
            self.node.process.pid, digests + [listener.key] + streamed)
        if dumped:
            raise Failed("a core would show:\n" + "\n".join(dumped))
        if not all(any(d in f for f in found) for d in digests):
            raise Failed("the digests were not found at all: look again")
        texts = [self.node.tail(), self.node.metrics(),
                 self.node.command("status", "--format", "json")[1],
                 self.node.command("calls", "--format", "json")[1]]
        for text in texts:
            for word in [d.hex() for d in digests] + ["intercept", "strowger-li"]:
                if word in text:
                    raise Failed("%s is said in %s" % (word, text))

    def do_mediation(self, words):
        """mediation gone: nobody takes delivery of strowger-li any more, and
        its authority asks for what is refused"""
        if words != ["gone"]:
            raise Failed("mediation gone")
        self.node.listener.mediation_gone()

    def do_secret(self, _):
        """What strowger-li knows is in nothing that an operator can have:
        all that the switch, the database and the API keep and say. $call is
        a call that is up."""
        needles = self.node.listener.secrets()
        shown = secrecy.surfaces(self.node, self.variables["call"],
                                 nodes.API)
        known = self.calling.call_id.encode()
        for name in ("trace %s json" % self.variables["call"],
                     "GET /v1/calls", "pg_dump", "pg_stat"):
            if len(shown[name]) < 50:
                raise Failed("%s says nothing: look again" % name)
        if not any(known in data for data in shown.values()):
            raise Failed("not even the call is found: look again")
        for name, data in shown.items():
            found = [n for n in needles if n in data]
            if found:
                raise Failed("%s says %s" % (name, found))

    def do_core(self, _):
        """The switch dies by SIGABRT with calls up; the kernel's core shows
        them, but not who is sought, by which key, nor what was copied. It is
        started again."""
        known = self.calling.call_id.encode()
        streamed = [p.streamed[0] for p in self.stage.peers.values()
                    if p.streamed]
        needles = self.node.listener.secrets() + streamed
        file = secrecy.core(self.node)
        if not file:
            print("SKIP li_core no core of a process is made here")
        elif not secrecy.core_find(file, [known]):
            raise Failed("not even the call is in the core: look again")
        else:
            found = secrecy.core_find(file, needles)
            os.unlink(file)
            if found:
                raise Failed("a core shows %s" % found)
        self.do_node(["start"])

    def do_listener(self, words):
        """listener gone | back | slow | reads"""
        listener = self.node.listener
        if words[0] == "gone":
            listener.gone()
        elif words[0] == "back":
            listener.listen()
        else:
            listener.is_slow = words[0] == "slow"

    def do_alike(self, words):
        """alike begin | PEER ...: what these heard since the last alike is
        what they heard before it, but for random tokens"""
        heard = {p.name: [intercept.masked(data) for way, data in
                          unique(p.wire) if way == "<"]
                 for p in self.stage.peers.values()}
        for name in words:
            if name != "begin" and heard[name] != self.heard[name]:
                raise Failed("%s heard before\n%s\nand now\n%s" % (
                    name, self.heard[name], heard[name]))
        self.heard = heard
        for p in self.stage.peers.values():
            p.wire.clear()

    # --- what is left of it

    def do_cdr(self, words):
        """cdr [A] field=value ...: the call's record"""
        slot = self.calling
        if words and EDGE.match(words[0]):
            slot, words = self.slot(words[0]), words[1:]
        self.record(slot, 0, words)

    def do_attempt(self, words):
        """attempt N field=value ..."""
        self.record(self.calling, int(words[0]), words[1:])

    def record(self, slot, attempt, clauses_):
        sql = ("select r.*, (select count(*) from cdr.record t where "
               "t.call_id = r.call_id and t.attempt > 0) as attempts "
               "from cdr.record r where r.call_id in (select call_id from "
               "cdr.record where a_call_id = '%s' and attempt = 0) "
               "and attempt = %d" % (slot.call_id, attempt))
        rows = []

        def is_here():
            rows[:] = self.node.database.rows(sql)
            return bool(rows)

        end = time.monotonic() + CDR_WAIT_S
        while not is_here():
            if time.monotonic() > end:
                raise Failed("no record of attempt %d; log:\n%s" % (
                    attempt, self.node.tail()))
            self.stage.pump(0.2)
        if len(rows) > 1:
            raise Failed("%d records of one call" % len(rows))
        for clause in clauses_:
            name, op, wanted = COMPARE.match(clause).groups()
            got = rows[0][name]
            if not compare("" if got is None else got, op, wanted):
                raise Failed("%s does not hold: %s is %r in %s" % (
                    clause, name, got, {k: v for k, v in rows[0].items()
                                        if v not in (None, 0, "")}))

    def finish(self):
        """Nothing may be left: no message unread, no refusal without ACK."""
        def is_acked():
            return not any(s.refused for s in self.slots.values())
        if not self.stage.pump(WAIT_S, is_acked):
            raise Failed("no ACK of a refusal")
        for edge, slot in self.slots.items():
            self.drop_quiet(slot, "")
            if slot.queue:
                raise Failed("%s did not expect:\n%s" % (
                    edge, slot.queue[0].text()))
        for p in self.stage.peers.values():
            if p.fresh:
                raise Failed("%s did not expect:\n%s" % (
                    p.name, p.fresh[0].text()))
        for name, s in self.servers.items():
            if s.questions:
                raise Failed("%s did not expect:\n%s" % (
                    name, s.questions[0].body))
        if self.stage.leaks:
            raise Failed("topology: " + self.stage.leaks[0])
        account = self.node.database.rows(
            "select balance_micro, credit_limit_micro, overspent_micro, "
            "overdraft_micro from core.account where id = '%s'" % self.script.world.account)[0]
        if account["balance_micro"] + account["credit_limit_micro"] + \
                account["overdraft_micro"] < 0 or account["overspent_micro"]:
            raise Failed("more was spent than was there: %s" % account)


def unique(items):
    """In order, without retransmissions."""
    return list(dict.fromkeys(items))


def expand(steps):
    """repeat N ... end, once written out"""
    out, stack = [], []
    for number, words in steps:
        if words[0] == "repeat":
            stack.append((int(words[1]), []))
        elif words[0] == "end":
            n, inner = stack.pop()
            (stack[-1][1] if stack else out).extend(inner * n)
        else:
            (stack[-1][1] if stack else out).append((number, words))
    return out


def clauses(words):
    """Plain words, name=value, and "Header: value"."""
    plain, options, extra = [], {}, []
    for w in words:
        header = re.match(r"^([A-Z][\w-]*):\s*(.*)$", w)
        option = re.match(r"^(sdp|auth|from|to|nc|uri|tag)=(.*)$", w)
        if header:
            extra.append((header.group(1), header.group(2)))
        elif option:
            options[option.group(1)] = option.group(2)
        else:
            plain.append(w)
    return plain, options, extra


def compare(got, op, wanted):
    if op in ("~", "!~"):
        return (re.search(wanted, str(got)) is not None) == (op == "~")
    if isinstance(got, bool):
        got = "true" if got else "false"
    if op in ("=", "!="):
        return (str(got) == wanted) == (op == "=")
    a, b = float(got), float(wanted)
    return {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[op]
