"""Processor time and memory of process trees, from /proc."""
import os


def tree(roots):
    """The processes, and all that they have started."""
    children = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(name))
    found, todo = [], list(roots)
    while todo:
        pid = todo.pop()
        if pid not in found and os.path.exists(f"/proc/{pid}"):
            found.append(pid)
            todo += children.get(pid, [])
    return found


def threads(pids):
    for pid in pids:
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                yield pid, int(thread)
        except OSError:
            continue


def cpu_ns(pids):
    """Time on a processor of all threads that live, by the scheduler."""
    total = 0
    for pid, thread in threads(pids):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat") as f:
                total += int(f.read().split()[0])
        except OSError:
            continue
    return total


def cpu_ns_by_thread(pids):
    """The same per name of a thread."""
    out = {}
    for pid, thread in threads(pids):
        try:
            with open(f"/proc/{pid}/task/{thread}/comm") as f:
                name = f.read().strip()
            with open(f"/proc/{pid}/task/{thread}/schedstat") as f:
                out[name] = out.get(name, 0) + int(f.read().split()[0])
        except OSError:
            continue
    return out


def pss_kb(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as f:
                total += sum(int(line.split()[1]) for line in f
                             if line.startswith("Pss:"))
        except OSError:
            continue
    return total


def pin(pids, cpu):
    for _, thread in threads(pids):
        try:
            os.sched_setaffinity(thread, {cpu})
        except OSError:
            continue


def go_first(priority=60):
    """In a child, before its program: stands for other machines, which do not
    wait for a processor of this one. @return whether that may be done"""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except PermissionError:
        return False
    return True


def udp_drops():
    """Datagrams that found a full receive buffer, all sockets."""
    with open("/proc/net/snmp") as f:
        names, values = [line.split()[1:] for line in f
                         if line.startswith("Udp:")]
    return int(dict(zip(names, values))["RcvbufErrors"])
