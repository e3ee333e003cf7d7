-- The answer to a POST, for whoever repeats it with the same Idempotency-Key.
-- Written in the transaction that did the work, so that either both are there
-- or neither; status and body are filled in as its last step.
create table core.idempotency (
	key_id text not null references core.api_key on delete cascade,
	idempotency_key text not null
		check (length(idempotency_key) between 1 and 255),
	request_sha256 bytea not null
		check (octet_length(request_sha256) = 32),
	status integer check (status between 200 and 299),
	body text,
	created_at timestamptz not null default now(),
	primary key (key_id, idempotency_key)
);
create index idempotency_age on core.idempotency (key_id, created_at);

grant select, insert, update, delete on core.idempotency to strowger_api;
