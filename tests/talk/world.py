"""What a script has in the catalog: its own tenant, so that scripts can share
a switch, and peers at addresses of its own."""
import hashlib

CALLER = "+442071838750"        # who calls when a carrier does
SECRET = "open-sesame"
REALMS = {"md5": ("md5.example", "MD5"), "sha256": ("sha.example", "SHA-256")}

# what decision URLs are signed with, and the same sealed with node.KEY
HOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BOX = (r"\x0102030405060708090a0b0c4a2ca447442639ecc80c8f2ac3c53fc795e55acb"
       "93f9602a32798ed3ceb3f7a42786651e10150d45d711075118ee9978344f2d736b8a")

SHARED = """
insert into core.realm (name, algorithms) values
	('md5.example', '{MD5}'), ('sha.example', '{SHA-256}');
insert into core.rate_deck (id, name, currency)
	values ('dck_99999999999999999999999999', 'carriers', 'EUR');
insert into core.rate (deck_id, prefix, rate_per_min_nano)
	values ('dck_99999999999999999999999999', '4', 30000000);
"""


def quoted(value):
    return "'%s'" % str(value).replace("'", "''")


def insert(table, **columns):
    return "insert into %s (%s) values (%s);\n" % (
        table, ", ".join(columns), ", ".join(
            "null" if v is None else quoted(v) for v in columns.values()))


def ha1(user, realm, password, algorithm):
    h = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]
    return h(("%s:%s:%s" % (user, realm, password)).encode()).hexdigest()


