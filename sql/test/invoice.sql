-- Invoices: of the ledger, to the micro-unit; numbers without a gap; what is
-- issued stays.
begin;
select no_plan();
\ir fixture/world.sql
create function pg_temp.acc(n integer) returns text language sql immutable as
	$$ select pg_temp.id('acc', n) $$;
insert into core.tax_profile (id, name, lines) values (pg_temp.id('tax', 1),
	'DE', '[{"name": "VAT", "percent": "19"}]');
update core.tenant set tax_profile_id = pg_temp.id('tax', 1),
	time_zone = 'Europe/Berlin', country = 'DE'
	where id = pg_temp.id('ten', 1);
update core.account set credit_limit_micro = 1000000000 where id = pg_temp.acc(1);
insert into billing.seller (id, name, city, country, vat_id, number_prefix)
	values (pg_temp.id('sel', 1), 'Seller', 'Berlin', 'DE', 'DE123456789',
		'R-');
insert into billing.profile (id, account_id, seller_id, name, city, country)
	values (pg_temp.id('bpr', 1), pg_temp.acc(1), pg_temp.id('sel', 1),
		'Buyer', 'Hamburg', 'DE');
insert into billing.discount (id, account_id, name, percent_micro, applies_to,
	minimum_micro, starts_on) values (pg_temp.id('dsc', 1), pg_temp.acc(1),
	'Loyal', 10000000, 'usage', 1000000, '2026-03-01');
insert into billing.charge (id, account_id, kind, name, amount_micro, starts_on)
	values (pg_temp.id('chg', 1), pg_temp.acc(1), 'trunk', 'Trunk',
		9990000, '2026-03-11');
select cdr.ensure_partitions('2026-03-01', '2026-05-01');

-- a call of acc 1: charge and posting, as the loader makes them
create function pg_temp.call(n integer, at timestamptz, net bigint,
	dest text default 'Germany') returns void language plpgsql as
$$
declare
	k uuid := ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid;
	tax bigint := rating.round_div(net * 19, 100, 'half_up');
begin
	insert into cdr.record (started_at, call_id, attempt, account_id,
			calling, called, duration_ms)
		values (at, k, 0, pg_temp.acc(1), '+4930111222', '+4940' || n,
			60000);
	insert into cdr.charge (started_at, call_id, attempt, side, account_id,
			amount_micro, currency, destination, rate_per_min_nano,
			billed_ms, net_micro, tax_micro, price)
		values (at, k, 0, 'sell', pg_temp.acc(1), net + tax, 'EUR',
			dest, 10000000, 60000, net, array[tax],
			'{"taxes": [["VAT", 190000]]}');
	perform core.post(pg_temp.acc(1), 'usage', -net - tax, null, k, 0);
end
$$;
select pg_temp.call(n, '2026-03-15Z'::timestamptz + n * interval '1 minute',
	123457 + n) from generate_series(1, 20) n;
select pg_temp.call(21, '2026-03-31 21:59:59Z', 500001, '=1+1');
select pg_temp.call(22, '2026-03-31 22:00:00Z', 700001, 'France');

-- refusals
select throws_ok($$ select billing.draft(pg_temp.acc(2), '2026-03-01') $$,
	'23514', null, 'no profile');
select throws_ok($$ select billing.draft(pg_temp.acc(1), '2026-03-01',
	'2026-03-31 21:59Z') $$, '23514', null, 'the month is not over');
select throws_ok($$ select billing.issue('inv_0') $$, '23514');

-- the draft of March
create function pg_temp.inv(month date) returns billing.invoice language sql as
$$
	select i.* from billing.invoice i where i.period_from = month
		and i.kind = 'invoice' and i.status <> 'void'
$$;
select is(what, 'drafted') from billing.run(pg_temp.acc(1), '2026-03-15',
	false, '2026-04-02Z');
select results_eq($$ select kind, description, calls, net_micro, amount_micro
	from billing.invoice_line order by n $$, $$ values
	('charge', 'Trunk', null::bigint, 6767419::bigint, 6770000::bigint),
	('charge', 'Trunk', null, 9990000, 9990000),
	('usage', '=1+1', 1, 500001, 500000),
	('usage', 'Germany', 20, 2469350, 2470000),
	('discount', 'Loyal', null, -300000, -300000) $$,
	'days of March, April in advance, calls of March in Berlin');
