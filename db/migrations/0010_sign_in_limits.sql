-- How often passwords may be guessed, counted here because it must hold over all of Cloudflare's
-- locations. A try is counted before the password is looked at, and given back when it was right: so a
-- hundred tries at once are a hundred tries, and what is refused costs no hash.
--
-- Nothing here names anybody: an address or an account is one of 2²⁰ slots, chosen by a keyed hash. That
-- also bounds the table, whoever attacks. Two that share a slot share its limit, no more.

CREATE TABLE "guess_limits" (
	"kind" text NOT NULL,
	"slot" integer NOT NULL,
	"level" double precision NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "guess_limits_kind_slot_pk" PRIMARY KEY("kind","slot")
);
--> statement-breakpoint
CREATE TABLE "known_networks" (
	"user_id" uuid NOT NULL,
	"network_hash" "bytea" NOT NULL,
	"seen_at" timestamp with time zone NOT NULL,
	CONSTRAINT "known_networks_user_id_network_hash_pk" PRIMARY KEY("user_id","network_hash")
);
--> statement-breakpoint
ALTER TABLE "known_networks" ADD CONSTRAINT "known_networks_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "known_networks_seen_idx" ON "known_networks" USING btree ("seen_at");--> statement-breakpoint
-- What a Worker's clock says, held against the database's own: all Workers have that one, and a machine
-- whose clock is wrong by days can move nothing by more than a minute. (Tests, which own their clock, call
-- without it.)
CREATE FUNCTION bounded_now(p_now timestamptz) RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
  SELECT least(greatest(p_now, clock_timestamp() - interval '1 minute'), clock_timestamp() + interval '1 minute')
$$;
--> statement-breakpoint
-- A level rises by one with each try and leaks; a try is let through while the level after it is at most
-- `burst`. `growing`: there is no end to the tries, only a delay between them, see guess_delay_s.
CREATE FUNCTION guess_terms(p_kind text, OUT burst double precision, OUT leak_per_s double precision, OUT growing boolean)
LANGUAGE sql IMMUTABLE AS $$
  SELECT t.burst, t.leak_per_s, p_kind = 'account'
  FROM (VALUES
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
  ) t (kind, burst, leak_per_s) WHERE t.kind = p_kind
$$;
--> statement-breakpoint
-- Seconds between one try at an account and the next: none for five, then 1, 2, 4 … and never more than
-- five minutes.
CREATE FUNCTION guess_delay_s(p_level double precision) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_level < 5 THEN 0 ELSE least(300, power(2, floor(least(p_level, 20)) - 5)) END
$$;
--> statement-breakpoint
-- Counts one try. Answers with 0, or with the seconds to wait where it may not be made now; then it
-- counts nothing. p_factor: of how many networks this one stands for, where they can't be told apart.
CREATE FUNCTION take_guess(p_kind text, p_slot integer, p_now timestamptz, p_factor double precision DEFAULT 1)
RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
  t record;
  v guess_limits%ROWTYPE;
  v_is_ahead boolean;
  v_wait_s double precision;
BEGIN
  SELECT * INTO t FROM guess_terms(p_kind);
  LOOP
    INSERT INTO guess_limits (kind, slot, level, at) VALUES (p_kind, p_slot, 0, p_now) ON CONFLICT DO NOTHING;
    SELECT * INTO v FROM guess_limits g WHERE g.kind = p_kind AND g.slot = p_slot FOR UPDATE;
    EXIT WHEN FOUND;
  END LOOP;

  -- Further ahead than clocks differ: one was wrong, and bounded_now was not asked. What was counted
  -- stays, when it was is not believed: better that it leaks too soon than that nobody gets in for days.
  v_is_ahead := v.at > p_now + interval '1 minute';
  IF v_is_ahead THEN
    v.at := p_now;
  END IF;
  v.level := greatest(0, v.level - greatest(0, date_part('epoch', p_now - v.at)) * t.leak_per_s * p_factor);
  v_wait_s := CASE
    WHEN t.growing THEN guess_delay_s(v.level) - greatest(0, date_part('epoch', p_now - v.at))
    ELSE (v.level + 1 - t.burst * p_factor) / (t.leak_per_s * p_factor)
  END;

  IF v_wait_s > 0 THEN
    IF v_is_ahead THEN
      UPDATE guess_limits g SET at = p_now WHERE g.kind = p_kind AND g.slot = p_slot;
    END IF;
    RETURN v_wait_s;
  END IF;
  UPDATE guess_limits g
  SET level = CASE WHEN t.growing THEN least(v.level + 1, 20) ELSE v.level + 1 END, at = greatest(v.at, p_now)
  WHERE g.kind = p_kind AND g.slot = p_slot;
  RETURN 0;
END $$;
--> statement-breakpoint
CREATE FUNCTION give_guess_back(p_kind text, p_slot integer) RETURNS void LANGUAGE sql AS $$
  UPDATE guess_limits SET level = greatest(0, level - 1) WHERE kind = p_kind AND slot = p_slot
