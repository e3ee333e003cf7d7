#!/usr/bin/env python3
"""Exports of call records and reports by template: form, filters, numbers,
schedule, and delivery to an HTTP server that refuses first and to a real sshd,
both on loopback. Uses the same environment as contract.py, and API_DIR."""
import getpass
import hashlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time

from contract import KEY, READ_KEY, Tally, call
from contract import psql as sql

JSON = "application/json"
check = Tally.check
SPAN = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}
TENANT = "ten_" + "x" * 26


def post(path, body, status=202, key=KEY):
    answer = call("post", path, body, JSON, key)
    check(answer.status == status,
          f"POST {path}: {answer.status} {answer.data[:300]!r}")
    return answer


def until(what, limit_s=60):
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    return what()


def made(body, key=KEY):
    """(job, text) of an export."""
    path = post("/v1/cdr-exports", body, key=key).headers["Location"]
    job = until(lambda: (lambda j: j["finished_at"] and j)(
        call("get", path, key=key).json()))
    check(job and job["status"] == "done", f"{body}: {job}")
    return job, call("get", path + "/output", key=key).data.decode()


def template(status=201, **members):
    answer = post("/v1/cdr-export-templates", members, status)
    return answer.json()


def files(template_id):
    answer = call("get", "/v1/cdr-export-files?template_id=" + template_id)
    return answer.json()["data"]


# --- form -------------------------------------------------------------------

def own_form():
    _, text = made(dict(SPAN, format="ndjson", answered=True))
    rows = [json.loads(line) for line in text.splitlines()]
    row = next(r for r in rows if r["tenant_id"] == TENANT)
    check(row["price"] == "0.013200" and row["duration_ms"] == 61000 and
          row["trunk_id"] is None and row["cost"] == "0.009100",
          f"typed, null where nothing is known: {row}")
    check(all(r["answered_at"] for r in rows), "filtered: answered")
    _, text = made(dict(SPAN, called="+442079460000", outcome="ok"))
    check(len(text.splitlines()) == 2, f"filtered by number: {text}")
    _, text = made(dict(SPAN, called="+442079460001"))
    check(len(text.splitlines()) == 1, f"nothing but a header: {text}")
    post("/v1/cdr-exports", dict(SPAN, template_id="cet_" + "1" * 26), 422,
         READ_KEY)


def template_form():
    t = template(name="Form", tenant_id=TENANT, separator=";",
                 decimal_mark=",", time_zone="Asia/Kolkata",
                 columns=["called", "started_at", "duration_s", "price",
                          "rate_per_min"],
                 headings="To,Start,Seconds,Amount,Rate")
    job, text = made(dict(SPAN, template_id=t["id"]))
    check(text == "To;Start;Seconds;Amount;Rate\n"
          "+442079460000;2026-11-10T15:30:00.125+05:30;61;0,013200;0,012\n",
          f"order, names, marks, zone: {text}")
    check(job["result"]["sequence"] == 1 and
          job["result"]["file"] == "Form-000001.csv" and
          job["result"]["sha256"] ==
          hashlib.sha256(text.encode()).hexdigest(), f"numbered: {job}")
    job, _ = made(dict(SPAN, template_id=t["id"]))
    check(job["result"]["sequence"] == 2, "one more")
    row = call("get", "/v1/cdr-export-templates/" + t["id"]).json()
    check(row["sequence"] == 2 and row["missing_files"] == 0 and
          row["covered_to"] is None, f"{row}")
    check([f["status"] for f in files(t["id"])] == ["kept", "kept"],
          "nobody is to have them delivered")


