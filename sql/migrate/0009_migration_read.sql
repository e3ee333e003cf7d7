-- `strowger doctor` compares what is applied with what there is, also when it
-- logs in as the API does. The table is the runner's.
do $$
begin
	if to_regclass('core.migration') is not null then
		grant select on core.migration to strowger_api;
	end if;
end
$$;
