-- Finds tracks, artists and albums by what somebody typed.

-- Whether an entry has a track that listeners may see, of a genre (by its alias), of these years and of this tempo;
-- null asks for nothing.
create or replace function search_passes(
  p_type text, p_id uuid, p_genre text, p_year_from integer, p_year_to integer, p_bpm_from real, p_bpm_to real
) returns boolean language plpgsql stable as $$
declare
  v_tracks uuid[];
begin
  if p_type = 'track' then
    v_tracks := array[p_id];
  elsif p_type = 'album' then
    v_tracks := array(select t.id from tracks t where t.album_id = p_id);
  else
    v_tracks := array(select ta.track_id from track_artists ta where ta.artist_id = p_id);
  end if;
  return exists (
    select from tracks t left join albums al on al.id = t.album_id
    where t.id = any (v_tracks) and t.published_at is not null and t.deleted_at is null
      and (p_year_from is null or coalesce(t.year, al.year) >= p_year_from)
      and (p_year_to is null or coalesce(t.year, al.year) <= p_year_to)
      and (p_bpm_from is null or t.tempo_bpm >= p_bpm_from)
      and (p_bpm_to is null or t.tempo_bpm <= p_bpm_to)
      and (p_genre is null or exists (
        select from track_genres g join genre_aliases a on a.slug = g.slug
        where g.track_id = t.id and a.folded = p_genre
      ))
  );
end $$;

-- What a text query asks of an entry's words: of each place some meaning; the last word may be only begun. With
-- `p_without` one of them may be missing.
create or replace function search_query(
  p_words text[], p_places integer[], p_meanings text[], p_without boolean
) returns tsquery language sql immutable parallel safe as $$
  with places as (
    select m.place, '(' || string_agg(as_lexeme(m.word), '|')
      || case when m.place = cardinality(p_words) then '|' || as_lexeme(p_words[m.place]) || ':*' else '' end
      -- What Chinese, Japanese and Korean put in one piece: each two of its letters.
      || coalesce('|(' || (select string_agg(as_lexeme(pair), '&') from unnest(pairs_v1(p_words[m.place])) pair) || ')', '')
      || ')' as meant
    from unnest(p_places, p_meanings) as m (place, word)
    group by m.place
  )
  select case when not p_without then (select string_agg(meant, '&' order by place) from places)
    else (
      select string_agg('(' || w.others || ')', '|') from places l cross join lateral (
        select string_agg(o.meant, '&' order by o.place) as others from places o where o.place <> l.place
      ) w
    ) end::tsquery
$$;

-- The entries of one type that some words may mean, the best first. Sorted by how much was mistyped or is missing;
-- then by how much of the name is asked for; a little by how often it is played. A name that is typed in full
-- comes before all others.
create or replace function search_type(
  p_type text, p_text text, p_limit integer,
  p_genre text, p_year_from integer, p_year_to integer, p_bpm_from real, p_bpm_to real
) returns table (type text, id uuid, score real) language plpgsql stable
-- The index of a type is chosen only by a plan that knows the type.
set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
  v_name text := spaced_v1(p_text);
  v_squeezed text := squeezed_v1(p_text);
  v_words text[] := (string_to_array(spaced_v1(p_text), ' '))[1:12];
  v_count integer := cardinality(v_words);
  v_last text := v_words[v_count];
  v_is_filtered boolean := num_nonnulls(p_genre, p_year_from, p_year_to, p_bpm_from, p_bpm_to) > 0;
  v_places integer[];
  v_meanings text[];
  v_costs real[];
  v_query tsquery;
  v_found uuid[];
