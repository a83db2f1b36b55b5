-- Exchanges a refresh token for the next one of its family, of which the caller gives the hash. The
-- next token must be derived from the old one, so that whoever asks twice names the same one.
--
-- A token that was exchanged may come again: the answer was lost on its way, or two tabs asked at
-- once. It is answered with the same next token, and nothing is written, if all of this holds: it was
-- exchanged within p_grace_s seconds of p_now; the token that it was exchanged for is p_new_hash, and
-- has not itself been exchanged. Every other token that was exchanged kills the family, and a trigger
-- the listening of that sign-in. So after A → B → C, A kills at once, however young it is, and B is
-- accepted for the rest of its own grace, which no repetition prolongs.
--
-- A thief who repeats a token within the grace gets what the owner got, not a second chain of tokens:
-- as soon as one of the two exchanges it, the other's turn, later than the grace, kills the family.
--
-- All calls for one token, then all for one family, run one after another: the token's row is locked
-- before the family's, as rotate_refresh_token does, which stays for Workers of the release before.
--
-- outcome: rotated | repeated | unknown | expired | revoked | blocked | reused
-- expires_at: when the family ends; null where there is none
CREATE FUNCTION refresh_sign_in(
  p_old_hash bytea, p_new_hash bytea, p_now timestamptz, p_expires_at timestamptz, p_grace_s integer
) RETURNS TABLE (outcome text, user_id uuid, family_id uuid, expires_at timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_grace interval := make_interval(secs => p_grace_s);
  v_used_at timestamptz;
  v_family refresh_families;
  v_is_blocked boolean;
  v_is_repeated boolean;
BEGIN
  SELECT r.family_id, r.used_at INTO family_id, v_used_at
    FROM refresh_tokens r WHERE r.token_hash = p_old_hash FOR UPDATE;
  IF NOT FOUND THEN
    outcome := 'unknown';
    RETURN NEXT;
    RETURN;
  END IF;
  -- The family first, then what is read of it: what committed while this waited is seen.
  SELECT f.* INTO v_family FROM refresh_families f WHERE f.id = family_id FOR NO KEY UPDATE;
  SELECT u.blocked_at IS NOT NULL INTO v_is_blocked FROM users u WHERE u.id = v_family.user_id;
  -- The clocks of two Workers differ a little, so the exchange may seem to lie ahead.
  v_is_repeated := v_used_at IS NOT NULL
    AND v_used_at > p_now - v_grace AND v_used_at < p_now + v_grace
    AND EXISTS (
      SELECT FROM refresh_tokens n
      WHERE n.token_hash = p_new_hash AND n.family_id = v_family.id AND n.used_at IS NULL
    );
  user_id := v_family.user_id;
  expires_at := v_family.expires_at;
  outcome := CASE
    WHEN v_used_at IS NOT NULL AND NOT v_is_repeated THEN 'reused'
    WHEN v_family.revoked_at IS NOT NULL THEN 'revoked'
    WHEN v_family.expires_at <= p_now THEN 'expired'
    WHEN v_is_blocked THEN 'blocked'
    WHEN v_is_repeated THEN 'repeated'
    ELSE 'rotated'
  END;

  IF outcome = 'rotated' THEN
    expires_at := p_expires_at;
    UPDATE refresh_tokens r SET used_at = p_now WHERE r.token_hash = p_old_hash;
    INSERT INTO refresh_tokens (token_hash, family_id, created_at)
      VALUES (p_new_hash, v_family.id, p_now);
    UPDATE refresh_families f SET last_used_at = p_now, expires_at = p_expires_at
      WHERE f.id = v_family.id;
  ELSIF outcome = 'reused' THEN
    UPDATE refresh_families f SET revoked_at = p_now, revoked_reason = 'reuse'
      WHERE f.id = v_family.id AND f.revoked_at IS NULL;
  END IF;
  RETURN NEXT;
END $$;
