#!/usr/bin/python3
"""X1 over TLS: who gets in, what is answered, what is written down."""
import glob
import os
import re
import ssl
import subprocess
import warnings

import authority
import pki
from authority import destination, message, one, request, task
from world import SCHEMAS, World, check, finish, port_free

warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.1 is tried
XID = "29f28e1c-f230-486a-a860-f5a784ab9172"
XID2 = "29f28e1c-f230-486a-a860-f5a784ab9173"
DID = "19867c20-8c94-473e-b9cd-8b72b7b05fd4"
DID2 = "19867c20-8c94-473e-b9cd-8b72b7b05fd5"
answers = []


def code(text):
    found = re.findall(r"<errorCode>(\d+)</errorCode>", text)
    return int(found[0]) if found else 0


def refused(w, certificate, why, what):
    client = authority.Client(w.port, w.ca.pem, certificate)
    try:
        status, text = client.ask("/X1/NE", request("Ping"))
        check(False, what, f"answered {status} {text[:200]}")
    except (ssl.SSLError, OSError):
        check(True, what)
    check(w.audited(lambda r: r["event"] == "tls_refused"
                    and r["why"] == why), what + ", and written down")


def who_gets_in(w):
    other = pki.Ca(w.dir, "other-ca")
    foreign = other.issue("foreign", uid="admf-1")
    expired = w.ca.issue("expired", uid="admf-1", start="20200101000000Z",
                         end="20200201000000Z")
    revoked = w.ca.issue("revoked", uid="admf-1")
    client = authority.Client(w.port, w.ca.pem, revoked)
    check("AcknowledgedAndCompleted" in client.x1(request("Ping")),
          "a certificate before it is revoked")
    w.ca.revoke(revoked[0])
    refused(w, None, "no certificate", "without a certificate")
    refused(w, foreign, "of another CA", "with one of another CA")
    refused(w, expired, "expired", "with an expired one")
    refused(w, revoked, "revoked", "with a revoked one")
    with open(w.ca.crl, "rb") as f:
        ours = f.read()
    os.link(other.crl, w.ca.crl + ".other")
    os.rename(w.ca.crl + ".other", w.ca.crl)
    refused(w, w.admf, "list of revocations cannot be read",
            "with a list of revocations of another CA")
    w.ca.revoke(None, "-crl_lastupdate", "20200101000000Z",
                "-crl_nextupdate", "20200201000000Z")
    refused(w, w.admf, "list of revocations out of date",
            "with an old list of revocations")
    with open(w.ca.crl, "wb") as f:
        f.write(ours)
    client = authority.Client(w.port, w.ca.pem, w.admf)
    check("AcknowledgedAndCompleted" in client.x1(request("Ping")),
          "and with the new one again")
    old = authority.Client(w.port, w.ca.pem, w.admf)
    old.tls.minimum_version = ssl.TLSVersion.TLSv1
    old.tls.maximum_version = ssl.TLSVersion.TLSv1_1
    old.tls.set_ciphers("ALL:@SECLEVEL=0")
    try:
        old.x1(request("Ping"))
        check(False, "TLS 1.1")
    except (ssl.SSLError, OSError):
        check(True, "TLS 1.1")


def who_is_it(w):
    wrong = w.ca.issue("wrong", uid="admf-9")
    by_uri = w.ca.issue("by-uri", san="URI:urn:etsi:li:103221-1:cert-binding:"
                                      "ADMF:admf-1")
    client = authority.Client(w.port, w.ca.pem, wrong)
    check(code(client.x1(request("Ping"))) == 1030,
          "right CA, name of another: 1030")
    check(code(client.x1(request("Ping", admf="admf-9"))) == 1040,
          "an ADMF that is not ours: 1040")
    check(code(w.x1("Ping", ne="ne-2")) == 1060, "another NE: 1060")
    client = authority.Client(w.port, w.ca.pem, by_uri)
    check("AcknowledgedAndCompleted" in client.x1(request("Ping")),
          "a name in subjectAltName")
    check(code(client.x1(request("Activate" + "Task", "<no/>",
                                 admf="admf-9"))) == 1030,
          "who speaks is looked at before what is said")


