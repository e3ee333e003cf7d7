-- What the last carrier said of a call, beside what its caller was told; and
-- that the wall clock was set while it lasted (durations are monotonic).
do $$
declare
	t text;
begin
	foreach t in array array['cdr.record', 'cdr.staging'] loop
		execute format('alter table %s add column b_sip_code integer, '
			'add column b_q850 integer, '
			'add column clock_stepped boolean', t);
	end loop;
end
$$;
