-- Where a track's preview begins, on the grid of its segments; and three colours of its cover, the one of
-- the largest areas first. Null where they are not known yet, or there is no cover.
ALTER TABLE "tracks" ADD COLUMN "preview_start_s" integer;--> statement-breakpoint
ALTER TABLE "tracks" ADD COLUMN "cover_colours" text[];
