-- Listening sessions on the clock. A session that a clock ahead has kept alive lies in the future; for all
-- others it expires by late_expires_at.

-- Whether a session was kept alive by a clock further ahead of p_now than clocks differ.
create or replace function session_is_ahead(s listening_sessions, p_now timestamptz) returns boolean language sql immutable as $$
  select s.expires_at > p_now + interval '1920 seconds'
$$;

create or replace function session_is_live(s listening_sessions, p_now timestamptz) returns boolean language sql immutable as $$
  select s.ended_at is null and s.expires_at > p_now
    and not (session_is_ahead(s, p_now) and coalesce(s.late_expires_at <= p_now, false))
$$;

-- Lets a session that lives for at most p_left live for another half hour, on the line of time that p_now
-- is on.
create or replace function touch_session(p_session uuid, p_now timestamptz, p_left interval) returns void language sql as $$
  update listening_sessions s set
    expires_at = case when session_is_ahead(s, p_now) then s.expires_at else p_now + interval '1800 seconds' end,
    late_expires_at = case when session_is_ahead(s, p_now) then p_now + interval '1800 seconds' else s.late_expires_at end
  where s.id = p_session and s.ended_at is null
    and (session_is_ahead(s, p_now) or s.expires_at <= p_now + p_left)
$$;

-- What the session says to a lease.
--
-- outcome: granted (as far as it can tell) | signed-out | superseded | ended | wrong-track | no-period
create or replace function session_outcome(
  s listening_sessions, p_track uuid, p_version integer, p_period integer, p_now timestamptz
) returns text language sql immutable as $$
  select case
    when s.ended_at is not null
      then case when s.end_reason in ('signed-out', 'superseded') then s.end_reason else 'ended' end
    when not session_is_live(s, p_now) then 'ended'
    when s.track_id <> p_track or s.version <> p_version then 'wrong-track'
    when p_period < 0 or p_period >= s.period_count then 'no-period'
    else 'granted'
  end
$$;
