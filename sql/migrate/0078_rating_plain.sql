-- Comparing many calls: a rate without tiers and windows, a package without
-- zones that are left out, and an account that was rated again before are found
-- out about at once.
create index charge_revision_account on cdr.charge_revision (account_id,
	started_at);

do $do$
declare
	f record;
	was text;
begin
	-- planned once, as in 0072
	select p.oid, p.prosrc into f from pg_proc p
		where p.oid = 'core.zone_has(text[], text)'::regprocedure;
	execute replace(replace(pg_get_functiondef(f.oid), f.prosrc,
		format(E'\n#variable_conflict use_column\nbegin\n'
			'return (%s);\nend\n', f.prosrc)),
		'LANGUAGE sql', 'LANGUAGE plpgsql');
	was := pg_get_functiondef('core.packages_for(text, text, text,
		timestamptz, text[])'::regprocedure);
	execute replace(was, 'and not core.zone_has(p.excluded_zone_ids, $3)',
		'and (p.excluded_zone_ids = ''{}''
			or not core.zone_has(p.excluded_zone_ids, $3))');
	was := pg_get_functiondef('rating.steps(core.rate, jsonb, jsonb,
		timestamptz, bigint)'::regprocedure);
	execute replace(was, E'\nbegin\n', $q$
begin
	if tiers = '[]' and windows = '[]' then
		return jsonb_build_array(jsonb_build_array(0, r.first_ms,
				r.rate_per_min_nano, false))
			|| case when r.first_ms = r.next_ms then '[]'
				else jsonb_build_array(jsonb_build_array(
					r.first_ms, r.next_ms,
					r.rate_per_min_nano, false)) end;
	end if;
$q$);
end
$do$;