def unreadable(w):
    for what, body in (
            ("no XML", "hello"), ("nothing", ""),
            ("a document type", '<!DOCTYPE a [<!ENTITY x "y">]>'
             + request("Ping")),
            ("an entity of a file", '<!DOCTYPE a [<!ENTITY x SYSTEM '
             '"file:///etc/passwd">]>' + request("Ping", admf="&x;")),
            ("an entity bomb", '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
             + "".join(f'<!ENTITY a{i} "&a{i - 1 if i else ""};'
                       f'&a{i - 1 if i else ""};">' for i in range(20))
             + "]>" + request("Ping", admf="&a19;")),
            ("another root", request("Ping").replace("X1Request", "X2Request")),
            ("no message", one("")),
            ("an unknown type", request("Fly")),
            ("a type of another namespace", request("Ping").replace(
                'xsi:type="Ping', 'xmlns:n="urn:x" xsi:type="n:Ping')),
            ("a time without its fraction", request("Ping").replace(
                ".123456Z", "Z")),
            ("a transaction that is no UUID", request(
                "Ping", transaction="3741800E-971B-4AA9-85F4-466D2B1ADC7F")),
            ("another version", request("Ping", version="v2.1.1")),
            ("text beside elements", one("x" + message("Ping"))),
            ("too deep", one("<a>" * 40 + "</a>" * 40)),
            ("one good, one bad message", one(message("Ping")
                                              + message("Fly")))):
        text = w.client.x1(body)
        answers.append(text)
        check("X1TopLevelErrorResponse" in text, what, text[:300])
    status, _ = w.client.ask("/X1/NE", b"x" * 300000)
    check(status == 413, "a body of 300 kB")
    check(w.client.ask("/X1/NE", None, "GET")[0] == 405, "GET")
    check(w.client.ask("/other", "x")[0] == 404, "another path")
    check(w.client.ask("/v1/warrants", None, "GET")[0] == 404,
          "no REST where it is off")
    check(w.audited(lambda _: len(w.audit("http")) == 4) and
          [r["status"] for r in w.audit("http")] == [413, 405, 404, 404],
          "they are written down", w.audit("http"))
    prefixed = request("Ping").replace('xsi:type="Ping', 'xmlns:n="%s" '
                                       'xsi:type="n:Ping' % authority.X1)
    check("PingResponse" in w.client.x1(prefixed), "a type with a prefix")


def ask(w, want, kind, body="", what=""):
    text = w.x1(kind, body)
    answers.append(text)
    check(code(text) == want if want else (
        "ErrorResponse" not in text and kind + "Response" in text),
        f"{kind} {what}: {want}", text[-400:])
    return text


def states(w):
    good = task(XID, ["e164Number:4930123456", "sipUri:sip:a@example.net"],
                [DID])
    for kind in ("GetNEStatus", "GetAllDetails", "GetAllTaskDetails",
                 "GetAllDestinationDetails", "GetAllGenericObjectDetails",
                 "ListAllDetails", "Ping", "Keepalive"):
        ask(w, 0, kind, what="of nothing")
    ask(w, 2020, "GetTaskDetails", f"<xId>{XID}</xId>")
    ask(w, 2040, "GetDestinationDetails", f"<dId>{DID}</dId>")
    ask(w, 2040, "ActivateTask", good, "without its destination")
    ask(w, 0, "CreateDestination", destination(DID, 42069))
    ask(w, 2030, "CreateDestination", destination(DID, 42069), "twice")
    ask(w, 0, "CreateDestination", destination(DID2, 42070, "X2Only"))
    ask(w, 0, "ModifyDestination", destination(DID2, 42071, "X2Only"))
    ask(w, 2040, "ModifyDestination", destination(XID, 42071), "unknown")
    ask(w, 6020, "CreateDestination", destination(XID, 42069).replace(
        "TCPPort", "UDPPort"), "over UDP")
    ask(w, 6020, "CreateDestination",
        f"<destinationDetails><dId>{XID}</dId><deliveryType>X2Only"
        "</deliveryType><deliveryAddress><uri>http://x</uri>"
        "</deliveryAddress></destinationDetails>")
    ask(w, 3040, "ActivateTask", task(XID, ["e164Number:49301"], [DID2]),
        "X3 to one that takes X2 only")
    ask(w, 2020, "ModifyTask", good, "unknown")
    ask(w, 0, "ActivateTask", good)
    ask(w, 2010, "ActivateTask", good, "twice")
    ask(w, 0, "ModifyTask", task(
        XID, ["telUri:tel:030123456;phone-context=+49", "impu:sip:b@x.net"],
        [DID, DID2], times=("2026-01-01T00:00:00.000000+01:00",
                            "2036-01-01T00:00:00.000000Z"),
        more="<correlationID>7</correlationID><implicitDeactivationAllowed>"
             "true</implicitDeactivationAllowed><productID>" + XID2
             + "</productID><listOfServiceTypes><serviceType>voice"
               "</serviceType></listOfServiceTypes>"))
    ask(w, 6001, "ModifyDestination", destination(DID, 42069, "X2Only"),
        "that takes the X3 of a task away")
    ask(w, 0, "ModifyDestination", destination(DID2, 42071), "to take more")
    ask(w, 0, "ModifyDestination", destination(DID, 42069, "X2Only"),
        "when another one takes it")
    ask(w, 6001, "ModifyDestination", destination(DID2, 42071, "X2Only"),
        "now that one")
    ask(w, 0, "ModifyDestination", destination(DID, 42069), "as it was")
    text = ask(w, 0, "GetTaskDetails", f"<xId>{XID}</xId>")
    check("<impu>sip:b@x.net</impu>" in text and
          "<numberOfModifications>1<" in text and
          "+01:00" in text, "details come back as they were given")
    for kind in ("GetAllDetails", "GetAllTaskDetails", "ListAllDetails"):
        check(XID in ask(w, 0, kind), kind + " has it")
    ask(w, 0, "GetAllDestinationDetails")
    ask(w, 0, "GetDestinationDetails", f"<dId>{DID}</dId>")
    ask(w, 0, "GetNEStatus")
    ask(w, 7010, "RemoveDestination", f"<dId>{DID}</dId>", "in use")
    ask(w, 8020, "RemoveAllDestinations")
    ask(w, 2040, "RemoveDestination", f"<dId>{XID}</dId>", "unknown")
    w.stop()
    w.start()
    check(XID in ask(w, 0, "ListAllDetails"), "it stays after a restart")
    ask(w, 0, "DeactivateTask", f"<xId>{XID}</xId>")
    ask(w, 2020, "DeactivateTask", f"<xId>{XID}</xId>", "twice")
    ask(w, 0, "ActivateTask", good)
    ask(w, 0, "DeactivateAllTasks")
    check("<ListOfXIDs></ListOfXIDs>" in ask(w, 0, "ListAllDetails"),
          "all are gone")
    ask(w, 0, "RemoveDestination", f"<dId>{DID2}</dId>")
    for kind in ("CreateObject", "DeleteAllObjects", "ReportNEIssue"):
        ask(w, 1080, kind)