class World:
    """Gathers the rows of script number n."""

    def __init__(self, n, net):
        self.n, self.net = n, net
        self.count = 0
        self.ips = {}
        self.servers = []
        self.tenant = self.id("ten")
        self.account = self.id("acc")
        self.deck = self.id("dck")
        self.route = self.id("rte")
        self.variables = {"tenant": self.tenant, "account": self.account,
                          "deck": self.deck, "route": self.route,
                          "secret": SECRET, "box": BOX,
                          "hookSecret": HOOK_SECRET}
        self.tenant_row = {"name": "talk", "currency": "EUR"}
        self.account_row = {"name": "talk", "type": "prepaid",
                            "currency": "EUR"}
        self.balance = 100000000
        self.rates = []
        self.route_row = {"prefix": "", "name": "all"}
        self.first, self.trunks, self.gateways, self.last = [], [], [], []

    def id(self, prefix):
        self.count += 1
        return "%s_%08d%018d" % (prefix, self.n, self.count)

    def ip(self, name):
        if name not in self.ips:
            # 255 is for switches; scripts beyond 249 share a /24
            self.ips[name] = "%s.%d.%d" % (
                self.net, self.n % 250,
                len(self.ips) + 1 + 100 * (self.n // 250))
            self.variables[name] = self.ips[name]
        return self.ips[name]

    # --- directives

    def do_tenant(self, _, options):
        self.tenant_row.update(options)

    def do_account(self, _, options):
        self.balance = int(options.pop("balance", self.balance))
        self.account_row.update(options)

    def do_rate(self, words, options):
        if words != ["none"]:
            options.setdefault("rate_per_min_nano", 60000000)
            self.rates.append(options)
        else:
            self.rates.append(None)

    def do_route(self, _, options):
        self.route_row.update(options)

    def do_trunk(self, words, options):
        name = words[0]
        trunk = self.id("trk")
        self.variables["trunk" + name] = trunk
        number = "+4930%05d%02d" % (self.n, len(self.trunks) + 1)
        self.variables["did" + name] = number
        self.variables["digits" + name] = number[1:]
        digest = options.pop("digest", None)
        has_address = options.pop("address", "yes") == "yes" and not digest
        if "location" in options:
            options["location_id"] = self.variables[
                "location" + options.pop("location")]
        if options.pop("static", None):
            options.update(uri_host=self.ip(name), uri_port=5060)
        row = {"id": trunk, "tenant_id": self.tenant,
               "account_id": self.account, "rate_deck_id": self.deck,
               "name": name, "channels_total": None, "cps": None}
        row.update({"international": "allowed", "premium": "allowed"})
        row.update(options)
        if digest:
            row["realm"] = REALMS[digest][0]
        sql = insert("core.trunk", **row)
        if digest:
            sql += self.credential(name, trunk, digest)
        if has_address:
            sql += insert("core.source_address", id=self.id("adr"),
                          trunk_id=trunk, cidr=self.ip(name))
        self.ip(name)
        did = self.id("did")
        self.variables["numberId" + name] = did
        sql += insert("core.did", id=did, e164=number,
                      tenant_id=self.tenant, trunk_id=trunk)
        self.trunks.append(sql)

    def do_site(self, words, options):
        name, trunk = words[0], self.variables["trunk" + words[1]]
        site = self.id("sit")
        self.variables["site" + name] = site
        number = "+4930%05d%02d" % (self.n, 50 + len(self.trunks))
        self.variables["did" + name] = number
        self.variables["digits" + name] = number[1:]
        if "location" in options:
            options["location_id"] = self.variables[
                "location" + options.pop("location")]
        row = {"id": site, "trunk_id": trunk, "name": name}
        row.update(options)
        self.trunks.append(
            insert("core.site", **row) +
            insert("core.source_address", id=self.id("adr"), trunk_id=trunk,
                   site_id=site, cidr=self.ip(name)) +
            insert("core.did", id=self.id("did"), e164=number,
                   tenant_id=self.tenant, trunk_id=trunk, site_id=site))

    def credential(self, name, trunk, digest):
        realm, algorithm = REALMS[digest]
        user = "user%d%s" % (self.n, name.lower())
        self.variables["user" + name] = user
        column = "ha1_" + digest
        return insert("core.trunk_credential", **{
            "id": self.id("cre"), "trunk_id": trunk, "realm": realm,
            "username": user, column: ha1(user, realm, SECRET, algorithm)})

    def do_gateway(self, words, options):
        name = words[0]
        gateway, carrier = self.id("gwy"), self.id("car")
        self.variables["gateway" + name] = gateway
        self.variables["carrier" + name] = carrier
        priority = options.pop("priority", len(self.gateways) + 1)
        weight = options.pop("weight", 100)
        is_routed = options.pop("route", "yes") == "yes"
        password = options.pop("password", None)
        if password:
            options["ha1_md5"] = ha1(options["username"], options["realm"],
                                     password, "MD5")
        sql = insert("core.carrier", id=carrier, name=name, currency="EUR",
                     rate_deck_id=options.pop("deck", "dck_" + "9" * 26))
        row = {"id": gateway, "carrier_id": carrier, "name": name,
               "address": self.ip(name)}
        row.update(options)
        sql += insert("core.gateway", **row)
        if is_routed:
            self.last.append(insert(
                "core.route_target", route_id=self.route, gateway_id=gateway,
                priority=priority, weight=weight))
        self.gateways.append(sql)

    def do_emergency(self, words, options):
        if options:
            self.emergency_number(words, options)
            return
        route = self.id("rte")
        self.last.append(insert("core.route", id=route, kind="emergency",
                                prefix=words[0], name=words[0]))
        for i, name in enumerate(words[1:]):
            self.last.append(insert(
                "core.route_target", route_id=route, priority=i + 1,
                gateway_id=self.variables["gateway" + name]))

    def do_row(self, words, options):
        """Any other row: before the trunks when it is named there."""
        if len(words) > 1:
            options["id"] = self.id(options["id"])
            self.variables["row" + words[1]] = options["id"]
        where = self.last if self.trunks or self.gateways else self.first
        where.append(insert(words[0] if "." in words[0] else
                            "core." + words[0], **options))

    def emergency_number(self, words, options):
        row = {"id": self.id("emn"), "number": words[0], "name": words[0]}
        if "trunk" in options:
            options["trunk_id"] = self.variables["trunk" +
                                                 options.pop("trunk")]
        if "site" in options:
            options["site_id"] = self.variables["site" + options.pop("site")]
        if options.get("for") == "tenant":
            options["tenant_id"] = self.tenant
            del options["for"]
        row.update(options)
        self.last.append(insert("core.emergency_number", **row))
        for name in words[1:]:
            self.last.append(insert(
                "core.emergency_target", emergency_number_id=row["id"],
                gateway_id=self.variables["gateway" + name]))

    def do_location(self, words, options):
        location = self.id("loc")
        self.variables["location" + words[0]] = location
        self.first.append(insert("core.location", id=location,
                                 tenant_id=self.tenant, name=words[0],
                                 **options))

    def do_stranger(self, words, _):
        for name in words:
            self.ip(name)

    def do_server(self, words, _):
        for name in words:
            self.ip(name)
            self.servers.append(name)

    # --- all of it

    def sql(self):
        out = [insert("core.tenant", id=self.tenant, **self.tenant_row),
               insert("core.account", id=self.account, tenant_id=self.tenant,
                      **self.account_row),
               insert("core.rate_deck", id=self.deck, name="talk",
                      currency="EUR")]
        if self.balance:
            out.append("do $$begin perform core.post(%s, 'payment', %d); "
                       "end$$;\n" % (quoted(self.account), self.balance))
        out += self.first # rates may name terms
        for rate in self.rates or [{"prefix": str(d),
                                    "rate_per_min_nano": 60000000}
                                   for d in range(1, 10)]:
            if rate:
                out.append(insert("core.rate", deck_id=self.deck, **rate))
        out += self.trunks + self.gateways
        out.append(insert("core.route", id=self.route, tenant_id=self.tenant,
                          **self.route_row))
        return "begin;\n" + "".join(out + self.last) + "commit;\n"
