-- Counts anew how often what can be found was played: of two that match alike the better known comes first. An
-- entry is written only where it has grown by a tenth, for a search makes little of less. Answers how many were.
create or replace function refresh_search_plays() returns integer language plpgsql as $$
declare
  v_written integer;
begin
  with plays as (
    select 'track' as type, n.track_id as id, n.plays from track_totals n
    union all
    select 'album', t.album_id, sum(n.plays)
    from track_totals n join tracks t on t.id = n.track_id
    where t.album_id is not null and t.deleted_at is null
    group by t.album_id
    union all
    select 'artist', ta.artist_id, sum(n.plays)
    from track_totals n join tracks t on t.id = n.track_id
    join (
      select distinct track_id, artist_id from track_artists where role in ('main', 'featured')
    ) ta on ta.track_id = t.id
    where t.deleted_at is null
    group by ta.artist_id
  ), changed as (
    -- In one order for all who write entries.
    select e.type, e.id, p.plays from search_entries e join plays p on p.type = e.type and p.id = e.id
    where p.plays > e.plays * 1.1
    order by e.type, e.id for update of e
  )
  update search_entries e set plays = c.plays from changed c where e.type = c.type and e.id = c.id;
  get diagnostics v_written = row_count;
  return v_written;
end $$;
