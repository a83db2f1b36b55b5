-- How loud an album is as a whole, so that its tracks can be played with one gain and keep their distances.

-- The mean of its tracks' power over their time, of which tracks more than 10 LU below the mean of all are
-- left out, and what is silent: the gates of ITU-R BS.1770-4 §5, on tracks instead of blocks of 0.4 s.
create or replace function measure_album(p_album uuid) returns void language plpgsql as $$
begin
  -- Of two that publish at once, the second waits here, and then sees what the first has written.
  perform from albums where id = p_album for update;
  update albums a set loudness_lufs = m.lufs, sample_peak_dbfs = m.peak
  from (
    with heard as (
      select t.loudness_lufs::double precision as lufs, t.duration_s, t.sample_peak_dbfs
      from tracks t
      where t.album_id = p_album and t.published_at is not null and t.deleted_at is null
        and t.loudness_lufs > -70 and t.duration_s > 0
    ), gate as (
      select 10 * log(sum(duration_s * power(10::double precision, lufs / 10)) / sum(duration_s)) - 10
        as lufs from heard
    )
    select (select max(sample_peak_dbfs) from heard) as peak, (
      select 10 * log(sum(h.duration_s * power(10::double precision, h.lufs / 10)) / sum(h.duration_s))
      from heard h, gate where h.lufs > gate.lufs
    )::real as lufs
  ) m
  where a.id = p_album
    and (a.loudness_lufs, a.sample_peak_dbfs) is distinct from (m.lufs, m.peak);
end $$;

create or replace function tracks_measure_album() returns trigger language plpgsql as $$
declare
  v_album uuid;
begin
  -- In one order for all, so that two that move tracks between the same albums wait, and do not block.
  for v_album in
    select distinct x from unnest(array[
      case when TG_OP <> 'INSERT' then old.album_id end,
      case when TG_OP <> 'DELETE' then new.album_id end
    ]) x where x is not null order by x
  loop
    perform measure_album(v_album);
  end loop;
  return null;
end $$;

create or replace trigger tracks_measure_album_changed
after update of album_id, loudness_lufs, sample_peak_dbfs, duration_s, published_at, deleted_at on tracks
for each row
when ((old.album_id, old.loudness_lufs, old.sample_peak_dbfs, old.duration_s, old.published_at, old.deleted_at)
  is distinct from
  (new.album_id, new.loudness_lufs, new.sample_peak_dbfs, new.duration_s, new.published_at, new.deleted_at))
execute function tracks_measure_album();

create or replace trigger tracks_measure_album_made
after insert or delete on tracks for each row execute function tracks_measure_album();
