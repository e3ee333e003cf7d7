"""What the database says against what really happened."""
from fractions import Fraction

CHECKPOINT_S = 6.0      # a cut call may be billed shorter by this at most
SLACK_S = 0.015         # two clocks that are read in milliseconds
BURST_S = 0.25          # a batch of datagrams has one time, and a burst waits
                        # behind others on a busy machine
LATE_MS = 1000          # a timer on a busy machine
ENDED_BY_US_S = 1.5     # a BYE of the switch's own reaches us within this


def price_of(row):
    """The reference: exact fractions, one rounding at the end."""
    if not row["billed_ms"]:
        return 0
    exact = Fraction(row["rate_per_min_nano"] * row["billed_ms"],
                     60000 * 1000) + row["connect_fee_micro"]
    unit = 10 ** (6 - row["rounding_decimals"])
    return int(exact / unit + Fraction(1, 2)) * unit


def billed_of(row):
    first, step = row["first_ms"], row["next_ms"]
    if not row["duration_ms"] or row["duration_ms"] <= first:
        return first if row["duration_ms"] else 0
    return first + -(-(row["duration_ms"] - first) // step) * step


RECORDS = """select r.call_id, r.a_call_id, r.outcome, r.end_estimated,
	r.duration_ms, r.billed_ms, r.price_micro, r.sip_code,
	r.answered_at is not null as is_answered,
	c.rate_per_min_nano, c.connect_fee_micro, c.first_ms, c.next_ms,
	c.rounding_decimals, c.rounding_mode, c.amount_micro,
	c.billed_ms as charge_billed_ms,
	coalesce(c.covered_ms, 0) as covered_ms, p.amount_micro as posted_micro
	from cdr.record r
	left join cdr.charge c on c.call_id = r.call_id and c.side = 'sell'
	left join core.ledger_posting p on p.call_id = r.call_id
	where r.attempt = 0 and r.account_id in (%s) and r.node = '%s'"""


class Judge:
    """Collects what is wrong, by kind, and figures."""

    def __init__(self, node, groups, calls, database, kills,
                 slack_s=SLACK_S):
        self.node, self.slack_s = node, slack_s
        self.accounts = [g.world.account for g in groups]
        self.placed = [c for c in calls if c.group in groups]
        self.database = database
        self.kills = sorted(kills)
        self.wrong = {}
        self.figures = {}
        self.errors_ms, self.shortfalls_ms = [], []

    def blame(self, kind, text):
        self.wrong.setdefault(kind, []).append(text)

    def count(self, name, n=1):
        self.figures[name] = self.figures.get(name, 0) + n

    def kill_after(self, t):
        return next((k for k in self.kills if k >= t), None)

    # --- calls

    def calls(self):
        by_call_id, seen = {}, {}
        for row in self.database.rows(RECORDS % (", ".join(
                "'%s'" % a for a in self.accounts), self.node)):
            by_call_id.setdefault(row["a_call_id"], []).append(row)
            seen[row["call_id"]] = seen.get(row["call_id"], 0) + 1
        for call_id, n in seen.items():
            if n > 1:
                self.blame("doubled", "%s has %d records" % (call_id, n))
        self.figures["calls"] = len(self.placed)
        self.figures["records"] = len(seen)
        for name in ("answered", "cut", "refused", "no final answer",
                     "begun twice", "answered on no record",
                     "refused on no record", "lost", "doubled"):
            self.figures.setdefault(name, 0)
        for call in self.placed:
            self.call(call, by_call_id.pop(call.call_id, []))
        for rows in by_call_id.values():
            self.blame("stray", "a record of no call: %s" % rows[0])
        self.figures["lost"] = len(self.wrong.get("lost", []))
        self.figures["doubled"] = len(self.wrong.get("doubled", []))

    def call(self, call, rows):
        if call.answered is not None:
            self.count("answered")
        elif call.code:
            self.count("refused")
        else:
            self.count("no final answer")
        if not rows:
            if call.code >= 300:
                self.count("refused on no record")
            if call.code:
                self.blame("lost", "call %d, %s: no record" % (
                    call.n, call.code))
            return
        # an INVITE that was sent again after the kill is a call of its own
        whole = [r for r in rows if r["outcome"] != "node_lost"
                 or r["is_answered"]]
        if len(rows) > 1:
            self.count("begun twice")
        if len(whole) > 1:
            self.blame("doubled", "call %d: %s" % (call.n, whole))
        row = whole[0] if whole else rows[-1]
        if row["is_answered"]:
            self.duration(call, row)
            self.price(call, row)
        elif row["price_micro"] or row["amount_micro"]:
            self.blame("billing", "call %d: not answered, but costs: %s" % (
                call.n, row))
        elif call.answered is not None:
            self.count("answered on no record")
            self.blame("billing", "call %d: answered, but %s" % (call.n, row))

    def ends(self, call, row):
        """(earliest, latest) moment at which the call ended here."""
        kill = self.kill_after(call.answer_sent)
        late = [t for t in (kill, call.bye_heard, call.bye_answered) if t]
        early = [t for t in (kill, call.bye_sent) if t]
        if row["outcome"] not in ("ok", "node_lost"):
            # the switch ended it: its BYE may have waited for us unread,
            # also while we sent ours, or a kill came before it was sent
            early = [t - ENDED_BY_US_S for t in (kill, call.bye_after) if t]
        elif call.bye_sent is None and call.bye_after is not None:
            early.append(call.bye_after - ENDED_BY_US_S)
        return (min(early) if early else None, min(late) if late else None)

    def duration(self, call, row):
        if call.answer_sent is None:
            self.blame("billing", "call %d: nobody answered, but %s" % (
                call.n, row))
            return
        early, late = self.ends(call, row)
        if early is None or late is None:
            self.blame("ends", "call %d has no end, but %s" % (call.n, row))
            return
        seconds = row["duration_ms"] / 1000
        most = late - call.answer_sent
        least = early - (call.answered or call.answer_sent)
        is_lost = row["outcome"] == "node_lost"
        if is_lost:
            self.count("cut")
            if call.bye_sent is not None:
                self.count("BYE of a cut call: %s" % (call.bye_code or
                                                      "no answer"))
            self.shortfalls_ms.append(max(0, least - seconds) * 1000)
            if not row["end_estimated"]:
                self.blame("cut", "call %d: end not estimated" % call.n)
            if self.kill_after(call.answer_sent) is None:
                self.blame("cut", "call %d: lost without a kill: %s" % (
                    call.n, row))
            least -= CHECKPOINT_S
        else:
            self.errors_ms.append(1000 * max(
                0, least - seconds, seconds - most))
        if not least - self.slack_s <= seconds <= most + self.slack_s:
            self.blame("lasted", "call %d lasted %.3f..%.3f s, but %s" % (
                call.n, least, most, row))

    def price(self, call, row):
        if row["amount_micro"] is None:
            self.blame("price", "call %d has no charge: %s" % (call.n, row))
            return
        if not (row["price_micro"] == row["amount_micro"] == price_of(row)
                  == -(row["posted_micro"] or 0)
                  and row["billed_ms"] == row["charge_billed_ms"]):
            self.blame("price", "call %d, reference %d: %s" % (
                call.n, price_of(row), row))
            return
        less_ms = billed_of(row) - row["billed_ms"] - row["covered_ms"]
        if not less_ms or row["outcome"] == "credit_ended" and less_ms > 0:
            return
        # its money was used up, and on a busy machine the BYE of a party
        # came before the timer that cuts: our loss, never the customer's
        if call.group.runs_dry and 0 < less_ms <= LATE_MS:
            self.count("ended between its money and the cut")
        else:
            self.blame("price", "call %d, billed %d: %s" % (
                call.n, billed_of(row), row))

    # --- money

    def money(self, start):
        """start: balance of each account before its first call."""
        for row in self.database.rows("""select a.id, a.balance_micro,
			a.credit_limit_micro, a.leased_micro, a.overspent_micro,
			coalesce((select sum(amount_micro) from
				core.ledger_posting p
				where p.account_id = a.id), 0) as posted,
			(select min(balance_after_micro) from
				core.ledger_posting p
				where p.account_id = a.id) as least,
			coalesce((select sum(amount_micro) from cdr.charge c
				where c.account_id = a.id and c.side = 'sell'), 0)
				as charged,
			coalesce((select sum(granted_micro - settled_micro)
				from core.lease l where l.account_id = a.id), 0)
				as leases from core.account a"""):
            if row["balance_micro"] != row["posted"]:
                self.blame("ledger", "postings do not add up: %s" % row)
            if row["balance_micro"] != start[row["id"]] - row["charged"]:
                self.blame("ledger", "charges do not add up: %s" % row)
            if row["leased_micro"] != row["leases"]:
                self.blame("ledger", "leases do not add up: %s" % row)
            if row["overspent_micro"] or \
                    row["least"] + row["credit_limit_micro"] < 0:
                self.blame("overspent", str(row))

    def report(self):
        for name, values in (("billing error", self.errors_ms),
                             ("cut short by", self.shortfalls_ms)):
            values.sort()
            if values:
                self.figures[name + " ms p50/p99/max"] = "%.0f / %.0f / %.0f" \
                    % (values[len(values) // 2],
                       values[len(values) * 99 // 100], values[-1])
