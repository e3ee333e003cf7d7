#!/usr/bin/python3
"""The real switch and the real strowger-li: one call of a target, and what the
mediation function has of it."""
import collections
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TALK = os.path.join(os.path.dirname(os.path.dirname(HERE)), "talk")
XID = "29f28e1c-f230-486a-a860-f5a784ab9171"
DID = "19867c20-8c94-473e-b9cd-8b72b7b05fd1"
SCRIPT = """test "a call to a target"
trunk A
gateway C1
A > INVITE sip:+4930990011@$sw sdp=pcma
C1 < INVITE
C1 > 180
A < 180
C1 > 200 sdp=pcma
C1 < ACK
A < 200
A > ACK
A > same
rtp A C1 20
A > BYE
C1 < BYE
C1 > 200
A < 200 BYE
wait 0.3
"""


def play(folder, li_socket, user):
    """In a process of its own: both sides have a module `world`."""
    sys.path.insert(0, TALK)
    import node as nodes
    import runpy
    import script as scripts
    import world
    run = runpy.run_path(os.path.join(TALK, "run"))
    net, _lock = run["claim_net"]()
    path = os.path.join(folder, "whole.talk")
    with open(path, "w", encoding="ascii") as f:
        f.write(SCRIPT)
    script = scripts.Script(path, 1, net)
    database = nodes.Database(os.path.join(folder, "pg"))
    database.start()
    switch = None
    try:
        database.run(world.SHARED + script.world.sql())
        switch = nodes.Node("whole", 1, os.path.join(folder, "node"),
                            net + ".255.1", database)
        with open(switch.config, "a", encoding="ascii") as f:
            f.write('intercept:\n  socket: "%s"\n  user: "%s"\n' % (
                li_socket, user))
        switch.start()
        switch.wait_catalog()
        print("up", flush=True)
        sys.stdin.readline() # targets are in force
        played = scripts.Run(script, switch)
        why = played.play()
        print(json.dumps({
            "why": why,
            "wire": [[way, data.hex()] for p in played.stage.peers.values()
                     for way, data in dict.fromkeys(p.wire)],
            "rtp": [d.hex() for p in played.stage.peers.values()
                    for d in p.streamed]}), flush=True)
        sys.stdin.readline()
    finally:
        if switch:
            switch.stop()
        subprocess.run(["sh", nodes.CLUSTER, "stop", database.folder],
                       check=False)


def same(check, what, wanted, got):
    wanted, got = collections.Counter(wanted), collections.Counter(got)
    check(wanted == got, what, (list((wanted - got).elements())[:2],
                                list((got - wanted).elements())[:2]))


def main():
    from authority import destination, task
    from world import World, check, finish

    w = World()
    m = w.mdf()
    w.start()
    folder = os.path.join(w.dir, "talk")
    os.mkdir(folder)
    os.chmod(w.dir, 0o755)
    os.chmod(folder, 0o755)
    talk = subprocess.Popen(
        [sys.executable, os.path.abspath(__file__), "play", folder, w.socket,
         str(os.getuid())], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True)
    check(talk.stdout.readline() == "up\n", "the switch is up")
    w.x1("CreateDestination", destination(DID, m.port))
    w.x1("ActivateTask", task(XID, ["e164Number:4930990011"], [DID]))
    check(w.reports.wait(["FullyActionedAndSuccessful"]),
          "the switch looks for it", w.logged())
    talk.stdin.write("go\n")
    talk.stdin.flush()
    told = json.loads(talk.stdout.readline())
    check(told["why"] is None, "the call is as it should be", told["why"])

    wire = [data for _, data in told["wire"]]
    check(m.wait(lambda m: len(m.of(1)) >= len(wire) and
                 len(m.of(2)) >= len(told["rtp"])), "all is delivered",
          (len(m.of(1)), len(wire), len(m.of(2)), len(told["rtp"])))
    same(check, "each message of both legs is one X2", wire,
         [p.payload.hex() for p in m.of(1)])
    same(check, "each packet of both sides is one X3", told["rtp"],
         [p.payload.hex() for p in m.of(2)])
    talk.stdin.write("end\n")
    talk.stdin.close()
    check(talk.wait(60) == 0, "the switch ends as it should")
    w.close()
    finish()


if __name__ == "__main__":
    play(*sys.argv[2:]) if sys.argv[1:2] == ["play"] else main()
