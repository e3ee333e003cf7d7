-- How long call records are kept, proof of what was deleted, and that the
-- questions people ask use an index.
begin;
select no_plan();
\ir fixture/world.sql
delete from cdr.retention_rule;

create function pg_temp.call(n integer, at timestamptz, tenant text,
	is_answered boolean) returns void language sql as
$$
	insert into cdr.record (started_at, call_id, attempt, tenant_id,
			answered_at, called, calling, trunk_id)
		select at, lpad(n::text, 32, '0')::uuid, attempt, tenant,
			case when is_answered then at end,
			'+4930' || n, '+4989' || n, pg_temp.id('trk', 1)
		from generate_series(0, 1) attempt;
	insert into cdr.charge (started_at, call_id, attempt, side,
			amount_micro, currency)
		values (at, lpad(n::text, 32, '0')::uuid, 0, 'sell', 1, 'EUR');
	insert into cdr.decision (started_at, call_id, decision)
		values (at, lpad(n::text, 32, '0')::uuid, '[]');
$$;
create function pg_temp.left_() returns text language sql as
$$
	select string_agg(format('%s.%s', ltrim(r.call_id::text, '0-'),
		r.attempt), ' ' order by r.call_id, r.attempt) from cdr.record r
		where r.started_at < '2031-01-01Z'
$$;
create function pg_temp.run(at timestamptz) returns bigint
	language plpgsql as
$$
declare
	n bigint; total bigint := 0;
begin
	loop
		n := cdr.retain(at, 2);
		exit when n = 0;
		total := total + n;
	end loop;
	return total;
end
$$;

select cdr.ensure_partitions('2030-01-01Z', '2030-05-01Z');
select pg_temp.call(1, '2030-01-10Z', pg_temp.id('ten', 1), true);
select pg_temp.call(2, '2030-01-11Z', pg_temp.id('ten', 1), false);
select pg_temp.call(3, '2030-01-12Z', pg_temp.id('ten', 2), true);
select pg_temp.call(4, '2030-03-10Z', pg_temp.id('ten', 1), true);
select pg_temp.call(5, '2030-03-11Z', pg_temp.id('ten', 2), false);

select is(pg_temp.run('2030-04-01Z'), 0::bigint, 'without a rule all is kept');
insert into cdr.retention_rule (id, class, keep_days) values
	('crr_' || repeat('1', 26), 'unanswered', 60);
select is(pg_temp.run('2030-04-01Z'), 1::bigint);
select is(pg_temp.left_(), '1.0 1.1 2.1 3.0 3.1 4.0 4.1 5.0 5.1',
	'calls that nobody answered go, of one class');
select results_eq($$ select rule_id, class, tenant_id, keep_days, method,
	rows_deleted, first_started_at, last_started_at from cdr.deletion $$,
	$$ values ('crr_' || repeat('1', 26), 'unanswered', null::text, 60,
	'rows', 1::bigint, '2030-01-11Z'::timestamptz,
	'2030-01-11Z'::timestamptz) $$, 'it is written down');
select throws_ok('update cdr.deletion set rows_deleted = 2', '23001');
select throws_ok('delete from cdr.deletion', '23001');
select throws_ok('delete from cdr.record', '23001', null,
	'nobody else deletes');
select throws_ok('update cdr.record set trail = ''x''', '23001');

-- a tenant of its own
insert into cdr.retention_rule (id, class, tenant_id, keep_days) values
	('crr_' || repeat('2', 26), 'answered', pg_temp.id('ten', 2), 10000);
insert into cdr.retention_rule (id, class, keep_days) values
	('crr_' || repeat('3', 26), 'answered', 60),
	('crr_' || repeat('4', 26), 'attempt', 60);
select results_eq($$ select class, rows_due from cdr.retain_plan(
	'2030-04-01Z') where rows_due > 0 order by class $$,
	$$ values ('answered', 1::bigint), ('attempt', 3::bigint) $$,
	'what would go');
