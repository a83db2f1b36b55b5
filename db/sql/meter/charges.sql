-- What a meter allows and how a charge changes it. Each function is one expression or nearly so, which
-- Postgres copies into the statement that calls it.
--
-- A meter keeps two lines of time, because which of two clocks is wrong can't be told from it: the latest
-- that it was ever told (at, day), and that of whoever asks from more than two minutes before (late_at,
-- late_day). Both draw on one level. In each a clock refills the pace by what passes on it, and a jump of
-- the late one refills nothing. So one wrong clock gives away at most as much as a second clock that runs
-- beside the first, and it takes nothing: whether it was ahead or behind, the right one goes on from where
-- it was.
--
-- With days the same: of the two that a meter remembers, one is the latest, the other late_day, and
-- day_before_ms is what was used on it. A day between the two begins anew; one before both counts as the
-- older, so a clock that falls behind refills no budget.

-- What was used on p_day.
create or replace function used_on(m meters, p_day date) returns bigint language sql immutable as $$
  select case
    when p_day = m.day then m.used_ms
    when p_day > m.day or p_day > m.late_day then 0
    else m.day_before_ms
  end
$$;

-- What was used on the day of p_now.
create or replace function meter_used_ms(m meters, p_now timestamptz) returns bigint language sql immutable as $$
  select used_on(m, utc_day(p_now))
$$;

-- Level of a token bucket at p_now. A clock that steps back refills nothing. (date_part, since extract
-- reckons in numeric.)
create or replace function pace_level(
  p_level_ms double precision, p_at timestamptz, p_now timestamptz,
  p_depth_ms double precision, p_rate double precision
) returns double precision language sql immutable as $$
  select least(p_depth_ms, p_level_ms + greatest(0, date_part('epoch', p_now - p_at)) * 1000 * p_rate)
$$;

-- What the pace lets through at p_now.
create or replace function meter_level_ms(m meters, p_now timestamptz)
returns double precision language sql immutable as $$
  select pace_level(
    m.level_ms,
    case
      when m.at <= p_now + interval '120 seconds' then m.at
      when m.late_at between p_now - interval '60 seconds' and p_now then m.late_at
      else p_now
    end,
    p_now, m.pace_depth_ms, m.pace_rate
  )
$$;

-- Whether a charge of p_ms can be paid at p_now: granted while anything of the day remains, and what
-- costs nothing always.
--
-- outcome: granted | exhausted | too-early
create or replace function charge_outcome(m meters, p_ms integer, p_now timestamptz, p_day date)
returns text language sql immutable as $$
  select case
    when p_ms = 0 then 'granted'
    when used_on(m, p_day) >= m.limit_ms then 'exhausted'
    when meter_level_ms(m, p_now) < p_ms then 'too-early'
    else 'granted'
  end
$$;

create or replace function charge_outcome(m meters, p_ms integer, p_now timestamptz)
returns text language sql immutable as $$
  select charge_outcome(m, p_ms, p_now, utc_day(p_now))
$$;

-- Seconds until the pace lets a charge of p_ms through.
create or replace function charge_wait_s(m meters, p_ms integer, p_now timestamptz)
returns double precision language sql immutable as $$
  select greatest(0, p_ms - meter_level_ms(m, p_now)) / 1000 / m.pace_rate
$$;

-- The meter after a charge of p_ms at p_now.
create or replace function charged(m meters, p_ms integer, p_now timestamptz) returns meters language plpgsql immutable as $$
declare
  v_day date := utc_day(p_now);
begin
  m.level_ms := meter_level_ms(m, p_now) - p_ms;
  if m.at <= p_now + interval '120 seconds' then
    m.at := greatest(m.at, p_now);
  else
    m.late_at := p_now;
  end if;

  if v_day > m.day then
    m.late_day := m.day;
    m.day_before_ms := m.used_ms;
    m.day := v_day;
    m.used_ms := 0;
  elsif v_day < m.day then
    if v_day > m.late_day then
      m.day_before_ms := 0;
    end if;
    m.late_day := v_day;
  end if;
  if v_day = m.day then
    m.used_ms := m.used_ms + p_ms;
  else
    m.day_before_ms := m.day_before_ms + p_ms;
  end if;
  return m;
end $$;

-- Remembers that somebody asked on a day before both that the meter has, and met a budget that was used
-- up: were both in the future, it would be so every day until then, and now is on this one alone.
create or replace function meet_late_day(p_user uuid, p_day date) returns void language sql as $$
  update meters set late_day = p_day where user_id = p_user and p_day < late_day and p_day < day
$$;