def forms(w):
    """What is wrong in form is 1010, what cannot be done has its own."""
    ok = task(XID2, ["e164Number:4930123456"], [DID])
    for what, body, want in (
            ("no targets", ok.replace("<targetIdentifier>", "<x>").replace(
                "</targetIdentifier>", "</x>"), 1010),
            ("two arms", ok.replace("</e164Number>", "</e164Number>"
                                    "<telUri>tel:+49</telUri>"), 1010),
            ("a plus", ok.replace(">4930123456", ">+4930123456"), 1010),
            ("16 digits", ok.replace(">4930123456", ">4930123456789012"),
             1010),
            ("another order", ok.replace(
                "<deliveryType>X2andX3</deliveryType>", "").replace(
                "</taskDetails>", "<deliveryType>X2andX3</deliveryType>"
                "</taskDetails>"), 1010),
            ("an element twice", ok.replace(
                "<deliveryType>", "<deliveryType>X2Only</deliveryType>"
                "<deliveryType>"), 1010),
            ("one too many", ok.replace("</taskDetails>",
                                        "<more/></taskDetails>"), 1010),
            ("blanks in a word", ok.replace(">X2andX3<", "> X2andX3<"), 1010),
            ("blanks around a token", ok.replace(">4930123456<",
                                                 "> 4930123456 <"), 0),
            ("the same again", ok, 2010),
            ("an attribute", ok.replace("<e164Number>", '<e164Number a="b">'),
             -1),
            ("an imsi", ok.replace("e164Number", "imsi").replace(XID2, XID),
             3010),
            ("a wrong imsi", ok.replace("e164Number>49301", "imsi>x").replace(
                "</e164Number", "</imsi"), 1010),
            ("a party's role", ok.replace("<e164Number>4930123456"
                                          "</e164Number>", "<callPartyRole>"
                                          "Originating</callPartyRole>"
                                          ).replace(XID2, XID), 3010),
            ("data", task(XID, ["e164Number:1"], [DID], more=
                          "<listOfServiceTypes><serviceType>data"
                          "</serviceType></listOfServiceTypes>"), 3050),
            ("an end before the begin", task(
                XID, ["e164Number:1"], [DID], times=(
                    "2036-01-01T00:00:00.000000Z",
                    "2026-01-01T00:00:00.000000Z")), 3000),
            ("an extension", task(XID, ["e164Number:1"], [DID], more=
                                  "<taskDetailsExtensions><Owner>x</Owner>"
                                  '<y xmlns="urn:y"/></taskDetailsExtensions>'
                                  ), 3000),
            ("a sip URI of nobody", task(XID, ["sipUri:sip:example.net"],
                                         [DID]), 3000),
            ("no destination", task(XID, ["e164Number:1"], []), 3000)):
        text = w.x1("ActivateTask", body)
        answers.append(text)
        if want == -1:
            check("X1TopLevelErrorResponse" in text, what)
        else:
            check(code(text) == want, what, text[-300:])
    ask(w, 0, "DeactivateTask", f"<xId>{XID2}</xId>")


