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
-- day are reckoned once, beforehand.

-- Leases the keys of up to three periods in a row inside a live session, and debits the day. Idempotent per
-- (session, period): what is paid for is granted again and costs nothing. Grants as many as the track has and
-- day and pace allow; none at all is a refusal.
--
-- Answers with {outcome, count, charged_ms, limit_ms, used_ms}, or {outcome, retry_after_s, used_ms}.
--
-- outcome: granted | no-session | signed-out | blocked | superseded | ended | wrong-track
--          | no-period | exhausted | too-early
-- count: how many are granted, from p_from on.
-- limit_ms, used_ms: of the day of p_now, with this lease; no limit: null.
-- retry_after_s: seconds until the pace has refilled, as far as only that is in the way.
create or replace function lease_key_periods(
  p_session uuid, p_user uuid, p_track uuid, p_version integer, p_from integer, p_count integer,
  p_now timestamptz
) returns json language plpgsql as $$
declare
  -- A lease lost with a crashed server is a few seconds in the listener's favour; waiting for the
  -- disk (or for Neon's quorum) on every key is latency in everybody's ear.
  v_commit text := set_config('synchronous_commit', 'off', true);
  v_day date := utc_day(p_now);
  v_most integer := least(greatest(p_count, 1), 3);
  v_seat integer;
  v_count integer;
  v_before_ms integer;
  v_charge_ms integer;
  v_limit_ms bigint;
  v_used_ms bigint;
begin
  select s.seat, o.count, (o.count - 1) * s.period_ms,
    (o.count - 1) * s.period_ms + period_charge_ms(p_from + o.count - 1, s.duration_ms, s.period_ms)
  into v_seat, v_count, v_before_ms, v_charge_ms
  from listening_sessions s
  cross join lateral (select least(v_most, s.period_count - p_from) as count) o
  where s.id = p_session and s.user_id = p_user
    and s.ended_at is null and s.track_id = p_track and s.version = p_version
    and p_from >= 0 and p_from < s.period_count
    and s.expires_at > p_now + interval '1500 seconds' and s.expires_at <= p_now + interval '1920 seconds';

  if found then
    -- What nearly every lease is: more on the day of the one before it, all of it still to be paid. The rules
    -- are those of session_outcome and lease_one_by_one, less what is rare; each expression costs at every
    -- call.
    update meters m set
      level_ms = pace_level(m.level_ms, m.at, p_now, m.pace_depth_ms, m.pace_rate) - v_charge_ms,
      at = greatest(m.at, p_now),
      used_ms = m.used_ms + v_charge_ms,
      leased[v_seat] = with_leases(m.leased[v_seat], p_from, v_count)
    where m.user_id = p_user and m.day = v_day and m.at <= p_now + interval '120 seconds'
      and m.blocked_at is null and m.seats[v_seat] = p_session
      and not has_leased_any(m.leased[v_seat], p_from, v_count)
      and coalesce(m.used_ms + v_before_ms < m.limit_ms, true)
      and pace_level(m.level_ms, m.at, p_now, m.pace_depth_ms, m.pace_rate) >= v_charge_ms
    returning m.limit_ms, m.used_ms into v_limit_ms, v_used_ms;
    if found then
      return json_build_object(
        'outcome', 'granted', 'count', v_count, 'charged_ms', v_charge_ms,
        'limit_ms', v_limit_ms, 'used_ms', v_used_ms
      );
    end if;
  end if;
  return lease_one_by_one(p_session, p_user, p_track, p_version, p_from, v_most, p_now);
end $$;

-- The same for what is not so simple: some of it is paid for already, the day is another, or ends, or the
-- pace does not reach for all of it, or the clocks disagree, or it is refused.
create or replace function lease_one_by_one(
  p_session uuid, p_user uuid, p_track uuid, p_version integer, p_from integer, p_most integer,
  p_now timestamptz
) returns json language plpgsql as $$
declare
  v_day date := utc_day(p_now);
  v_meter meters%rowtype;
  v_session listening_sessions%rowtype;
  v_outcome text;
  v_leased bytea;
  v_count integer := 0;
  v_due_ms integer := 0;
  v_charged_ms integer := 0;
  v_has_more boolean := false;
begin
  -- First the lock, then, in a statement of its own, the session as whoever had it before has left it.
  select * into v_meter from meters m where m.user_id = p_user for update;
  select * into v_session from listening_sessions s where s.id = p_session and s.user_id = p_user;
  v_outcome := case
    when not found then 'no-session'
    when v_meter.blocked_at is not null then 'blocked'
    else session_outcome(v_session, p_track, p_version, p_from, p_now)
  end;
  if v_outcome = 'granted' and v_meter.seats[v_session.seat] is distinct from p_session then
    v_outcome := 'superseded';
  end if;

  if v_outcome = 'granted' then
    v_leased := v_meter.leased[v_session.seat];
    for v_period in p_from .. least(p_from + p_most, v_session.period_count) - 1 loop
      if not has_leased(v_leased, v_period) then
        v_due_ms := period_charge_ms(v_period, v_session.duration_ms, v_session.period_ms);
        v_outcome := charge_outcome(v_meter, v_due_ms, p_now, v_day);
        exit when v_outcome <> 'granted';
        v_meter := charged(v_meter, v_due_ms, p_now);
        v_leased := with_lease(v_leased, v_period);
        v_charged_ms := v_charged_ms + v_due_ms;
        v_has_more := true;
      end if;
      v_count := v_count + 1;
    end loop;
  end if;

  if v_has_more then
    update meters m set
      level_ms = v_meter.level_ms, at = v_meter.at, late_at = v_meter.late_at, day = v_meter.day,
      used_ms = v_meter.used_ms, late_day = v_meter.late_day, day_before_ms = v_meter.day_before_ms,
      leased[v_session.seat] = v_leased
    where m.user_id = p_user;
    -- Heartbeats and leases are what keeps a session alive.
    perform touch_session(p_session, p_now, interval '1500 seconds');
  end if;
  if v_count > 0 then
    return json_build_object(
      'outcome', 'granted', 'count', v_count, 'charged_ms', v_charged_ms,
      'limit_ms', v_meter.limit_ms, 'used_ms', used_on(v_meter, v_day)
    );
  end if;
  if v_outcome = 'exhausted' and v_day < v_meter.late_day then
    perform meet_late_day(p_user, v_day);
  end if;
  return json_build_object(
    'outcome', v_outcome, 'charged_ms', 0, 'used_ms', used_on(v_meter, v_day),
    'retry_after_s', charge_wait_s(v_meter, v_due_ms, p_now)
  );
end $$;
