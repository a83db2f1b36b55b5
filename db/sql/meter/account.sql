-- What a change of an account or of a sign-in does to the meter. Triggers see to it, so whoever changes
-- one, and be it by hand, has done all there is to do.

-- Every account has a meter, with a copy of what a lease must know of the account.
create or replace function keep_meter() returns trigger language plpgsql as $$
begin
  insert into meters as m (user_id, level_ms, at, day, plan, daily_limit_s, blocked_at)
    -- The pace has refilled ever since: a first listen starts with a full bucket.
    values (new.id, 0, 'epoch', 'epoch', new.plan, new.daily_limit_s, new.blocked_at)
    on conflict (user_id) do update
    set plan = excluded.plan, daily_limit_s = excluded.daily_limit_s, blocked_at = excluded.blocked_at;
  perform copy_plan_terms(array[new.id]);
  return null;
end $$;

create or replace trigger users_keep_meter
after insert or update of plan, daily_limit_s, blocked_at on users
for each row execute function keep_meter();

-- The end of a sign-in is the end of its listening.
create or replace function end_sessions_of_family() returns trigger language plpgsql as $$
begin
  -- First the lock, then, in statements of their own, what a start that had it may have written.
  perform from meters m where m.user_id = new.user_id for update;
  update meters m set seats = array(
    select s.id
    from unnest(m.seats) with ordinality as o (id, seat)
    left join listening_sessions s on s.id = o.id and s.family_id <> new.id
    order by o.seat
  ) where m.user_id = new.user_id;
  update listening_sessions s set ended_at = new.revoked_at, end_reason = 'signed-out'
    where s.family_id = new.id and s.ended_at is null;
  return null;
end $$;

create or replace trigger refresh_families_end_sessions
after update of revoked_at on refresh_families
for each row when (old.revoked_at is null and new.revoked_at is not null)
execute function end_sessions_of_family();
