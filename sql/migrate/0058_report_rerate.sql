-- What calls come to after they were rated again: a new revision of a charge
-- counts, the one before it is taken back.
create function report.count_revisions() returns trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp
	set jit = off as
$$
declare
	before_rows text := $q$(select c.started_at, c.call_id, c.attempt,
			c.side, c.account_id, c.carrier_id,
			-c.amount_micro as amount_micro, c.currency, c.prefix,
			c.destination, -c.billed_ms as billed_ms,
			-c.net_micro as net_micro, array(select -x.micro
				from unnest(c.tax_micro) with ordinality
					x (micro, n) order by x.n) as tax_micro,
			c.price
		from fresh f cross join lateral (
			select v.started_at, v.call_id, v.attempt, v.side,
				v.account_id, v.carrier_id, v.amount_micro,
				v.currency, v.prefix, v.destination, v.billed_ms,
				v.net_micro, v.tax_micro, v.price
			from cdr.charge_revision v
			where (v.call_id, v.attempt, v.side, v.revision)
				= (f.call_id, f.attempt, f.side, f.revision - 1)
			union all
			select v.started_at, v.call_id, v.attempt, v.side,
				v.account_id, v.carrier_id, v.amount_micro,
				v.currency, v.prefix, v.destination, v.billed_ms,
				v.net_micro, v.tax_micro, v.price
			from cdr.charge v
			where f.revision = 1 and (v.started_at, v.call_id,
				v.attempt, v.side) = (f.started_at, f.call_id,
				f.attempt, f.side)) c)$q$;
begin
	if not exists (select from fresh) then
		return null;
	end if;
	execute report.add_sql(replace(report.charge_sql(before_rows),
		'count(*) filter', '-count(*) filter'));
	execute report.add_sql(report.charge_sql('fresh'));
	execute replace(report.tax_sql(before_rows), 'count(*)::integer',
		'-count(*)::integer');
	execute report.tax_sql('fresh');
	return null;
end
$$;
create trigger charge_revision_counted after insert on cdr.charge_revision
	referencing new table as fresh
	for each statement execute function report.count_revisions();
revoke all on function report.count_revisions() from public;

-- Whatever counts anew reads charges as they are now.
do $$
declare
	f regprocedure;
begin
	foreach f in array array['report.facts(timestamptz, timestamptz)',
			'report.rebuild(timestamptz, timestamptz)',
			'report.differences(timestamptz, timestamptz)']
			::regprocedure[] loop
		execute replace(replace(pg_get_functiondef(f),
			'from cdr.charge where', 'from cdr.charge_current where'),
			'from cdr.charge ''', 'from cdr.charge_current ''');
	end loop;
end
$$;
select report.rebuild();
