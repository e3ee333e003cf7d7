-- Terms of rates, exchange rates, taxes, and prices of charges.
begin;
select no_plan();
\ir fixture/world.sql

insert into core.schedule (id, name, time_zone) values
	(pg_temp.id('sch', 1), 'day', 'Europe/Berlin');

-- what terms may be
select throws_ok(format('insert into core.rate_terms (id, name, %s) '
	'values (%L, ''t'', %L)', split_part(bad, '|', 1),
	pg_temp.id('trm', 1), split_part(bad, '|', 2)), '23514', null, bad)
from unnest(array['attempt_fee_micro|-1', 'minimum_micro|-1',
	'cap_micro|-1', 'cap_action|end', 'free_ms|3600001',
	'tiers|{}', 'tiers|[{"from_s": 5}]',
	'tiers|[{"from_s": 0, "percent": "5"}]',
	'tiers|[{"from_s": 5, "percent": "5", "rate_per_min": "1"}]',
	'tiers|[{"from_s": 5, "percent": "0.00001"}]',
	'tiers|[{"from_s": 5, "percent": "1"}, {"from_s": 5, "percent": "1"}]']) bad;
select throws_ok(format($$ insert into core.rate_terms (id, name, windows)
	values (%L, 't', '[{"schedule_id": "%s", "percent": "5"}]') $$,
	pg_temp.id('trm', 1), pg_temp.id('sch', 9)), '23503', null,
	'a window needs its schedule');
select lives_ok(format($$ insert into core.rate_terms (id, name, tiers,
	windows) values (%L, 't', '[{"from_s": 60, "rate_per_min": "0.05",
		"increment_ms": 1000}]',
	'[{"schedule_id": "%s", "percent": "12.5"}]') $$,
	pg_temp.id('trm', 1), pg_temp.id('sch', 1)));
select is(core.rate_terms_object(pg_temp.id('trm', 1)) -> 'tiers' -> 0
	->> 'rate_per_min_nano', '50000000', 'whole units for the switch');
select is(core.rate_terms_object(pg_temp.id('trm', 1)) -> 'windows' -> 0
	->> 'percent_ppm', '125000');
select throws_ok(format('delete from core.schedule where id = %L',
	pg_temp.id('sch', 1)), '23503', null, 'a window needs it');

-- currencies
select throws_ok(format($$ insert into core.exchange_rate (id, base, quote,
	rate_nano) values (%L, 'EUR', 'EUR', 1) $$, pg_temp.id('fxr', 1)),
	'23514');

-- taxes
select throws_ok(format('insert into core.tax_profile (id, name, lines) '
	'values (%L, ''t'', %L)', pg_temp.id('tax', 1), bad), '23514', null,
	bad)
from unnest(array['[]', '[{"name": "VAT"}]',
	'[{"name": "", "percent": "5"}]', '[{"name": "VAT", "percent": "101"}]',
	'[{"name": "VAT", "percent": "-1"}]']) bad;
select lives_ok(format($$ insert into core.tax_profile (id, name, lines)
	values (%L, 't', '[{"name": "VAT", "percent": "19",
		"countries": ["DE"]}]') $$, pg_temp.id('tax', 1)));

-- the arithmetic: tests/rating/sql_equal has a million of these
select is((p.gross_micro, p.net_micro, p.tax_micro, p.billed_ms)::text,
	'(144000,120000,"{22800,1200}",120000)', 'tiers, minute, taxes')
from rating.parts('{"steps": [[0, 60000, 60000000, false]],
	"connect_micro": 0, "attempt_micro": 0, "minimum_micro": 0,
	"cap_micro": null, "is_cap_cut": false, "is_reverse": false,
	"free_ms": 0, "exchange_nano": 1000000000, "is_tax_included": false,
	"taxes": [["VAT", 190000], ["levy", 10000]], "mode": "half_even",
	"decimals": 6, "duration": "exact", "is_per_interval": false}',
	100000) p;

select * from finish();
rollback;
