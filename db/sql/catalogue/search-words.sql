-- What a typed word may mean, among all words of the catalogue.

-- Whether one letter wrong, missing, too many, or two in each other's place lie between two words.
create or replace function is_one_edit(p_a text, p_b text) returns boolean language plpgsql immutable strict parallel safe as $$
declare
  v_at integer := 1;
begin
  while v_at <= least(length(p_a), length(p_b)) and substr(p_a, v_at, 1) = substr(p_b, v_at, 1) loop
    v_at := v_at + 1;
  end loop;
  return substr(p_a, v_at + 1) = substr(p_b, v_at + 1)
    or substr(p_a, v_at + 1) = substr(p_b, v_at)
    or substr(p_a, v_at) = substr(p_b, v_at + 1)
    or (substr(p_a, v_at, 1) = substr(p_b, v_at + 1, 1) and substr(p_b, v_at, 1) = substr(p_a, v_at + 1, 1)
      and substr(p_a, v_at + 2) = substr(p_b, v_at + 2));
end $$;

-- A word as an operand of a text query.
create or replace function as_lexeme(p_word text) returns text language sql immutable strict parallel safe as $$
  select '''' || replace(replace(p_word, '\', '\\'), '''', '''''') || ''''
$$;

-- Each typed word's meanings: itself; what is one edit away; and of a longer word that means nothing else, what
-- has most trigrams in common with it. The costs are what a search sorts by first.
create or replace function search_meanings(p_words text[]) returns table (place integer, word text, cost real) language sql stable as $$
  with typed as (
    select w.word, w.place::integer as place from unnest(p_words) with ordinality as w (word, place)
  ), near as (
    select t.place, n.word, 1::real as cost
    from typed t cross join lateral (
      select s.word from search_words s
      where s.deletions && deletions_v1(t.word) and s.word <> t.word and is_one_edit(s.word, t.word)
    ) n
    where length(t.word) between 4 and 40
  ), alike as (
    select t.place, n.word, 2::real as cost
    from typed t cross join lateral (
      select s.word from search_words s
      where s.word % t.word and similarity(s.word, t.word) >= 0.4
      order by similarity(s.word, t.word) desc, s.word limit 5
    ) n
    where length(t.word) between 5 and 40
      and not exists (select from near where near.place = t.place)
      and not exists (select from search_words s where s.word collate "C" >= t.word collate "C"
        and s.word collate "C" < (t.word || U&'\+10FFFF') collate "C")
  )
  select t.place, t.word, 0::real from typed t
  union all select * from near
  union all select * from alike
$$;
