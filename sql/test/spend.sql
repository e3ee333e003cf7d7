-- What a day and a month may cost: when they begin, what was spent in them,
-- and what an unlock forgives.
begin;
select no_plan();
\ir fixture/world.sql
update core.tenant set time_zone = 'Pacific/Auckland'
	where id = pg_temp.id('ten', 1);
update core.account set monthly_limit_micro = 1000
	where id = pg_temp.id('acc', 1);
update core.trunk set daily_limit_micro = 100, monthly_limit_micro = 1000
	where id = pg_temp.id('trk', 1);

create function pg_temp.starts(known text[] default '{}') returns setof text
	language sql as
$$
	select key || ' ' || micro from api_v1.spent_so_far(
		floor(extract(epoch from now()) * 1000)::bigint, $1)
$$;
select set_eq('select pg_temp.starts()', array[
	pg_temp.id('acc', 1) || ' month 0', pg_temp.id('trk', 1) || ' day 0',
	pg_temp.id('trk', 1) || ' month 0'], 'of each limit');
select set_eq(format('select pg_temp.starts(array[%L, %L])',
	pg_temp.id('acc', 1) || ' month', pg_temp.id('trk', 1) || ' day'),
	array[pg_temp.id('trk', 1) || ' month 0'], 'that is not known');

-- days and months are those of the zone
select is(core.spend_number(zone, 'month'),
	((extract(year from now() at time zone zone) - 1970) * 12
		+ extract(month from now() at time zone zone))::integer - 1)
	from unnest(array['UTC', 'Pacific/Auckland', 'Pacific/Pago_Pago']) zone;
select is(core.spend_number('Pacific/Auckland', 'day'),
	(now() at time zone 'Pacific/Auckland')::date - date '1970-01-01');
select is(core.spend_since(pg_temp.id('ten', 1), pg_temp.id('acc', 1),
	'month') at time zone 'Pacific/Auckland',
	date_trunc('month', now() at time zone 'Pacific/Auckland'),
	'the first of the month at its midnight');

-- spent: calls before it belong to another month, whatever UTC says
select cdr.ensure_partitions(now() - interval '2 months',
	now() + interval '1 month');
insert into cdr.charge (started_at, call_id, attempt, side, account_id,
		currency, amount_micro)
	select at, gen_random_uuid(), 0, 'sell', pg_temp.id('acc', 1), 'EUR',
		micro
	from core.spend_since(pg_temp.id('ten', 1), pg_temp.id('acc', 1),
		'month') first, lateral (values
		(first - interval '1 ms', 1), (first, 20),
		(first + (now() - first) / 2, 300), (now(), 4000))
		t (at, micro);
insert into cdr.record (started_at, call_id, attempt, trunk_id, direction,
		price_micro)
	select at, gen_random_uuid(), 0, pg_temp.id('trk', 1), direction, micro
	from core.spend_since(pg_temp.id('ten', 1), pg_temp.id('trk', 1),
		'month') first, lateral (values
		(first - interval '1 ms', 'outbound', 1),
		(first, 'outbound', 20), (first, 'inbound', 500)
		) t (at, direction, micro);
select is(core.account_spent(pg_temp.id('acc', 1), now(), 'month'),
	320::bigint, 'from the first of the month until before that moment');
select is(core.trunk_spent(pg_temp.id('trk', 1), now(), 'month'), 20::bigint);
select ok(pg_temp.id('acc', 1) || ' month 320' in
	(select pg_temp.starts()), 'and told so');

-- a lock of the month stays one; its unlock forgives month and day
create function pg_temp.lock(kind text, period text, after interval)
	returns void language sql as
$$
	insert into core.event (id, kind, at, object_id, data) values
		(gen_random_uuid(), kind, clock_timestamp() + $3,
		pg_temp.id('acc', 1), jsonb_build_object('period', $2))
$$;
create function pg_temp.locked() returns text language sql as
$$
	select concat_ws(' ', reason, period, month_unlocked_at = unlocked_at)
	from core.lock where object_id = pg_temp.id('acc', 1)
$$;
select pg_temp.lock('spend.locked', 'day', '0');
select is(pg_temp.locked(), 'spend day');
select core.unlock(pg_temp.id('acc', 1));
select is(pg_temp.locked(), '', 'an unlock of the day leaves the month');
select is(core.account_spent(pg_temp.id('acc', 1), now(), 'month'),
	320::bigint);
select pg_temp.lock('spend.locked', 'month', '1 s');
select pg_temp.lock('spend.locked', 'day', '2 s');
select is(pg_temp.locked(), 'spend month');
select pg_temp.lock('fraud.locked', null, '3 s');
select is(pg_temp.locked(), 'fraud month', 'whatever locks beside it');
select core.unlock(pg_temp.id('acc', 1));
select is(pg_temp.locked(), 't');
select is(core.account_spent(pg_temp.id('acc', 1), now(), 'month'),
	0::bigint, 'spent counts from nothing');
select isnt(core.lock_object(pg_temp.id('acc', 1)) ->> 'month_unlocked_ms',
	null, 'and the switch is told');

-- as a switch of the version before asks
select results_eq($$ select id, micro from api_v1.spent(0) $$,
	format('values (%L, 0::bigint)', pg_temp.id('trk', 1)));

select * from finish();
rollback;
