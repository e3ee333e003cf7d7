-- Rate decks: what a rate may be, that no two overlap, and currencies.
begin;
select no_plan();
\ir fixture/world.sql

select throws_ok(format('insert into core.rate (deck_id, prefix, '
	'rate_per_min_nano, connect_fee_micro, first_ms, next_ms, '
	'effective_from, effective_to) values (%L, %s)',
	pg_temp.id('dck', 1), bad), '23514', null, bad)
from unnest(array[
	'''''     , 1, 0, 1, 1, ''2026-01-01'', null',
	'''+49''  , 1, 0, 1, 1, ''2026-01-01'', null',
	'''49''   , -1, 0, 1, 1, ''2026-01-01'', null',
	'''49''   , 1, -1, 1, 1, ''2026-01-01'', null',
	'''49''   , 1, 0, 0, 1, ''2026-01-01'', null',
	'''49''   , 1, 0, 1, 0, ''2026-01-01'', null',
	'''49''   , 1, 0, 86400001, 1, ''2026-01-01'', null',
	'''49''   , 1, 0, 1, 1, ''-infinity'', null',
	'''49''   , 1, 0, 1, 1, ''2026-01-01'', ''infinity''',
	'''49''   , 1, 0, 1, 1, ''2026-01-01'', ''2026-01-01'''
]) bad;
select throws_ok($$ insert into core.rate (deck_id, prefix, rate_per_min_nano)
	values (pg_temp.id('dck', 9), '49', 1) $$, '23503');

-- overlap
insert into core.rate (deck_id, prefix, rate_per_min_nano, effective_from,
	effective_to) values
	(pg_temp.id('dck', 1), '49', 1, '2026-01-01', '2026-02-01'),
	(pg_temp.id('dck', 1), '49', 2, '2026-02-01', null),
	(pg_temp.id('dck', 1), '4915', 3, '2026-01-01', null),
	(pg_temp.id('dck', 2), '49', 4, '2026-01-01', null);
select pass('spans that touch do not overlap');
select throws_ok(format('insert into core.rate (deck_id, prefix, '
	'rate_per_min_nano, effective_from, effective_to) values (%L, ''49'', '
	'1, %s)', pg_temp.id('dck', 1), span), '23P01', null, span)
from unnest(array['''2026-01-31'', ''2026-02-01''', '''2025-12-01'', null',
	'''2027-01-01'', null', '''2025-01-01'', ''2026-01-02''',
	'''2026-01-10'', ''2026-01-11''']) span;
select throws_ok($$ insert into core.rate (deck_id, prefix, rate_per_min_nano,
	effective_from) values (pg_temp.id('dck', 1), '49', 1, '2026-02-01') $$,
	'23505', null, 'the same beginning');
select throws_ok($$ insert into core.rate (deck_id, prefix, rate_per_min_nano,
	effective_from, effective_to) values
	(pg_temp.id('dck', 1), '33', 1, '2026-01-01', null),
	(pg_temp.id('dck', 1), '33', 1, '2027-01-01', null) $$, '23P01', null,
	'within one statement');
select throws_ok($$ update core.rate set effective_to = null
	where prefix = '49' and deck_id = pg_temp.id('dck', 1)
		and effective_from = '2026-01-01' $$, '23P01', null,
	'by an update');
select lives_ok($$ insert into core.rate (deck_id, prefix, rate_per_min_nano,
	effective_from, effective_to) values (pg_temp.id('dck', 1), '49', 1,
	'2025-01-01', '2026-01-01') $$);
select throws_ok($$ update core.rate set deck_id = pg_temp.id('dck', 2)
	where prefix = '4915' $$, '23514', null, 'a rate stays in its deck');

-- rate_version moves with the rates, the ETag of the deck does not
create temp table before as select id, rate_version, row_version
	from core.rate_deck;
insert into core.rate (deck_id, prefix, rate_per_min_nano)
	select pg_temp.id('dck', 1), (1000 + n)::text, 1
	from generate_series(1, 500) n;
update core.rate set rate_per_min_nano = 5 where prefix = '1001';
delete from core.rate where prefix = '1002';
select is(d.rate_version, b.rate_version + 3, 'three statements')
	from core.rate_deck d join before b using (id)
	where id = pg_temp.id('dck', 1);
select is(d.row_version, b.row_version, 'rates are not the deck itself')
	from core.rate_deck d join before b using (id)
	where id = pg_temp.id('dck', 1);
select is(d.rate_version, b.rate_version, 'other decks stand still')
	from core.rate_deck d join before b using (id)
	where id = pg_temp.id('dck', 2);
update core.rate_deck set name = 'renamed' where id = pg_temp.id('dck', 1);
select is(d.row_version, b.row_version + 1, 'an edit is')
	from core.rate_deck d join before b using (id)
	where id = pg_temp.id('dck', 1);

-- currencies
select throws_ok($$ update core.trunk set rate_deck_id = pg_temp.id('dck', 2)
	where id = pg_temp.id('trk', 1) $$, '23514', null,
	'a deck in the currency of the account');
select lives_ok($$ update core.trunk set rate_deck_id = pg_temp.id('dck', 2)
	where id = pg_temp.id('trk', 2) $$);
select throws_ok($$ update core.rate_deck set currency = 'CHF'
	where id = pg_temp.id('dck', 1) $$, '23514');
select throws_ok($$ insert into core.rate_deck (id, name, currency,
	rounding_mode) values (pg_temp.id('dck', 9), 'x', 'EUR', 'away') $$,
	'23514');
select throws_ok($$ insert into core.rate_deck (id, name, currency,
	rounding_decimals) values (pg_temp.id('dck', 9), 'x', 'EUR', 7) $$,
	'23514');
select throws_ok($$ delete from core.rate_deck
	where id = pg_temp.id('dck', 1) $$, '23503', null,
	'a deck in use stays');

select * from finish();
rollback;
