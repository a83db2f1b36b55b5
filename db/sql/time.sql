-- The two ways in which the rest of these functions ask for the time.

create or replace function utc_day(p_now timestamptz) returns date language sql immutable as $$
  select (p_now at time zone 'UTC')::date
$$;

-- What a Worker's clock says, held against the database's own: all Workers have that one, and a machine
-- whose clock is wrong by days can move nothing by more than a minute. (Tests, which own their clock, call
-- without it.)
create or replace function bounded_now(p_now timestamptz) returns timestamptz language sql volatile as $$
  select least(greatest(p_now, clock_timestamp() - interval '1 minute'), clock_timestamp() + interval '1 minute')
$$;
