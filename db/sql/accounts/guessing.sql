-- How often passwords may be guessed, counted here because it must hold over all of Cloudflare's
-- locations. A try is counted before the password is looked at, and given back when it was right: so a
-- hundred tries at once are a hundred tries, and what is refused costs no hash.
--
-- Nothing here names anybody: an address or an account is one of 2²⁰ slots, chosen by a keyed hash. That
-- also bounds the table, whoever attacks. Two that share a slot share its limit, no more.

-- A level rises by one with each try and leaks; a try is let through while the level after it is at most
-- `burst`. `growing`: there is no end to the tries, only a delay between them, see guess_delay_s.
create or replace function guess_terms(p_kind text, out burst double precision, out leak_per_s double precision, out growing boolean)
language sql immutable as $$
  select t.burst, t.leak_per_s, p_kind = 'account'
  from (values
    ('network', double precision '20', double precision '20' / 3600),
    ('wide-network', 100, double precision '100' / 3600),
    -- Tries of one network at one account before it is no newcomer there.
    ('pair', 3, double precision '3' / 86400),
    -- Tries at one account from networks that are new to it.
    ('newcomers', 10, double precision '1' / 60),
    -- Tries at one account from networks that have failed there before.
    ('account', 5, double precision '1' / 600),
    -- Tries at one account from a network or a browser that it has signed in from.
    ('known', 10, double precision '10' / 3600),
    -- The current password, when it is to be changed, of one sign-in.
    ('password', 10, double precision '10' / 3600),
    ('registrations', 20, double precision '20' / 3600),
    ('wide-registrations', 100, double precision '100' / 3600)
  ) t (kind, burst, leak_per_s) where t.kind = p_kind
$$;

-- Seconds between one try at an account and the next: none for five, then 1, 2, 4 … and never more than
-- five minutes.
create or replace function guess_delay_s(p_level double precision) returns double precision language sql immutable as $$
  select case when p_level < 5 then 0 else least(300, power(2, floor(least(p_level, 20)) - 5)) end
$$;

-- Counts one try. Answers with 0, or with the seconds to wait where it may not be made now; then it
-- counts nothing. p_factor: of how many networks this one stands for, where they can't be told apart.
create or replace function take_guess(p_kind text, p_slot integer, p_now timestamptz, p_factor double precision default 1)
returns double precision language plpgsql as $$
declare
  t record;
  v guess_limits%rowtype;
  v_is_ahead boolean;
  v_wait_s double precision;
begin
  select * into t from guess_terms(p_kind);
  loop
    insert into guess_limits (kind, slot, level, at) values (p_kind, p_slot, 0, p_now) on conflict do nothing;
    select * into v from guess_limits g where g.kind = p_kind and g.slot = p_slot for update;
    exit when found;
  end loop;

  -- Further ahead than clocks differ: one was wrong, and bounded_now was not asked. What was counted
  -- stays, when it was is not believed: better that it leaks too soon than that nobody gets in for days.
  v_is_ahead := v.at > p_now + interval '1 minute';
  if v_is_ahead then
    v.at := p_now;
  end if;
  v.level := greatest(0, v.level - greatest(0, date_part('epoch', p_now - v.at)) * t.leak_per_s * p_factor);
  v_wait_s := case
    when t.growing then guess_delay_s(v.level) - greatest(0, date_part('epoch', p_now - v.at))
    else (v.level + 1 - t.burst * p_factor) / (t.leak_per_s * p_factor)
  end;

  if v_wait_s > 0 then
    if v_is_ahead then
      update guess_limits g set at = p_now where g.kind = p_kind and g.slot = p_slot;
    end if;
    return v_wait_s;
  end if;
  update guess_limits g
  set level = case when t.growing then least(v.level + 1, 20) else v.level + 1 end, at = greatest(v.at, p_now)
  where g.kind = p_kind and g.slot = p_slot;
  return 0;
end $$;

create or replace function give_guess_back(p_kind text, p_slot integer) returns void language sql as $$
  update guess_limits set level = greatest(0, level - 1) where kind = p_kind and slot = p_slot
$$;

-- Counts one try in a network and the wider one around it, or answers with the seconds to wait.
create or replace function take_network_guess(
  p_wide_kind text, p_wide integer, p_kind text, p_slot integer, p_now timestamptz, p_factor double precision
) returns double precision language plpgsql as $$
declare
  v_wait_s double precision := 0;
begin
  if p_wide is not null then
    v_wait_s := take_guess(p_wide_kind, p_wide, p_now, p_factor);
  end if;
  if v_wait_s = 0 then
    v_wait_s := take_guess(p_kind, p_slot, p_now, p_factor);
    if v_wait_s > 0 and p_wide is not null then
      perform give_guess_back(p_wide_kind, p_wide);
    end if;
  end if;
  return v_wait_s;
end $$;
