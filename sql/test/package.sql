-- Packages: what is granted for a period, leased by nodes, used by charges;
-- never more than there is, and a balance that is the sum of its postings.
begin;
select no_plan();
\ir fixture/world.sql

create function pg_temp.sub(n integer) returns text language sql as
	$$ select pg_temp.id('sub', n) $$;
-- the present period of a subscription, and what nodes call it
create function pg_temp.now_of(n integer, at timestamptz default now())
	returns integer language sql as
$$
	select core.period_of(p.period, s.anchor_day,
		core.zone_or_utc(t.time_zone), at)
	from core.subscription s join core.package p on p.id = s.package_id
		join core.tenant t on t.id = s.tenant_id
	where s.id = pg_temp.sub(n)
$$;
create function pg_temp.key(n integer, c text default ':',
	periods_ago integer default 0) returns text language sql as
$$
	select pg_temp.sub(n) || c || lpad(to_hex(pg_temp.now_of(n)
		- periods_ago), 4, '0')
$$;
create function pg_temp.take(key text, want bigint, min bigint,
	node text default 'n1', epoch bigint default 1) returns bigint
	language sql as
	$$ select api_v1.lease_take(key, node, epoch, want, min) $$;
create function pg_temp.state(n integer) returns text language sql as
$$
	select format('%s granted %s used %s leased %s', b.granted, b.used
		+ b.used_carried, b.leased + b.leased_carried, b.over)
	from core.package_balance b where b.subscription_id = pg_temp.sub(n)
	order by b.period desc limit 1
$$;
-- balances against postings and leases
create function pg_temp.exact(why text) returns text language sql as
$$
	select is_empty($q$
		select b.subscription_id, b.period from core.package_balance b
		where core.package_left(b) <> (select coalesce(sum(p.units), 0)
			from core.package_posting p
			where (p.subscription_id, p.period)
				= (b.subscription_id, b.period))
		or (b.leased, b.leased_carried) <> (select
			coalesce(sum(l.granted - l.settled)
				filter (where not l.is_carried), 0),
			coalesce(sum(l.granted - l.settled)
				filter (where l.is_carried), 0)
			from core.package_lease l
			where (l.subscription_id, l.period)
				= (b.subscription_id, b.period))
		or b.used + b.used_carried + b.leased + b.leased_carried
			> b.granted + b.over $q$,
		'balances are the sums of postings and leases: ' || why)
$$;
create function pg_temp.charge(call integer, amount bigint, packages jsonb)
	returns cdr.charge language sql as
$$
	select jsonb_populate_record(null::cdr.charge, jsonb_build_object(
		'started_at', now(), 'call_id', lpad(call::text, 32, '0'),
		'attempt', 0, 'side', 'sell', 'account_id',
		pg_temp.id('acc', 1), 'amount_micro', amount, 'currency', 'EUR',
		'lease_epoch', 1, 'packages', packages))
$$;
create function pg_temp.used(n integer, units bigint, carried boolean
	default false, ago integer default 0) returns jsonb language sql as
$$
	select jsonb_build_array(jsonb_build_object('subscription_id',
		pg_temp.sub(n), 'period', pg_temp.now_of(n) - ago,
		'is_carried', carried, 'kind', 'minutes', 'increment_ms', 1,
		'units', units, 'covered', units))
$$;
create function pg_temp.load(charges cdr.charge[], node text default 'n1')
	returns void language plpgsql as
$$
begin
	insert into cdr.charge select * from unnest(charges);
	perform api_v1.load_calls(node, 1, 0, 0, 0,
		array(select c.started_at from unnest(charges) c),
		array(select c.call_id from unnest(charges) c));
end
$$;

