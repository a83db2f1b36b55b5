-- What a track's file says of itself, disc, compilation, identifiers and lyrics too, so that nothing has
-- to be read from the originals again. Null for tracks of before.
ALTER TABLE "tracks" ADD COLUMN "tags" jsonb;
