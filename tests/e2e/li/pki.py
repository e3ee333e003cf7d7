"""A test CA of interception, and certificates of every kind, by openssl."""
import os
import subprocess

CONFIG = """
[ca]
default_ca = here
[here]
dir = {dir}
database = {dir}/index
new_certs_dir = {dir}
serial = {dir}/serial
crlnumber = {dir}/crlnumber
certificate = {dir}/ca.pem
private_key = {dir}/ca.key
default_md = sha256
default_days = 90
default_crl_days = 30
policy = any
unique_subject = no
email_in_dn = no
copy_extensions = copy
[any]
commonName = supplied
userId = optional
[req]
distinguished_name = dn
[dn]
"""


def openssl(*args):
    done = subprocess.run(["openssl", *args], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError("openssl " + " ".join(args) + "\n" + done.stderr)


class Ca:
    """One CA in a folder of its own."""

    def __init__(self, folder, name):
        self.dir = os.path.join(folder, name)
        os.mkdir(self.dir)
        self.pem, self.crl = self._file("ca.pem"), self._file("crl.pem")
        self.config = self._file("ca.cnf")
        for file, text in (("index", ""), ("serial", "1001\n"),
                           ("crlnumber", "01\n"),
                           ("ca.cnf", CONFIG.format(dir=self.dir))):
            with open(self._file(file), "w") as f:
                f.write(text)
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "60", "-keyout",
                self._file("ca.key"), "-out", self.pem, "-subj", "/CN=" + name)
        self.revoke(None)

    def _file(self, name):
        return os.path.join(self.dir, name)

    def issue(self, name, uid=None, san=None, end=None, start=None):
        """@return (certificate, key)"""
        pem, key, csr = (self._file(name + e) for e in (".pem", ".key", ".csr"))
        subject = "/CN=" + name + (("/UID=" + uid) if uid else "")
        args = ["req", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                csr, "-subj", subject]
        if san:
            args += ["-addext", "subjectAltName=" + san]
        openssl(*args)
        os.chmod(key, 0o400)
        args = ["ca", "-batch", "-notext", "-config", self.config, "-in", csr,
                "-out", pem]
        if end:
            args += ["-startdate", start, "-enddate", end]
        openssl(*args)
        return pem, key

    def revoke(self, pem, *times):
        """And write the list of revocations."""
        if pem:
            openssl("ca", "-config", self.config, "-revoke", pem)
        openssl("ca", "-gencrl", "-config", self.config, *times, "-out",
                self.crl + ".new")
        os.rename(self.crl + ".new", self.crl)