-- --- what a package may be
select throws_ok(format('insert into core.package (id, name, currency, kind, '
	'period, seconds, %s) values (%L, ''p'', ''EUR'', ''minutes'', '
	'''month'', 60, %L)', split_part(bad, '|', 1), pg_temp.id('pkg', 1),
	split_part(bad, '|', 2)), split_part(bad, '|', 3), null, bad)
from unnest(array['money_micro|5|23514', 'carry_money_micro|5|23514',
	'increment_ms|0|23514', 'direction|in|23514', 'carry_periods|4|23514',
	'priority|-1|23514', 'low_percent|100|23514', 'fee_micro|-1|23514',
	'zone_ids|{x}|23514', 'number_list_id|nls_1|23503',
	'zone_ids|{' || pg_temp.id('zon', 9) || '}|23503']) bad;
select throws_ok(format($$ insert into core.package (id, name, currency, kind,
	period, money_micro, increment_ms) values (%L, 'p', 'EUR', 'money',
	'month', 60, 1000) $$, pg_temp.id('pkg', 1)), '23514', null,
	'money has no increments');

insert into core.zone (id, name, countries) values
	(pg_temp.id('zon', 1), 'home', '{DE}');
insert into core.package (id, name, currency, kind, period, seconds,
	increment_ms, zone_ids, carry_periods, carry_seconds, priority, fee_micro)
	values (pg_temp.id('pkg', 1), 'minutes', 'EUR', 'minutes', 'month',
		600, 1, array[pg_temp.id('zon', 1)], 1, 300, 10, 1000000);
insert into core.package (id, name, currency, kind, period, money_micro,
	priority) values (pg_temp.id('pkg', 2), 'money', 'EUR', 'money', 'day',
	1000000, 20);
insert into core.package (id, name, currency, kind, period, seconds,
	increment_ms) values (pg_temp.id('pkg', 3), 'dollars', 'USD',
	'minutes', 'day', 60, 60000);
select throws_ok(format('update core.package set period = ''day'' '
	'where id = %L', pg_temp.id('pkg', 1)), '23514');
select throws_ok(format('delete from core.zone where id = %L',
	pg_temp.id('zon', 1)), '23503', null, 'a package needs the zone');

-- --- subscriptions
select throws_ok(format($$ insert into core.subscription (id, package_id,
	tenant_id, account_id) values (%L, %L, %L, %L) $$, pg_temp.sub(1),
	pg_temp.id('pkg', 3), pg_temp.id('ten', 1), pg_temp.id('acc', 1)),
	'23514', null, 'another currency');
select throws_ok(format($$ insert into core.subscription (id, package_id,
	tenant_id, account_id) values (%L, %L, %L, %L) $$, pg_temp.sub(1),
	pg_temp.id('pkg', 3), pg_temp.id('ten', 1), pg_temp.id('acc', 2)),
	'23503', null, 'an account of somebody else');
insert into core.account (id, tenant_id, name, type, currency) values
	(pg_temp.id('acc', 3), pg_temp.id('ten', 1), 'A3', 'prepaid', 'EUR');
insert into core.subscription (id, package_id, tenant_id, account_id,
	is_shared, quantity) values (pg_temp.sub(1), pg_temp.id('pkg', 1),
	pg_temp.id('ten', 1), pg_temp.id('acc', 3), true, 2);
insert into core.subscription (id, package_id, tenant_id, account_id)
	values (pg_temp.sub(2), pg_temp.id('pkg', 2), pg_temp.id('ten', 1),
		pg_temp.id('acc', 1));
insert into core.subscription (id, package_id, tenant_id, account_id) values
	(pg_temp.sub(3), pg_temp.id('pkg', 3), pg_temp.id('ten', 2),
		pg_temp.id('acc', 2));
select is(balance_micro, -2000000::bigint, 'its account pays the fees')
	from core.account where id = pg_temp.id('acc', 3);
select results_eq(format('select kind, item_id, quantity, amount_micro '
	'from billing.posting where account_id = %L', pg_temp.id('acc', 3)),
	format('values (''package'', %L, 2, 2000000::bigint)', pg_temp.sub(1)),
	'for bills');
select is(pg_temp.state(1), '1200000 granted 0 used 0 leased 0',
	'twice ten minutes, at once');
select is(pg_temp.state(2), '1000000 granted 0 used 0 leased 0');
select is((o - 'zone_ids' - 'from_ms' - 'id')::text, jsonb_build_object(
	'tenant_id', pg_temp.id('ten', 1), 'account_id', pg_temp.id('acc', 3),
	'is_shared', true, 'is_active', true, 'kind', 'minutes', 'currency', 'EUR', 'increment_ms', 1,
	'direction', 'out', 'excluded_zone_ids', '[]'::jsonb,
	'number_list_id', null, 'period', 'month', 'anchor_day', 1,
	'carry_periods', 1, 'priority', 10, 'to_ms', null)::text,
	'what the switch reads')
	from core.subscription_object(pg_temp.sub(1)) o;
select ok(jsonb_array_length(core.tenant_object(pg_temp.id('ten', 1))
	-> 'offsets') > 0, 'with the offsets of its zone');

-- --- periods, at changes of the clock, and months that begin on any day
select is(core.period_begin('month', d, z, core.period_of('month', d, z, at)),
	begins, z || ' ' || d || ' ' || at)
from (values ('Europe/Berlin', 1, timestamptz '2026-03-31 21:59:59+00',
		timestamptz '2026-02-28 23:00:00+00'),
	('Europe/Berlin', 1, '2026-03-31 22:00:00+00',
		'2026-03-31 22:00:00+00'),
	('Europe/Berlin', 28, '2026-02-27 23:00:00+00',
		'2026-02-27 23:00:00+00'),
	('Europe/Berlin', 28, '2026-02-27 22:59:59+00',
		'2026-01-27 23:00:00+00'),
	('America/New_York', 15, '2026-11-15 04:59:59+00',
		'2026-10-15 04:00:00+00'),
	('UTC', 1, '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00'),
	('Pacific/Auckland', 1, '2025-12-31 11:00:00+00',
		'2025-12-31 11:00:00+00')) x (z, d, at, begins);
select is(core.period_begin('day', 1, z, core.period_of('day', 1, z, at) + 1)
	- core.period_begin('day', 1, z, core.period_of('day', 1, z, at)),
	long, 'a day of ' || long)
from (values ('Europe/Berlin', timestamptz '2026-03-29 12:00:00+00',
		interval '23 h'),
	('Europe/Berlin', '2026-10-25 12:00:00+00', '25 h'),
	('Europe/Berlin', '2026-10-26 12:00:00+00', '24 h')) x (z, at, long);
select is(core.package_part(30, row(pg_temp.sub(9), '', '', '', false, 'active', 1, 1,
	starts, ends, null, 1, now(), now())::core.subscription,
	p, 'Europe/Berlin', '2026-03-31 22:00:00+00', '2026-04-30 22:00:00+00'),
	days::bigint, coalesce(starts::text, '') || ' to '
	|| coalesce(ends::text, ''))
from (select * from core.package where id = pg_temp.id('pkg', 1)) q,
	jsonb_populate_record(null::core.package, to_jsonb(q)
		|| '{"proration": "days"}') p,
	(values (timestamptz '2026-01-01', null::timestamptz, 30),
	('2026-04-15 22:00:00+00', null, 15),
	('2026-04-15 21:59:59+00', null, 16),
	('2026-01-01', '2026-04-01 22:00:00+00', 1),
	('2026-01-01', '2026-04-01 22:00:01+00', 2)) x (starts, ends, days);

-- --- leases
select throws_ok($$ select pg_temp.take(pg_temp.key(1), 1, 1) $$, '55000',
	null, 'nothing without a session');
select is(what, 'claimed') from api_v1.node_claim('n1', 1, 'a', 60, 0);
select is(what, 'claimed') from api_v1.node_claim('n2', 2, 'b', 60, 0);
select is(pg_temp.take('sub_x', 10, 10), 0::bigint, 'no such key');
select is(pg_temp.take(pg_temp.sub(9) || ':0001', 10, 10), 0::bigint);
select is(pg_temp.take(pg_temp.key(1), 900000, 1), 600000::bigint,
	'half of what is free');
select is(pg_temp.take(pg_temp.key(1), 900000, 500000, 'n2', 2),
	500000::bigint, 'or what is needed at once');
select is(pg_temp.take(pg_temp.key(1), 900000, 500000), 100000::bigint,
	'or the rest');
select is(pg_temp.take(pg_temp.key(1), 900000, 500000), 0::bigint);
select pg_temp.exact('all of it is leased');
select throws_ok($$ update core.package_balance set leased = leased + 1 $$,
	'23514', null, 'the table itself holds more back');
select is(api_v1.lease_keep(pg_temp.key(1), 'n2', 2, 100000), 400000::bigint,
	'what a node gives back');
select is(api_v1.lease_keep(pg_temp.key(1), 'n2', 2, 100000), 0::bigint,
	'once');
select pg_temp.exact('some came back');

-- increments: a rest below one is of no use
select is(pg_temp.take(pg_temp.key(3), 60001, 60001), 60000::bigint);
select is(api_v1.lease_keep(pg_temp.key(3), 'n1', 1, 0), 60000::bigint);
select core.package_adjust(pg_temp.sub(3), null, -1000000, 'x') > 0;
select is(pg_temp.take(pg_temp.key(3), 60000, 60000), 0::bigint);
select is(alarm, 'exhausted', 'so it is used up') from core.package_balance
	where subscription_id = pg_temp.sub(3);
select is(core.package_adjust(pg_temp.sub(3), pg_temp.now_of(3), 61000000, 'gift')
	> 0, true);
select results_eq($$ select kind, data ->> 'left', data ->> 'unit'
	from core.event where object_id = pg_temp.sub(3) order by id $$,
	$$ values ('package.exhausted', '59.000', 's'),
	('package.ok', '120.000', 's') $$, 'told, and cleared');
select throws_ok(format('select core.package_adjust(%L, %s, -121000000, ''x'')',
	pg_temp.sub(3), pg_temp.now_of(3)), '23514', null,
	'no adjustment below what is there');

select throws_ok(format('select core.package_adjust(%L, null, 1, ''x'')',
	pg_temp.sub(3)), '23514', null, 'less than a millisecond');
select throws_ok(format('select core.package_adjust(%L, 1, 1000, ''x'')',
	pg_temp.sub(3)), '23503', null, 'no such period');

-- periods in which no call that is up can have begun
select is(pg_temp.take(pg_temp.key(2, ':', ago), 10, 10), 0::bigint,
	ago || ' days ago') from unnest(array[3, -1]) ago;
select is(pg_temp.take(pg_temp.key(2, '+'), 10, 10), 0::bigint,
	'nothing of it outlives its day');

-- --- usage
select pg_temp.load(array[pg_temp.charge(1, 0, pg_temp.used(1, 250000)),
	pg_temp.charge(2, 0, pg_temp.used(1, 50000))]);
select is(pg_temp.state(1), '1200000 granted 300000 used 500000 leased 0',
	'used, and off the lease');
select pg_temp.exact('usage');
select throws_ok($$ select pg_temp.load(array[pg_temp.charge(2, 0,
	pg_temp.used(1, 50000))]) $$, '23505', null, 'a charge comes once');
select is(count(*), 2::bigint) from core.package_posting
	where kind = 'usage';
select pg_temp.load(array[pg_temp.charge(3, 0, pg_temp.used(1, 700000))]);
select is(pg_temp.state(1), '1200000 granted 1000000 used 100000 leased 0',
	'beyond its lease from what is free');
select is(alarm, 'low') from core.package_balance
	where subscription_id = pg_temp.sub(1);
select pg_temp.load(array[pg_temp.charge(4, 0, pg_temp.used(1, 400000))]);
select is(pg_temp.state(1), '1200000 granted 1400000 used 100000 leased '
	|| '300000', 'never refused: counted apart');
select pg_temp.exact('over');
select is(pg_temp.take(pg_temp.key(1), 10, 10), 0::bigint);
select (core.package_book(pg_temp.sub(1), pg_temp.now_of(1), 'adjustment',
	400000)).id > 0;
select is(pg_temp.state(1), '1600000 granted 1400000 used 100000 leased 0',
	'made good');
select pg_temp.exact('made good');
select results_eq($$ select kind from core.event
	where object_id = pg_temp.sub(1) order by id $$,
	$$ values ('package.low'), ('package.exhausted'), ('package.low') $$);
select throws_ok('delete from core.package_posting', '23001');
-- a package that is gone, money that is none
select pg_temp.load(array[pg_temp.charge(5, 700, pg_temp.used(9, 1))]);
select is(count(*), 1::bigint, 'the money of it is posted')
	from core.ledger_posting where call_id = lpad('5', 32, '0')::uuid;

-- --- carry-over: a month ago 600 s were granted and 200 s used
insert into core.package_balance (subscription_id, period, starts_at, ends_at,
	usable_to, carry_max)
	select b.subscription_id, b.period - 1, b.starts_at - interval '28 d',
		b.starts_at, b.ends_at, 300000
	from core.package_balance b where b.subscription_id = pg_temp.sub(1);
select (core.package_book(pg_temp.sub(1), pg_temp.now_of(1) - 1, 'grant',
	600000)).id > 0;
select pg_temp.load(array[pg_temp.charge(6, 0,
	pg_temp.used(1, 200000, false, 1))]);
select is(pg_temp.take(pg_temp.key(1, '+', 1), 900000, 900000),
	300000::bigint, 'no more than outlives its month');
select is(pg_temp.take(pg_temp.key(1, '+', 1), 1, 1), 0::bigint);
select pg_temp.load(array[pg_temp.charge(7, 0,
	pg_temp.used(1, 300000, true, 1))]);
select pg_temp.exact('carried');
select throws_ok($$ update core.package_balance set used_carried
	= used_carried + 1 where carry_max is not null and used_carried > 0 $$,
	'23514', null, 'the table itself holds it back');
select results_eq($$ select period - pg_temp.now_of(1), is_carried, left_units
	from core.packages_of(pg_temp.id('acc', 1), 'out', '49301234', now())
	where kind = 'minutes' $$, $$ values (-1, true, 0::bigint),
	(0, false, 200000::bigint) $$, 'what ends first comes first');

-- --- which packages
select results_eq($$ select name from core.packages_of(pg_temp.id('acc', 1),
	'out', '33123456', now()) $$, array['money'], 'not of that zone');
select is_empty($$ select name from core.packages_of(pg_temp.id('acc', 1),
	'forward', '49301234', now()) $$, 'not for forwards');
update core.subscription set status = 'suspended' where id = pg_temp.sub(2);
select is_empty($$ select name from core.packages_of(pg_temp.id('acc', 1),
	'out', '33123456', now()) $$);
select is(pg_temp.take(pg_temp.key(2), 10, 10), 0::bigint, 'suspended');
update core.subscription set status = 'active' where id = pg_temp.sub(2);

-- --- a node that is gone
select is(pg_temp.take(pg_temp.key(2), 1000, 1000, 'n2', 2), 1000::bigint);
select throws_ok($$ delete from core.node_session where node = 'n2' $$,
	'23503', null, 'its leases are kept');
select is(core.package_release(pg_temp.sub(2), 'n2'), 0::bigint,
	'it may be using them');
update core.node_session set expires_at = now() - interval '1 h'
	where node = 'n2';
select core.node_lost_tell() is null;
select is(data ->> 'amount', '0.001000') from core.event
	where kind = 'lease.expired' and object_id = pg_temp.sub(2);
select is(core.package_release(pg_temp.sub(2), 'n2', 'burnt'), 1000::bigint);
select pg_temp.exact('released');
select is(name, pg_temp.key(2), 'it hears so when it comes back')
	from api_v1.node_claim('n2', 2, 'b', 60, 0) where what = 'released';
select is(what, 'claimed') from api_v1.node_claim('n1', 3, 'a', 60, 0);
select api_v1.lease_close_epochs('n1', 3) = 0;
select is(count(*), 0::bigint, 'its journal is loaded: all is free again')
	from core.package_lease where node = 'n1';
select pg_temp.exact('closed');

-- --- periods that begin
update core.subscription set opens_at = now() - interval '1 s'
	where id = pg_temp.sub(2);
select is(core.package_open_due(), 1::bigint);
select is(core.package_open_due(), 0::bigint);
select is(s.opens_at, b.ends_at) from core.subscription s
	join core.package_balance b on b.subscription_id = s.id
	where s.id = pg_temp.sub(2);
select throws_ok(format('delete from core.subscription where id = %L',
	pg_temp.sub(2)), '23503', null, 'it has had periods');

-- two ends that leave nothing between them: no balance, no fee, no error
insert into core.package (id, name, currency, kind, period, seconds,
	increment_ms, fee_micro, proration, valid_from, valid_to)
	select pg_temp.id('pkg', n), 'part', 'EUR', 'minutes', 'month', 600,
		60000, 31000000, 'days', f, t
	from (values (4, null::timestamptz, timestamptz '2026-01-15'),
		(5, '2026-01-20', null)) x (n, f, t);
-- they are opened as if it were January: as a take or a job would
insert into core.subscription (id, package_id, tenant_id, account_id,
	starts_at, ends_at, opens_at)
	select pg_temp.sub(n), pg_temp.id('pkg', n), pg_temp.id('ten', 1),
		pg_temp.id('acc', 3), s, e, 'infinity'
	from (values (4, timestamptz '2026-01-20', null::timestamptz),
		(5, '2026-01-01', '2026-01-15')) x (n, s, e);
select lives_ok(format('select core.package_open(%L, %s)', pg_temp.sub(n),
	core.period_of('month', 1, 'UTC', '2026-01-25')),
	'over before it begins') from unnest(array[4, 5]) n;
select is_empty($$ select from core.package_balance
	where subscription_id in (pg_temp.sub(4), pg_temp.sub(5)) $$);
select is_empty($$ select from billing.posting
	where item_id in (pg_temp.sub(4), pg_temp.sub(5)) $$, 'and no fee');
select lives_ok($$ select core.package_open_due() $$);
select is_empty($$ select from core.subscription where opens_at <= now() $$,
	'nor is any due for ever');

-- one that fails lets the others be opened, and comes again
insert into core.subscription (id, package_id, tenant_id, account_id)
	select pg_temp.sub(n), pg_temp.id('pkg', 2), pg_temp.id('ten', 1),
		pg_temp.id('acc', 1) from generate_series(6, 7) n;
create function pg_temp.fail() returns trigger language plpgsql as
	$$ begin raise 'no'; end $$;
create trigger fail before insert on core.package_balance for each row
	when (new.subscription_id like 'sub%6') execute function pg_temp.fail();
alter table core.package_posting disable trigger user;
delete from core.package_posting
	where subscription_id in (pg_temp.sub(6), pg_temp.sub(7));
alter table core.package_posting enable trigger user;
delete from core.package_balance
	where subscription_id in (pg_temp.sub(6), pg_temp.sub(7));
update core.subscription set opens_at = now() - (case id
		when pg_temp.sub(6) then '2 s' else '1 s' end)::interval
	where id in (pg_temp.sub(6), pg_temp.sub(7));
set local client_min_messages = error;
select lives_ok($$ select core.package_open_due() $$, 'one fails');
reset client_min_messages;
select results_eq($$ select subscription_id from core.package_balance
	where subscription_id in (pg_temp.sub(6), pg_temp.sub(7)) $$,
	array[pg_temp.sub(7)], 'the other has its period');
select is(opens_at, now() + interval '1 h', 'it comes again')
	from core.subscription where id = pg_temp.sub(6);
update core.subscription set opens_at = now() where id = pg_temp.sub(6);
select lives_ok(format($$ insert into core.subscription (id, package_id,
	tenant_id, account_id) values (%L, %L, %L, %L) $$, pg_temp.sub(8),
	pg_temp.id('pkg', 2), pg_temp.id('ten', 1), pg_temp.id('acc', 1)),
	'who makes another does not hear of it');
select is(pg_temp.state(8), '1000000 granted 0 used 0 leased 0');
drop trigger fail on core.package_balance;

-- the last increment is given, whatever half of the rest is
insert into core.package (id, name, currency, kind, period, seconds,
	increment_ms) values (pg_temp.id('pkg', 6), 'steps', 'EUR', 'minutes',
	'month', 119, 60000);
insert into core.subscription (id, package_id, tenant_id, account_id) values
	(pg_temp.sub(10), pg_temp.id('pkg', 6), pg_temp.id('ten', 1),
		pg_temp.id('acc', 1));
select is(what, 'claimed') from api_v1.node_claim('n1', 3, 'a', 60, 0);
select is(pg_temp.take(pg_temp.key(10), 120000, 0, 'n1', 3), 60000::bigint,
	'ahead, the last step too');
select is(pg_temp.take(pg_temp.key(10), 120000, 0, 'n1', 3), 0::bigint);
-- more is used than there is: each claim asks for what is held
update core.package_balance set granted = granted - 60000, over = 60000
	where subscription_id = pg_temp.sub(10);
select results_eq($$ select what, name from api_v1.node_claim('n1', 3, 'a',
	60, 0) where what <> 'claimed' $$, $$ values ('recalled',
	pg_temp.key(10)) $$, 'recalled');
select is(api_v1.lease_keep(pg_temp.key(10), 'n1', 3, 0), 60000::bigint);
select is_empty($$ select from api_v1.node_claim('n1', 3, 'a', 60, 0)
	where what = 'recalled' $$, 'until it has given back');

-- --- arithmetic: tests/rating/sql_equal has many of these
create temp table price as select jsonb '{"steps": [[0, 10000, 60000000,
	false]], "connect_micro": 5000, "attempt_micro": 0, "minimum_micro": 0,
	"cap_micro": null, "is_cap_cut": false, "is_reverse": false,
	"free_ms": 0, "exchange_nano": 1000000000, "is_tax_included": false,
	"taxes": [["VAT", 100000]], "mode": "half_even", "decimals": 6,
	"duration": "exact", "is_per_interval": false}' as p;
select is((c.covered_ms, c.covered_micro, a.net_micro, a.gross_micro)::text,
	'(23000,12000,0,0)', 'minutes, then money, before taxes')
from price, rating.cover(p, 25000, '[
	{"kind": "money", "increment_ms": 1, "left": 90000},
	{"kind": "minutes", "increment_ms": 1, "left": 3000},
	{"kind": "minutes", "increment_ms": 10000, "left": 25000}]') c,
	rating.parts(p, 25000, c.covered_ms, c.covered_micro) a;
select is((c.covered_ms, c.covered_micro, a.net_micro, a.gross_micro)::text,
	'(0,2000,33000,36300)', 'the rest is the account''s')
from price, rating.cover(p, 25000, '[
	{"kind": "money", "increment_ms": 1, "left": 2000},
	{"kind": "minutes", "increment_ms": 60000, "left": 59999}]') c,
	rating.parts(p, 25000, c.covered_ms, c.covered_micro) a;
select is(c.used -> 0 ->> 'units', '60000', 'a step that began is used')
from price, rating.cover(p, 25000, '[{"kind": "minutes", "increment_ms":
	60000, "left": 600000}]') c;

select * from finish();
rollback;
