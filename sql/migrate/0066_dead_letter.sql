-- Refused records over REST: which are open, and an operator's word that one
-- will never be loaded.
alter table cdr.dead_letter
	add column discarded_at timestamptz,
	add column discard_note text check (length(discard_note) <= 255),
	add column status text generated always as (case
		when loaded_at is not null then 'loaded'
		when discarded_at is not null then 'discarded'
		else 'open' end) stored;
drop index cdr.dead_letter_open;
create index dead_letter_open on cdr.dead_letter (id) where loaded_at is null
	and discarded_at is null;

-- False: it is loaded, or was discarded before. The frame stays.
create function cdr.dead_letter_discard(id bigint, note text) returns boolean
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp as
$$
begin
	update cdr.dead_letter d set discarded_at = now(), discard_note = $2
		where d.id = $1 and d.status = 'open';
	return found;
end
$$;
revoke all on function cdr.dead_letter_discard(bigint, text) from public;
grant execute on function cdr.dead_letter_discard(bigint, text)
	to strowger_api;
