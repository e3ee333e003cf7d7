-- Export templates: their schedule, numbers without a gap, deliveries.
begin;
select no_plan();
\ir fixture/world.sql
update cdr.schedule set next_at = now() + interval '1 day';

select ok(core.is_id(core.new_id('cef'), 'cef'), 'ids of SQL');
select is(substr(core.new_id('cef'), 5, 7), substr(core.new_id('cef'), 5, 7),
	'that grow with time');
select throws_ok($$ insert into cdr.export_template (id, name, tenant_id,
	columns) values ('cet_' || repeat('9', 26), 'x', pg_temp.id('ten', 1),
	'{call_id,cost}') $$, '23514', null, 'no customer sees what we pay');
select throws_ok($$ insert into cdr.export_template (id, name, columns,
	headings) values ('cet_' || repeat('9', 26), 'x', '{call_id,called}',
	'one') $$, '23514', null, 'as many headings as columns');
select throws_ok($$ insert into cdr.export_template (id, name, columns,
	time_zone) values ('cet_' || repeat('9', 26), 'x', '{call_id}',
	'Europe/Atlantis') $$, '23514', 'there is no time zone Europe/Atlantis');

insert into cdr.export_template (id, name, columns, schedule, time_zone,
	delay_min, url) values ('cet_' || repeat('1', 26), 'Daily of A', '{call_id}',
	'daily', 'Europe/Berlin', 30, 'sftp://u@192.0.2.1/in/');
select is(cdr.export_end(t, '2026-03-29 22:29Z'), '2026-03-28 23:00Z',
	'not before the delay is over') from cdr.export_template t;
select is(cdr.export_end(t, '2026-03-29 22:30Z'), '2026-03-29 22:00Z',
	'days of its time zone, also that of 23 hours') from cdr.export_template t;

select is(cdr.jobs_due(), 1::bigint);
select is(cdr.jobs_due(), 0::bigint, 'one at a time');
select ok((args ->> 'to')::timestamptz
	= cdr.export_end(t, now()) and (args ->> 'is_scheduled')::boolean,
	'until the last midnight') from core.job, cdr.export_template t
	where kind = 'cdr_export';
select results_eq($$ select * from cdr.export_done('cet_' || repeat('1', 26),
	'job_' || repeat('1', 26), '2026-11-01Z', '2026-11-02Z', 3, 100, 'ab',
	true) $$, $$ values (1::bigint, 'Daily_of_A-000001.csv') $$);
select results_eq($$ select * from cdr.export_done('cet_' || repeat('1', 26),
	'job_' || repeat('1', 26), '2026-10-01Z', '2026-10-02Z', 3, 100, 'ab',
	false) $$, $$ values (2::bigint, 'Daily_of_A-000002.csv') $$);
select results_eq($$ select sequence, covered_to, row_version
	from cdr.export_template $$,
	$$ values (2::bigint, '2026-11-02Z'::timestamptz, 1::bigint) $$,
	'what comes by itself goes on where it ended');
select results_eq($$ select sequence, status from cdr.export_file order by 1 $$,
	$$ values (1::bigint, 'waiting'), (2::bigint, 'waiting') $$);

-- goes on from there, when the job is over
update core.job set status = 'done', finished_at = now();
update cdr.export_template set next_at = now();
select is(cdr.jobs_due(), 3::bigint, 'the next span and two deliveries');
select is((select args ->> 'from' from core.job where kind = 'cdr_export'
	and status = 'queued'), '2026-11-02T00:00:00.000Z', 'no time is left out');
select is(cdr.jobs_due(), 0::bigint, 'deliveries once');

select cdr.export_tried(id, 'connection refused') from cdr.export_file;
select results_eq($$ select tries, status, error, next_try_at
	= now() + interval '2 s' from cdr.export_file $$,
	$$ values (1, 'waiting', 'connection refused', true),
	(1, 'waiting', 'connection refused', true) $$, 'tried again soon');
select cdr.export_tried(id, 'connection refused') from cdr.export_file;
select is(max(next_try_at), now() + interval '8 s', 'and then later')
	from cdr.export_file;
select cdr.export_tried(id, null) from cdr.export_file where sequence = 1;
update cdr.export_file set created_at = now() - interval '3 days'
	where sequence = 2;
select cdr.export_tried(id, 'refused') from cdr.export_file where sequence = 2;
select results_eq($$ select sequence, status, next_try_at is null, error
	from cdr.export_file order by 1 $$, $$ values
	(1::bigint, 'delivered', true, null), (2::bigint, 'failed', false,
	'refused') $$, 'until it is there, or for two days');

-- a record that is loaded when the file of its time was claimed
delete from cdr.export_file;
delete from core.job;
update cdr.export_template set covered_to = null, covered_from = null,
	claimed_to = null, next_at = now(), url = null, tenant_id =
	pg_temp.id('ten', 1), time_zone = 'UTC', delay_min = 0;
create function pg_temp.span(out from_at timestamptz, out to_at timestamptz)
	language sql as
$$
	select (args ->> 'from')::timestamptz, (args ->> 'to')::timestamptz
		from core.job where kind = 'cdr_export' and status = 'queued'
$$;
create function pg_temp.load(n integer, ended_at timestamptz,
	tenant integer default 1) returns void language sql as
$$
	insert into cdr.record (started_at, call_id, attempt, tenant_id,
			ended_at, outcome)
		select $2 - interval '1 minute', format('00000000-0000-7000-'
			'8000-0000000000%s', 10 + $1)::uuid, a,
			pg_temp.id('ten', $3), $2, 'ok'
		from generate_series(0, 1) a