def several(w):
    text = w.client.x1(one(message("Ping") + message(
        "GetTaskDetails", f"<xId>{XID}</xId>") + message("GetNEStatus")))
    answers.append(text)
    check(text.count("<x1ResponseMessage ") == 3 and code(text) == 2020,
          "three messages, three answers, one of them an error")


def schemas(w):
    xsd = os.path.join(SCHEMAS, "X1.xsd")
    if not os.path.exists(xsd):
        print("SKIP li_schemas no " + xsd)
        return
    bad = 0
    for i, text in enumerate(answers):
        file = os.path.join(w.dir, f"answer{i}.xml")
        with open(file, "w") as f:
            f.write(text)
    files = sorted(glob.glob(os.path.join(w.dir, "answer*.xml")))
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", xsd,
                           *files], capture_output=True, text=True)
    check(done.returncode == 0, f"{len(files)} answers as the schema wants",
          done.stderr[-2000:])
    for file in sorted(glob.glob(os.path.join(SCHEMAS, "x1-samples/*.xml"))):
        name = os.path.basename(file)
        with open(file) as f:
            sample = f.read()
        if "X1Request" not in sample:
            continue
        text = w.client.x1(sample)
        if name.startswith("BAD"):
            bad += 1
            check(code(text) == 1010 or "TopLevelError" in text,
                  name + " is refused", text[-300:])
        else:
            check(code(text) != 1010 and "TopLevelError" not in text,
                  name + " is read", text[-300:])
    check(bad == 3, "all three bad samples")
    for i, text in enumerate(w.reports.bodies):
        with open(os.path.join(w.dir, f"report{i}.xml"), "w") as f:
            f.write(text)
    files = sorted(glob.glob(os.path.join(w.dir, "report*.xml")))
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", xsd,
                           *files], capture_output=True, text=True)
    check(files and done.returncode == 0,
          f"{len(files)} reports as the schema wants", done.stderr[-2000:])


def written(w, before):
    """One record for each message, and the chain is whole."""
    records = [r for r in w.audit("x1")]
    check(len(records) > before, "messages are written down")
    for kind in ("ActivateTask", "DeactivateTask", "GetNEStatus", "Ping"):
        check(any(r["message"] == kind for r in records), kind + " is")
    rc, out = w.run("audit", "verify")
    check(rc == 0 and "whole" in out, "the audit is whole", out)
    n = len(w.audit("x1"))
    w.x1("Ping")
    check(len(w.audit("x1")) == n + 1, "one record for one message")
    text = open(os.path.join(w.state, "li.db"), "rb").read()
    check(b"4930123456" not in text and XID.encode() not in text
          and b"admf-1" not in text, "the file says nothing")
    check("49301" not in w.logged() and XID not in w.logged(),
          "the log says nothing", w.logged())
    check(all("49301" not in str(a) for a in w.alarms()),
          "alarms do not name a target")


def checked(w):
    rc, out = w.run("check")
    check(rc == 0 and out.endswith("0 wrong\n"), "check", out)
    os.chmod(w.state, 0o755)
    rc, out = w.run("check")
    check(rc == 1 and "chmod 0700" in out, "check sees an open folder", out)
    os.chmod(w.state, 0o700)


def only_one(w):
    """Not a second one on the same folder, port or socket."""
    rc, out = w.run("run")
    check(rc == 1 and "store: Device or resource busy" in out,
          "a second one on the folder is refused", out)
    for what, own in (("socket", {"x1.listen": f'"127.0.0.1:{port_free()}"'}),
                      ("port", {"poi.socket": w.socket + "2"})):
        folder = os.path.join(w.dir, what)
        os.mkdir(folder, 0o700)
        file = os.path.join(w.dir, what + ".yaml")
        w.write(file, **{"state.folder": folder, **own})
        rc, out = w.run("run", file=file)
        check(rc == 1 and "Address already in use" in out,
              f"a second one on the {what} is refused", out)
    check("poi.sock" in os.listdir(w.dir), "the socket is left as it was")
    check(w.poi().key, "and the first one goes on")


w = World()
try:
    w.start()
    only_one(w)
    who_gets_in(w)
    who_is_it(w)
    unreadable(w)
    states(w)
    forms(w)
    several(w)
    check(w.reports.wait(["ReportDestinationIssue", DID,
                          "NonTerminatingFault", "9020"]),
          "the ADMF hears that nobody takes delivery", w.reports.bodies)
    schemas(w)
    written(w, 60)
    checked(w)
finally:
    w.close()
finish()
