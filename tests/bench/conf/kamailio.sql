-- The same things that switch.sql provisions, as Kamailio's modules read them.
\set ON_ERROR_STOP on
\i /usr/share/kamailio/postgres/standard-create.sql
\i /usr/share/kamailio/postgres/acc-create.sql
\i /usr/share/kamailio/postgres/auth_db-create.sql
\i /usr/share/kamailio/postgres/drouting-create.sql
\i /usr/share/kamailio/postgres/permissions-create.sql
\i /usr/share/kamailio/postgres/htable-create.sql
\i /usr/share/kamailio/postgres/dialog-create.sql
alter table acc_cdrs add caller text, add callee text, add callid text,
	add account text, add carrier text, add src_ip text;

-- 10,000 users, their HA1 in memory (htable "auth")
insert into subscriber (username, domain, password, ha1)
	select name, 'bench', 'pw', md5(name || ':bench:pw')
	from (select 'u' || lpad(i::text, 5, '0') as name
		from generate_series(0, 9999) i) u;
create table htauth as select id, username::varchar(64) as key_name,
	0 as key_type, 0 as value_type, ha1::varchar(128) as key_value,
	0 as expires from subscriber;
insert into version (table_name, table_version) values ('htauth', 2);

-- a customer by source address, and a thousand others
insert into address (grp, ip_addr, mask, port, tag)
	values (1, '127.0.0.2', 32, 0, 'caller');
insert into address (grp, ip_addr, mask, port, tag)
	select 1, '10.' || i / 256 || '.' || i % 256 || '.1', 32, 0, 'other'
	from generate_series(0, 999) i;

-- 10,000 prefixes over two gateways
insert into dr_gateways (gwid, type, address) values
	(1, 0, '127.0.0.1:' || :carrier_port),
	(2, 0, '127.0.0.1:' || :second_port);
insert into dr_rules (groupid, prefix, timerec, priority, routeid, gwlist)
	select '1', '49' || lpad(i::text, 4, '0'), '', 0, '0', '1;2'
	from generate_series(0, 9999) i;
insert into dr_rules (groupid, prefix, timerec, priority, routeid, gwlist)
	values ('1', '', '', 0, '0', '1;2');

create role kam login;
grant all on all tables in schema public to kam;
grant all on all sequences in schema public to kam;
analyze;
