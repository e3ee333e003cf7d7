-- What number_check is for the called number, for the number that calls.
alter table core.trunk
	add column calling_check text not null default 'off'
		check (calling_check in ('off', 'country', 'length'));
