-- Emergency numbers and places: what can be said of them.
begin;
select no_plan();
\ir fixture/world.sql

select lives_ok($$ insert into core.emergency_number (id, number, name)
	values (pg_temp.id('emn', 2), '112', 'for all') $$);
select lives_ok($$ insert into core.emergency_number (id, number, name,
	trunk_id) values (pg_temp.id('emn', 3), '112', 'T',
	pg_temp.id('trk', 1)) $$, 'one number, several scopes');
select throws_ok($$ insert into core.emergency_number (id, number, name,
	country) values (pg_temp.id('emn', 4), '112', 'x', 'DE') $$, '23505',
	null, 'once in each');
select throws_ok($$ insert into core.emergency_number (id, number, name,
	country, tenant_id) values (pg_temp.id('emn', 4), '110', 'x', 'DE',
	pg_temp.id('ten', 1)) $$, '23514', null, 'one scope at a time');
select throws_ok(format($$ insert into core.emergency_number (id, number,
	name) values (pg_temp.id('emn', 4), %L, 'x') $$, n), '23514', null,
	'number ' || n) from unnest(array['1', '11x', '', '+', '1 1']) n;
select lives_ok(format($$ insert into core.emergency_number (id, number,
	send_as, kind, name) values (pg_temp.id('emn', %s), %L, '110', %L,
	'x') $$, i, n, k), 'service ' || n)
	from (values (5, 'sos', 'emergency'), (6, 'sos.animal-control',
	'emergency'), (7, 'test.sos', 'test')) as x (i, n, k);
select throws_ok(format($$ insert into core.emergency_number (id, number,
	send_as, kind, name) values (pg_temp.id('emn', 8), %L, %L, %L,
	'x') $$, n, s, k), '23514', null, 'service ' || n)
	from (values ('sos.police', null, 'emergency'), ('SOS', '110',
	'emergency'), ('sosx', '110', 'emergency'), ('sos.', '110',
	'emergency'), ('test.sos.fire', '110', 'emergency'),
	('sos.aaaaaaaaaaaaaaaa', '110', 'emergency')) as x (n, s, k);
select throws_ok(format($$ insert into core.location (id, tenant_id, name,
	%s) values (pg_temp.id('loc', 2), pg_temp.id('ten', 1), 'x', %s) $$,
	c, v), '23514', null, c || ' ' || v)
	from (values ('latitude', '''52.5'''),
	('latitude, longitude', '''91'', ''1'''),
	('latitude, longitude', '''1'', ''181'''),
	('latitude, longitude', '''1'', ''1e1'''),
	('rd', '''Street'''), ('radius_m', '5'), ('uri', 'null'),
	('uri', '''http://x.example/'''), ('uri', '''https://x>y'''),
	('country', '''de'''), ('country, rd', E'''DE'', ''a\x0ab'''))
	as x (c, v);
select lives_ok($$ update core.trunk set location_id = pg_temp.id('loc', 1)
	where id = pg_temp.id('trk', 1) $$);
select throws_ok($$ update core.trunk set location_id = pg_temp.id('loc', 1)
	where id = pg_temp.id('trk', 2) $$, '23503', null,
	'a place of another tenant');
delete from core.did;
delete from core.trunk where id = pg_temp.id('trk', 1);
select is_empty($$ select from core.emergency_number
	where id = pg_temp.id('emn', 3) $$, 'a trunk''s numbers go with it');

select * from finish();
rollback;
