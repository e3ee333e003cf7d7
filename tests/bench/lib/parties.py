"""Who is measured: the switch, and Kamailio with rtpengine; each with a
PostgreSQL of its own. Everything is on loopback and ends with stop()."""
import glob
import os
import pwd
import shutil
import signal
import subprocess
import time

import procs

SUT_CPU, LOAD_CPU = 0, 1


class Failed(Exception):
    """The bench cannot run: what, and where to look."""


def run(args, **kw):
    res = subprocess.run(args, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, **kw)
    if res.returncode:
        raise Failed(f"{' '.join(args)}: exit {res.returncode}\n"
                     f"{res.stdout[-2000:]}")
    return res.stdout


def wait_for(what, test, seconds=60):
    until = time.time() + seconds
    while time.time() < until:
        if test():
            return
        time.sleep(0.1)
    raise Failed(f"{what}: not ready after {seconds} s")


def end(process):
    """End a process that we started."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Postgres:
    def __init__(self, folder, port=None):
        self.folder, self.port = folder, port
        self.socket = folder + "/socket"
        bins = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not bins:
            raise Failed("PostgreSQL is not installed")
        self.bin = bins[-1]
        self.process = None

    def as_owner(self):
        """PostgreSQL refuses to run as root: then it is user postgres's."""
        if os.getuid():
            return {}
        user = pwd.getpwnam("postgres")
        return {"user": user.pw_uid, "group": user.pw_gid,
                "extra_groups": []}

    def start(self):
        owner = self.as_owner()
        os.makedirs(self.socket)
        if owner:
            shutil.chown(self.folder, "postgres")
            shutil.chown(self.socket, "postgres")
        data = self.folder + "/data"
        run([self.bin + "/initdb", "-D", data, "-U", "bench", "-A", "trust",
             "-E", "UTF8", "--locale=C.UTF-8"], cwd=self.folder, **owner)
        args = [self.bin + "/postgres", "-D", data, "-k", self.socket]
        if self.port:
            args += ["-c", "listen_addresses=127.0.0.1",
                     "-p", str(self.port)]
        else:
            args += ["-c", "listen_addresses="]
        self.process = subprocess.Popen(
            args, stdout=open(self.folder + "/log", "w"),
            stderr=subprocess.STDOUT, cwd=self.folder, **owner)
        wait_for("PostgreSQL", lambda: subprocess.run(
            [self.bin + "/pg_isready", "-q", "-h", self.socket]
            + self.port_args(), check=False).returncode == 0)

    def port_args(self):
        return ["-p", str(self.port)] if self.port else []

    def psql(self, database, *args):
        return run(["psql", "-qAtX", "-h", self.socket, "-U", "bench", "-d",
                    database] + self.port_args() + list(args))

    def pids(self):
        return procs.tree([self.process.pid])

    def stop(self):
        if self.process:
            end(self.process)


class Party:
    """What both have: processes, a database, an address."""

    name = cdr_table = database = ""

    def __init__(self, opt, folder):
        self.opt, self.folder = opt, folder
        self.processes = []
        os.makedirs(folder)

    def launch(self, args, log):
        process = subprocess.Popen(
            args, stdout=open(f"{self.folder}/{log}.log", "w"),
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            cwd=self.folder)
        self.processes.append(process)
        return process

    def pids(self):
        return procs.tree([p.pid for p in self.processes])

    def check(self):
        for process in self.processes:
            if process.poll() is not None:
                raise Failed(f"{self.name}: {process.args[0]} ended, see "
                             f"the logs in {self.folder}; is another bench "
                             "running? then try --port-base")

    def wait_for(self, test):
        def ready():
            self.check()
            return test()
        wait_for(self.name, ready)

    def pin(self):
        procs.pin(self.pids(), SUT_CPU)
        procs.pin(self.pg.pids(), LOAD_CPU)

    def records(self):
        """Records of calls in the database."""
        return int(self.pg.psql(self.database, "-c",
                                f"select count(*) from {self.cdr_table}"))

    def carriers(self):
        return ["-v", f"carrier_port={self.opt.carrier_port}",
                "-v", f"second_port={self.opt.carrier_port + 1}"]

    def stop(self):
        for process in reversed(self.processes):
            end(process)
        self.pg.stop()


