-- Keys are made over REST: who may use one from where, who made it, and the
-- secret before the last for as long as its users need to change over.
alter table core.api_key
	add column ip_acls cidr[] not null default '{}'
		check (cardinality(ip_acls) <= 32
			and array_position(ip_acls, null) is null),
	add column made_by text,
	add column old_sha256 bytea check (octet_length(old_sha256) = 32),
	add column old_until timestamptz,
	add constraint api_key_old check ((old_sha256 is null)
		= (old_until is null));
