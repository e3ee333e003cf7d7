-- Decision URLs: whose they are, what a fallback needs, and how secrets come
-- and go.
begin;
select no_plan();
\ir fixture/world.sql

create function pg_temp.make(n integer, owner text, more text default '')
	returns void language plpgsql as
$$
begin
	execute format('insert into core.decision_url (id, tenant_id, %1$s_id,
		url, secret_box %2$s) values (pg_temp.id(''dcu'', %3$s),
		pg_temp.id(''ten'', 1), pg_temp.id(%4$L, 1),
		''https://one.example/'', ''\x00'' %5$s)',
		case owner when 'did' then 'did' else 'trunk' end,
		case when more <> '' then ', ' || split_part(more, '=', 1)
			else '' end, n, owner,
		case when more <> '' then ', ' || split_part(more, '=', 2)
			else '' end);
end
$$;

select throws_ok($$ select pg_temp.make(1, 'did', 'timeout_ms=50') $$,
	'23514', null, 'nobody answers in 50 ms');
select throws_ok($$ select pg_temp.make(1, 'did', 'conditions=''{}''') $$,
	'23514', null, 'it is asked on something');
select throws_ok($$ select pg_temp.make(1, 'did',
	'conditions=''{sometimes}''') $$, '23514', null, 'on what is known');
select throws_ok($$ select pg_temp.make(1, 'did',
	'fallback=''forward''') $$, '23514', null, 'a forward goes somewhere');
select throws_ok($$ select pg_temp.make(1, 'did',
	'fallback_number=''+491''') $$, '23514', null,
	'and nothing else does');
select throws_ok($$ insert into core.decision_url (id, tenant_id, did_id, url)
	values (pg_temp.id('dcu', 1), pg_temp.id('ten', 1),
		pg_temp.id('did', 1), 'https://one.example/') $$, '23514', null,
	'what is signed has a secret');
select throws_ok($$ insert into core.decision_url (id, tenant_id, did_id, url,
		is_signed) values (pg_temp.id('dcu', 1), pg_temp.id('ten', 2),
		pg_temp.id('did', 1), 'https://one.example/', false) $$,
	'23503', null, 'a number''s is its tenant''s');
select throws_ok($$ insert into core.decision_url (id, tenant_id, trunk_id,
		url, is_signed) values (pg_temp.id('dcu', 1),
		pg_temp.id('ten', 2), pg_temp.id('trk', 1),
		'https://one.example/', false) $$,
	'23503', null, 'and so is a trunk''s');

set local role strowger_api;
select lives_ok($$ select pg_temp.make(1, 'did') $$, 'of a number');
select lives_ok($$ select pg_temp.make(2, 'trk') $$, 'of a trunk');
select throws_ok($$ select pg_temp.make(3, 'trk') $$, '23505', null,
	'one of each');

update core.decision_url set previous_box = secret_box,
	previous_until = now(), secret_box = '\x01';
update core.decision_url set is_signed = false
	where id = pg_temp.id('dcu', 1);
select results_eq($$ select is_signed, secret_box is null,
		previous_box is null from core.decision_url order by id $$,
	$$ values (false, true, true), (true, false, false) $$,
	'without signature no secret stays');
update core.decision_url set secret_box = '\x02'
	where id = pg_temp.id('dcu', 1);
select ok(is_signed, 'a new secret is there to sign with')
	from core.decision_url where id = pg_temp.id('dcu', 1);
reset role;

select is(core.decision_url_object(id) ->> 'secret_box', '\x02',
	'the switch reads what is sealed')
	from core.decision_url where id = pg_temp.id('dcu', 1);
delete from core.decision_url where id = pg_temp.id('dcu', 2);
set constraints all immediate;
select bag_eq($$ select id from core.change where kind = 'decision_url' $$,
	$$ values (pg_temp.id('dcu', 1)), (pg_temp.id('dcu', 2)) $$,
	'and hears of each change');
delete from core.did where id = pg_temp.id('did', 1);
select is_empty('select 1 from core.decision_url',
	'it goes with its number');

select * from finish();
rollback;
