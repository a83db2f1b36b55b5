-- The meter with one row per listener. A lease used to write four rows (pace, day, session, lease) and
-- to check a foreign key; it writes two now (what the listener used, what the session opened), and reads
-- the rest in the statement that locks them: half the work in the database. The rules are as before.
--
-- Concurrency: the first statement of a lease or a session start locks the listener's row in `meters`.
-- A lease locks its session with it. Under READ COMMITTED a statement that waited for a lock sees the
-- newest version of the rows it locked, and all that changes from lease to lease is in those two. Locks
-- are always taken in the order meters, listening_sessions.

ALTER TABLE paces RENAME TO meters;--> statement-breakpoint
ALTER TABLE meters RENAME CONSTRAINT paces_pkey TO meters_pkey;--> statement-breakpoint
ALTER TABLE meters RENAME CONSTRAINT paces_user_id_users_id_fk TO meters_user_id_users_id_fk;--> statement-breakpoint
ALTER TABLE meters ADD COLUMN day date, ADD COLUMN used_ms bigint DEFAULT 0 NOT NULL,
  ADD COLUMN day_before_ms bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE meters m SET
  day = coalesce((SELECT max(d.day) FROM daily_usage d WHERE d.user_id = m.user_id), (m.at AT TIME ZONE 'UTC')::date);
--> statement-breakpoint
UPDATE meters m SET
  used_ms = coalesce((SELECT d.used_ms FROM daily_usage d WHERE d.user_id = m.user_id AND d.day = m.day), 0),
  day_before_ms = coalesce((SELECT d.used_ms FROM daily_usage d WHERE d.user_id = m.user_id AND d.day = m.day - 1), 0);
--> statement-breakpoint
ALTER TABLE meters ALTER COLUMN day SET NOT NULL,
  ADD CONSTRAINT meters_used_check CHECK (used_ms >= 0 AND day_before_ms >= 0);--> statement-breakpoint
