#!/usr/bin/python3
"""Reports to an ADMF that takes none, and an ADMF that says nothing, with a
disk that takes nothing."""
import os
import sqlite3
import time

from authority import destination, message, one, task
from world import World, check, finish

DID = "19867c20-8c94-473e-b9cd-8b72b7b05fd1"
TASKS = 1100               # more than wait (LI_REPORT_WAITING_MAX)
AT_ONCE = 55               # in one body
WINDOW_S = 3


def xid(n):
    return "29f28e1c-f230-486a-a860-%012x" % n


def until(what, seconds=30):
    end = time.time() + seconds
    while not what() and time.time() < end:
        time.sleep(0.1)
    return what()


def alarms(w, name):
    return [a["is_up"] for a in w.alarms() if a["alarm"] == name]


def too_many(w):
    """More reports than can wait: that they are lost is written down, alarmed
    and told; of each task the ADMF hears all the same."""
    s = w.poi()
    w.x1("CreateDestination", destination(DID, w.mdf().port))
    w.reports.is_taking.clear()
    w.x1("ActivateTask", task(xid(0), ["e164Number:49301"], [DID]))
    s.wait(1)
    for first in range(1, TASKS, AT_ONCE):
        w.client.x1(one("".join(
            message("ActivateTask", task(xid(n), ["e164Number:49301"],
                                         [DID]))
            for n in range(first, min(first + AT_ONCE, TASKS)))))
    check(w.audited(lambda r: r["event"] == "report_lost" and r["count"] > 0),
          "that reports are lost is written down")
    check(alarms(w, "report_lost") == [True], "and alarmed, once",
          alarms(w, "report_lost"))
    w.reports.is_taking.set()
    check(w.reports.wait(["FaultReport", "reports were lost", "9020"], 60),
          "the ADMF hears that it missed some")
    check(w.reports.wait(["FaultCleared", "reports were lost"], 60),
          "and that it misses no more")
    told = [b.split("<xId>")[1][:36] for b in w.reports.bodies
            if "FullyActionedAndSuccessful" in b]
    missing = set(map(xid, range(TASKS))) - set(told)
    check(until(lambda: not set(map(xid, range(TASKS))) - {
        b.split("<xId>")[1][:36] for b in list(w.reports.bodies)
        if "FullyActionedAndSuccessful" in b}, 60),
          "and of each task that it is in force", len(missing))
    check(alarms(w, "report_lost") == [True, False], "the alarm is over",
          alarms(w, "report_lost"))
    w.x1("DeactivateAllTasks")


def silent(w):
    """Its tasks end; a disk that takes nothing makes one alarm of it."""
    w.x1("ActivateTask", task(xid(0), ["e164Number:49301"], [DID]))
    store = sqlite3.connect(os.path.join(w.state, "li.db"),
                            isolation_level=None)
    store.execute("begin immediate")
    check(until(lambda: alarms(w, "store_fault") == [True]),
          "the disk takes nothing", w.alarms())
    began = time.time()
    check(until(lambda: time.time() > began + 2.5), "for some seconds")
    check(alarms(w, "admf_silent") == [True], "one alarm",
          alarms(w, "admf_silent"))
    store.execute("rollback")
    store.close()
    check(w.audited(lambda r: r["event"] == "task_purged" and
                    r["xid"] == xid(0)), "the task ends when it can")
    check(w.reports.wait(["Alert", "9050", "keepalives not received"]),
          "the ADMF is told")
    check(xid(0) not in w.x1("ListAllDetails"), "it is gone")
    check(until(lambda: alarms(w, "admf_silent") == [True, False]),
          "who speaks is silent no more", alarms(w, "admf_silent"))
    check(w.reports.wait(["FaultCleared", "keepalives not received"]),
          "and is told so")


w = World()
try:
    w.start()
    too_many(w)
    check(w.stop() == 0, "it ends with 0")
    w.write(w.file, **{"x1.keepalive_window_s": WINDOW_S})
    w.start()
    silent(w)
    check(w.run("audit", "verify")[0] == 0, "the audit is whole")
finally:
    w.close()
finish()