$$;
--> statement-breakpoint
-- Counts one try in a network and the wider one around it, or answers with the seconds to wait.
CREATE FUNCTION take_network_guess(
  p_wide_kind text, p_wide integer, p_kind text, p_slot integer, p_now timestamptz, p_factor double precision
) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
  v_wait_s double precision := 0;
BEGIN
  IF p_wide IS NOT NULL THEN
    v_wait_s := take_guess(p_wide_kind, p_wide, p_now, p_factor);
  END IF;
  IF v_wait_s = 0 THEN
    v_wait_s := take_guess(p_kind, p_slot, p_now, p_factor);
    IF v_wait_s > 0 AND p_wide IS NOT NULL THEN
      PERFORM give_guess_back(p_wide_kind, p_wide);
    END IF;
  END IF;
  RETURN v_wait_s;
END $$;
--> statement-breakpoint
-- Lets one try at an account through, and answers with the account where there is one; or refuses. An
-- account that does not exist is counted like any other.
--
-- A network that has signed in to the account, and a browser that holds a live refresh token of it, are
-- counted by themselves: whatever others try, the owner gets in from there. Everybody else is counted by
-- network and by account; and at the account those who come for the first time stand in a line of their
-- own, so that who keeps knocking does not keep them out.
--
-- Rows are locked in the order wide-network, network, pair, newcomers or account.
--
-- lane: what was counted besides the network: known | newcomers | account; null: refused
-- wait_s: seconds to wait, where it is refused
CREATE FUNCTION reserve_sign_in(
  p_email text, p_account integer, p_wide integer, p_network integer, p_pair integer, p_network_hash bytea,
  p_refresh_hash bytea, p_factor double precision, p_now timestamptz,
  OUT lane text, OUT wait_s double precision, OUT id uuid, OUT email text, OUT username text, OUT role text,
  OUT plan text, OUT password_hash text, OUT blocked_at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
  -- A count that is lost with a crashed server is one guess more.
  v_commit text := set_config('synchronous_commit', 'off', true);
  v_user users%ROWTYPE;
BEGIN
  SELECT * INTO v_user FROM users u WHERE lower(u.email) = p_email;

  IF EXISTS (
    SELECT FROM known_networks k WHERE k.user_id = v_user.id AND k.network_hash = p_network_hash
  ) OR EXISTS (
    SELECT FROM refresh_tokens r JOIN refresh_families f ON f.id = r.family_id
    WHERE r.token_hash = p_refresh_hash AND f.user_id = v_user.id AND f.revoked_at IS NULL AND f.expires_at > p_now
  ) THEN
    lane := 'known';
    wait_s := take_guess(lane, p_pair, p_now);
  ELSE
    wait_s := take_network_guess('wide-network', p_wide, 'network', p_network, p_now, p_factor);
    IF wait_s = 0 THEN
      lane := CASE WHEN take_guess('pair', p_pair, p_now) = 0 THEN 'newcomers' ELSE 'account' END;
      wait_s := take_guess(lane, p_account, p_now);
      IF wait_s > 0 THEN
        PERFORM give_guess_back('wide-network', p_wide);
        PERFORM give_guess_back('network', p_network);
      END IF;
    END IF;
  END IF;

  IF wait_s > 0 THEN
    lane := NULL;
    RETURN;
  END IF;
  id := v_user.id;
  email := v_user.email;
  username := v_user.username;
  role := v_user.role;
  plan := v_user.plan;
  password_hash := v_user.password_hash;
  blocked_at := v_user.blocked_at;
END $$;
--> statement-breakpoint
-- The password was right: gives back what reserve_sign_in counted, and knows the network from now on.
-- p_network_hash: null where networks can't be told apart.
CREATE FUNCTION accept_sign_in(
  p_user uuid, p_lane text, p_account integer, p_wide integer, p_network integer, p_pair integer,
  p_network_hash bytea, p_now timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF p_lane = 'known' THEN
    PERFORM give_guess_back('known', p_pair);
  ELSE
    PERFORM give_guess_back('wide-network', p_wide);
    PERFORM give_guess_back('network', p_network);
    IF p_lane = 'newcomers' THEN
      PERFORM give_guess_back('pair', p_pair);
    END IF;
    PERFORM give_guess_back(p_lane, p_account);
  END IF;
  INSERT INTO known_networks (user_id, network_hash, seen_at)
    SELECT p_user, p_network_hash, p_now WHERE p_network_hash IS NOT NULL
    ON CONFLICT (user_id, network_hash) DO UPDATE
    SET seen_at = greatest(known_networks.seen_at, excluded.seen_at);
END $$;
--> statement-breakpoint
-- Counts a try at the current password of an account by who is signed in to it, and answers with its hash.
--
-- wait_s: seconds to wait where it is refused; else 0
CREATE FUNCTION reserve_password_check(
  p_user uuid, p_slot integer, p_now timestamptz, OUT wait_s double precision, OUT password_hash text
) LANGUAGE plpgsql AS $$
BEGIN
  wait_s := take_guess('password', p_slot, p_now);
  IF wait_s = 0 THEN
    SELECT u.password_hash INTO password_hash FROM users u WHERE u.id = p_user;
  END IF;
END $$;
