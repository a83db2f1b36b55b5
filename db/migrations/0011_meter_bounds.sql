-- What one clock that is wrong may do, and what costs nothing.
--
-- A lease in the name of a clock ten days ahead left a meter that lay in the future: its pace stood still
-- for ten days, what was used of the real day was forgotten, and the ten days shared one budget. Workers now
-- hold their clocks against the database's (bounded_now), so this can hardly happen; but a meter must not
-- depend on it, the less as the database's own clock may once have been wrong.
--
-- Which of two clocks is wrong can't be told from a meter. So it keeps two lines of time: the latest that it
-- was ever told (at, day), as before, and the one of whoever asks from more than two minutes before that
-- (late_at, late_day). Both draw on one level. In each a clock refills the pace by what passes on it, and
-- a jump of the late one refills nothing. So one wrong clock gives away at most as much as a second clock
-- that runs beside the first, and it takes nothing: whether it was ahead or behind, the right one
-- goes on from where it was.
--
-- With days the same: of the two that a meter remembers, the other is no longer always the day before, but
-- late_day, and day_before_ms is what was used on it. A day between the two begins anew; one before both
-- counts as the older, so a clock that falls behind refills no budget.
--
-- And a session that lies in the future expires for the late by late_expires_at.

ALTER TABLE "listening_sessions" ADD COLUMN "late_expires_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "meters" ADD COLUMN "late_at" timestamp with time zone DEFAULT 'epoch' NOT NULL,
  ADD COLUMN "late_day" date DEFAULT 'epoch' NOT NULL;--> statement-breakpoint
UPDATE meters SET late_day = day - 1;--> statement-breakpoint
-- What was used on p_day.
CREATE FUNCTION used_on(m meters, p_day date) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN p_day = m.day THEN m.used_ms
    WHEN p_day > m.day OR p_day > m.late_day THEN 0
    ELSE m.day_before_ms
  END
