-- A lease reads the session and writes one row, the listener's meter: its WHERE is the rule. For that the
-- meter carries the terms of the account's plan, its limit and block, and what the live sessions have paid for, each in a
-- place of its own (`seats`; a device's seat is two of them).
--
-- Concurrency: a start, a revocation and a change of the account take the meter, as a lease does. Under
-- READ COMMITTED a lease that waited for it decides anew with the meter's newest version, but with the
-- session as it was; whose place is taken or empty is in the meter, so the place has the last word. Locks are
-- always taken in the order users or refresh_families, meters, listening_sessions.
--
-- Before a statement runs, Postgres prepares every expression in it, at every call. So the charge and the
-- day are reckoned once, beforehand, and a lease tells what its caller asks for, no more.

-- What the meter says to a lease of p_ms at place p_seat.
--
-- outcome: granted | again (paid for already) | blocked | superseded | exhausted | too-early
create or replace function meter_outcome(
  m meters, p_seat integer, p_session uuid, p_period integer, p_ms integer, p_now timestamptz, p_day date
) returns text language sql immutable as $$
  select case
    when m.blocked_at is not null then 'blocked'
    when m.seats[p_seat] is distinct from p_session then 'superseded'
    when has_leased(m.leased[p_seat], p_period) then 'again'
    else charge_outcome(m, p_ms, p_now, p_day)
  end
$$;

-- Leases the key of one period inside a live session and debits the day. Idempotent per (session,
-- period): a retry is granted again and costs nothing.
--
-- Answers with {outcome, charged_ms, used_ms, retry_after_s, kid, wrapped}; a lease that is granted
-- without asking for the key, as nearly all are, with {outcome} alone.
--
-- outcome: granted | no-session | signed-out | blocked | superseded | ended | wrong-track
--          | no-period | exhausted | too-early
-- used_ms: on the day of p_now, with this lease.
-- retry_after_s: seconds until the pace has refilled, as far as only that is in the way.
-- kid, wrapped: the wrapped master key, where p_with_key asks for it and the lease is granted.
create or replace function lease_key_period(
  p_session uuid, p_user uuid, p_track uuid, p_version integer, p_period integer, p_now timestamptz,
  p_with_key boolean default true
) returns json language plpgsql as $$
declare
  -- A lease lost with a crashed server is a few seconds in the listener's favour; waiting for the
  -- disk (or for Neon's quorum) on every key is latency in everybody's ear.
  v_commit text := set_config('synchronous_commit', 'off', true);
  v_day date := utc_day(p_now);
  v_seat integer;
  v_charge_ms integer;
  v_due_ms integer;
  v_is_late boolean;
  v_has_key boolean := true;
  v_outcome text;
  v_retry_after_s double precision;
  v_kid text;
  v_wrapped bytea;
begin
  if p_with_key then
    select k.kid, k.wrapped into v_kid, v_wrapped
    from track_keys k where k.track_id = p_track and k.version = p_version;
    v_has_key := found;
  end if;

  select s.seat, period_charge_ms(p_period, s.duration_ms, s.period_ms) into v_seat, v_charge_ms
  from listening_sessions s
  where s.id = p_session and s.user_id = p_user
    and s.ended_at is null and s.track_id = p_track and s.version = p_version
    and p_period >= 0 and p_period < s.period_count
    and s.expires_at > p_now + interval '1500 seconds' and s.expires_at <= p_now + interval '1920 seconds';

  if found and v_has_key then
    -- What nearly every lease is: one more on the day of the one before it. The rules are those of
    -- session_outcome and meter_outcome, less what is rare; each expression costs at every call.
    update meters m set
      level_ms = pace_level(m.level_ms, m.at, p_now, m.pace_depth_ms, m.pace_rate) - v_charge_ms,
      at = greatest(m.at, p_now),
      used_ms = m.used_ms + v_charge_ms,
      leased[v_seat] = with_lease(m.leased[v_seat], p_period)
    where m.user_id = p_user and m.day = v_day and m.at <= p_now + interval '120 seconds'
      and m.blocked_at is null and m.seats[v_seat] = p_session and not has_leased(m.leased[v_seat], p_period)
      and coalesce(m.used_ms < m.limit_ms, true)
      and pace_level(m.level_ms, m.at, p_now, m.pace_depth_ms, m.pace_rate) >= v_charge_ms;
    if found then
      if not p_with_key then
        return '{"outcome":"granted"}';
      end if;
      return json_build_object(
        'outcome', 'granted', 'charged_ms', v_charge_ms, 'retry_after_s', null,
        'used_ms', (select m.used_ms from meters m where m.user_id = p_user), 'kid', v_kid, 'wrapped', v_wrapped
      );
    end if;
  end if;

  -- Why not, or how else?
  v_charge_ms := 0;
  select
    case
      when m.blocked_at is not null then 'blocked'
      when o.outcome <> 'granted' then o.outcome
      else meter_outcome(m, s.seat, s.id, p_period, o.charge_ms, p_now, v_day)
    end,
    charge_wait_s(m, o.charge_ms, p_now), s.seat, o.charge_ms, v_day < m.late_day
  into v_outcome, v_retry_after_s, v_seat, v_due_ms, v_is_late
  from meters m
  join listening_sessions s on s.user_id = m.user_id
  cross join lateral (
    select session_outcome(s, p_track, p_version, p_period, p_now) as outcome,
      period_charge_ms(p_period, s.duration_ms, s.period_ms) as charge_ms
  ) o
  where m.user_id = p_user and s.id = p_session
  for update of m;

  if v_outcome = 'granted' and v_has_key then
    v_charge_ms := v_due_ms;
    update meters m set
      (level_ms, at, late_at, day, used_ms, late_day, day_before_ms) = (
        select c.level_ms, c.at, c.late_at, c.day, c.used_ms, c.late_day, c.day_before_ms
        from charged(m, v_charge_ms, p_now) c
      ),
      leased[v_seat] = with_lease(m.leased[v_seat], p_period)
    where m.user_id = p_user;
    -- Heartbeats and leases are what keeps a session alive.
    perform touch_session(p_session, p_now, interval '1500 seconds');
  elsif v_outcome = 'exhausted' and v_is_late then
    perform meet_late_day(p_user, v_day);
  end if;

  v_outcome := case
    when v_outcome is null then 'no-session'
    -- A version's key goes with the version.
    when v_outcome in ('granted', 'again') and not v_has_key then 'ended'
    when v_outcome = 'again' then 'granted'
    else v_outcome
  end;
  if v_outcome = 'granted' and v_charge_ms > 0 and not p_with_key then
    return '{"outcome":"granted"}';
  end if;
  return json_build_object(
    'outcome', v_outcome, 'charged_ms', v_charge_ms, 'retry_after_s', v_retry_after_s,
    'used_ms', (select meter_used_ms(m, p_now) from meters m where m.user_id = p_user),
    'kid', case when v_outcome = 'granted' then v_kid end,
    'wrapped', case when v_outcome = 'granted' then v_wrapped end
  );
end $$;
