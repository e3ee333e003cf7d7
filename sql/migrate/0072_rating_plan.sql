-- What is asked for each call that is rated again, or quoted: a function in
-- PL/pgSQL keeps its plan from call to call, one in SQL that is not inlined is
-- planned each time.
do $do$
declare
	f record;
begin
	for f in select p.oid, p.prosrc from pg_proc p where p.oid in (
			'rating.round_div(numeric, numeric, text)'::regprocedure,
			'rating.window_at(jsonb, timestamptz)'::regprocedure,
			'rating.steps(core.rate, jsonb, jsonb, timestamptz,
				bigint)'::regprocedure,
			'rating.find(text, text, text, timestamptz)'
				::regprocedure) loop
		execute replace(replace(pg_get_functiondef(f.oid), f.prosrc,
			format(E'\n#variable_conflict use_column\nbegin\n'
				'return (%s);\nend\n', replace(f.prosrc,
				'select c.* from', 'select c from'))),
			'LANGUAGE sql', 'LANGUAGE plpgsql');
	end loop;
end
$do$;
