-- The arithmetic of rating/price.h once more, in numeric: what a call costs by
-- the price that stands in its charge. tests/rating/sql_equal compares the two
-- on random prices and calls.
create schema rating;

-- num / den rounded, as its magnitude is; den > 0.
create function rating.round_div(num numeric, den numeric, mode text)
	returns numeric language sql immutable parallel safe as
$$
	select sign(num) * (q + case mode
		when 'up' then (r > 0)::integer
		when 'half_up' then (2 * r >= den)::integer
		when 'half_even' then (2 * r > den
			or (2 * r = den and mod(q, 2) = 1))::integer
		else 0 end)
	from (select div(abs(num), den) as q, mod(abs(num), den) as r) x
$$;

-- num / den micro-units to a number of decimals of the whole unit.
create function rating.round_micro(num numeric, den numeric, mode text,
	decimals integer)
	returns numeric language sql immutable parallel safe as
$$
	select rating.round_div(num, den * step, mode) * step
	from (select (array[1000000, 100000, 10000, 1000, 100, 10, 1]
		::numeric[])[decimals + 1] as step) x
$$;

-- The duration that intervals are counted in.
create function rating.round_duration(ms numeric, mode text)
	returns numeric language sql immutable parallel safe as
$$
	select case mode
		when 'up' then div(ms + 999, 1000) * 1000
		when 'down' then div(ms, 1000) * 1000
		when 'half_up' then div(ms + 500, 1000) * 1000
		else ms end
$$;

-- What the rated time costs [nano-units per minute x ms], and where the last
-- interval ends. What lies before covered_ms was paid for by packages.
create function rating.time_cost(price jsonb, rated_ms numeric,
	covered_ms numeric, out nano_ms numeric, out billed_ms numeric)
	language plpgsql immutable parallel safe as
$$
declare
	froms numeric[];
	increments numeric[];
	rates numeric[];
	windows boolean[];
	is_alone boolean := (price->>'is_per_interval')::boolean;
	mode text := price->>'mode';
	decimals integer := (price->>'decimals')::integer;
	n integer;
	i integer := 1;
	k integer;
	count numeric;
	whole numeric;
	skipped numeric;
	at numeric := 0;
	ends numeric;
	start numeric;
	rate numeric;
	part numeric;
begin
	select array_agg((s->>0)::numeric order by o),
		array_agg((s->>1)::numeric order by o),
		array_agg((s->>2)::numeric order by o),
		array_agg((s->>3)::boolean order by o), count(*)
		into froms, increments, rates, windows, n
		from jsonb_array_elements(price->'steps')
			with ordinality x (s, o);
	nano_ms := 0;

	while at < rated_ms loop
		while i < n and froms[i + 1] <= at loop
			i := i + 1;
		end loop;

		-- intervals that begin in this step; one may go beyond it
		count := div(least(rated_ms, coalesce(froms[i + 1], rated_ms))
			- at + increments[i] - 1, increments[i]);
		whole := count - (at + count * increments[i] >
			coalesce(froms[i + 1], 'infinity'))::integer;
		if is_alone then
			skipped := least(whole, greatest(0,
				div(covered_ms - at, increments[i])));
			part := at + (skipped + 1) * increments[i] - covered_ms;
			if whole > skipped and part < increments[i] then
				nano_ms := nano_ms + 60000000
					* rating.round_micro(part * rates[i],
						60000000, mode, decimals);
				skipped := skipped + 1;
			end if;
			nano_ms := nano_ms + (whole - skipped) * 60000000
				* rating.round_micro(increments[i] * rates[i],
					60000000, mode, decimals);
		else
			nano_ms := nano_ms + rates[i] * greatest(0, at
				+ whole * increments[i]
				- greatest(at, covered_ms));
		end if;
		at := at + whole * increments[i];

		-- the price changes within it where a window begins
		if whole < count then
			ends := at + increments[i];
			start := at;
			rate := rates[i];
			part := 0;
			k := i + 1;
			while k <= n and froms[k] < ends loop
				if windows[k] then
					part := part + rate * greatest(0,
						froms[k] - greatest(start,
							covered_ms));
					start := froms[k];
					rate := rates[k];
				end if;
				k := k + 1;
			end loop;
			part := part + rate * greatest(0, ends
				- greatest(start, covered_ms));
			if is_alone then
				part := 60000000 * rating.round_micro(part,
					60000000, mode, decimals);
			end if;
			nano_ms := nano_ms + part;
			at := ends;
		end if;
	end loop;
	billed_ms := at;
end
$$;

-- What a call of this duration comes to; 0: nobody answered.
create function rating.parts(price jsonb, duration_ms bigint,
	covered_ms bigint default 0, out gross_micro bigint,
	out net_micro bigint, out tax_micro bigint[], out billed_ms bigint)
	language plpgsql immutable parallel safe as
$$
declare
	mode text := price->>'mode';
	decimals integer := (price->>'decimals')::integer;
	duration numeric := rating.round_duration(duration_ms,
		price->>'duration');
	cost record;
	amount numeric;
	gross numeric;
	net numeric;
	tax numeric;
	ppm numeric;
	all_ppm numeric := 0;
	turn integer := case when (price->>'is_reverse')::boolean then -1
		else 1 end;
begin
	cost := rating.time_cost(price, greatest(0,
		duration - (price->>'free_ms')::numeric), covered_ms);
	amount := cost.nano_ms;
	if duration > 0 then
		amount := amount + 60000000
			* (price->>'connect_micro')::numeric;
		if cost.billed_ms > covered_ms or covered_ms = 0 then
			amount := greatest(amount, 60000000
				* (price->>'minimum_micro')::numeric);
		end if;
	end if;
	amount := amount + 60000000 * (price->>'attempt_micro')::numeric;
	if not (price->>'is_cap_cut')::boolean then
		-- least() passes over a cap that is null
		amount := least(amount, 60000000
			* (price->>'cap_micro')::numeric);
	end if;
	net := rating.round_micro(amount * (price->>'exchange_nano')::numeric,
		60000000 * 1000000000::numeric, mode, decimals);
	gross := net;

	tax_micro := '{}';
	if (price->>'is_tax_included')::boolean then
		select coalesce(sum((t->>1)::numeric), 0) into all_ppm
			from jsonb_array_elements(price->'taxes') t;
	end if;
	for ppm in select (t->>1)::numeric from jsonb_array_elements(
			price->'taxes') with ordinality x (t, o) order by o loop
		if (price->>'is_tax_included')::boolean then
			tax := least(net, rating.round_micro(gross * ppm,
				1000000 + all_ppm, mode, decimals));
			net := net - tax;
		else
			tax := rating.round_micro(net * ppm, 1000000, mode,
				decimals);
			gross := gross + tax;
		end if;
		tax_micro := tax_micro || (turn * tax)::bigint;
	end loop;

	gross_micro := turn * gross;
	net_micro := turn * net;
	billed_ms := greatest(0, cost.billed_ms - covered_ms);
end
$$;

revoke all on all functions in schema rating from public;
grant usage on schema rating to strowger_api;
grant execute on all functions in schema rating to strowger_api;
