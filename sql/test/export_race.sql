-- A file is made while nodes load: each record is in one file; a report is made
-- while they load: it has each record, or will be made once more.
select no_plan();
begin;
\ir fixture/world.sql
insert into cdr.export_template (id, name, columns, schedule, delay_min)
	values ('cet_' || repeat('1', 26), 'All', '{call_id}', 'hourly', 0);
insert into cdr.export_template (id, name, report, format, schedule, delay_min)
	values ('cet_' || repeat('2', 26), 'Told', 'trend', 'csv', 'hourly', 0);
commit;

create function pg_temp.open(name text) returns boolean language sql as
$$
	select dblink_connect(name, 'host=' || split_part(current_setting(
		'unix_socket_directories'), ',', 1) || ' user=' || current_user
		|| ' dbname=' || current_database()) = 'OK'
$$;
create function pg_temp.load(name text, n integer) returns boolean
	language sql as
$$
	select dblink_exec(name, format('insert into cdr.record (started_at, '
		'call_id, attempt, ended_at, outcome, tenant_id) values (%L, '
		'''00000000-0000-7000-8000-00000000000%s'', 0, %1$L, ''ok'', '
		'%L)', date_trunc('hour', now()) - interval '1 minute', $2,
		-- whose roll-up is not the other's
		pg_temp.id('ten', $2)))
		= 'INSERT 0 1'
$$;
-- what the job reads (cdr_export.c)
create function pg_temp.file(job text) returns text language sql as
$$
	select string_agg(substr(t.call_id::text, 36), ',' order by t.call_id)
	from (select r.call_id from cdr.record r, cdr.export_template e
		where e.columns is not null
			and r.ended_at >= coalesce(e.covered_to, e.covered_from)
			and r.ended_at < e.claimed_to and not exists (select
			from cdr.export_late l where l.call_id = r.call_id)
		union all select call_id from cdr.export_late where job_id = $1) t
$$;
select pg_temp.open('early') and pg_temp.open('late') and pg_temp.open('job')
	and pg_temp.open('report');
create function pg_temp.told() returns text language sql as
$$
	select format('%s seen, %s noted', count(distinct r.call_id), (select
		count(*) from cdr.report_late l where l.template_id = e.id))
	from cdr.export_template e left join cdr.record r on r.started_at
		>= e.covered_from and r.started_at < e.claimed_to
	where e.id = 'cet_' || repeat('2', 26) group by e.id
$$;
select dblink_exec('early', 'begin') = 'BEGIN' and pg_temp.load('early', 1);
select ok(cdr.jobs_due() >= 1);

select dblink_send_query('job', $$ select cdr.export_begin('cet_'
	|| repeat('1', 26), 'a') $$) = 1;
select dblink_send_query('report', $$ select cdr.report_begin(id, 'r',
	covered_from, claimed_to) from cdr.export_template
	where id = 'cet_' || repeat('2', 26) $$) = 1;
select pg_sleep(0.1) is null;
select ok(dblink_is_busy('job') = 1 and dblink_is_busy('report') = 1,
	'who loads since before the claim is waited for');
select dblink_exec('late', 'begin') = 'BEGIN' and pg_temp.load('late', 2);
select dblink_exec('early', 'commit') = 'COMMIT';
select is(count(*), 1::bigint, 'who began later is not')
	from dblink_get_result('job') t (x text);
select count(*) = 0 from dblink_get_result('job') t (x text);
select is(count(*), 1::bigint, 'nor by a report')
	from dblink_get_result('report') t (x text);
select is(pg_temp.file('a'), '1', 'the one is in this file');
select is(pg_temp.told(), '1 seen, 0 noted', 'and in the report');
select dblink_exec('late', 'commit') = 'COMMIT';
select is(pg_temp.file('a'), '1', 'the other is not, also while it is made');
select is(pg_temp.told(), '2 seen, 1 noted',
	'which was read before, and will be made again');
select (cdr.export_done('cet_' || repeat('1', 26), 'a', covered_from, claimed_to,
	1, 1, 'ab', true)).sequence = 1 from cdr.export_template
	where columns is not null;
select cdr.export_begin('cet_' || repeat('1', 26), 'b');
select is(pg_temp.file('b'), '2', 'but in the next');
select dblink_disconnect('report') = 'OK';
select dblink_disconnect('early') = 'OK' and dblink_disconnect('late') = 'OK'
	and dblink_disconnect('job') = 'OK';

begin;
delete from cdr.export_template;
delete from core.job;
update cdr.schedule set next_at = now(); -- as a new database has it
set local session_replication_role = replica; -- append-only else
delete from cdr.record;
delete from report.hour;
commit;
\ir fixture/sweep.sql
select * from finish();