def forwards():
    """Where a number of somebody else led is not in a tenant's file."""
    for n, trunk in enumerate("9x"):
        sql("insert into cdr.record select (jsonb_populate_record(r, "
            "jsonb_build_object('started_at', '2026-12-05T10:00:00Z', "
            "'ended_at', '2026-12-05T10:01:00Z', 'answered_at', null, "
            f"'call_id', '06e8b1d2-7c3a-7d4e-8f50-0000000000e{n}', "
            "'diverting', '+4930', 'called_country', 'GB', "
            "'calling_received', '=1+1', "
            f"'diverting_trunk_id', 'trk_' || repeat('{trunk}', 26)))).* "
            "from cdr.record r where r.attempt = 0 and r.call_id = "
            "'06e8b1d2-7c3a-7d4e-8f50-123456789abc'")
    columns = ["called", "diverting", "called_country", "calling_received"]
    span = {"from": "2026-12-05T00:00:00Z", "to": "2026-12-06T00:00:00Z"}
    # a spreadsheet does not compute what a caller calls himself
    told = "+442079460000,+4930,GB,'=1+1\n"
    for members, text in (({"name": "Whole"}, told + told),
                          ({"name": "Theirs", "tenant_id": TENANT},
                           "+442079460000,,,'=1+1\n" + told)):
        t = template(columns=columns, has_header=False, **members)
        _, seen = made(dict(span, template_id=t["id"]))
        check(seen == text, f"{members}: {seen}")


def refusals():
    for members, field in (
            ({"tenant_id": TENANT, "columns": ["call_id", "cost"]}, "columns"),
            ({"columns": ["call_id", "no_such"]}, "columns"),
            ({"columns": ["call_id"], "headings": "a,b"}, "headings"),
            ({"columns": ["call_id"], "separator": ",",
              "decimal_mark": ","}, "decimal_mark"),
            ({"columns": ["call_id"], "time_zone": "Europe/Atlantis"},
             "time_zone"),
            ({"columns": ["call_id"], "url": "ftp://192.0.2.1/"}, "url")):
        answer = template(422, name="Refused", **members)
        check(field in answer["errors"][0]["pointer"],
              f"{members}: {answer['errors']}")
    check(call("post", "/v1/cdr-export-templates",
               {"name": "low", "columns": ["call_id"]}, JSON,
               READ_KEY).status == 403, "the platform's alone")


# --- delivery ---------------------------------------------------------------

class Recipient(http.server.BaseHTTPRequestHandler):
    seen, refusals = [], 1

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, dict(self.headers), body))
        self.send_response(503 if len(self.seen) <= self.refusals else 204)
        self.end_headers()

    def log_message(self, *args):
        pass


class Reader(Recipient):
    seen, refusals = [], 0


def serve(recipient):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), recipient)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def by_http():
    server = serve(Recipient)
    t = template(name="By HTTP", format="ndjson", columns=["call_id", "cost"],
                 url=f"http://127.0.0.1:{server.server_port}/in")
    _, text = made(dict(SPAN, template_id=t["id"]))
    until(lambda: files(t["id"])[0]["status"] == "delivered")
    f = files(t["id"])[0]
    check(f["status"] == "delivered" and f["tries"] == 2 and
          f["error"] is None and f["bytes"] == len(text), f"{f}")
    check(len(Recipient.seen) == 2, f"{Recipient.seen}")
    for path, headers, body in Recipient.seen:
        check(path == "/in" and body.decode() == text and
              headers["Strowger-Sequence"] == "1" and
              headers["Strowger-File"] == "By_HTTP-000001.ndjson" and
              headers["Strowger-Sha256"] == hashlib.sha256(body).hexdigest(),
              f"{headers}")
    server.shutdown()


def sshd_start(folder):
    """A server for this user alone. (process, port)"""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    key = os.path.join(folder, "host_key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key],
                   check=True)
    with open(key + ".pub", encoding="ascii") as f:
        host = f.read().split()[:2]
    with open(os.path.join(folder, "known_hosts"), "w",
              encoding="ascii") as f:
        f.write("[127.0.0.1]:%d %s %s\n" % (port, *host))
    config = os.path.join(folder, "sshd_config")
    with open(config, "w", encoding="ascii") as f:
        f.write(f"""ListenAddress 127.0.0.1:{port}
HostKey {key}
PidFile none
AuthorizedKeysFile {folder}/ssh_key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
""")
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    log = os.path.join(folder, "sshd.log")
    process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", config, "-E",
                                log])
    return process, port


