-- What a plan allows is a row of `plans`; a lease must read no row but the meter, which has a copy of it.

-- Copies the terms of their plans, and their own limit where they have one, into the meters of some users.
-- Answers with how many.
create or replace function copy_plan_terms(p_users uuid[]) returns integer language sql as $$
  with copied as (
    update meters m set
      limit_ms = coalesce(m.daily_limit_s::bigint * 1000, p.daily_ms), devices = p.devices,
      max_bitrate = p.max_bitrate, pace_depth_ms = p.pace_depth_ms, pace_rate = p.pace_rate,
      plan_revision = p.revision
    from plans p
    where m.user_id = any (p_users) and p.id = m.plan
    returning 1
  )
  select count(*)::integer from copied
$$;

-- Brings at most p_most meters up to date whose plan has changed; answers with how many, so whoever calls it
-- goes on until it is 0. A meter that somebody uses now is left for the next turn, and none is held for
-- longer than one turn takes: no listener waits for a change of a plan, and no change waits for a listener.
create or replace function refresh_meters(p_most integer) returns integer language sql as $$
  select copy_plan_terms(array(
    select stale.user_id
    from plans p
    cross join lateral (
      -- In the order of the index, which finds that there are none without a look at every meter.
      select m.user_id from meters m where m.plan = p.id and m.plan_revision < p.revision
      order by m.plan, m.plan_revision limit p_most for update skip locked
    ) stale
    limit p_most
  ))
$$;

-- A plan that has changed has a higher revision than the meters with its terms of before.
create or replace function revise_plan() returns trigger language plpgsql as $$
begin
  new.revision := old.revision + 1;
  return new;
end $$;

create or replace trigger plans_revise
before update of daily_ms, devices, max_bitrate, pace_depth_ms, pace_rate on plans
for each row execute function revise_plan();
