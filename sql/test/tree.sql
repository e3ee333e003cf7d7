-- Resellers above tenants: at most four levels, no ring, one lookup.
begin;
select no_plan();

create function pg_temp.id(n text) returns text language sql as
	$$ select 'ten_' || repeat(n, 26) $$;
create function pg_temp.make(n text, above text) returns void language sql as
$$
	insert into core.tenant (id, name, currency, parent_id)
		values (pg_temp.id(n), n, 'EUR', pg_temp.id(above))
$$;
create function pg_temp.below(n text) returns text language sql as
$$
	select string_agg(right(t.tenant_id, 1), '' order by t.depth,
		t.tenant_id) from core.tenant_tree t
	where t.ancestor_id = pg_temp.id(n)
$$;

select pg_temp.make('a', null), pg_temp.make('b', 'a'),
	pg_temp.make('c', 'b'), pg_temp.make('d', 'c'), pg_temp.make('e', 'a'),
	pg_temp.make('x', null);
select is(pg_temp.below('a'), 'abecd', 'a reseller has its subtree');
select is(pg_temp.below('c'), 'cd', 'and so has one below it');
select is(pg_temp.below('x'), 'x', 'others stand alone');
select throws_ok($$ select pg_temp.make('f', 'd') $$, '23514', null,
	'four levels at most');
select throws_ok($$ select pg_temp.make('g', 'g') $$, null, null,
	'nobody stands below itself');

create function pg_temp.move(n text, above text) returns void language sql as
$$
	update core.tenant set parent_id = pg_temp.id(above)
		where id = pg_temp.id(n)
$$;
select throws_ok($$ select pg_temp.move('a', 'd') $$, '23514', null,
	'a ring is refused');
select throws_ok($$ select pg_temp.move('a', 'a') $$, '23514', null,
	'also the smallest');
select throws_ok($$ select pg_temp.move('a', 'x') $$, '23514', null,
	'nor does a move make a fifth level');
select lives_ok($$ select pg_temp.move('b', 'x') $$, 'a branch moves');
select is(pg_temp.below('a') || ' ' || pg_temp.below('x'), 'ae xbcd',
	'with all that is below it');
select lives_ok($$ select pg_temp.move('b', null) $$, 'and away');
select is(pg_temp.below('x') || ' ' || pg_temp.below('b'), 'x bcd',
	'alone then');
select throws_ok($$ delete from core.tenant
	where id = 'ten_' || repeat('b', 26) $$, '23503', null,
	'who has tenants stays');
select lives_ok($$ delete from core.tenant
	where id = 'ten_' || repeat('d', 26) $$, 'a leaf goes');
select is(pg_temp.below('b'), 'bc', 'and its links with it');

set local role strowger_api;
select lives_ok($$ insert into core.tenant (id, name, currency, parent_id)
	values ('ten_' || repeat('h', 26), 'h', 'EUR',
	'ten_' || repeat('c', 26)) $$, 'the API makes tenants');
select throws_ok($$ insert into core.tenant_tree values
	('ten_' || repeat('x', 26), 'ten_' || repeat('b', 26), 1) $$, '42501',
	null, 'but writes no links');
reset role;
select is(pg_temp.below('b'), 'bch', 'those are made for it');

select * from finish();
rollback;
