-- Emergency numbers are also the services of RFC 5031: "sos.police" is the row
-- of urn:service:sos.police, "test.sos" that of a test (RFC 6881). What
-- carriers are sent is always a number.
alter table core.emergency_number
	drop constraint emergency_number_number_check,
	add constraint emergency_number_number_check
		check (number ~ '^\+?[0-9*#]{2,16}$' or length(number) <= 19
			and number ~ '^(test\.)?sos(\.[a-z0-9-]+)*$'),
	add constraint emergency_number_service
		check (number !~ 'sos' or send_as is not null),
	add constraint emergency_number_service_test
		check (number !~ '^test' or kind = 'test');
