-- Who calls from one address: rows that could claim the same call are refused.
begin;
select no_plan();
\ir fixture/world.sql

create function pg_temp.row_of(n integer, trunk text, cidr cidr, prefix text,
	token text default null) returns text language sql as
$$
	insert into core.source_address (id, trunk_id, cidr, tech_prefix,
		token_sha256) values ('adr_' || lpad((n + 200)::text, 26, '0'), trunk,
		cidr, prefix, encode(sha256(token::bytea), 'hex'))
	returning id
$$;
create function pg_temp.trunk(n integer) returns text language sql as
$$ select id from core.trunk order by id offset n - 1 limit 1 $$;

select cmp_ok((select count(*) from core.trunk), '>=', 2::bigint);
select lives_ok($$ select pg_temp.row_of(1, pg_temp.trunk(1),
	'203.0.113.1/32', '77#') $$, 'a tech prefix');
select lives_ok($$ select pg_temp.row_of(2, pg_temp.trunk(2),
	'203.0.113.1/32', '78#') $$, 'another trunk, another prefix');
select lives_ok($$ select pg_temp.row_of(3, pg_temp.trunk(2),
	'203.0.113.1/32', null, 'a-token-of-16-chars') $$, 'and a token');
select lives_ok($$ select pg_temp.row_of(4, pg_temp.trunk(1),
	'203.0.113.1/32', '77') $$, 'the same trunk may have a shorter one');
select throws_ok($$ select pg_temp.row_of(5, pg_temp.trunk(2),
	'203.0.113.1/32', '7') $$, '23505', null,
	'another trunk may not have what begins it');
select throws_ok($$ select pg_temp.row_of(5, pg_temp.trunk(2),
	'203.0.113.1/32', '77#1') $$, '23505', null, 'nor what it begins');
select throws_ok($$ select pg_temp.row_of(5, pg_temp.trunk(2),
	'203.0.113.1/32', null) $$, '23505', null,
	'nor every call beside those with a prefix');
select throws_ok($$ select pg_temp.row_of(5, pg_temp.trunk(1),
	'203.0.113.1/32', null, 'a-token-of-16-chars') $$, '23505', null,
	'nor the same token');
select throws_ok($$ update core.source_address set tech_prefix = '7'
	where id = 'adr_' || lpad('202', 26, '0') $$, '23505', null,
	'also not by an update');
select lives_ok($$ select pg_temp.row_of(5, pg_temp.trunk(2),
	'203.0.113.0/24', null) $$, 'a wider network is another matter');
select throws_ok($$ select pg_temp.row_of(6, pg_temp.trunk(2),
	'203.0.113.2/32', '1', 'a-token-of-16-chars') $$, '23514', null,
	'the one or the other');
select throws_ok(format($$ insert into core.source_address (id, trunk_id,
	cidr, port, tech_prefix) select 'adr_' || lpad('207', 26, '0'), %L,
	cidr, port, '9' from core.source_address where gateway_id is not null
	limit 1 $$, pg_temp.trunk(1)), '23505', null,
	'a carrier''s address is nobody else''s');

select * from finish();
rollback;
