import type pg from 'pg'

/** Days over which the plays are spread, the latest ending now. */
const LISTENING_DAYS = 180

/**
 * Listeners and what they have heard. Few tracks have most of the plays (the share of the first n of N
 * tracks is (n/N)^¼), and few listeners; both drawn anew for each play, so that a listener meets a
 * track again.
 */
export async function loadListening(
  client: pg.Client,
  { seed, listeners, plays }: { seed: number; listeners: number; plays: number },
): Promise<void> {
  await client.query(`
    insert into users (id, email, username, password_hash)
    select gen_random_uuid(), 'l' || n || '@example.test', 'l' || n, 'x' from generate_series(1, ${listeners}) n`)
  await client.query(`
    insert into refresh_families (id, user_id, expires_at)
    select gen_random_uuid(), id, '2100-01-01' from users`)

  await client.query(`select setseed(${(seed % 1000) / 1000})`)
  await client.query(`
    create temporary table t_tracks as
      select id, duration_s, row_number() over (order by md5(id::text)) as n from tracks;
    create temporary table t_users as select id, row_number() over (order by username) as n from users;
    create temporary table t_plays as
      select 1 + floor(power(random(), 4) * (select count(*) from t_tracks))::integer as track_n,
             1 + floor(power(random(), 2) * ${listeners})::integer as user_n,
             now() - random() * interval '${LISTENING_DAYS} days' as started_at,
             random() as ear
      from generate_series(1, ${plays});
    analyze t_tracks, t_users, t_plays`)
  await client.query(`
    insert into play_history (session_id, user_id, track_id, started_at, heard_s, completed)
    select gen_random_uuid(), u.id, t.id, p.started_at,
           t.duration_s * (0.5 + p.ear / 2), p.ear > 0.6
    from t_plays p join t_tracks t on t.n = p.track_n join t_users u on u.n = p.user_n`)
  await client.query(`
    insert into track_totals (track_id, plays, completions)
    select track_id, count(*), count(*) filter (where completed) from play_history group by track_id;
    insert into user_totals (user_id, plays, completions)
    select user_id, count(*), count(*) filter (where completed) from play_history group by user_id`)
}
