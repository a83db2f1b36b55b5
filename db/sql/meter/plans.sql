-- What each plan allows, term by term: an update can't join a function of the row that it updates.
create or replace function daily_ms(p_plan text, p_daily_limit_s integer) returns bigint language sql immutable as $$
  select case
    when p_daily_limit_s is not null then p_daily_limit_s::bigint * 1000
    when p_plan = 'premium' then null
    else 300000
  end
$$;

create or replace function pace_depth_ms(p_plan text) returns double precision language sql immutable as $$
  select case when p_plan = 'premium' then 540000 else 180000 end::double precision
$$;

create or replace function pace_rate(p_plan text) returns double precision language sql immutable as $$
  select case when p_plan = 'premium' then double precision '3.75' else double precision '1.25' end
$$;

create or replace function plan_terms(p_plan text, p_daily_limit_s integer)
returns table (daily_ms bigint, sessions integer, depth_ms double precision, rate double precision)
language sql immutable as $$
  select daily_ms(p_plan, p_daily_limit_s), case when p_plan = 'premium' then 3 else 1 end,
    pace_depth_ms(p_plan), pace_rate(p_plan)
$$;