$$;
create function pg_temp.noted() returns text language sql as
$$
	select string_agg(substr(call_id::text, 36) || coalesce(' ' || job_id,
		''), ',' order by call_id) from cdr.export_late
$$;
select pg_temp.load(1, now() - interval '1 month');
select is(cdr.jobs_due(), 1::bigint);
select pg_temp.load(2, to_at) is null from pg_temp.span();
select pg_temp.load(3, from_at - interval '1 ms') is null from pg_temp.span();
select is(pg_temp.noted(), null, 'neither before the first file nor after it');
select pg_temp.load(4, from_at) is null from pg_temp.span();
select pg_temp.load(5, from_at, 2) is null from pg_temp.span();
select is(pg_temp.noted(), '4', 'of whose calls it is, once for its attempts');
select cdr.export_begin(id, 'job_a') from cdr.export_template;
select pg_temp.load(6, to_at - interval '1 ms') is null from pg_temp.span();
select is(pg_temp.noted(), '4 job_a,6', 'one is in this file, one is not');
select is((cdr.export_done('cet_' || repeat('1', 26), 'job_a', from_at, to_at, 1,
	100, 'ab', true)).sequence, 3::bigint) from pg_temp.span();
select is(pg_temp.noted(), '6', 'which is in the next');
select throws_ok(format($$ select cdr.export_done('cet_' || repeat('1', 26),
	'job_b', %L, %L, 1, 100, 'ab', true) $$, from_at, to_at), '55000', null,
	'a span has one file, also when two jobs make it') from pg_temp.span();
-- a claim that came to nothing
update core.job set status = 'failed', finished_at = now();
update cdr.export_template set covered_to = covered_to - interval '1 day',
	next_at = now(), delay_min = 10080;
select is(cdr.jobs_due(), 1::bigint);
select is(to_at, claimed_to, 'is not taken back')
	from pg_temp.span(), cdr.export_template;

-- a report of a span that changes after it was made
delete from core.job;
update cdr.export_template set columns = null, report = 'trend', delay_min = 0,
	covered_to = null, covered_from = null, claimed_to = null,
	next_at = now();
create function pg_temp.late() returns bigint language sql as
$$ select count(*) from cdr.report_late $$;
select pg_temp.load(7, now() - interval '1 hour');
select is(pg_temp.late(), 0::bigint, 'there is no file yet');
select is(cdr.jobs_due(), 1::bigint);
create temp table span as select * from pg_temp.span();
select is((cdr.report_done('cet_' || repeat('1', 26), 'job_c', from_at, to_at, 1,
	100, 'ab', 'cd', null)).name, 'Daily_of_A-000004.csv') from span;
update core.job set status = 'done', finished_at = now();
select pg_temp.load(8, to_at + interval '2 minutes') is null from span;
select pg_temp.load(9, from_at, 2) is null from span;
select is(pg_temp.late(), 0::bigint, 'neither after it nor of another tenant');
-- loaded late: a call that began in the span, and ended after it
select pg_temp.load(10, to_at + interval '1 minute' - interval '1 ms') is null
	from span;
select is(pg_temp.late(), 1::bigint, 'once for an hour of what is loaded at once');
insert into cdr.charge (started_at, call_id, attempt, side, account_id,
		amount_micro, currency, billed_ms)
	select from_at, '00000000-0000-7000-8000-000000000019', 0, 'sell',
		pg_temp.id('acc', 1), 1, 'EUR', 1000 from span;
select is(pg_temp.late(), 2::bigint, 'who pays for a call of another tenant');
insert into cdr.charge_revision select c.*, 1, 'rrt_1' from cdr.charge c, span
	where c.started_at = from_at;
select is(pg_temp.late(), 3::bigint, 'a call that is rated again');
select is(cdr.jobs_due(), 0::bigint, 'more may come');
update cdr.report_late set noted_at = now() - interval '1 hour';
select is(cdr.jobs_due(), 1::bigint);
select is(cdr.jobs_due(), 0::bigint, 'one at a time');
select results_eq($$ select (args ->> 'from')::timestamptz, (args ->>
	'to')::timestamptz, args ->> 'corrects' from core.job where status =
	'queued' $$, $$ select s.from_at, s.to_at, f.id from span s, cdr.export_file f
	where f.name = 'Daily_of_A-000004.csv' $$);
select cdr.report_begin('cet_' || repeat('1', 26), 'job_d', from_at, to_at)
	is null from span;
select is(pg_temp.late(), 0::bigint, 'what is noted is in the one that is made');
select is((cdr.report_done('cet_' || repeat('1', 26), 'job_' || n, from_at, to_at,
	1, 100, 'ab', 'ef', (select id from cdr.export_file where name =
	'Daily_of_A-000004.csv'))).name, format('Daily_of_A-00000%s-corrects-'
	'000004.csv', 4 + n)) from span, generate_series(1, 2) n;
select results_eq($$ select revision, corrects_id is not null
	from cdr.export_file where report = 'trend' order by sequence $$,
	$$ values (0, false), (1, true), (2, true) $$);
select is(covered_to, to_at, 'the next one is of the day after')
	from cdr.export_template, span;
-- of a template that is of another report now, nothing can be corrected
update core.job set status = 'done', finished_at = now();
select pg_temp.load(11, to_at - interval '1 minute') is null from span;
update cdr.report_late set noted_at = now() - interval '1 hour';
update cdr.export_template set report = 'tax', next_at = 'infinity';
select is(cdr.jobs_due(), 0::bigint);
update cdr.export_template set report = null, columns = '{call_id}';
select is(cdr.jobs_due(), 0::bigint);
select is(pg_temp.late(), 0::bigint, 'files of records need none');

select * from finish();
rollback;