select is(pg_temp.run('2030-04-01Z'), 4::bigint);
select is(pg_temp.left_(), '3.0 4.0 4.1 5.0 5.1',
	'a tenant''s rule goes before that of all');

-- whole months
delete from cdr.retention_rule where tenant_id is not null;
insert into cdr.retention_rule (id, class, keep_days) values
	('crr_' || repeat('5', 26), 'decision', 30),
	('crr_' || repeat('6', 26), 'charge', 3650);
select is(pg_temp.run('2030-04-05Z'), 4::bigint);
select hasnt_table('cdr'::name, 'record_2030_01'::name);
select hasnt_table('cdr'::name, 'decision_2030_01'::name);
select has_table('cdr'::name, 'charge_2030_01'::name);
select results_eq($$ select class, method, sum(rows_deleted)::bigint
	from cdr.deletion where method = 'partition' group by 1, 2
	order by 1 $$, $$ values ('answered', 'partition', 1::bigint),
	('decision', 'partition', 3::bigint) $$, 'months go at once, counted');
select is(pg_temp.left_(), '4.0 4.1 5.0 5.1');
select is((select count(*) from cdr.charge where started_at < '2031-01-01Z'),
	5::bigint, 'charges stay');
select is(pg_temp.run('2030-04-05Z'), 0::bigint, 'and no more');
select has_table('cdr'::name, 'record_2030_07'::name,
	'months are made ahead');

-- it comes by itself, once
select is(cdr.jobs_due(), 1::bigint);
select is(cdr.jobs_due(), 0::bigint, 'once a day');
select results_eq($$ select kind, key_id, status from core.job $$,
	$$ values ('cdr_retention', 'schedule', 'queued') $$);
select ok(core.is_id(core.new_id('job'), 'job'), 'ids of SQL');

-- plans: 20,000 calls, so that an index is worth it
select cdr.ensure_partitions('2032-01-01Z', '2032-01-02Z');
insert into cdr.record (started_at, call_id, attempt, tenant_id, trunk_id,
		called, calling)
	select '2032-01-01Z'::timestamptz + n * interval '1 minute',
		md5(n::text)::uuid, attempt, 'ten_' || n % 100,
		'trk_' || n % 400, '+49' || n % 5000, '+48' || n % 5000
	from generate_series(1, 20000) n, generate_series(0, 1) attempt;
analyze cdr.record;
create function pg_temp.plan_of(question text) returns text
	language plpgsql as
$$
declare
	line text; lines text := '';
begin
	for line in execute 'explain ' || question loop
		lines := lines || line || E'\n';
	end loop;
	return lines;
end
$$;
create function pg_temp.uses(question text, index text) returns text
	language sql as
$$
	select ok(is_good, index || case when is_good then ''
		else E'\n' || question || E'\n' || p end)
	from pg_temp.plan_of(question) p, lateral (select p ~ index
		and p !~ 'Seq Scan on record_2032_01' as is_good) g
$$;
select pg_temp.uses($$ select * from cdr.record t where t.attempt = 0
	and t.started_at >= '2032-01-05Z' and t.started_at < '2032-01-06Z'
	and t.tenant_id = 'ten_7' order by t.started_at desc, t.call_id desc
	limit 101 $$, 'record_2032_01_tenant_id_started_at_call_id_idx');
select pg_temp.uses($$ select * from cdr.record t where t.attempt = 0
	and t.started_at >= '2032-01-01Z' and t.started_at < '2032-02-01Z'
	and t.called = '+4977' order by t.started_at desc, t.call_id desc
	limit 101 $$, 'record_2032_01_called_started_at_idx');
select pg_temp.uses($$ select * from cdr.record t where t.attempt = 0
	and t.started_at >= '2032-01-01Z' and t.started_at < '2032-02-01Z'
	and t.calling = '+4877' order by t.started_at desc, t.call_id desc
	limit 101 $$, 'record_2032_01_calling_started_at_idx');
select pg_temp.uses($$ select * from cdr.record t where t.call_id =
	md5('99')::uuid $$, 'record_2032_01_call_id_idx');

select * from finish();
rollback;