-- Room for new versions on the same page: an update then touches no index.
ALTER TABLE meters SET (fillfactor = 70);--> statement-breakpoint
ALTER TABLE listening_sessions SET (fillfactor = 70);--> statement-breakpoint
-- Which key periods a session has paid for: one bit each, the least significant of a byte first.
CREATE FUNCTION has_leased(p_leased bytea, p_period integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN p_period >= 0 AND p_period < 8 * length(p_leased) THEN get_bit(p_leased, p_period) = 1
    ELSE false
  END
$$;
--> statement-breakpoint
CREATE FUNCTION with_lease(p_leased bytea, p_period integer) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT set_bit(
    p_leased || decode(repeat('00', p_period / 8 + 1 - length(p_leased)), 'hex'), p_period, 1
  )
$$;
--> statement-breakpoint
-- What was used on p_day, of a meter that remembers two days.
CREATE FUNCTION used_on(p_day date, p_meter_day date, p_used_ms bigint, p_day_before_ms bigint)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN p_day = p_meter_day THEN p_used_ms
    WHEN p_day < p_meter_day THEN p_day_before_ms
    ELSE 0
  END
$$;
--> statement-breakpoint
DROP FUNCTION lease_key_period(uuid, uuid, uuid, integer, integer, timestamptz);--> statement-breakpoint
DROP FUNCTION start_listening_session(uuid, uuid, uuid, uuid, double precision, timestamptz);--> statement-breakpoint
DROP FUNCTION record_listening(uuid, uuid, double precision, boolean, timestamptz);--> statement-breakpoint
ALTER TABLE listening_sessions ADD COLUMN leased bytea DEFAULT '' NOT NULL,
  ADD COLUMN last_period integer DEFAULT -1 NOT NULL;--> statement-breakpoint
DO $$
DECLARE
  v record;
BEGIN
  FOR v IN SELECT l.session_id, l.period FROM leases l ORDER BY l.session_id, l.period LOOP
    UPDATE listening_sessions s
    SET leased = with_lease(s.leased, v.period), last_period = greatest(s.last_period, v.period)
    WHERE s.id = v.session_id;
  END LOOP;
END $$;
--> statement-breakpoint
ALTER TABLE listening_sessions ALTER COLUMN leased DROP DEFAULT;--> statement-breakpoint
-- For the deletion of what has been over for a while.
CREATE INDEX "listening_sessions_ended_idx" ON "listening_sessions" USING btree ("ended_at") WHERE ended_at is not null;--> statement-breakpoint
DROP TABLE leases;--> statement-breakpoint
DROP TABLE daily_usage;--> statement-breakpoint
-- Leases the key of one period inside a live session, debits the day and answers with the wrapped
-- master key. Idempotent per (session, period): a retry is granted again and costs nothing.
--
-- outcome: granted | no-session | signed-out | blocked | superseded | ended | wrong-track
--          | no-period | exhausted | too-early
CREATE FUNCTION lease_key_period(
  p_session uuid, p_user uuid, p_track uuid, p_version integer, p_period integer, p_now timestamptz,
  OUT outcome text, OUT kid text, OUT wrapped bytea, OUT charged_ms integer,
  OUT limit_ms bigint, OUT used_ms bigint, OUT retry_after_s double precision
) LANGUAGE plpgsql AS $$
DECLARE
  v_day date := (p_now AT TIME ZONE 'UTC')::date;
  v_level double precision;
  v record;
BEGIN
  -- A lease lost with a crashed server is twelve seconds in the listener's favour; waiting for the
  -- disk (or for Neon's quorum) on every key is latency in everybody's ear.
  PERFORM set_config('synchronous_commit', 'off', true);

  SELECT
    s.track_id, s.version, s.ended_at, s.end_reason, s.expires_at, u.blocked_at, f.revoked_at,
    k.kid, k.wrapped, t.daily_ms, t.depth_ms, t.rate,
    used_on(v_day, m.day, m.used_ms, m.day_before_ms) AS used_ms,
    has_leased(s.leased, p_period) AS is_leased,
    period_count(a.sample_rate, a.sample_count, a.priming_samples) AS periods,
    period_charge_ms(p_period, a.sample_rate, a.sample_count) AS charge_ms,
    m.level_ms, m.at
  INTO v
  FROM meters m
  JOIN listening_sessions s ON s.user_id = m.user_id
  JOIN users u ON u.id = m.user_id
  JOIN refresh_families f ON f.id = s.family_id
  CROSS JOIN LATERAL plan_terms(u.plan, u.daily_limit_s) t
  JOIN track_versions a ON a.track_id = s.track_id AND a.version = s.version
  JOIN track_keys k ON k.track_id = s.track_id AND k.version = s.version
  WHERE m.user_id = p_user AND s.id = p_session
  FOR UPDATE OF m, s;

  charged_ms := 0;
  retry_after_s := 0;
  IF NOT FOUND THEN
    outcome := 'no-session';
    RETURN;
  END IF;

  outcome := CASE
    WHEN v.blocked_at IS NOT NULL OR v.end_reason = 'blocked' THEN 'blocked'
    WHEN v.revoked_at IS NOT NULL OR v.end_reason = 'signed-out' THEN 'signed-out'
    WHEN v.end_reason = 'superseded' THEN 'superseded'
    WHEN v.ended_at IS NOT NULL OR v.expires_at <= p_now THEN 'ended'
    WHEN v.track_id <> p_track OR v.version <> p_version THEN 'wrong-track'
    WHEN p_period < 0 OR p_period >= v.periods THEN 'no-period'
    WHEN v.is_leased THEN 'granted'
    WHEN v.daily_ms IS NOT NULL AND v.used_ms >= v.daily_ms THEN 'exhausted'
  END;
  limit_ms := v.daily_ms;
  used_ms := v.used_ms;

  IF outcome IS NULL THEN
    v_level := pace_level(v.level_ms, v.at, p_now, v.depth_ms, v.rate);
    IF v_level < v.charge_ms THEN
      outcome := 'too-early';
      retry_after_s := (v.charge_ms - v_level) / 1000 / v.rate;
    ELSE
      outcome := 'granted';
      charged_ms := v.charge_ms;
      used_ms := v.used_ms + v.charge_ms;
      UPDATE meters m SET
        level_ms = v_level - v.charge_ms,
        at = greatest(m.at, p_now),
        day = greatest(m.day, v_day),
        used_ms = CASE WHEN v_day < m.day THEN m.used_ms ELSE lease_key_period.used_ms END,
        day_before_ms = CASE
          WHEN v_day < m.day THEN lease_key_period.used_ms
          WHEN v_day = m.day THEN m.day_before_ms
          WHEN v_day = m.day + 1 THEN m.used_ms
          ELSE 0
        END
      WHERE m.user_id = p_user;
      UPDATE listening_sessions s SET
        leased = with_lease(s.leased, p_period),
        last_period = greatest(s.last_period, p_period),
        expires_at = p_now + interval '1800 seconds'
      WHERE s.id = p_session;
    END IF;
  END IF;

  IF outcome = 'granted' THEN
    kid := v.kid;
    wrapped := v.wrapped;
  END IF;
END $$;
--> statement-breakpoint
-- Starts a listening session, or resumes the live one that the same sign-in has on the track, and
-- leases its first period, so that pressing play is one statement.
--
-- outcome: started | resumed | not-found | not-ready | signed-out | blocked | exhausted | too-early
-- renditions: [{name, bitrate, peakBandwidth, averageBandwidth, codecs, init (base64), ivSeed (base64)}],
-- null where not wanted
CREATE FUNCTION start_listening_session(
  p_new_session uuid, p_user uuid, p_family uuid, p_track uuid, p_position_s double precision,
  p_now timestamptz, p_with_renditions boolean DEFAULT true,
  OUT outcome text, OUT session_id uuid, OUT version integer, OUT plan text, OUT period integer,
  OUT kid text, OUT wrapped bytea, OUT sample_rate integer, OUT sample_count bigint,
  OUT priming_samples integer, OUT padding_samples integer, OUT renditions jsonb,
  OUT position_s double precision, OUT limit_ms bigint, OUT used_ms bigint, OUT retry_after_s double precision
) LANGUAGE plpgsql AS $$
DECLARE
  v_day date := (p_now AT TIME ZONE 'UTC')::date;
  v_meter meters%ROWTYPE;
  v_who record;
  v_track record;
  v_live record;
  v_lease record;
  v_level double precision;
  v_charge integer;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);

  SELECT * INTO v_meter FROM meters m WHERE m.user_id = p_user FOR UPDATE;
  IF NOT FOUND THEN
    -- First play ever. The bucket starts full; a lease caps the level at the plan's depth.
    INSERT INTO meters (user_id, level_ms, at, day)
      SELECT u.id, 540000, p_now, v_day FROM users u WHERE u.id = p_user
      ON CONFLICT (user_id) DO NOTHING;
    SELECT * INTO v_meter FROM meters m WHERE m.user_id = p_user FOR UPDATE;
  END IF;

  SELECT u.plan, u.blocked_at, f.revoked_at, f.id AS family_id,
         t.daily_ms, t.sessions, t.depth_ms, t.rate,
         used_on(v_day, v_meter.day, v_meter.used_ms, v_meter.day_before_ms) AS used_ms
  INTO v_who
  FROM users u
  CROSS JOIN LATERAL plan_terms(u.plan, u.daily_limit_s) t
  LEFT JOIN refresh_families f ON f.id = p_family AND f.user_id = u.id
  WHERE u.id = p_user;

  SELECT t.id, t.version, t.published_at INTO v_track
  FROM tracks t WHERE t.id = p_track AND t.deleted_at IS NULL;

  retry_after_s := 0;
  plan := v_who.plan;
  limit_ms := v_who.daily_ms;
  used_ms := v_who.used_ms;
  outcome := CASE
    WHEN v_who.plan IS NULL OR v_who.family_id IS NULL OR v_who.revoked_at IS NOT NULL THEN 'signed-out'
    WHEN v_who.blocked_at IS NOT NULL THEN 'blocked'
    WHEN v_track.id IS NULL THEN 'not-found'
    WHEN v_track.version IS NULL OR v_track.published_at IS NULL THEN 'not-ready'
  END;
  IF outcome IS NOT NULL THEN
    RETURN;
  END IF;

  SELECT s.id, s.version, s.position_s INTO v_live
  FROM listening_sessions s
  WHERE s.user_id = p_user AND s.family_id = p_family AND s.track_id = p_track
    AND s.ended_at IS NULL AND s.expires_at > p_now
  ORDER BY s.started_at DESC LIMIT 1;

  version := coalesce(v_live.version, v_track.version);
  SELECT m.sample_rate, m.sample_count, m.priming_samples, m.padding_samples,
         k.kid, k.wrapped
  INTO sample_rate, sample_count, priming_samples, padding_samples, kid, wrapped
  FROM track_versions m
  JOIN track_keys k ON k.track_id = m.track_id AND k.version = m.version
  WHERE m.track_id = p_track AND m.version = start_listening_session.version;

  period := least(
    floor(greatest(p_position_s, 0) / 12)::integer,
    period_count(sample_rate, sample_count, priming_samples) - 1
  );

  IF v_live.id IS NOT NULL THEN
    SELECT * INTO v_lease
      FROM lease_key_period(v_live.id, p_user, p_track, start_listening_session.version, period, p_now);
    IF v_lease.outcome <> 'granted' THEN
      -- The place to resume at is not paid for and cannot be now: resume at the start, which is.
      period := 0;
      SELECT * INTO v_lease
        FROM lease_key_period(v_live.id, p_user, p_track, start_listening_session.version, 0, p_now);
    END IF;
    outcome := CASE WHEN v_lease.outcome = 'granted' THEN 'resumed' ELSE v_lease.outcome END;
    used_ms := v_lease.used_ms;
    retry_after_s := v_lease.retry_after_s;
    session_id := v_live.id;
    UPDATE listening_sessions s SET expires_at = p_now + interval '1800 seconds' WHERE s.id = v_live.id;
  ELSE
    v_charge := period_charge_ms(period, sample_rate, sample_count);
    v_level := pace_level(v_meter.level_ms, v_meter.at, p_now, v_who.depth_ms, v_who.rate);
    IF v_who.daily_ms IS NOT NULL AND v_who.used_ms >= v_who.daily_ms THEN
      outcome := 'exhausted';
    ELSIF v_level < v_charge THEN
      outcome := 'too-early';
      retry_after_s := (v_charge - v_level) / 1000 / v_who.rate;
    ELSE
      outcome := 'started';
      session_id := p_new_session;
      used_ms := v_who.used_ms + v_charge;
      -- The newest stay; with the new one they are as many as the plan allows.
      UPDATE listening_sessions s
      SET ended_at = p_now,
          end_reason = CASE WHEN s.expires_at <= p_now THEN 'expired' ELSE 'superseded' END
      WHERE s.user_id = p_user AND s.ended_at IS NULL AND s.id NOT IN (
        SELECT o.id FROM listening_sessions o
        WHERE o.user_id = p_user AND o.ended_at IS NULL AND o.expires_at > p_now
        ORDER BY o.started_at DESC, o.id DESC LIMIT v_who.sessions - 1
      );
      INSERT INTO listening_sessions
        (id, user_id, family_id, track_id, version, started_at, expires_at, heartbeat_at,
         leased, last_period)
        VALUES (p_new_session, p_user, p_family, p_track, start_listening_session.version, p_now,
                p_now + interval '1800 seconds', p_now,
                with_lease('', start_listening_session.period), start_listening_session.period);
      UPDATE meters m SET
        level_ms = v_level - v_charge,
        at = greatest(m.at, p_now),
        day = greatest(m.day, v_day),
        used_ms = CASE WHEN v_day < m.day THEN m.used_ms ELSE start_listening_session.used_ms END,
        day_before_ms = CASE
          WHEN v_day < m.day THEN start_listening_session.used_ms
          WHEN v_day = m.day THEN m.day_before_ms
          WHEN v_day = m.day + 1 THEN m.used_ms
          ELSE 0
        END
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
CREATE FUNCTION record_listening(
  p_session uuid, p_user uuid, p_position_s double precision, p_complete boolean, p_now timestamptz,
  OUT outcome text, OUT track_id uuid, OUT version integer, OUT duration_s double precision,
  OUT plan text, OUT heard_s double precision, OUT counted boolean,
  OUT limit_ms bigint, OUT used_ms bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v record;
  v_frontier_s double precision;
  v_counts boolean;
  v_completes boolean;
  v_position_s double precision;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);

  SELECT s.*, u.blocked_at, u.plan, f.revoked_at, t.daily_ms,
         a.sample_count::double precision / a.sample_rate AS duration_s,
         used_on((p_now AT TIME ZONE 'UTC')::date, m.day, m.used_ms, m.day_before_ms) AS used_today_ms
  INTO v
  FROM listening_sessions s
  JOIN users u ON u.id = s.user_id
  JOIN refresh_families f ON f.id = s.family_id
  CROSS JOIN LATERAL plan_terms(u.plan, u.daily_limit_s) t
  JOIN track_versions a ON a.track_id = s.track_id AND a.version = s.version
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
  limit_ms := v.daily_ms;
  used_ms := v.used_today_ms;
  v_frontier_s := (v.last_period + 1) * 12;

  outcome := CASE
    WHEN v.blocked_at IS NOT NULL OR v.end_reason = 'blocked' THEN 'blocked'
    WHEN v.revoked_at IS NOT NULL OR v.end_reason = 'signed-out' THEN 'signed-out'
    WHEN v.end_reason = 'superseded' THEN 'superseded'
    -- The answer to a completion may have been lost: the same again is the same answer.
    WHEN v.end_reason = 'completed' AND p_complete THEN 'recorded'
    WHEN v.ended_at IS NOT NULL OR v.expires_at <= p_now THEN 'ended'
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
    greatest(0, extract(epoch FROM p_now - v.heartbeat_at)::double precision)
  );
  v_counts := heard_s >= least(30, v.duration_s / 2);
  v_completes := v_counts AND p_complete AND v_position_s >= v.duration_s * 0.9;
  counted := counted OR v_counts;

  UPDATE listening_sessions s
  SET position_s = v_position_s,
      heard_s = record_listening.heard_s,
      heartbeat_at = greatest(s.heartbeat_at, p_now),
      expires_at = p_now + interval '1800 seconds',
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
