"""Stands in for an ADMF: asks over HTTPS with a certificate, and listens for
reports."""
import http.client
import http.server
import json
import ssl
import threading
import time

X1 = "http://uri.etsi.org/03221/X1/2017/10"
COMMON = "http://uri.etsi.org/03280/common/2017/07"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def request(kind, body="", admf="admf-1", ne="ne-1", version="v1.13.1",
            transaction="3741800e-971b-4aa9-85f4-466d2b1adc7f"):
    return one(message(kind, body, admf, ne, version, transaction))


def message(kind, body="", admf="admf-1", ne="ne-1", version="v1.13.1",
            transaction="3741800e-971b-4aa9-85f4-466d2b1adc7f"):
    return (f'<x1RequestMessage xsi:type="{kind}Request">'
            f"<admfIdentifier>{admf}</admfIdentifier>"
            f"<neIdentifier>{ne}</neIdentifier>"
            "<messageTimestamp>2026-11-22T07:15:47.123456Z</messageTimestamp>"
            f"<version>{version}</version>"
            f"<x1TransactionId>{transaction}</x1TransactionId>{body}"
            "</x1RequestMessage>")


def one(inside):
    return (f'<X1Request xmlns="{X1}" xmlns:c="{COMMON}" xmlns:xsi="{XSI}">'
            f"{inside}</X1Request>")


def destination(did, port, products="X2andX3", ip="127.0.0.1"):
    return (f"<destinationDetails><dId>{did}</dId><friendlyName>mdf"
            f"</friendlyName><deliveryType>{products}</deliveryType>"
            "<deliveryAddress><ipAddressAndPort><c:address><c:IPv4Address>"
            f"{ip}</c:IPv4Address></c:address><c:port><c:TCPPort>{port}"
            "</c:TCPPort></c:port></ipAddressAndPort></deliveryAddress>"
            "</destinationDetails>")


def task(xid, targets, dids, products="X2andX3", times=None, more=""):
    """targets: "arm:value"; times: (start, end) of one mediation detail"""
    t = "".join(f"<targetIdentifier><{a}>{v}</{a}></targetIdentifier>"
                for a, v in (x.split(":", 1) for x in targets))
    d = "".join(f"<dId>{d}</dId>" for d in dids)
    m = ""
    if times:
        m = ("<listOfMediationDetails><mediationDetails><LIID>L1</LIID>"
             "<deliveryType>HI2andHI3</deliveryType>"
             f"<StartTime>{times[0]}</StartTime><EndTime>{times[1]}</EndTime>"
             "</mediationDetails></listOfMediationDetails>")
    return (f"<taskDetails><xId>{xid}</xId><targetIdentifiers>{t}"
            f"</targetIdentifiers><deliveryType>{products}</deliveryType>"
            f"<listOfDIDs>{d}</listOfDIDs>{m}{more}</taskDetails>")


class Client:
    def __init__(self, port, ca, certificate):
        self.port = port
        self.tls = ssl.create_default_context(cafile=ca)
        if certificate:
            self.tls.load_cert_chain(*certificate)

    def ask(self, path, body=None, method="POST"):
        """(status, text)"""
        c = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10,
                                        context=self.tls)
        try:
            c.request(method, path, body)
            r = c.getresponse()
            return r.status, r.read().decode()
        finally:
            c.close()

    def x1(self, body):
        return self.ask("/X1/NE", body)[1]

    def rest(self, method, path, body=None):
        status, text = self.ask(path, json.dumps(body) if body is not None
                                else None, method)
        return status, json.loads(text) if text else None


class Reports:
    """The ADMF's own listener."""

    def __init__(self, ca, certificate, port=0):
        self.lock = threading.Condition()
        self.bodies, self.refuses = [], None
        self.is_taking = threading.Event() # not set: no answer
        self.is_taking.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1 # an answer is one record of TLS, one packet

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not outer.is_taking.wait(60):
                    return
                with outer.lock:
                    outer.bodies.append(body.decode())
                    outer.lock.notify_all()
                kind = body.decode().split('xsi:type="')[1].split("Request")[0]
                end = "<oK>AcknowledgedAndCompleted</oK>"
                if kind == outer.refuses:
                    end = (f"<requestMessageType>{kind}</requestMessageType>"
                           "<errorInformation><errorCode>1020</errorCode>"
                           "<errorDescription>no</errorDescription>"
                           "</errorInformation>")
                    kind = "Error"
                answer = (
                    f'<X1Response xmlns="{X1}" xmlns:xsi="{XSI}">'
                    f'<x1ResponseMessage xsi:type="{kind}Response">'
                    "<admfIdentifier>admf-1</admfIdentifier>"
                    "<neIdentifier>ne-1</neIdentifier><messageTimestamp>"
                    "2026-11-22T07:15:47.123456Z</messageTimestamp>"
                    "<version>v1.13.1</version><x1TransactionId>"
                    "3741800e-971b-4aa9-85f4-466d2b1adc7f</x1TransactionId>"
                    f"{end}</x1ResponseMessage></X1Response>").encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port),
                                                      Handler)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*certificate)
        tls.load_verify_locations(ca)
        tls.verify_mode = ssl.CERT_REQUIRED
        self.server.socket = tls.wrap_socket(self.server.socket,
                                             server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def wait(self, what, seconds=10):
        """Until a report has all of these texts."""
        end = time.time() + seconds
        with self.lock:
            while not any(all(w in b for w in what) for b in self.bodies):
                if not self.lock.wait(max(0, end - time.time())):
                    return False
        return True