select results_eq($$ select net_micro, tax_micro, total_micro, number, status
	from pg_temp.inv('2026-03-01') $$, $$ values (19430000::bigint,
	3690000::bigint, 23120000::bigint, null::bigint, 'draft') $$);
select is((select id from pg_temp.inv('2026-03-01')), billing.draft(
	pg_temp.acc(1), '2026-03-01', '2026-04-02Z'), 'made anew, the same');
select is_empty('select * from billing.check_ledger()');

-- issued
select is(billing.issue((pg_temp.inv('2026-03-01')).id, '2026-04-02Z'),
	'R-000001');
select is(billing.issue((pg_temp.inv('2026-03-01')).id, '2026-04-02Z'),
	'R-000001', 'once');
select is_empty('select * from billing.check_ledger()');
select results_eq($$ select opening_micro, closing_micro, due_on, status
	from pg_temp.inv('2026-03-01') $$, $$ values (0::bigint,
	-23120000::bigint, '2026-04-16'::date, 'issued') $$,
	'the balance is the total, to the cent');
select is((select document #>> '{balance,closing}'
	from pg_temp.inv('2026-03-01')), '-23.12');
select is((select count(*) from billing.annex((pg_temp.inv('2026-03-01')).id)),
	21::bigint);
select throws_ok(format($$ %s $$, bad), '23001', null, bad) from unnest(array[
	$$update billing.invoice set total_micro = 1, net_micro = 1,
		tax_micro = 0$$,
	$$update billing.invoice set document = '{}'$$,
	$$update billing.invoice set status = 'draft'$$,
	$$update billing.invoice set number = 7$$,
	$$delete from billing.invoice$$,
	$$update billing.invoice_line set description = ''$$,
	$$delete from billing.invoice_line$$,
	$$insert into billing.invoice_line (invoice_id, n, kind, description,
		net_micro, amount_micro, taxes) select id, 99, 'usage', '', 0,
		0, '[]' from billing.invoice$$,
	$$delete from billing.invoice_posting$$,
	$$update billing.invoice_posting set is_released = true$$,
	$$insert into billing.invoice_posting select 999999999, id
		from billing.invoice$$,
	$$truncate billing.invoice cascade$$]) bad;
select is(what, 'issued before') from billing.run(pg_temp.acc(1),
	'2026-03-01', true, '2026-04-02Z');

-- what comes later is on the next one, a call on one only
select pg_temp.call(23, '2026-03-20Z', 100000, 'Late');
select pg_temp.call(24, '2026-04-20Z', 100000);
select core.post(pg_temp.acc(1), 'payment', 10000000) is not null;
select is(status, 'issued', 'a part is paid')
	from pg_temp.inv('2026-03-01');
select is((select open_micro from billing.open_invoices(pg_temp.acc(1))),
	13120000::bigint);
select core.post(pg_temp.acc(1), 'payment', 13120000) is not null;
select is(status, 'paid') from pg_temp.inv('2026-03-01');
select core.post(pg_temp.acc(1), 'adjustment', -120000) is not null;
select is(status, 'issued', 'taken back') from pg_temp.inv('2026-03-01');
select throws_ok($$ select billing.draft(pg_temp.acc(1), '2026-02-01') $$,
	'23514', null, 'not backwards');
select is(what, 'issued') from billing.run(pg_temp.acc(1), '2026-04-01', true,
	'2026-05-02Z');
select is_empty('select * from billing.check_ledger()');
select results_eq($$ select l.description, l.calls from billing.invoice_line l
	join pg_temp.inv('2026-04-01') i on i.id = l.invoice_id
	where l.kind = 'usage' order by l.n $$, $$ values ('France', 1::bigint),
	('Germany', 1), ('Late', 1) $$);
select is((select count(*) from billing.invoice_posting x
	join core.ledger_posting p on p.id = x.posting_id
	where p.call_id is not null), 24::bigint, 'each call once');

-- void: the last one only, its postings come again, its number stays
select throws_ok($$ select billing.void((pg_temp.inv('2026-03-01')).id) $$,
	'23514', null, 'a later one stands on it');
create temp table voided as select (pg_temp.inv('2026-04-01')).*;
select billing.void(id) is not null from voided;
select results_eq($$ select billing.document(id) ->> 'status',
	billing.document(id) - 'status' = v.document - 'status'
	from voided v $$, $$ values ('void', true) $$,
	'what it was issued as, and that it is void');
