-- How names are compared. Stored data depends on these functions, so they never change: what is to compare
-- otherwise gets a new number, and the data are made anew. They lean on nothing that differs between
-- installations: no extension, and the built-in collation for what is a letter and what is its small form.

-- For searching: without case, width, accents and vowel points, as somebody types it who has none of them.
-- ё is е, Ł is l, ß is ss, أ is ا, ｆ is f; the voicing of kana stays, for が is not か, and so do the vowel
-- signs of Indic and Thai scripts, which are letters.
CREATE FUNCTION fold_v1(p_text text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE
    -- ASCII, which is most of it, at a tenth of the cost.
    WHEN octet_length(p_text) = length(p_text) THEN lower(p_text COLLATE pg_c_utf8)
    ELSE normalize(
      replace(replace(replace(replace(
        translate(
          regexp_replace(
            lower(normalize(p_text, NFKD) COLLATE pg_c_utf8),
            '[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\u200b-\u200f\u2060\u2063]',
            '', 'g'
          ),
          'łøđħıðŧŋςىیکةە', 'lodhidtnσييكهه'
        ),
      'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
      NFC)
  END
$$;--> statement-breakpoint
-- The same with one space for whatever is neither a letter nor a digit: "AC/DC" is "ac dc". A name of signs
-- alone ("!!!") stays as it is.
CREATE FUNCTION spaced_v1(p_text text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  v_folded text := fold_v1(p_text);
BEGIN
  RETURN coalesce(
    nullif(btrim(regexp_replace(
      v_folded COLLATE pg_c_utf8, '[^[:alnum:]\u0900-\u0dff\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff]+', ' ', 'g'
    )), ''),
    btrim(regexp_replace(v_folded, '\s+', ' ', 'g'))
  );
END $$;--> statement-breakpoint
-- The same in one piece: "AC/DC" is "acdc".
CREATE FUNCTION squeezed_v1(p_text text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT replace(spaced_v1(p_text), ' ', '')
$$;--> statement-breakpoint
-- Each two letters of Chinese, Japanese or Korean that stand together in a word of three or more.
CREATE FUNCTION pairs_v1(p_word text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF length(p_word) < 3 OR p_word !~ '[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]{2}' THEN
    RETURN '{}';
  END IF;
  RETURN ARRAY(
    SELECT DISTINCT p.pair
    FROM (SELECT substr(p_word, at, 2) AS pair FROM generate_series(1, length(p_word) - 1) AS at) p
    WHERE p.pair ~ '^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]{2}$'
    ORDER BY p.pair
  );
END $$;--> statement-breakpoint
-- The words that a name is found by. What white space parts is a word in one piece, too ("acdc" beside "ac" and
-- "dc", "dont" beside "don" and "t"). Chinese, Japanese and Korean put several words in one piece: they are also
-- found by each two letters that stand together.
CREATE FUNCTION words_v1(p_text text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  v_words text[] := string_to_array(spaced_v1(p_text), ' ');
  v_piece text;
BEGIN
  IF p_text COLLATE pg_c_utf8 ~ '[^\s\w]' THEN
    FOREACH v_piece IN ARRAY regexp_split_to_array(btrim(p_text), '\s+') LOOP
      v_words := v_words || squeezed_v1(v_piece);
    END LOOP;
  END IF;
  FOREACH v_piece IN ARRAY v_words LOOP
    v_words := v_words || pairs_v1(v_piece);
  END LOOP;
  RETURN ARRAY(SELECT DISTINCT word FROM unnest(v_words) AS word WHERE word <> '' ORDER BY word);
END $$;--> statement-breakpoint
-- A word, and what is left of it without any one of its letters: of two words that differ by one letter wrong,
-- missing, too many, or by two in each other's place, one is among the other's or they share one. Short words are
-- left as they are: with one letter wrong they are another word.
CREATE FUNCTION deletions_v1(p_word text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF length(p_word) NOT BETWEEN 4 AND 40 THEN
    RETURN ARRAY[p_word];
  END IF;
  RETURN ARRAY(
    SELECT p_word
    UNION
    SELECT left(p_word, at - 1) || substr(p_word, at + 1) FROM generate_series(1, length(p_word)) AS at
  );
END $$;
