-- What calls had of packages goes back when they are rated again (0071), in one
-- place: whoever gave it back beside that would give it twice.
drop function core.package_refund(cdr.charge, text);
