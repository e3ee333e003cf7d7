-- What is asked for each call that is rated again, or quoted: a function in
-- PL/pgSQL keeps its plan from call to call, one in SQL that is not inlined is
-- planned each time. And comparing many calls: a rate without tiers and windows and
-- an account that was rated again before are found out about at once.
create index charge_revision_account on cdr.charge_revision (account_id,
	started_at);

do $do$
declare
	f record;
	was text;
begin
	for f in select p.oid, p.prosrc from pg_proc p where p.oid in (
			'rating.round_div(numeric, numeric, text)'::regprocedure,
			'rating.window_at(jsonb, timestamptz)'::regprocedure,
			'rating.steps(core.rate, jsonb, jsonb, timestamptz,
				bigint)'::regprocedure,
			'rating.find(text, text, text, timestamptz)'
				::regprocedure,
			'core.zone_has(text[], text)'::regprocedure) loop
		execute replace(replace(pg_get_functiondef(f.oid), f.prosrc,
			format(E'\n#variable_conflict use_column\nbegin\n'
				'return (%s);\nend\n', replace(f.prosrc,
				'select c.* from', 'select c from'))),
			'LANGUAGE sql', 'LANGUAGE plpgsql');
	end loop;
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
