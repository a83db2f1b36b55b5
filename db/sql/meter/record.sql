-- Records a position, and with p_complete ends the session. History only: nothing here bills.
-- Heard seconds grow with the highest position, never faster than the clock. A play counts once,
-- after 30 s or half the track; a completion once, when 90 % was reached and the play counted.
--
-- Answers with {outcome, track_id, version, duration_s, plan, max_bitrate, heard_s, counted, limit_ms,
-- used_ms}, or with {outcome: 'no-session'}.
--
-- outcome: recorded | no-session | blocked | signed-out | superseded | ended | beyond-track | not-leased
create or replace function record_position(
  p_session uuid, p_user uuid, p_position_s double precision, p_complete boolean, p_now timestamptz
) returns json language plpgsql as $$
declare
  v_commit text := set_config('synchronous_commit', 'off', true);
  v record;
  v_outcome text;
  v_position_s double precision;
  v_heard_s double precision;
  v_counts boolean := false;
  v_completes boolean;
begin
  select s.*, m.blocked_at, m.plan, m.max_bitrate, m.limit_ms,
         s.duration_ms::double precision / 1000 as duration_s,
         meter_used_ms(m, p_now) as used_today_ms,
         (last_leased(m.leased[s.seat]) + 1) * s.period_ms / 1000.0 as leased_s,
         session_is_live(s, p_now) as is_live, session_is_ahead(s, p_now) as is_ahead,
         case
           -- Since the last time that anybody as late as p_now listened.
           when session_is_ahead(s, p_now) then s.late_expires_at - interval '1800 seconds'
           else s.heartbeat_at
         end as heard_at
  into v
  from listening_sessions s
  join meters m on m.user_id = s.user_id
  where s.id = p_session and s.user_id = p_user
  for update of s;

  if not found then
    return json_build_object('outcome', 'no-session');
  end if;

  v_heard_s := v.heard_s;
  v_outcome := case
    when v.blocked_at is not null then 'blocked'
    when v.end_reason = 'signed-out' then 'signed-out'
    when v.end_reason = 'superseded' then 'superseded'
    -- The answer to a completion may have been lost: the same again is the same answer.
    when v.end_reason = 'completed' and p_complete then 'recorded'
    when not v.is_live then 'ended'
    -- One second of grace: players round, and report the end of the last frame.
    when p_position_s > v.duration_s + 1 then 'beyond-track'
    when p_position_s > v.leased_s + 1 then 'not-leased'
  end;

  if v_outcome is null then
    v_outcome := 'recorded';
    v_position_s := greatest(v.position_s, least(p_position_s, v.duration_s));
    v_heard_s := v.heard_s + least(
      v_position_s - v.position_s,
      coalesce(greatest(0, extract(epoch from p_now - v.heard_at)::double precision), 0)
    );
    v_counts := v_heard_s >= least(30, v.duration_s / 2);
    v_completes := v_counts and p_complete and v_position_s >= v.duration_s * 0.9;

    update listening_sessions s
    set position_s = v_position_s,
        heard_s = v_heard_s,
        heartbeat_at = greatest(s.heartbeat_at, p_now),
        expires_at = case when v.is_ahead then s.expires_at else p_now + interval '1800 seconds' end,
        late_expires_at = case when v.is_ahead then p_now + interval '1800 seconds' else s.late_expires_at end,
        counted_at = case when v_counts then coalesce(s.counted_at, p_now) end,
        ended_at = case when p_complete then p_now end,
        end_reason = case when p_complete then 'completed' end
    where s.id = p_session;
  end if;

  if v_counts then
    insert into play_history as h (session_id, user_id, track_id, started_at, heard_s, completed)
      values (p_session, p_user, v.track_id, v.started_at, v_heard_s, v_completes)
      on conflict (session_id) do update
      set heard_s = excluded.heard_s, completed = h.completed or excluded.completed;
    if v.counted_at is null or v_completes then
      insert into track_totals as n (track_id, plays, completions)
        values (v.track_id, (v.counted_at is null)::int, v_completes::int)
        on conflict (track_id) do update
        set plays = n.plays + excluded.plays, completions = n.completions + excluded.completions;
      insert into user_totals as n (user_id, plays, completions)
        values (p_user, (v.counted_at is null)::int, v_completes::int)
        on conflict (user_id) do update
        set plays = n.plays + excluded.plays, completions = n.completions + excluded.completions;
    end if;
  end if;

  return json_build_object(
    'outcome', v_outcome, 'track_id', v.track_id, 'version', v.version, 'duration_s', v.duration_s,
    'plan', v.plan, 'max_bitrate', v.max_bitrate, 'heard_s', v_heard_s,
    'counted', v_counts or v.counted_at is not null,
    'limit_ms', v.limit_ms, 'used_ms', v.used_today_ms
  );
end $$;
