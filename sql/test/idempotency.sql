-- Answers that are kept for repeated POSTs.
begin;
select no_plan();
\ir fixture/world.sql

insert into core.api_key (id, name, scopes, secret_sha256)
values ('key_' || repeat('i', 26), 'test', array['platform:write'],
	sha256('secret'));
prepare keep (text, integer) as insert into core.idempotency
	(key_id, idempotency_key, request_sha256, status)
	values ('key_' || repeat('i', 26), $1, sha256('request'), $2);

select throws_ok($$ execute keep('', 201) $$, '23514', null,
	'a key has a length');
select throws_ok($$ execute keep(repeat('x', 256), 201) $$, '23514', null,
	'and a bound');
select throws_ok($$ execute keep('a', 422) $$, '23514', null,
	'refusals are not kept');
select lives_ok($$ execute keep('a', 201) $$, 'what was done is');
select throws_ok($$ execute keep('a', 201) $$, '23505', null, 'once');
select throws_ok($$ insert into core.idempotency (key_id, idempotency_key,
	request_sha256) values ('key_' || repeat('j', 26), 'a',
	sha256('request')) $$, '23503', null, 'for a key that is there');
select ok(not has_table_privilege('strowger_switch', 'core.idempotency',
	'select'), 'the switch has no business here');
delete from core.api_key where id = 'key_' || repeat('i', 26);
select is_empty($$ select from core.idempotency $$, 'it goes with its key');

select * from finish();
rollback;
