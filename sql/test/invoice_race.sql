-- Two who issue invoices of one seller: no number is lost or there twice, also
-- when one of them dies.
select no_plan();
begin;
\ir fixture/world.sql
insert into billing.seller (id, name, city, country, number_prefix)
	values (pg_temp.id('sel', 1), 'S', 'Berlin', 'DE', 'R-');
insert into billing.profile (id, account_id, seller_id, name, city, country)
	select pg_temp.id('bpr', n), pg_temp.id('acc', n), pg_temp.id('sel', 1),
		'B', 'Hamburg', 'DE' from generate_series(1, 2) n;
insert into billing.charge (id, account_id, kind, name, amount_micro, starts_on,
		every)
	select pg_temp.id('chg', n), pg_temp.id('acc', n), 'service', 'C',
		1000000, '2026-03-01', 'once' from generate_series(1, 2) n;
select billing.draft(pg_temp.id('acc', n), '2026-03-01', '2026-04-02Z')
	is not null from generate_series(1, 2) n;
commit;

create function pg_temp.open(name text) returns boolean language sql as
$$
	select dblink_connect(name, 'host=' || split_part(current_setting(
		'unix_socket_directories'), ',', 1) || ' user=' || current_user
		|| ' dbname=' || current_database()) = 'OK'
$$;
create function pg_temp.waits(name text) returns boolean language plpgsql as
$$
begin
	perform pg_sleep(0.1);
	return dblink_is_busy(name) = 1;
end
$$;
create function pg_temp.sql(n integer) returns text language sql as
$$
	select format('select billing.issue(id) from billing.invoice '
		'where account_id = %L', pg_temp.id('acc', n))
$$;
select pg_temp.open('a') and pg_temp.open('b');
select dblink_exec('a', 'begin') = 'BEGIN';
select results_eq(format($$ select * from dblink('a', %L) t (name text) $$,
	pg_temp.sql(1)), $$ values ('R-000001') $$, 'one has the first number');
select dblink_send_query('b', pg_temp.sql(2)) = 1;
select ok(pg_temp.waits('b'), 'the other waits');
select dblink_exec('a', 'rollback') = 'ROLLBACK';
select results_eq($$ select * from dblink_get_result('b') t (name text) $$,
	$$ values ('R-000001') $$, 'and has it when the one dies');
select count(*) = 0 from dblink_get_result('b') t (name text);
select results_eq(format($$ select * from dblink('a', %L) t (name text) $$,
	pg_temp.sql(1)), $$ values ('R-000002') $$, 'who dies comes again');
select is_empty('select * from billing.check_ledger()');
select dblink_disconnect('a') = 'OK' and dblink_disconnect('b') = 'OK';

begin;
alter table billing.invoice disable trigger user;
alter table billing.invoice_line disable trigger user;
alter table billing.invoice_posting disable trigger user;
alter table billing.posting disable trigger user;
delete from billing.invoice;
delete from billing.posting;
alter table billing.invoice enable trigger user;
alter table billing.invoice_line enable trigger user;
alter table billing.invoice_posting enable trigger user;
alter table billing.posting enable trigger user;
delete from billing.charge;
delete from billing.profile;
delete from billing.seller;
commit;
\ir fixture/sweep.sql
select * from finish();