def is_listening(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def by_sftp():
    folder = os.environ["API_DIR"]
    inbox = os.path.join(folder, "inbox")
    os.makedirs(inbox)
    process, port = sshd_start(folder)
    try:
        until(lambda: is_listening(port))
        t = template(name="By SFTP", columns=["call_id", "called"],
                     url=f"sftp://{getpass.getuser()}@127.0.0.1:{port}"
                     f"{inbox}/")
        _, text = made(dict(SPAN, template_id=t["id"]))
        until(lambda: files(t["id"])[0]["status"] == "delivered")
        check(files(t["id"])[0]["status"] == "delivered",
              f"{files(t['id'])}")
        check(os.listdir(inbox) == ["By_SFTP-000001.csv"],
              f"whole, under its name: {os.listdir(inbox)}")
        with open(os.path.join(inbox, "By_SFTP-000001.csv"),
                  encoding="utf-8") as f:
            check(f.read() == text, "as it was made")

        # as if the process had died before it could write that down, in the
        # middle of the next try
        for name in ("By_SFTP-000001.csv", "By_SFTP-000001.csv.part"):
            with open(os.path.join(inbox, name), "a", encoding="utf-8") as f:
                f.write("torn\n" * 1000)
        sql("update cdr.export_file set status = 'waiting', next_try_at = "
            f"now(), delivered_at = null where template_id = '{t['id']}'")
        until(lambda: files(t["id"])[0]["tries"] == 2)
        f = files(t["id"])[0]
        check(f["status"] == "delivered" and f["error"] is None,
              f"brought again: {f}")
        check(os.listdir(inbox) == ["By_SFTP-000001.csv"],
              f"one file: {os.listdir(inbox)}")
        with open(os.path.join(inbox, "By_SFTP-000001.csv"),
                  encoding="utf-8") as f:
            check(f.read() == text, "whole")

        # another host key than the one that is known: nothing goes there
        with open(os.path.join(folder, "known_hosts"), "w",
                  encoding="ascii") as f:
            f.write("[127.0.0.1]:%d ssh-ed25519 %s\n" % (
                port, "AAAAC3NzaC1lZDI1NTE5AAAA" + "I" + "A" * 43))
        made(dict(SPAN, template_id=t["id"]))
        until(lambda: files(t["id"])[0]["tries"])
        f = files(t["id"])[0]
        check(f["status"] == "waiting" and f["error"] and
              len(os.listdir(inbox)) == 1, f"a stranger's host key: {f}")
    finally:
        process.terminate()
        process.wait()


def by_itself():
    """What ended in the last hour that is over, at once."""
    t = template(name="Hourly", columns=["call_id", "ended_at"],
                 schedule="hourly", delay_min=0)
    until(lambda: files(t["id"]))
    f = files(t["id"])[0]
    span = sql("select extract(epoch from to_at - from_at)::int || ' ' || "
               "(to_at = date_trunc('hour', created_at)) "
               f"from cdr.export_file where id = '{f['id']}'").strip()
    check(f["sequence"] == 1 and span == "3600 true", f"{f} {span}")
    row = call("get", "/v1/cdr-export-templates/" + t["id"]).json()
    check(row["covered_to"] == f["to"], f"the next begins there: {row}")

    # of that hour, but loaded now; the next file is made at once
    sql("insert into cdr.record (started_at, call_id, attempt, ended_at, "
        "outcome) select from_at, '06e8b1d2-7c3a-7d4e-8f50-0000000000f0', 0, "
        f"from_at, 'ok' from cdr.export_file where id = '{f['id']}'; "
        "update cdr.export_template set covered_to = covered_to - "
        f"interval '1 s', next_at = now() where id = '{t['id']}'")
    until(lambda: len(files(t["id"])) == 2)
    f = files(t["id"])[0]
    text = call("get", f"/v1/jobs/{f['job_id']}/output").data.decode()
    check(f["sequence"] == 2 and f["records"] == 1 and
          "06e8b1d2-7c3a-7d4e-8f50-0000000000f0" in text,
          f"what was loaded late is in the next file: {f} {text}")


def report_by_itself():
    """Yesterday's, made and delivered by the clock alone: what its tenant
    reads over REST, and the next one a day later."""
    tenant, outcome = "ten_" + "y" * 26, "carrier_congested"
    sql("select cdr.ensure_partitions(now() - interval '1 day', now())")
    sql("insert into cdr.record (started_at, call_id, attempt, tenant_id, "
        "direction, called_country, outcome, sip_code) select now() - "
        "interval '1 day', ('06e8b1d2-7c3a-7d4e-8f50-0000000001f' || n)::uuid, "
        f"0, '{tenant}', 'outbound', 'DE', '{outcome}', 503 from "
        "generate_series(1, 3) n")
    server = serve(Reader)
    t = template(name="Failed", report="failed_calls", tenant_id=tenant,
                 schedule="daily", delay_min=0,
                 url=f"http://127.0.0.1:{server.server_port}/report")
    until(lambda: files(t["id"]) and files(t["id"])[0]["status"] ==
          "delivered")
    server.shutdown()
    f = files(t["id"])[0]
    check(f["status"] == "delivered" and f["sequence"] == 1 and
          f["tries"] == 1 and f["records"] > 0, f"made and delivered: {f}")
    span = sql("select (to_at - from_at = interval '1 day') || ' ' || "
               "(to_at = date_trunc('day', created_at)) from cdr.export_file "
               f"where id = '{f['id']}'")
    check(span == "true true", f"of the day that is over: {f}")
    check([path for path, _, _ in Reader.seen] == ["/report"], "once")
    _, headers, body = Reader.seen[0]
    read = call("get", f"/v1/reports/failed_calls?from={f['from']}&to="
                f"{f['to']}&rows=100000&format=csv", key=READ_KEY)
    check(read.status == 200 and read.data == body and
          any(outcome in line and ",3," in line
              for line in body.decode().splitlines()),
          f"what the tenant reads: {body!r} {read.data!r}")
    check(headers["Strowger-File"] == "Failed-000001.csv" and
          headers["Strowger-Sha256"] == hashlib.sha256(body).hexdigest(),
          f"{headers}")
    kept = call("get", f"/v1/jobs/{f['job_id']}/output").data
    check(kept == body, "and kept")
    check(sql("select next_at > now() from cdr.export_template where id = "
              f"'{t['id']}'") == "t", "no other before its time")
    corrected(t, f, tenant, outcome)


def corrected(t, first, tenant, outcome):
    """What changes of a day that was reported is reported once more."""
    server = serve(Reader)
    Reader.seen.clear()
    sql("update cdr.export_template set url = 'http://127.0.0.1:"
        f"{server.server_port}/report', format = 'html' where id = '{t['id']}'")
    noted = (f"update cdr.report_late set noted_at = now() - interval '1 hour' "
             f"where template_id = '{t['id']}'")
    sql("insert into cdr.record (started_at, call_id, attempt, tenant_id, "
        "direction, called_country, outcome, sip_code) select from_at, "
        f"'06e8b1d2-7c3a-7d4e-8f50-000000000201', 0, '{tenant}', 'outbound', "
        f"'DE', '{outcome}', 503 from cdr.export_file where id = "
        f"'{first['id']}'; " + noted)
    until(lambda: files(t["id"])[0]["status"] == "delivered" and
          len(files(t["id"])) == 2)
    f = files(t["id"])[0]
    check(f["sequence"] == 2 and f["revision"] == 1 and
          f["corrects_id"] == first["id"] and f["from"] == first["from"] and
          f["to"] == first["to"] and
          f["name"] == "Failed-000002-corrects-000001.html", f"{f}")
    _, headers, body = Reader.seen[0]
    check(headers["Strowger-Corrects"] == first["name"] and
          f"Correction 1 of {first['name']}".encode() in body and
          b">4<" in body, f"{headers} {body!r}")
    # when it says what it has said, nobody is bothered
    sql("insert into cdr.report_late (template_id, late_at) select "
        f"template_id, from_at from cdr.export_file where id = '{f['id']}'; "
        + noted)
    again = ("select result ->> 'unchanged' from core.job where args ->> "
             f"'corrects' = '{first['id']}' and result ? 'unchanged'")
    until(lambda: sql(again))
    check(sql(again) == first["name"] and len(files(t["id"])) == 2,
          f"{files(t['id'])}")
    server.shutdown()


if __name__ == "__main__":
    for test in (own_form, template_form, forwards, refusals, by_http, by_sftp,
                 by_itself, report_by_itself):
        test()
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)
