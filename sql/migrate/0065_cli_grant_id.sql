-- What an id is of is known by what it begins with: grants of calling numbers had
-- the beginning of groups of carriers. Those that are there keep their ids.
alter table core.cli_grant
	drop constraint cli_grant_id_check,
	add constraint cli_grant_id_check
		check (core.is_id(id, 'clg') or core.is_id(id, 'cgr'));