class Switch(Party):
    name, database = "strowger", "strowger"
    cdr_table = "cdr.record where attempt = 0"
    more = ""  # of switch.yaml

    def __init__(self, opt, folder):
        super().__init__(opt, folder)
        self.target = f"127.0.0.1:{opt.port_base}"
        self.pg = Postgres(folder + "/pg")

    def start(self):
        opt, folder = self.opt, self.folder
        cli = opt.build + "/provisioning/command/strowger"
        self.pg.start()
        self.pg.psql("postgres", "-c", "create database strowger")
        dsn = f"host={self.pg.socket} dbname=strowger user="
        run([cli, "db", "migrate", "--dir", opt.top + "/sql/migrate",
             "--dsn", dsn + "bench"])
        self.pg.psql("strowger", *self.carriers(), "-f",
                     opt.top + "/tests/bench/conf/switch.sql")
        self.start_node("bench", 0, 10000)

    def start_node(self, name, number, port_min):
        """One more switch on the same database; the first takes the calls."""
        opt, folder = self.opt, self.folder + "/" + name
        port = opt.port_base + 2 * number
        os.makedirs(folder, 0o700)
        with open(folder + "/switch.yaml", "w") as f:
            f.write(f"""node:
  name: {name}
  id: {number + 1}
  state_dir: {folder}
  calls_max: 5000
sip:
  listen: 127.0.0.1:{port}
media:
  address: 127.0.0.1
  port_min: {port_min}
  port_max: {port_min + 19999}
  sessions_max: 5000
db:
  dsn: host={self.pg.socket} dbname=strowger user=bench_switch
control:
  socket: {folder}/control.sock
metrics:
  listen: 127.0.0.1:{port + 1}
{self.more}""")
        self.launch_node(name)
        self.wait_for(lambda: self.pg.psql(
            "strowger", "-c", "select count(*) from core.node where "
            f"name = '{name}' and applied_version = "
            "(select version from core.state)") == "1\n")

    def launch_node(self, name):
        opt, folder = self.opt, self.folder + "/" + name
        self.launch([opt.switch, "--config", folder + "/switch.yaml"], name)
        env = dict(os.environ, STROWGER_CONTROL=folder + "/control.sock")
        self.wait_for(lambda: subprocess.run(
            [opt.build + "/provisioning/command/strowger", "status"], env=env,
            check=False, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL).returncode == 0)

    def media_pids(self):
        return self.pids()


class Kamailio(Party):
    name, database = "kamailio+rtpengine", "kam"
    cdr_table = "acc_cdrs"

    def __init__(self, opt, folder):
        super().__init__(opt, folder)
        self.port = opt.port_base + 2
        self.ng_port = opt.port_base + 3
        self.target = f"127.0.0.1:{self.port}"
        self.pg = Postgres(folder + "/pg", opt.port_base + 7)
        self.rtpengine = None

    def start(self):
        conf = self.opt.top + "/tests/bench/conf/kamailio"
        self.pg.start()
        self.pg.psql("postgres", "-c", "create database kam")
        self.pg.psql("kam", *self.carriers(), "-f", conf + ".sql")
        self.rtpengine = self.launch(
            ["rtpengine", "--foreground", "--table=-1",
             "--interface=127.0.0.1", f"--listen-ng=127.0.0.1:{self.ng_port}",
             "--port-min=30000", "--port-max=59999", "--num-threads=1",
             "--log-stderr", "--log-level=3", "--timeout=120",
             "--silent-timeout=3600", "--delete-delay=0"], "rtpengine")
        with open(conf + ".cfg") as f:
            text = f.read()
        for name, value in (("SIP_PORT", self.port), ("NG_PORT", self.ng_port),
                            ("PG_PORT", self.pg.port), ("DIR", self.folder)):
            text = text.replace(f"@{name}@", str(value))
        with open(self.folder + "/kamailio.cfg", "w") as f:
            f.write(text)
        # Debian's default allocator spends half of its time in malloc, and
        # the default receive buffer drops bursts
        self.launch(["kamailio", "-f", self.folder + "/kamailio.cfg", "-DD",
                     "-E", "-m", "2048", "-M", "32", "-b", "8388608", "-x",
                     "fm", "-X", "fm", "-Y", self.folder], "kamailio")
        # its own processes and eight workers
        self.wait_for(lambda: len(self.pids()) > 9)
        time.sleep(2)

    def media_pids(self):
        return [self.rtpengine.pid]