begin
  select array_agg(m.place), array_agg(m.word), array_agg(m.cost)
  into v_places, v_meanings, v_costs from search_meanings(v_words) m;
  for v_is_without in 0 .. case when v_count between 2 and 8 then 1 else 0 end loop
    v_query := search_query(v_words, v_places, v_meanings, v_is_without = 1);
    v_found := array(
      -- Enough for the best to be among them, few enough to be compared in milliseconds.
      select e.id from search_entries e
      where e.type = p_type and e.words @@ v_query
        and (not v_is_filtered
          or search_passes(p_type, e.id, p_genre, p_year_from, p_year_to, p_bpm_from, p_bpm_to))
      order by length(e.name), e.plays desc, e.id limit 500
    ) || array(
      select e.id from search_entries e
      where e.type = p_type and e.squeezed collate "C" = v_squeezed
        and (not v_is_filtered
          or search_passes(p_type, e.id, p_genre, p_year_from, p_year_to, p_bpm_from, p_bpm_to))
      order by e.plays desc, e.id limit 100
    );
    exit when cardinality(v_found) > 0;
  end loop;

  return query
  with candidates as materialized (
    select e.id, e.name, e.squeezed, e.words, e.plays from search_entries e
    where e.type = p_type and e.id = any (v_found)
  ), lexemes as (
    select c.id, l.word from candidates c cross join lateral unnest(tsvector_to_array(c.words)) as l (word)
  ), pairs as (
    select w.place::integer as place, p.pair, cardinality(pairs_v1(w.word)) as of_all
    from unnest(v_words) with ordinality as w (word, place)
    cross join lateral unnest(pairs_v1(w.word)) as p (pair)
  ), matches as (
    select l.id, m.place, l.word, m.cost
    from lexemes l join unnest(v_places, v_meanings, v_costs) as m (place, word, cost) on m.word = l.word
    union all
    -- The less is still to be typed, the likelier it is meant.
    select l.id, v_count, l.word, (0.2 + 0.6 * (1 - length(v_last)::real / length(l.word)))::real
    from lexemes l where starts_with(l.word, v_last) and l.word <> v_last
    union all
    select l.id, p.place, min(l.word), 0.5::real
    from lexemes l join pairs p on p.pair = l.word
    group by l.id, p.place, p.of_all having count(*) = p.of_all
  ), best as (
    select m.id, m.place, m.word, m.cost, min(m.cost) over (partition by m.id, m.place) as least from matches m
  ), sums as (
    select b.id, sum(b.least) as cost, count(*) as places, array_agg(b.words) as words
    from (
      select b.id, b.place, b.least, string_agg(b.word, ' ') as words
      from best b where b.cost = b.least group by b.id, b.place, b.least
    ) b group by b.id
  )
  select p_type, c.id, (
    case when c.squeezed = v_squeezed then 3 else 0 end + case when c.name = v_name then 1 else 0 end
    - case when c.squeezed = v_squeezed then 0
      else 3 * coalesce(s.cost, 0) + 4 * (v_count - coalesce(s.places, 0)) end
    + 2 * (
      select avg(case when n.word = any (w.words)
        -- "dont" is "don" and "t".
        or exists (select from unnest(w.words) as m (word)
          where strpos(m.word, n.word) > 0 and strpos(c.squeezed, m.word) > 0) then 1 else 0 end)
      from (select distinct unnest(string_to_array(c.name, ' ')) as word) n
    )
    + 0.1 * ln(1 + c.plays)
  )::real as score
  from candidates c left join sums s on s.id = c.id
  cross join lateral (select string_to_array(array_to_string(s.words, ' '), ' ') as words) w
  order by score desc, c.plays desc, length(c.name), c.id
  limit p_limit;
end $$;

-- Each type's best, all in one answer. Without any text the newest that pass are found, by their tracks.
create or replace function search_catalogue(
  p_text text, p_types text[], p_limit integer,
  p_genre text, p_year_from integer, p_year_to integer, p_bpm_from real, p_bpm_to real
) returns table (type text, id uuid, score real) language plpgsql stable as $$
#variable_conflict use_column
declare
  v_type text;
begin
  if spaced_v1(p_text) <> '' then
    foreach v_type in array p_types loop
      return query select * from search_type(
        v_type, p_text, p_limit, p_genre, p_year_from, p_year_to, p_bpm_from, p_bpm_to);
    end loop;
    return;
  end if;
  return query
  with newest as (
    select t.id, t.album_id, t.created_at from tracks t
    where t.published_at is not null and t.deleted_at is null
      and search_passes('track', t.id, p_genre, p_year_from, p_year_to, p_bpm_from, p_bpm_to)
    order by t.created_at desc, t.id desc limit p_limit
  ), found as (
    select 'track' as type, n.id, n.created_at from newest n
    union all
    select 'album', n.album_id, max(n.created_at) from newest n where n.album_id is not null group by n.album_id
    union all
    select 'artist', ta.artist_id, max(n.created_at)
    from newest n join track_artists ta on ta.track_id = n.id group by ta.artist_id
  )
  select f.type, f.id, 0::real from (
    select o.*, row_number() over (partition by o.type order by o.created_at desc, o.id) as place from found o
  ) f where f.type = any (p_types) and f.place <= p_limit
  order by f.type, f.place;
end $$;
