-- Key periods: the segments of four seconds that share a key, and what a session has paid of them. How many
-- share one is the version's (segments_per_period). The contract (key-periods.ts) reckons the same; a test
-- holds the two together.

-- Number of key periods of a track. What is left behind the last point of the grid of four seconds is a
-- segment of its own only if it lasts more than 50 ms (LEAST_LAST_SEGMENT_MS in the contract says why); a
-- shorter rest belongs to the segment before, and is charged with its period.
create or replace function period_count(
  p_sample_rate integer, p_sample_count bigint, p_segments_per_period integer
) returns integer language sql immutable as $$
  select greatest(
    1, ceil((round(p_sample_count * 1000.0 / p_sample_rate) - 50) / (4000 * p_segments_per_period))
  )::integer
$$;

-- What a period of p_period_ms is charged, in milliseconds: its own length, and for the last one what is
-- left of the track; 0 where there is no such period.
create or replace function period_charge_ms(p_period integer, p_duration_ms bigint, p_period_ms integer)
returns integer language sql immutable as $$
  select (case
    when p_duration_ms - p_period::bigint * p_period_ms > p_period_ms + 50 then p_period_ms
    when p_duration_ms - p_period::bigint * p_period_ms > 50 or p_period = 0
      then p_duration_ms - p_period::bigint * p_period_ms
    else 0
  end)::integer
$$;

-- Which key periods a session has paid for: one bit each, the least significant of a byte first.
create or replace function has_leased(p_leased bytea, p_period integer) returns boolean language sql immutable as $$
  select case
    when p_period >= 0 and p_period < 8 * length(p_leased) then get_bit(p_leased, p_period) = 1
    else false
  end
$$;

-- The same, with one period more.
create or replace function with_lease(p_leased bytea, p_period integer) returns bytea language sql immutable as $$
  select set_bit(
    p_leased || decode(repeat('00', p_period / 8 + 1 - length(p_leased)), 'hex'), p_period, 1
  )
$$;

-- Whether any of one to three periods in a row has been paid for.
create or replace function has_leased_any(p_leased bytea, p_from integer, p_count integer)
returns boolean language sql immutable as $$
  select has_leased(p_leased, p_from) or has_leased(p_leased, p_from + p_count / 2)
    or has_leased(p_leased, p_from + p_count - 1)
$$;

-- The same, with one to three periods more in a row.
create or replace function with_leases(p_leased bytea, p_from integer, p_count integer)
returns bytea language sql immutable as $$
  select set_bit(set_bit(
    with_lease(p_leased, p_from + p_count - 1), p_from, 1), p_from + p_count / 2, 1
  )
$$;

-- The highest period that was leased; -1: none. Its bit is in the last byte.
create or replace function last_leased(p_leased bytea) returns integer language sql immutable as $$
  select case
    when length(p_leased) > 0
      then 8 * length(p_leased) - position('1' in get_byte(p_leased, length(p_leased) - 1)::bit(8)::text)
    else -1
  end
$$;