select is_empty('select * from billing.check_ledger()');
select is(what, 'issued') from billing.run(pg_temp.acc(1), '2026-04-01', true,
	'2026-05-03Z');
select results_eq($$ select number, status from billing.invoice order by 1 $$,
	$$ values (1::bigint, 'issued'), (2, 'void'), (3, 'issued') $$);
select is_empty('select * from billing.check_ledger()');

-- credit notes
create temp table april as select (pg_temp.inv('2026-04-01')).*;
select throws_ok(format($$ select billing.credit((select id from april), %L)
	$$, bad), '23514', null, bad) from unnest(array['[]',
	'[{"n": 99, "amount_micro": 10000}]', '[{"n": 1, "amount_micro": 1}]',
	'[{"n": 1, "amount_micro": 90000000000}]',
	'[{"n": 1, "amount_micro": -10000}]']) bad;
create temp table noted as select billing.credit((select id from april),
	'[{"n": 1, "amount_micro": 1000000}]', 'half', '2026-05-04Z') as id;
select is(total_micro, 1190000::bigint) from billing.invoice
	join noted using (id);
insert into noted select billing.credit((select id from april), null, null,
	'2026-05-04Z');
select results_eq($$ select name from billing.invoice join noted using (id)
	order by place $$, $$ values ('R-000004'), ('R-000005') $$, 'the rest');
select is((select sum(total_micro)::bigint from billing.invoice
	where kind = 'credit_note'), total_micro, 'all of it, to the cent')
	from april;
select throws_ok($$ select billing.credit((select id from april)) $$, '23514',
	null, 'no more is left');
select is((select open_micro from billing.open_invoices(pg_temp.acc(1))
	where invoice_id = (select id from april)), 120000::bigint,
	'what was taken back is open, of the newest');
select is_empty('select * from billing.check_ledger()');

-- who owes, and what moved
select results_eq($$ select open_micro, not_due_micro, days_30_micro
	from billing.aging('2026-05-20') $$, $$ values (120000::bigint,
	0::bigint, 120000::bigint) $$);
select is((select balance_micro from billing.statement(pg_temp.acc(1),
	'-infinity', 'infinity') order by n desc limit 1), balance_micro)
	from core.account where id = pg_temp.acc(1);

select results_eq($$ select v, core.csv_text(v) from unnest(array['=1', '@A',
	'+1 2', '-a', '+4930', '-1.5', '', 'a=b']) v $$, $$ values ('=1', '''=1'),
	('@A', '''@A'), ('+1 2', '''+1 2'), ('-a', '''-a'), ('+4930', '+4930'),
	('-1.5', '-1.5'), ('', ''), ('a=b', 'a=b') $$, 'as text_is_formula()');
select is((select min(destination) from billing.annex((pg_temp.inv(
	'2026-03-01')).id)), '''=1+1', 'nothing of a sheet of rates is computed');
-- credit notes together are their invoice, however many there are
select throws_ok(format($$ select billing.credit(%L, '[{"n": 1,
	"amount_micro": 6770000}, {"n": 2, "amount_micro": 9990000}, {"n": 3,
	"amount_micro": 500000}, {"n": 4, "amount_micro": 2470000}]') $$,
	(pg_temp.inv('2026-03-01')).id), '23514',
	'that is more than is left of the invoice', 'without its discount');
create function pg_temp.given() returns bigint language sql as
$$
	select sum(c.total_micro)::bigint from billing.invoice c
		where c.refers_id = (pg_temp.inv('2026-03-01')).id
$$;
select is(count(billing.credit((pg_temp.inv('2026-03-01')).id,
	'[{"n": 1, "amount_micro": 30000}]')), 10::bigint)
	from generate_series(1, 10);
select is(pg_temp.given(), 360000::bigint,
	'19 % of 0.30, and not ten times 0.01 of 0.03');
select billing.credit((pg_temp.inv('2026-03-01')).id) is not null;
select is(pg_temp.given(), total_micro) from pg_temp.inv('2026-03-01');
select is_empty('select * from billing.check_ledger()');

select results_eq($$ select c, billing.decimals(c) from unnest(array['EUR',
	'JPY', 'KWD']) c $$, $$ values ('EUR', 2), ('JPY', 0), ('KWD', 3) $$);

select * from finish();
rollback;