$$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION meter_used_ms(m meters, p_now timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT used_on(m, utc_day(p_now))
$$;
--> statement-breakpoint
-- What the pace lets through at p_now.
CREATE OR REPLACE FUNCTION meter_level_ms(m meters, p_now timestamptz)
RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
  SELECT pace_level(
    m.level_ms,
    CASE
      WHEN m.at <= p_now + interval '120 seconds' THEN m.at
      WHEN m.late_at BETWEEN p_now - interval '60 seconds' AND p_now THEN m.late_at
      ELSE p_now
    END,
    p_now, pace_depth_ms(m.plan), pace_rate(m.plan)
  )
$$;
--> statement-breakpoint
-- Whether a charge of p_ms can be paid at p_now: granted while anything of the day remains, and what
-- costs nothing always.
--
-- outcome: granted | exhausted | too-early
CREATE OR REPLACE FUNCTION charge_outcome(m meters, p_ms integer, p_now timestamptz, p_day date)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN p_ms = 0 THEN 'granted'
    WHEN used_on(m, p_day) >= daily_ms(m.plan, m.daily_limit_s) THEN 'exhausted'
    WHEN meter_level_ms(m, p_now) < p_ms THEN 'too-early'
    ELSE 'granted'
  END
$$;
--> statement-breakpoint
-- The meter after a charge of p_ms at p_now.
CREATE FUNCTION charged(m meters, p_ms integer, p_now timestamptz) RETURNS meters LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_day date := utc_day(p_now);
BEGIN
  m.level_ms := meter_level_ms(m, p_now) - p_ms;
  IF m.at <= p_now + interval '120 seconds' THEN
    m.at := greatest(m.at, p_now);
  ELSE
    m.late_at := p_now;
  END IF;

  IF v_day > m.day THEN
    m.late_day := m.day;
    m.day_before_ms := m.used_ms;
    m.day := v_day;
    m.used_ms := 0;
  ELSIF v_day < m.day THEN
    IF v_day > m.late_day THEN
      m.day_before_ms := 0;
    END IF;
    m.late_day := v_day;
  END IF;
  IF v_day = m.day THEN
    m.used_ms := m.used_ms + p_ms;
  ELSE
    m.day_before_ms := m.day_before_ms + p_ms;
  END IF;
  RETURN m;
END $$;
--> statement-breakpoint
-- Remembers that somebody asked on a day before both that the meter has, and met a budget that was used
-- up: were both in the future, it would be so every day until then, and now is on this one alone.
CREATE FUNCTION meet_late_day(p_user uuid, p_day date) RETURNS void LANGUAGE sql AS $$
  UPDATE meters SET late_day = p_day WHERE user_id = p_user AND p_day < late_day AND p_day < day
$$;
--> statement-breakpoint
-- Whether a session was kept alive by a clock further ahead of p_now than clocks differ.
CREATE FUNCTION session_is_ahead(s listening_sessions, p_now timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT s.expires_at > p_now + interval '1920 seconds'
$$;
--> statement-breakpoint
CREATE FUNCTION session_is_live(s listening_sessions, p_now timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT s.ended_at IS NULL AND s.expires_at > p_now
    AND NOT (session_is_ahead(s, p_now) AND coalesce(s.late_expires_at <= p_now, false))
$$;
--> statement-breakpoint
-- Lets a session that lives for at most p_left live for another half hour, on the line of time that p_now
-- is on.
CREATE FUNCTION touch_session(p_session uuid, p_now timestamptz, p_left interval) RETURNS void LANGUAGE sql AS $$
  UPDATE listening_sessions s SET
    expires_at = CASE WHEN session_is_ahead(s, p_now) THEN s.expires_at ELSE p_now + interval '1800 seconds' END,
    late_expires_at = CASE WHEN session_is_ahead(s, p_now) THEN p_now + interval '1800 seconds' ELSE s.late_expires_at END
  WHERE s.id = p_session AND s.ended_at IS NULL
    AND (session_is_ahead(s, p_now) OR s.expires_at <= p_now + p_left)
$$;
--> statement-breakpoint
-- What the session says to a lease.
--
-- outcome: granted (as far as it can tell) | signed-out | superseded | ended | wrong-track | no-period
CREATE OR REPLACE FUNCTION session_outcome(
  s listening_sessions, p_track uuid, p_version integer, p_period integer, p_now timestamptz
) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN s.ended_at IS NOT NULL
      THEN CASE WHEN s.end_reason IN ('signed-out', 'superseded') THEN s.end_reason ELSE 'ended' END
    WHEN NOT session_is_live(s, p_now) THEN 'ended'
    WHEN s.track_id <> p_track OR s.version <> p_version THEN 'wrong-track'
    WHEN p_period < 0 OR p_period >= s.period_count THEN 'no-period'
    ELSE 'granted'
  END
$$;
--> statement-breakpoint
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
CREATE OR REPLACE FUNCTION lease_key_period(
  p_session uuid, p_user uuid, p_track uuid, p_version integer, p_period integer, p_now timestamptz,
  p_with_key boolean DEFAULT true
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  -- A lease lost with a crashed server is twelve seconds in the listener's favour; waiting for the
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
BEGIN
  IF p_with_key THEN
    SELECT k.kid, k.wrapped INTO v_kid, v_wrapped
    FROM track_keys k WHERE k.track_id = p_track AND k.version = p_version;
    v_has_key := FOUND;
  END IF;

  SELECT s.seat, period_charge_ms(p_period, s.duration_ms) INTO v_seat, v_charge_ms
  FROM listening_sessions s
  WHERE s.id = p_session AND s.user_id = p_user
    AND s.ended_at IS NULL AND s.track_id = p_track AND s.version = p_version
    AND p_period >= 0 AND p_period < s.period_count
    AND s.expires_at > p_now + interval '1500 seconds' AND s.expires_at <= p_now + interval '1920 seconds';

  IF FOUND AND v_has_key THEN
    -- What nearly every lease is: one more on the day of the one before it. The rules are those of
    -- session_outcome and meter_outcome, less what is rare; each expression costs at every call.
    UPDATE meters m SET
      level_ms = pace_level(m.level_ms, m.at, p_now, pace_depth_ms(m.plan), pace_rate(m.plan)) - v_charge_ms,
      at = greatest(m.at, p_now),
      used_ms = m.used_ms + v_charge_ms,
      leased[v_seat] = with_lease(m.leased[v_seat], p_period)
    WHERE m.user_id = p_user AND m.day = v_day AND m.at <= p_now + interval '120 seconds'
      AND m.blocked_at IS NULL AND m.seats[v_seat] = p_session AND NOT has_leased(m.leased[v_seat], p_period)
      AND coalesce(m.used_ms < daily_ms(m.plan, m.daily_limit_s), true)
      AND pace_level(m.level_ms, m.at, p_now, pace_depth_ms(m.plan), pace_rate(m.plan)) >= v_charge_ms;
    IF FOUND THEN
      IF NOT p_with_key THEN
        RETURN '{"outcome":"granted"}';
      END IF;
      RETURN json_build_object(
        'outcome', 'granted', 'charged_ms', v_charge_ms, 'retry_after_s', NULL,
        'used_ms', (SELECT m.used_ms FROM meters m WHERE m.user_id = p_user), 'kid', v_kid, 'wrapped', v_wrapped
      );
    END IF;
  END IF;

  -- Why not, or how else?
  v_charge_ms := 0;
  SELECT
    CASE
      WHEN m.blocked_at IS NOT NULL THEN 'blocked'
      WHEN o.outcome <> 'granted' THEN o.outcome
      ELSE meter_outcome(m, s.seat, s.id, p_period, o.charge_ms, p_now, v_day)
    END,
    charge_wait_s(m, o.charge_ms, p_now), s.seat, o.charge_ms, v_day < m.late_day
  INTO v_outcome, v_retry_after_s, v_seat, v_due_ms, v_is_late
  FROM meters m
  JOIN listening_sessions s ON s.user_id = m.user_id
  CROSS JOIN LATERAL (
    SELECT session_outcome(s, p_track, p_version, p_period, p_now) AS outcome,
      period_charge_ms(p_period, s.duration_ms) AS charge_ms
  ) o
  WHERE m.user_id = p_user AND s.id = p_session
  FOR UPDATE OF m;

  IF v_outcome = 'granted' AND v_has_key THEN
    v_charge_ms := v_due_ms;
    UPDATE meters m SET
      (level_ms, at, late_at, day, used_ms, late_day, day_before_ms) = (
        SELECT c.level_ms, c.at, c.late_at, c.day, c.used_ms, c.late_day, c.day_before_ms
        FROM charged(m, v_charge_ms, p_now) c
      ),
      leased[v_seat] = with_lease(m.leased[v_seat], p_period)
    WHERE m.user_id = p_user;
    -- Heartbeats and leases are what keeps a session alive.
    PERFORM touch_session(p_session, p_now, interval '1500 seconds');
  ELSIF v_outcome = 'exhausted' AND v_is_late THEN
    PERFORM meet_late_day(p_user, v_day);
  END IF;

  v_outcome := CASE
    WHEN v_outcome IS NULL THEN 'no-session'
    -- A version's key goes with the version.
    WHEN v_outcome IN ('granted', 'again') AND NOT v_has_key THEN 'ended'
    WHEN v_outcome = 'again' THEN 'granted'
    ELSE v_outcome
  END;
  IF v_outcome = 'granted' AND v_charge_ms > 0 AND NOT p_with_key THEN
    RETURN '{"outcome":"granted"}';
  END IF;
  RETURN json_build_object(
    'outcome', v_outcome, 'charged_ms', v_charge_ms, 'retry_after_s', v_retry_after_s,
    'used_ms', (SELECT meter_used_ms(m, p_now) FROM meters m WHERE m.user_id = p_user),
    'kid', CASE WHEN v_outcome = 'granted' THEN v_kid END,
    'wrapped', CASE WHEN v_outcome = 'granted' THEN v_wrapped END
  );
END $$;
--> statement-breakpoint
-- Starts a listening session, or resumes the live one that the same sign-in has on the track, and
-- leases its first period, so that pressing play is one statement.
--
-- outcome: started | resumed | not-found | not-ready | signed-out | blocked | exhausted | too-early
-- renditions: [{name, bitrate, peakBandwidth, averageBandwidth, codecs, init (base64), ivSeed (base64)}],
-- null where not wanted
CREATE OR REPLACE FUNCTION start_listening_session(
  p_new_session uuid, p_user uuid, p_family uuid, p_track uuid, p_position_s double precision,
  p_now timestamptz, p_with_renditions boolean DEFAULT true,
  OUT outcome text, OUT session_id uuid, OUT version integer, OUT plan text, OUT period integer,
  OUT kid text, OUT wrapped bytea, OUT sample_rate integer, OUT sample_count bigint,
  OUT priming_samples integer, OUT padding_samples integer, OUT renditions jsonb,
  OUT position_s double precision, OUT limit_ms bigint, OUT used_ms bigint, OUT retry_after_s double precision
) LANGUAGE plpgsql AS $$
DECLARE
  v_commit text;
  v_meter meters%ROWTYPE;
  v_who record;
  v_track record;
  v_live record;
  v_lease json;
  v_kept uuid[];
  v_seats uuid[];
  v_seat smallint;
  v_charge integer;
  v_periods integer;
  v_duration_ms bigint;
BEGIN
  v_commit := set_config('synchronous_commit', 'off', true);

  SELECT * INTO v_meter FROM meters m WHERE m.user_id = p_user FOR UPDATE;
  SELECT f.id AS family_id, f.revoked_at, t.daily_ms, t.sessions
  INTO v_who
  FROM plan_terms(v_meter.plan, v_meter.daily_limit_s) t
  LEFT JOIN refresh_families f ON f.id = p_family AND f.user_id = v_meter.user_id;

  SELECT t.id, t.version, t.published_at INTO v_track
  FROM tracks t WHERE t.id = p_track AND t.deleted_at IS NULL;

  retry_after_s := 0;
  v_seats := v_meter.seats;
  plan := v_meter.plan;
  limit_ms := v_who.daily_ms;
  used_ms := meter_used_ms(v_meter, p_now);
  outcome := CASE
    WHEN v_who.family_id IS NULL OR v_who.revoked_at IS NOT NULL THEN 'signed-out'
    WHEN v_meter.blocked_at IS NOT NULL THEN 'blocked'
    WHEN v_track.id IS NULL THEN 'not-found'
    WHEN v_track.version IS NULL OR v_track.published_at IS NULL THEN 'not-ready'
  END;
  IF outcome IS NOT NULL THEN
    RETURN;
  END IF;

  SELECT s.id, s.version, s.position_s INTO v_live
  FROM listening_sessions s
  WHERE s.user_id = p_user AND s.family_id = p_family AND s.track_id = p_track
    AND session_is_live(s, p_now)
  ORDER BY s.started_at DESC LIMIT 1;

  version := coalesce(v_live.version, v_track.version);
  SELECT m.sample_rate, m.sample_count, m.priming_samples, m.padding_samples,
         k.kid, k.wrapped
  INTO sample_rate, sample_count, priming_samples, padding_samples, kid, wrapped
  FROM track_versions m
  JOIN track_keys k ON k.track_id = m.track_id AND k.version = m.version
  WHERE m.track_id = p_track AND m.version = start_listening_session.version;

  v_periods := period_count(sample_rate, sample_count, priming_samples);
  v_duration_ms := round(sample_count * 1000.0 / sample_rate);
  period := least(floor(greatest(p_position_s, 0) / 12)::integer, v_periods - 1);

  IF v_live.id IS NOT NULL THEN
    v_lease := lease_key_period(v_live.id, p_user, p_track, version, period, p_now, false);
    IF v_lease ->> 'outcome' <> 'granted' THEN
      -- The place to resume at is not paid for and cannot be now: resume at the start, which is.
      period := 0;
      v_lease := lease_key_period(v_live.id, p_user, p_track, version, period, p_now, false);
    END IF;
    outcome := replace(v_lease ->> 'outcome', 'granted', 'resumed');
    used_ms := v_lease ->> 'used_ms';
    retry_after_s := v_lease ->> 'retry_after_s';
    session_id := v_live.id;
    PERFORM touch_session(v_live.id, p_now, interval '1920 seconds');
  ELSE
    v_charge := period_charge_ms(period, v_duration_ms);
    outcome := charge_outcome(v_meter, v_charge, p_now);
    IF outcome = 'exhausted' THEN
      PERFORM meet_late_day(p_user, utc_day(p_now));
    ELSIF outcome = 'too-early' THEN
      retry_after_s := charge_wait_s(v_meter, v_charge, p_now);
    ELSIF outcome = 'granted' THEN
      outcome := 'started';
      session_id := p_new_session;
      used_ms := used_ms + v_charge;
      -- The newest stay; with the new one they are as many as the plan allows.
      v_kept := ARRAY(
        SELECT o.id FROM listening_sessions o
        WHERE o.user_id = p_user AND session_is_live(o, p_now)
        ORDER BY o.started_at DESC, o.id DESC LIMIT v_who.sessions - 1
      );
      UPDATE listening_sessions s
      SET ended_at = p_now,
          end_reason = CASE WHEN session_is_live(s, p_now) THEN 'superseded' ELSE 'expired' END
      WHERE s.user_id = p_user AND s.ended_at IS NULL AND s.id <> ALL (v_kept);
      -- One that a clock ahead has started lives half an hour from now, unless somebody listens to it.
      UPDATE listening_sessions s SET late_expires_at = p_now + interval '1800 seconds'
      WHERE s.id = ANY (v_kept) AND session_is_ahead(s, p_now) AND s.late_expires_at IS NULL;
      -- The lowest seat that is free now.
      FOR n IN REVERSE greatest(v_who.sessions, cardinality(v_seats)) .. 1 LOOP
        IF v_seats[n] IS NULL OR v_seats[n] <> ALL (v_kept) THEN
          v_seats[n] := NULL;
          v_seat := n;
        END IF;
      END LOOP;
      v_seats[v_seat] := p_new_session;
      INSERT INTO listening_sessions
        (id, user_id, family_id, track_id, version, period_count, duration_ms, seat,
         started_at, expires_at, heartbeat_at)
        VALUES (p_new_session, p_user, p_family, p_track, start_listening_session.version, v_periods,
                v_duration_ms, v_seat, p_now, p_now + interval '1800 seconds', p_now);
      UPDATE meters m SET
        (level_ms, at, late_at, day, used_ms, late_day, day_before_ms) = (
          SELECT c.level_ms, c.at, c.late_at, c.day, c.used_ms, c.late_day, c.day_before_ms
          FROM charged(m, v_charge, p_now) c
        ),
        seats = v_seats,
        leased[v_seat] = with_lease('', start_listening_session.period)
      WHERE m.user_id = p_user;
    END IF;
  END IF;

  IF outcome NOT IN ('started', 'resumed') THEN
    kid := NULL;
    wrapped := NULL;
    RETURN;
  END IF;

  position_s := coalesce(v_live.position_s, 0);
  IF p_with_renditions THEN
    SELECT jsonb_agg(jsonb_build_object(
        'name', r.name, 'bitrate', r.bitrate, 'peakBandwidth', r.peak_bandwidth,
        'averageBandwidth', r.average_bandwidth, 'codecs', r.codecs,
        'init', translate(encode(r.init, 'base64'), E'\n', ''),
        'ivSeed', encode(r.iv_seed, 'base64')
      ) ORDER BY r.bitrate)
    INTO renditions
    FROM renditions r
    WHERE r.track_id = p_track AND r.version = start_listening_session.version;
  END IF;
END $$;
--> statement-breakpoint
-- Records a position, and with p_complete ends the session. History only: nothing here bills.
-- Heard seconds grow with the highest position, never faster than the clock. A play counts once,
-- after 30 s or half the track; a completion once, when 90 % was reached and the play counted.
--
-- outcome: recorded | no-session | blocked | signed-out | superseded | ended | beyond-track | not-leased
CREATE OR REPLACE FUNCTION record_listening(
  p_session uuid, p_user uuid, p_position_s double precision, p_complete boolean, p_now timestamptz,
  OUT outcome text, OUT track_id uuid, OUT version integer, OUT duration_s double precision,
  OUT plan text, OUT heard_s double precision, OUT counted boolean,
  OUT limit_ms bigint, OUT used_ms bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_commit text;
  v record;
  v_frontier_s double precision;
  v_counts boolean;
  v_completes boolean;
  v_position_s double precision;
BEGIN
  v_commit := set_config('synchronous_commit', 'off', true);

  SELECT s.*, m.blocked_at, m.plan, daily_ms(m.plan, m.daily_limit_s) AS limit_ms,
         s.duration_ms::double precision / 1000 AS duration_s,
         meter_used_ms(m, p_now) AS used_today_ms,
         last_leased(m.leased[s.seat]) AS last_period,
         session_is_live(s, p_now) AS is_live, session_is_ahead(s, p_now) AS is_ahead,
         CASE
           -- Since the last time that anybody as late as p_now listened.
           WHEN session_is_ahead(s, p_now) THEN s.late_expires_at - interval '1800 seconds'
           ELSE s.heartbeat_at
         END AS heard_at
  INTO v
  FROM listening_sessions s
  JOIN meters m ON m.user_id = s.user_id
  WHERE s.id = p_session AND s.user_id = p_user
  FOR UPDATE OF s;

  IF NOT FOUND THEN
    outcome := 'no-session';
    RETURN;
  END IF;

  track_id := v.track_id;
  version := v.version;
  duration_s := v.duration_s;
  plan := v.plan;
  heard_s := v.heard_s;
  counted := v.counted_at IS NOT NULL;
  limit_ms := v.limit_ms;
  used_ms := v.used_today_ms;
  v_frontier_s := (v.last_period + 1) * 12;

  outcome := CASE
    WHEN v.blocked_at IS NOT NULL THEN 'blocked'
    WHEN v.end_reason = 'signed-out' THEN 'signed-out'
    WHEN v.end_reason = 'superseded' THEN 'superseded'
    -- The answer to a completion may have been lost: the same again is the same answer.
    WHEN v.end_reason = 'completed' AND p_complete THEN 'recorded'
    WHEN NOT v.is_live THEN 'ended'
    -- One second of grace: players round, and report the end of the last frame.
    WHEN p_position_s > v.duration_s + 1 THEN 'beyond-track'
    WHEN p_position_s > v_frontier_s + 1 THEN 'not-leased'
  END;
  IF outcome IS NOT NULL THEN
    RETURN;
  END IF;

  outcome := 'recorded';
  v_position_s := greatest(v.position_s, least(p_position_s, v.duration_s));
  heard_s := v.heard_s + least(
    v_position_s - v.position_s,
    coalesce(greatest(0, extract(epoch FROM p_now - v.heard_at)::double precision), 0)
  );
  v_counts := heard_s >= least(30, v.duration_s / 2);
  v_completes := v_counts AND p_complete AND v_position_s >= v.duration_s * 0.9;
  counted := counted OR v_counts;

  UPDATE listening_sessions s
  SET position_s = v_position_s,
      heard_s = record_listening.heard_s,
      heartbeat_at = greatest(s.heartbeat_at, p_now),
      expires_at = CASE WHEN v.is_ahead THEN s.expires_at ELSE p_now + interval '1800 seconds' END,
      late_expires_at = CASE WHEN v.is_ahead THEN p_now + interval '1800 seconds' ELSE s.late_expires_at END,
      counted_at = CASE WHEN v_counts THEN coalesce(s.counted_at, p_now) END,
      ended_at = CASE WHEN p_complete THEN p_now END,
      end_reason = CASE WHEN p_complete THEN 'completed' END
  WHERE s.id = p_session;

  IF v_counts THEN
    INSERT INTO play_history AS h (session_id, user_id, track_id, started_at, heard_s, completed)
      VALUES (p_session, p_user, v.track_id, v.started_at, record_listening.heard_s, v_completes)
      ON CONFLICT (session_id) DO UPDATE
      SET heard_s = excluded.heard_s, completed = h.completed OR excluded.completed;
    IF v.counted_at IS NULL OR v_completes THEN
      INSERT INTO track_totals AS n (track_id, plays, completions)
        VALUES (v.track_id, (v.counted_at IS NULL)::int, v_completes::int)
        ON CONFLICT ON CONSTRAINT track_totals_pkey DO UPDATE
        SET plays = n.plays + excluded.plays, completions = n.completions + excluded.completions;
      INSERT INTO user_totals AS n (user_id, plays, completions)
        VALUES (p_user, (v.counted_at IS NULL)::int, v_completes::int)
        ON CONFLICT (user_id) DO UPDATE
        SET plays = n.plays + excluded.plays, completions = n.completions + excluded.completions;
    END IF;
  END IF;
END $$;
