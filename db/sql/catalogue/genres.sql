-- A track's genres as they are listed, from those that were written: the first spelling of a genre stays its name
-- until an admin chooses another one.
create or replace function keep_track_genres() returns trigger language plpgsql as $$
begin
  -- In one order for all, so that two transactions can't wait for one another.
  insert into genres (slug, name)
  select distinct on (g.folded) g.slug, g.name
  from (
    select genre_slug_v1(w.name) as slug, replace(genre_slug_v1(w.name), '-', '') as folded, w.name, w.at
    from unnest(new.genres) with ordinality as w (name, at)
  ) g
  where g.slug <> '' and not exists (select from genre_aliases a where a.folded = g.folded)
  order by g.folded, g.at
  on conflict (slug) do nothing;
  insert into genre_aliases (folded, slug)
  select distinct on (replace(g.slug, '-', '')) replace(g.slug, '-', ''), g.slug
  from (select genre_slug_v1(name) as slug from unnest(new.genres) as name) g
  where g.slug <> '' and exists (select from genres o where o.slug = g.slug)
  order by replace(g.slug, '-', ''), g.slug
  on conflict (folded) do nothing;

  delete from track_genres where track_id = new.id;
  insert into track_genres (track_id, slug, position)
  select new.id, a.slug, min(w.at) - 1
  from unnest(new.genres) with ordinality as w (name, at)
  join genre_aliases a on a.folded = replace(genre_slug_v1(w.name), '-', '')
  group by a.slug;
  return null;
end $$;

create or replace trigger tracks_keep_genres
after insert or update of genres on tracks
for each row execute function keep_track_genres();
