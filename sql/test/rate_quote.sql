-- Prices worked out in the database: the same numbers as the unit tests of
-- switch/catalog/rate_terms.c.
begin;
select no_plan();
\ir fixture/world.sql

-- Europe/Berlin: by day from 08:00 to 18:00; Sundays until 02:30
insert into core.schedule (id, name, time_zone, ranges, holidays) values
	(pg_temp.id('sch', 1), 'day', 'Europe/Berlin', '[{"days": ["mon", "tue",
		"wed", "thu", "fri", "sat", "sun"], "from": "08:00",
		"to": "18:00"}]', '{2026-12-25}'),
	(pg_temp.id('sch', 2), 'night', 'Europe/Berlin', '[{"days": ["sun"],
		"from": "00:00", "to": "02:30"}]', '{}');
create function pg_temp.costs(windows text, tiers text, free_ms integer,
	at timestamptz, ms bigint) returns bigint language sql as
$$
	select p.gross_micro from rating.parts(jsonb_build_object('steps',
		rating.steps(row('d', '49', '', 60000000, 0, 60000, 60000,
			now(), null, false, null)::core.rate, tiers::jsonb,
			windows::jsonb, at + free_ms * interval '1 ms',
			86400000),
		'connect_micro', 0, 'attempt_micro', 0, 'minimum_micro', 0,
		'cap_micro', null, 'is_cap_cut', false, 'is_reverse', false,
		'free_ms', free_ms, 'exchange_nano', 1000000000,
		'is_tax_included', false, 'taxes', '[]'::jsonb,
		'mode', 'half_even', 'decimals', 6, 'duration', 'exact',
		'is_per_interval', false), ms) p
$$;
create function pg_temp.window(n integer, price text) returns text
	language sql as
$$ select format('[{"schedule_id": "%s", %s}]', pg_temp.id('sch', n), price) $$;

select is(pg_temp.costs(pg_temp.window(1, '"percent": "200"'), '[]', 0,
	'2026-11-02 16:59:30Z', 60000), 90000::bigint, 'split at 18:00');
select is(pg_temp.costs(pg_temp.window(1, '"percent": "200"'), '[]', 0,
	'2026-11-02 16:59:30Z', 60001), 150000::bigint);
select is(pg_temp.costs(pg_temp.window(1, '"percent": "200"'), '[]', 0,
	'2026-11-02 16:59:30.25Z', 60000), 89750::bigint);
select is(pg_temp.costs(pg_temp.window(1, '"percent": "200"'), '[]', 0,
	to_timestamp(1798196400), 60000), 60000::bigint, 'Christmas');
select is(pg_temp.costs(pg_temp.window(1, '"percent": "200"'), '[]', 30000,
	'2026-11-02 16:59:30Z', 90000), 60000::bigint, 'free seconds');
-- the clock goes back
select is(pg_temp.costs(pg_temp.window(2, '"rate_per_min": "0", '
	'"increment_ms": 1000'), '[]', 0, to_timestamp(1792879200), m * 60000),
	paid * 60000, m || ' minutes of the night with two hours at 02:00')
from (values (150, 0::bigint), (180, 30), (210, 30), (211, 31)) v (m, paid);
select is(pg_temp.costs('[]', '[{"from_s": 60, "percent": "50",
	"increment_ms": 1000}, {"from_s": 120, "rate_per_min": "0.006"}]', 0,
	now(), ms), micro, ms || ' ms of tiers')
from (values (60000, 60000::bigint), (61000, 60500), (120000, 90000),
	(120001, 96000)) v (ms, micro);

-- quotes
insert into core.rate (deck_id, prefix, destination, rate_per_min_nano,
	effective_from) values
	(pg_temp.id('dck', 1), '49', 'Germany', 12000000, '2026-01-01'),
	(pg_temp.id('dck', 1), '4915', 'mobile', 60000000, '2026-01-01');
select is((q->>'prefix') || ' ' || (q->>'amount') || ' ' || (q->>'billed_ms'),
	'4915 0.060000 60000', 'a quote')
from (select rating.quote(t.id, '', '4915123', '2026-06-01', 60000) as q
	from core.trunk t where t.rate_deck_id = pg_temp.id('dck', 1)
	limit 1) x;
select is(rating.quote(t.id, '', '1', '2026-06-01', 60000),
	'{"refused": "no_rate"}') from core.trunk t
	where t.rate_deck_id = pg_temp.id('dck', 1) limit 1;

select * from finish();
rollback;
